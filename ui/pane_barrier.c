/* Who is being waited for and since when, who is dead and why, and where the wall time went so far. */
#include <string.h>

#include "base/memory.h"
#include "ui/awaited.h"
#include "ui/format.h"
#include "ui/pane.h"

static void title(const struct pane *p, const struct view *v, struct buffer *out)
{
    (void)p;
    char count[FORMAT_TEXT];
    if (v->session)
        buffer_format(out, " quantum %s", format_count(v->status->quanta, count));
}

static struct node_status status_of(const struct view *v, int node)
{
    struct node_status n = { .state = NODE_LOADED, .cause = "", .tail = "" };
    if (v->session)
        session_node(v->session, node, &n);
    return n;
}

#define WAITING_WIDTH 36 /* of "late: waiting for   25.0 s of 1 min 30 s" without the id */

/* Where there is room: the key that leads to the log of who is waited for. */
static void draw_hint(const struct view *v, struct pen *pen)
{
    char keys[KEYMAP_TEXT];
    const char *hint = keymap_text(v->keys, "   {log}: its log", false, keys);
    if (pen->x + (int)strlen(hint) <= pen->end)
        pen_put(pen, ROLE_DIM, hint);
}

/* One line: who is being waited for. */
static void draw_holder(const struct view *v, const struct area *a, bool focus)
{
    const struct session_status *s = v->status;
    struct pen pen = pen_at(a, 0, 0, -1);
    struct awaited awaited;
    int node = s->waiting_for;
    if (node >= 0 && node < v->scenario->node_count) {
        struct node_status n = status_of(v, node);
        if (awaited_of(v, node, &n, &awaited)) {
            const char *id = v->scenario->nodes[node].id;
            pen_put(&pen, awaited_role(&awaited), awaited.late ? "late: " : "");
            if (a->width >= (int)strlen(id) + WAITING_WIDTH)
                pen_put(&pen, awaited_role(&awaited), "waiting for ");
            pen_put(&pen, theme_node_role(node), id);
            pen_put(&pen, ROLE_TEXT, "  ");
            awaited_put(&pen, awaited_role(&awaited), v, &awaited);
            if (focus)
                draw_hint(v, &pen);
            return;
        }
    }
    static const char *const words[] = {
        [SESSION_LOADED] = "not running yet",
        [SESSION_STARTING] = "the nodes are being started",
        [SESSION_PAUSED] = "all nodes are at the barrier",
        [SESSION_RUNNING] = "nobody holds the quantum up",
        [SESSION_ENDING] = "the nodes are being ended",
    };
    pen_put(&pen, ROLE_LABEL, session_state_over(s->state) ? "the run is over" : words[s->state]);
}

/* The heading, and how many of the processes have done what is asked of all. */
static void draw_heading(const struct view *v, const struct area *a)
{
    const struct model *m = v->model;
    enum session_state s = v->status->state;
    static const char *const headings[] = { "share of the wall time", "wall time", "" };
    char text[80] = "";
    bool counts = s == SESSION_STARTING || s == SESSION_ENDING || (s == SESSION_RUNNING && m->awaited);
    if (m->answering && counts)
        snprintf(text, sizeof text, "%d of %d %s", m->answering - m->awaited, m->answering,
                 s == SESSION_STARTING ? "ready"
                 : s == SESSION_ENDING ? "ended"
                                       : "answered");
    int room = a->width - (*text ? (int)strlen(text) + 2 : 0), i = 0;
    while (*headings[i] && (int)strlen(headings[i]) > room)
        i++;
    area_put(a, 0, 0, ROLE_HEADING, headings[i]);
    area_right(a, 0, 0, a->width, m->awaited ? ROLE_BUSY : ROLE_DIM, text);
}

#define FIGURES 17 /* columns of a share and its time */

static void draw_figures(const struct view *v, const struct area *a, int x, int y, int node)
{
    uint64_t ns = v->model->wall_ns[node], total = v->model->wall_total;
    char text[FORMAT_TEXT];
    area_right(a, x, y, 8, ROLE_TEXT, format_percent((double)ns / (double)total, text));
    area_right(a, x + 8, y, 9, ROLE_DIM, format_ns(ns, text));
}

/* Of a node that has failed: what has become of it and why, and in front of its share no bar. */
static void draw_dead(const struct view *v, const struct area *a, int x, int y, int node, const struct node_status *n)
{
    bool known = v->wall && v->model->wall_total;
    int room = a->width - x - (known ? FIGURES + 1 : 0);
    struct pen pen = pen_at(a, x, y, room > 0 ? room : 0);
    if (known && a->width > x + FIGURES)
        draw_figures(v, a, a->width - FIGURES, y, node);
    pen_glyph(&pen, view_state_role(n), n->state == NODE_FROZEN ? GLYPH_FROZEN : GLYPH_CROSS);
    pen_printf(&pen, view_state_role(n), " %s  ", view_state_word(v, n));
    pen_put(&pen, ROLE_TEXT, n->cause);
}

/* Instead of its share, of a node that is waited for: since when, and what comes next. */
static void draw_awaited(const struct view *v, const struct area *a, int x, int y, const struct node_status *n,
                         const struct awaited *awaited)
{
    struct pen pen = pen_at(a, x, y, -1);
    enum role role = awaited_role(awaited);
    char text[FORMAT_TEXT];
    pen_glyph(&pen, role, awaited->late ? GLYPH_WARNING : GLYPH_TURNING);
    pen_put(&pen, role, awaited->late ? " late  " : n->state == NODE_BUSY ? " busy  " : " ");
    if (n->state != NODE_BUSY && !awaited->late)
        pen_printf(&pen, role, "%s  ", node_state_name(n->state));
    awaited_put(&pen, role, v, awaited);
    if (n->state == NODE_ENDING && v->wall && awaited->next)
        pen_printf(&pen, ROLE_TEXT, ", %s in %s", awaited->next, format_wall(awaited->next_s, text));
    else if (n->state == NODE_ENDING && v->wall)
        pen_put(&pen, ROLE_TEXT, ", SIGKILL was sent");
}

static void draw_share(const struct view *v, const struct area *a, int x, int y, int node)
{
    uint64_t ns = v->model->wall_ns[node], total = v->model->wall_total;
    bool known = v->wall && total;
    double share = known ? (double)ns / (double)total : 0;
    int meter = a->width - x - FIGURES;
    if (meter >= 4) {
        area_meter(a, x, y, meter, share, ROLE_BAR_FULL);
        x += meter;
    }
    if (known) {
        draw_figures(v, a, x, y, node);
        return;
    }
    area_right(a, x, y, 8, ROLE_DIM, WALL_HIDDEN);
    area_right(a, x + 8, y, 9, ROLE_DIM, WALL_HIDDEN);
}

static void draw_node(const struct view *v, const struct area *a, int y, int node, int id_width)
{
    struct node_status n = status_of(v, node);
    struct awaited awaited;
    bool dead = n.state == NODE_FAILED || n.state == NODE_FROZEN;
    const char *id = v->scenario->nodes[node].id;
    area_text(a, 0, y, id_width, dead ? view_state_role(&n) : theme_node_role(node), id, strlen(id));
    if (dead)
        draw_dead(v, a, id_width + 1, y, node, &n);
    else if (awaited_of(v, node, &n, &awaited))
        draw_awaited(v, a, id_width + 1, y, &n, &awaited);
    else
        draw_share(v, a, id_width + 1, y, node);
}

static void draw(struct pane *p, const struct view *v, const struct area *a, bool focus)
{
    if (!v->scenario || !v->model)
        return;
    draw_holder(v, a, focus);
    struct area head = area_sub(a, 0, 1, a->width, 1);
    draw_heading(v, &head);
    struct area rows = area_sub(a, 0, 2, a->width, a->height - 2);
    list_show(&p->list, (uint64_t)v->model->node_count, rows.height, rows.y);
    int id_width = v->model->id_width > 16 ? 16 : v->model->id_width;
    for (int y = 0; y < rows.height && p->list.top + (uint64_t)y < p->list.count; y++) {
        draw_node(v, &rows, y, v->model->by_barrier[p->list.top + (uint64_t)y], id_width);
        if (p->list.top + (uint64_t)y == p->list.cursor)
            pane_select(&rows, y, focus);
    }
}

static int selected(const struct pane *p, const struct view *v)
{
    return v->model && p->list.cursor < (uint64_t)v->model->node_count ? v->model->by_barrier[p->list.cursor] : -1;
}

int pane_barrier_awaited(struct pane *p, const struct view *v)
{
    if (!v->scenario || !v->model)
        return -1;
    int best = selected(p, v), row = -1;
    struct awaited awaited, longest = { .waited_s = -1 };
    struct node_status n;
    if (best >= 0) {
        n = status_of(v, best);
        if (awaited_of(v, best, &n, &awaited))
            return best;
    }
    for (int r = 0; r < v->model->node_count; r++) {
        int node = v->model->by_barrier[r];
        n = status_of(v, node);
        if (!awaited_of(v, node, &n, &awaited) || awaited.waited_s <= longest.waited_s)
            continue;
        longest = awaited;
        row = r;
    }
    if (row < 0)
        return -1;
    list_go(&p->list, (uint64_t)row);
    return v->model->by_barrier[row];
}

static bool export_row(struct pane *p, const struct view *v, uint64_t n, struct table_row *row)
{
    (void)p;
    if (n == TABLE_HEADINGS) {
        table_headings(row, "node state waited_s share wall_s cause");
        return true;
    }
    if (!v->model || n >= (uint64_t)v->model->node_count)
        return false;
    const struct model *m = v->model;
    int node = m->by_barrier[n];
    struct node_status s = status_of(v, node);
    table_text(row, v->scenario->nodes[node].id);
    table_text(row, view_state_words(v, &s));
    if (v->wall) {
        table_double(row, m->waited_s[node]);
        table_double(row, m->wall_total ? (double)m->wall_ns[node] / (double)m->wall_total : 0);
        table_double(row, (double)m->wall_ns[node] / 1e9);
    } else {
        for (int i = 0; i < 3; i++)
            table_nothing(row);
    }
    table_text(row, s.cause);
    return true;
}

struct pane *pane_barrier_new(void)
{
    static const struct pane_ops ops = {
        .name = "Barrier",
        .title = title,
        .draw = draw,
        .act = pane_move,
        .node = selected,
        .export = export_row,
        .go = pane_go,
        .free = pane_free,
    };
    struct pane *p = mem_alloc(sizeof *p);
    p->ops = &ops;
    return p;
}
