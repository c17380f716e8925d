/* Watches: nodes, and for each of them the values of what is watched. */
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/json_path.h"
#include "base/memory.h"
#include "ui/format.h"
#include "ui/pane.h"

#define COLUMN_LEAST 14 /* of a watch, its gap included; with less room some are out of sight */
#define SINCE_LEAST  24 /* with less room only the value */
#define MARK         2  /* columns for what tells that a value has changed */
#define PREVIEW_ROWS 2
#define PREVIEW_ALL  8 /* rows of the pane: with less there is only a line of it */

struct pane_watch {
    struct pane pane;
    int column; /* that is selected */
    int first;  /* that is in sight */
};

static struct pane_watch *watch_of(struct pane *p)
{
    return (struct pane_watch *)p;
}

static int columns(const struct view *v)
{
    return watches_count(v->watches);
}

static void title(const struct pane *p, const struct view *v, struct buffer *out)
{
    const struct pane_watch *w = (const struct pane_watch *)p;
    bool looking = false;
    for (int i = 0; i < columns(v); i++)
        looking |= watches_looking(v->watches, i);
    int column = w->column < columns(v) ? w->column + 1 : columns(v);
    if (columns(v))
        buffer_format(out, " %d of %d%s", column, columns(v), looking ? ", looking back" : "");
}

/* Where the columns are. */
struct places {
    int id, width, shown, stamp;
};

static struct places places_for(const struct view *v, int width)
{
    char stamp[FORMAT_TEXT];
    struct places c = { .id = v->model->id_width };
    int most = width < 110 ? 12 : 20, count = columns(v);
    c.id = c.id < 4 ? 4 : c.id > most ? most : c.id;
    int room = width - ++c.id;
    c.shown = room / COLUMN_LEAST < count ? room / COLUMN_LEAST : count;
    c.shown = c.shown < 1 ? 1 : c.shown;
    c.width = room / c.shown;
    c.stamp = c.width >= SINCE_LEAST ? (int)strlen(format_stamp(v->scenario->duration, stamp)) + 1 : 0;
    return c;
}

static void put_since(const struct area *a, int x, int y, int width, const struct watch_value *value)
{
    char stamp[FORMAT_TEXT], text[FORMAT_TEXT + 1];
    snprintf(text, sizeof text, "%s%s", value->since_is_late ? "<" : "", format_stamp(value->since, stamp));
    area_right(a, x, y, width, value->since_is_late ? ROLE_DIM : ROLE_TIME, text);
}

/* The mark, the value, and where there is room for it since when it has been so. */
static void draw_value(const struct area *a, int x, int y, int width, int stamp, const struct watch_value *value)
{
    int room = width - MARK - (stamp ? stamp + 1 : 0);
    if (value->is_changed)
        area_glyph(a, x, y, ROLE_BUSY, GLYPH_DOT);
    struct pen pen = pen_at(a, x + MARK, y, room);
    enum role role = value->is_old ? ROLE_DIM : value->is_changed ? ROLE_STRONG : ROLE_TEXT;
    pen_text(&pen, role, value->len ? value->text : "\"\"", value->len ? value->len : 2);
    if (value->is_cut && !pen.full)
        pen_glyph(&pen, ROLE_DIM, GLYPH_ELLIPSIS);
    if (stamp)
        put_since(a, x + width - stamp, y, stamp, value);
}

static void draw_headings(const struct pane_watch *w, const struct view *v, const struct area *a,
                          const struct places *c)
{
    area_put(a, 0, 0, ROLE_HEADING, "node");
    for (int i = 0; i < c->shown; i++) {
        int watch = w->first + i, x = c->id + i * c->width;
        enum role role = watch == w->column ? ROLE_TITLE_FOCUS : ROLE_HEADING;
        area_printf(a, x + MARK, 0, c->width - MARK - (c->stamp ? 6 : 0), role, "%d %s", watch + 1,
                    watches_text(v->watches, watch));
        if (c->stamp)
            area_right(a, x + c->width - 5, 0, 5, ROLE_LABEL, "since");
    }
}

static void draw_node(const struct pane_watch *w, const struct view *v, const struct area *a, int y, int node,
                      const struct places *c)
{
    const char *id = v->scenario->nodes[node].id;
    struct watch_value value;
    bool any = false;
    for (int i = 0; i < columns(v); i++)
        any |= watches_value(v->watches, i, node, &value);
    area_text(a, 0, y, c->id - 1, any ? theme_node_role(node) : ROLE_DIM, id, strlen(id));
    for (int i = 0; i < c->shown; i++) {
        int x = c->id + i * c->width;
        if (watches_value(v->watches, w->first + i, node, &value))
            draw_value(a, x, y, c->width, c->stamp, &value);
        else
            area_put(a, x + MARK, y, ROLE_DIM, watches_looking(v->watches, w->first + i) ? "" : "-");
    }
}

/* The selected value, whole as far as it fits. */
static void draw_preview(const struct pane_watch *w, const struct view *v, const struct area *a, int node)
{
    char since[FORMAT_TEXT], at[FORMAT_TEXT], n[FORMAT_TEXT];
    struct watch_value value;
    struct buffer whole = { 0 };
    bool known = watches_value(v->watches, w->column, node, &value);
    area_line(a, 0, 0, a->width, ROLE_BORDER, GLYPH_HORIZONTAL);
    struct pen pen = pen_at(a, 1, 0, a->width - 2);
    pen_printf(&pen, ROLE_LABEL, " %d %s ", w->column + 1, watches_text(v->watches, w->column));
    if (known) {
        pen_printf(&pen, ROLE_DIM, " since %s%s, ", value.since_is_late ? "before " : "",
                   format_typed(value.since, since));
        pen_printf(&pen, ROLE_DIM, "record %s at %s ", format_count(value.n, n), format_typed(value.t, at));
    }
    struct area text = area_sub(a, 1, 1, a->width - 2, a->height - 1);
    if (!known)
        area_put(&text, 0, 0, ROLE_DIM, watches_looking(v->watches, w->column) ? "looking for it" : "no value yet");
    else if (watches_whole(v->watches, w->column, &value, v->store, &whole))
        area_wrap(&text, 0, 0, text.width, ROLE_TEXT, whole.len ? buffer_string(&whole) : "\"\"");
    buffer_free(&whole);
}

static void keep_column_in_sight(struct pane_watch *w, const struct view *v, int shown)
{
    int count = columns(v);
    w->column = w->column < count ? w->column : count - 1;
    w->column = w->column < 0 ? 0 : w->column;
    if (w->first > w->column)
        w->first = w->column;
    if (w->first + shown <= w->column)
        w->first = w->column - shown + 1;
    if (w->first + shown > count)
        w->first = count > shown ? count - shown : 0;
}

static int rows(const struct pane *p, const struct view *v, int width)
{
    (void)p, (void)width;
    return (v->scenario ? v->scenario->node_count : 0) + 1 + PREVIEW_ROWS;
}

static void draw(struct pane *p, const struct view *v, const struct area *a, bool focus)
{
    struct pane_watch *w = watch_of(p);
    if (!v->model)
        return;
    if (!columns(v)) {
        list_show(&p->list, 0, 0, a->y);
        pane_empty(v, a, "Nothing is watched yet", ":watch payload.temperature shows that of each node");
        return;
    }
    struct places c = places_for(v, a->width);
    bool all = a->height >= PREVIEW_ALL || a->height >= rows(p, v, a->width);
    int preview = all ? PREVIEW_ROWS : a->height > 3;
    keep_column_in_sight(w, v, c.shown);
    draw_headings(w, v, a, &c);
    struct area nodes = area_sub(a, 0, 1, a->width, a->height - 1 - preview);
    list_show(&p->list, (uint64_t)v->scenario->node_count, nodes.height, nodes.y);
    for (int y = 0; y < nodes.height && p->list.top + (uint64_t)y < p->list.count; y++) {
        draw_node(w, v, &nodes, y, (int)p->list.top + y, &c);
        if (p->list.top + (uint64_t)y == p->list.cursor)
            pane_select(&nodes, y, focus);
    }
    struct area bottom = area_sub(a, 0, a->height - preview, a->width, preview);
    if (preview)
        draw_preview(w, v, &bottom, (int)p->list.cursor);
    watches_seen(v->watches);
}

int pane_watch_node(const struct view *v, const struct area *a, int node)
{
    int y = 0, label = a->width < 40 ? 16 : 22;
    char stamp[FORMAT_TEXT];
    int width = a->width - label, room = (int)strlen(format_stamp(v->scenario->duration, stamp)) + 1;
    if (!columns(v) || a->height < 2)
        return 0;
    area_heading(a, y++, false, "Watches");
    for (int i = 0; i < columns(v) && y < a->height; i++, y++) {
        struct watch_value value;
        const char *text = watches_text(v->watches, i);
        area_text(a, 1, y, label - 2, ROLE_DIM, text, strlen(text));
        if (watches_value(v->watches, i, node, &value))
            draw_value(a, label - 1, y, width, width >= SINCE_LEAST ? room : 0, &value);
        else
            area_put(a, label + 1, y, ROLE_DIM, watches_looking(v->watches, i) ? "" : "-");
    }
    watches_seen(v->watches);
    return y;
}

bool pane_watch_work(const struct view *v, bool *changed)
{
    return watches_work(v->watches, v->store, v->status->now, v->status->state == SESSION_RUNNING, changed);
}

static bool work(struct pane *p, const struct view *v, bool *changed)
{
    (void)p;
    return pane_watch_work(v, changed);
}

static bool act(struct pane *p, const struct view *v, enum action action)
{
    struct pane_watch *w = watch_of(p);
    switch (action) {
    case ACTION_LEFT:
        w->column -= w->column > 0;
        return true;
    case ACTION_RIGHT:
        w->column += w->column + 1 < columns(v);
        return true;
    case ACTION_DELETE:
        if (w->column < columns(v))
            watches_remove(v->watches, w->column);
        return true;
    default:
        return list_act(&p->list, action);
    }
}

static int selected(const struct pane *p, const struct view *v)
{
    return v->scenario && p->list.cursor < p->list.count ? (int)p->list.cursor : -1;
}

bool pane_watch_selected(const struct pane *p, const struct view *v, uint64_t *n)
{
    const struct pane_watch *w = (const struct pane_watch *)p;
    struct watch_value value;
    int node = selected(p, v);
    if (node < 0 || w->column >= columns(v) || !watches_value(v->watches, w->column, node, &value))
        return false;
    *n = value.n;
    return true;
}

void pane_watch_show(struct pane *p, int watch)
{
    watch_of(p)->column = watch;
}

static void export_headings(const struct view *v, struct table_row *row)
{
    table_text(row, "node");
    for (int i = 0; i < columns(v); i++) {
        struct buffer since = { 0 };
        buffer_format(&since, "%d since", i + 1);
        table_text(row, watches_text(v->watches, i));
        table_text(row, buffer_string(&since));
        buffer_free(&since);
    }
}

static void export_value(const struct view *v, int watch, const struct watch_value *value, struct table_row *row)
{
    struct buffer whole = { 0 };
    struct json_number number;
    if (!watches_whole(v->watches, watch, value, v->store, &whole))
        table_nothing(row);
    else if (json_number_read(whole.data, whole.len, &number))
        table_json(row, whole.data, whole.len);
    else
        table_text_n(row, whole.data, whole.len);
    table_time(row, value->since);
    buffer_free(&whole);
}

static bool export_row(struct pane *p, const struct view *v, uint64_t n, struct table_row *row)
{
    (void)p;
    if (n == TABLE_HEADINGS) {
        export_headings(v, row);
        return true;
    }
    if (!v->scenario || !columns(v) || n >= (uint64_t)v->scenario->node_count)
        return false;
    table_text(row, v->scenario->nodes[n].id);
    for (int i = 0; i < columns(v); i++) {
        struct watch_value value;
        if (watches_value(v->watches, i, (int)n, &value)) {
            export_value(v, i, &value, row);
        } else {
            table_nothing(row);
            table_nothing(row);
        }
    }
    return true;
}

struct pane *pane_watch_new(void)
{
    static const struct pane_ops ops = {
        .name = "Watches",
        .title = title,
        .draw = draw,
        .act = act,
        .node = selected,
        .work = work,
        .export = export_row,
        .go = pane_go,
        .rows = rows,
        .free = pane_free,
    };
    struct pane_watch *w = mem_alloc(sizeof *w);
    w->pane.ops = &ops;
    return &w->pane;
}
