#include "ui/screen.h"

#include <string.h>

static struct area rect_area(struct canvas *c, const struct rect *r)
{
    struct area all = canvas_area(c);
    return area_sub(&all, r->x, r->y, r->width, r->height);
}

/* "1 Nodes 4", in the frame's upper edge; returns where it ends. */
static int draw_title(const struct app *app, const struct view *v, const struct area *a, int x, enum pane_id id,
                      bool focus)
{
    const struct pane *p = app->panes[id];
    struct pen pen = pen_at(a, x, 0, a->width - x - 1);
    enum role role = focus ? ROLE_TITLE_FOCUS : ROLE_TITLE;
    pen_put(&pen, role, " ");
    if (id < MAIN_PANES)
        pen_printf(&pen, focus ? ROLE_TITLE_FOCUS : ROLE_DIM, "%d ", id + 1);
    pen_put(&pen, role, p->ops->name);
    if (p->ops->title) {
        struct buffer text = { 0 };
        p->ops->title(p, v, &text);
        pen_put(&pen, focus ? ROLE_LABEL : ROLE_DIM, buffer_string(&text));
        buffer_free(&text);
    }
    pen_put(&pen, role, " ");
    return pen.x;
}

/* In the rows of its list; where it has several, everywhere. */
static void mark_found(const struct pane *p, const struct view *v, const struct area *a)
{
    int from = p->list.rows ? p->list.screen_y - a->y : 0, to = p->list.rows ? from + p->list.rows : a->height;
    for (int y = from; y < to; y++)
        area_mark(a, y, v->find);
}

/* Why some values are `-` of an earlier moment: said once, in the frame of the first pane that has such. */
static void draw_unrecorded(const struct app *app, const struct view *v, const struct area *a, enum pane_id id, int x)
{
    static const char text[] = " wall-clock values are not recorded ";
    bool has_values =
        id == PANE_HEALTH || id == PANE_DETAIL || (id == PANE_BARRIER && !app->layout.panes[PANE_HEALTH].height);
    int width = (int)strlen(text), at = a->width - 2 - width;
    if (v->session && v->status->is_past && has_values && at > x)
        area_put(a, at, 0, ROLE_DIM, text);
}

static void draw_frame(const struct app *app, const struct view *v, const struct area *a, enum pane_id id)
{
    struct pane *p = app->panes[id];
    bool focus = app_top(app) == id;
    area_box(a, focus ? ROLE_BORDER_FOCUS : ROLE_BORDER);
    int x = draw_title(app, v, a, 2, id, focus);
    if (app->layout.tabs && (id == PANE_HEALTH || id == PANE_BARRIER)) {
        enum pane_id other = id == PANE_HEALTH ? PANE_BARRIER : PANE_HEALTH;
        struct pen pen = pen_at(a, x + 1, 0, a->width - x - 2);
        pen_printf(&pen, ROLE_DIM, " %d %s ", other + 1, app->panes[other]->ops->name);
        x = pen.x;
    }
    draw_unrecorded(app, v, a, id, x);
    struct area inside = area_sub(a, 1, 1, a->width - 2, a->height - 2);
    p->ops->draw(p, v, &inside, focus);
    if (p->ops->go)
        mark_found(p, v, &inside);
    area_scrollbar(a, p->list.screen_y - a->y, p->list.rows, p->list.top, p->list.count,
                   focus ? ROLE_BORDER_FOCUS : ROLE_DIM);
}

#define POPUP_WIDTH      78
#define HELP_TWO_COLUMNS 136

/* A frame in the middle of the body, for what is open above the panes. */
static void draw_popup(const struct app *app, const struct view *v, const struct area *body, enum pane_id id)
{
    bool is_list = id == PANE_CHAIN || id == PANE_BREAKS; /* whose rows are as long as what others wrote */
    bool two_columns = id == PANE_HELP && body->width >= HELP_TWO_COLUMNS;
    int wanted = is_list ? body->width : two_columns ? HELP_TWO_COLUMNS : POPUP_WIDTH;
    int width = wanted + 8 > body->width ? body->width : wanted; /* slivers at the sides are of no use */
    int rows = app->panes[id]->ops->rows(app->panes[id], v, width - 2) + 2;
    int height = rows < body->height ? rows : body->height;
    struct area frame = area_sub(body, (body->width - width) / 2, (body->height - height) / 2, width, height);
    area_clear(&frame);
    draw_frame(app, v, &frame, id);
}

/* At the bottom of the body: what stands above it is seen as it changes with time. */
static void draw_strip(const struct app *app, const struct view *v, const struct area *body, enum pane_id id)
{
    int rows = app->panes[id]->ops->rows(app->panes[id], v, body->width - 2) + 2;
    int most = app->zoom ? body->height : body->height * 2 / 5;
    int below = app->layout.panes[app->bottom].height, least = below && !app->zoom ? below : 7;
    int height = rows < least ? least : rows < most ? rows : most < least ? least : most;
    struct area frame = area_sub(body, 0, body->height - height, body->width, height);
    area_clear(&frame);
    draw_frame(app, v, &frame, id);
}

static void draw_body(struct app *app, const struct view *v, struct canvas *c)
{
    struct area body = rect_area(c, &app->layout.body);
    bool covered = false;
    for (int i = 0; i < app->open_count; i++)
        covered |= app->open[i] == PANE_DETAIL || app->open[i] == PANE_LOG || app->open[i] == PANE_PROBLEMS ||
                   app->open[i] == PANE_FLIGHT;
    for (int i = 0; i < MAIN_PANES && !covered; i++) {
        struct area a = rect_area(c, &app->layout.panes[i]);
        if (a.height > 0)
            draw_frame(app, v, &a, (enum pane_id)i);
    }
    for (int i = 0; i < app->open_count; i++) {
        enum pane_id id = app->open[i];
        if (id == PANE_HELP || id == PANE_RECORD || id == PANE_CHAIN || id == PANE_BREAKS || id == PANE_MESSAGE) {
            draw_popup(app, v, &body, id);
        } else if (id == PANE_TIMELINE || id == PANE_WATCHES) {
            draw_strip(app, v, &body, id);
        } else {
            area_clear(&body);
            draw_frame(app, v, &body, id);
        }
    }
    line_prompt_draw(app, &body);
}

static void draw_too_small(struct canvas *c)
{
    struct area a = canvas_area(c);
    char text[40];
    snprintf(text, sizeof text, "needs %dx%d", LAYOUT_MIN_COLUMNS, LAYOUT_MIN_ROWS);
    area_center(&a, a.height > 1 ? a.height / 2 - 1 : 0, ROLE_WARN, "too small");
    area_center(&a, a.height > 1 ? a.height / 2 : 1, ROLE_DIM, text);
}

/* A node was active, while the run goes on, since the frame before; where it stands still, in the last quantum, however
 * often it was drawn on the way there. */
static void note_activity(struct app *app)
{
    const struct session_status *s = &app->status;
    if (s->now != app->drawn)
        app->since = app->drawn;
    if (s->state != SESSION_RUNNING && app->scenario)
        app->since = s->now - app->scenario->quantum;
    app->drawn = s->now;
}

void screen_draw(struct app *app, struct canvas *c)
{
    note_activity(app);
    struct view v = app_view(app);
    int nodes = app->scenario ? app->scenario->node_count : 0;
    int status_rows = status_rows_wanted(app, c->columns);
    canvas_clear(c);
    app->layout =
        layout_make(c->columns, c->rows, nodes, app->model.id_width, app->focus, app->bottom, app->zoom, status_rows);
    if (app->layout.too_small) {
        memset(app->layout.panes, 0, sizeof app->layout.panes);
        draw_too_small(c);
        return;
    }
    draw_body(app, &v, c);
    struct area part = rect_area(c, &app->layout.header);
    header_draw(&v, &part);
    part = rect_area(c, &app->layout.status);
    status_draw(app, &v, &part);
    part = rect_area(c, &app->layout.bar);
    bar_draw(app, &part);
    if (app->session) /* what a pane has set going, as what was in flight, is seen to end then */
        session_status(app->session, &app->status);
}
