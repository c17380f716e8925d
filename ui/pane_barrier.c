/* Who holds the present quantum, and where the wall time went so far. */
#include <string.h>

#include "base/memory.h"
#include "ui/format.h"
#include "ui/pane.h"

#define HELD_S 0.05 /* a node that takes longer is named; shorter ones would only flicker */

static void title(const struct pane *p, const struct view *v, struct buffer *out)
{
    (void)p;
    char count[FORMAT_TEXT];
    if (v->session)
        buffer_format(out, " quantum %s", format_count(v->status->quanta, count));
}

/* One line: who is being waited for. */
static void draw_holder(const struct view *v, const struct area *a)
{
    const struct session_status *s = v->status;
    char text[FORMAT_TEXT];
    struct pen pen = pen_at(a, 0, 0, -1);
    if (session_state_over(s->state)) {
        pen_put(&pen, ROLE_LABEL, "the run is over");
    } else if (s->state == SESSION_PAUSED) {
        pen_put(&pen, ROLE_LABEL, "all nodes are at the barrier");
    } else if (s->waiting_s >= HELD_S && s->waiting_for >= 0 && s->waiting_for < v->scenario->node_count) {
        pen_put(&pen, ROLE_BUSY, "waiting for ");
        pen_put(&pen, theme_node_role(s->waiting_for), v->scenario->nodes[s->waiting_for].id);
        pen_printf(&pen, ROLE_BUSY, "  %s", v->wall ? format_wall(s->waiting_s, text) : WALL_HIDDEN);
    } else {
        pen_put(&pen, ROLE_LABEL, s->state == SESSION_RUNNING ? "nobody holds the quantum up" : "not running yet");
    }
}

static void draw_share(const struct view *v, const struct area *a, int y, int node, int id_width)
{
    const char *id = v->scenario->nodes[node].id;
    uint64_t ns = v->model->wall_ns[node], total = v->model->wall_total;
    bool known = v->wall && total;
    double share = known ? (double)ns / (double)total : 0;
    char text[FORMAT_TEXT];
    area_text(a, 0, y, id_width, theme_node_role(node), id, strlen(id));
    int x = id_width + 1, meter = a->width - x - 8 - 9;
    if (meter >= 4) {
        area_meter(a, x, y, meter, share, ROLE_BAR_FULL);
        x += meter;
    }
    area_right(a, x, y, 8, known ? ROLE_TEXT : ROLE_DIM, known ? format_percent(share, text) : WALL_HIDDEN);
    area_right(a, x + 8, y, 9, ROLE_DIM, known ? format_ns(ns, text) : WALL_HIDDEN);
}

static void draw(struct pane *p, const struct view *v, const struct area *a, bool focus)
{
    if (!v->scenario || !v->model)
        return;
    draw_holder(v, a);
    struct area head = area_sub(a, 0, 1, a->width, 1);
    area_put(&head, 0, 0, ROLE_HEADING, "share of the wall time");
    struct area rows = area_sub(a, 0, 2, a->width, a->height - 2);
    list_show(&p->list, (uint64_t)v->model->node_count, rows.height, rows.y);
    int id_width = v->model->id_width > 16 ? 16 : v->model->id_width;
    for (int y = 0; y < rows.height && p->list.top + (uint64_t)y < p->list.count; y++) {
        draw_share(v, &rows, y, v->model->by_share[p->list.top + (uint64_t)y], id_width);
        if (p->list.top + (uint64_t)y == p->list.cursor)
            pane_select(&rows, y, focus);
    }
}

static int selected(const struct pane *p, const struct view *v)
{
    return v->model && p->list.cursor < (uint64_t)v->model->node_count ? v->model->by_share[p->list.cursor] : -1;
}

struct pane *pane_barrier_new(void)
{
    static const struct pane_ops ops = {
        .name = "Barrier",
        .title = title,
        .draw = draw,
        .act = pane_move,
        .node = selected,
        .free = pane_free,
    };
    struct pane *p = mem_alloc(sizeof *p);
    p->ops = &ops;
    return p;
}
