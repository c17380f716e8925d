/* The run so far as a strip: a row for each node, a cell for each stretch of time, how much was sent and received in
 * it. The cursor is the moment that is shown of the run. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "ui/format.h"
#include "ui/pane.h"

#define SCALE_MOST     40      /* the whole run is shown in 2^SCALE_MOST parts at most */
#define SLICE_MS       5       /* of reading the history, at once */
#define AGAIN_MS       1000    /* between two readings of a run that goes on */
#define STRETCHES_MOST 4000000 /* more nodes than can have a cell each are no scenario */
#define LEVELS         (GLYPH_LEVEL_LAST - GLYPH_LEVEL + 1)

struct stretch {
    uint32_t messages, events; /* of a node in a cell */
    uint8_t state;             /* enum node_state at its end */
};

struct pane_timeline {
    struct pane pane;
    int scale;
    int room;         /* columns that there are for cells, as drawn last */
    int screen_x;     /* where they begin on the screen */
    simtime from, to; /* what is shown: cells reach from barrier to barrier */
    int cells, done;  /* of which so many are read */
    int nodes;
    struct stretch *stretches; /* of node i: stretches[i * cells …] */
    struct session_tally *before, *after;
    uint32_t most; /* messages of any stretch */
    bool has_before;
    int64_t begun_ms;
};

static struct pane_timeline *timeline_of(struct pane *p)
{
    return (struct pane_timeline *)p;
}

static simtime head_of(const struct view *v)
{
    return v->status->head > v->status->now ? v->status->head : v->status->now;
}

/* Where cell c begins. */
static simtime edge(const struct pane_timeline *t, int c)
{
    simtime span = t->to - t->from;
    return t->from + span / t->cells * c + span % t->cells * c / t->cells;
}

/* The cell that holds time `now`: one that ends a cell is in it. */
static int cell_at(const struct pane_timeline *t, simtime now)
{
    int low = 0, high = t->cells - 1;
    while (low < high) {
        int middle = low + (high - low) / 2;
        if (now <= edge(t, middle + 1))
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

/* What is to be shown: the whole run so far, or a part of it around the present moment; no cell shorter than a quantum.
 */
static void choose(const struct pane_timeline *t, const struct view *v, simtime *from, simtime *to, int *cells)
{
    simtime head = head_of(v), q = v->scenario->quantum, now = v->status->now;
    simtime span = head >> t->scale > q * 4 ? head >> t->scale : q * 4;
    span = span > head ? head : span;
    *from = now > span / 2 ? now - span / 2 : 0;
    *from = *from + span > head ? head - span : *from;
    if (t->scale && t->to - t->from == span && now > t->from + span / 8 && now < t->to - span / 8 && t->to <= head)
        *from = t->from; /* it does not follow every step */
    *to = *from + span;
    simtime quanta = (span + q - 1) / q;
    int room = t->room < STRETCHES_MOST / v->scenario->node_count ? t->room : STRETCHES_MOST / v->scenario->node_count;
    *cells = quanta < room ? (int)quanta : room;
}

static void begin(struct pane_timeline *t, const struct view *v, simtime from, simtime to, int cells)
{
    t->nodes = v->scenario->node_count;
    free(t->stretches);
    free(t->before);
    free(t->after);
    t->stretches = mem_array((size_t)t->nodes * (size_t)cells, sizeof *t->stretches);
    t->before = mem_array((size_t)t->nodes, sizeof *t->before);
    t->after = mem_array((size_t)t->nodes, sizeof *t->after);
    t->from = from;
    t->to = to;
    t->cells = cells;
    t->done = 0;
    t->most = 0;
    t->has_before = false;
    t->begun_ms = clock_ms();
}

/* Whether what was read is of another time, or of another width, than what is to be shown. */
static bool is_old(const struct pane_timeline *t, const struct view *v)
{
    simtime from, to;
    int cells;
    choose(t, v, &from, &to, &cells);
    if (cells == t->cells && from == t->from && to == t->to)
        return false;
    return v->status->state != SESSION_RUNNING || cells != t->cells || clock_ms() - t->begun_ms > AGAIN_MS;
}

static void read_cell(struct pane_timeline *t, const struct view *v)
{
    struct session *s = (struct session *)(uintptr_t)v->session; /* it reads its history, no more */
    if (!t->has_before && !session_tally(s, edge(t, t->done), t->before))
        memset(t->before, 0, (size_t)t->nodes * sizeof *t->before);
    t->has_before = session_tally(s, edge(t, t->done + 1), t->after);
    for (int i = 0; t->has_before && i < t->nodes; i++) {
        const struct session_tally *a = &t->before[i], *b = &t->after[i];
        struct stretch *to = &t->stretches[(size_t)i * (size_t)t->cells + (size_t)t->done];
        uint64_t messages = b->messages - a->messages, events = b->events - a->events;
        *to = (struct stretch){ messages > UINT32_MAX ? UINT32_MAX : (uint32_t)messages,
                                events > UINT32_MAX ? UINT32_MAX : (uint32_t)events, (uint8_t)b->state };
        t->most = to->messages > t->most ? to->messages : t->most;
    }
    struct session_tally *old = t->before;
    t->before = t->after;
    t->after = old;
    t->done++;
}

static bool work(struct pane *p, const struct view *v, bool *changed)
{
    struct pane_timeline *t = timeline_of(p);
    if (!v->session || !v->scenario || t->room < 1 || head_of(v) <= 0)
        return false;
    if (is_old(t, v)) {
        simtime from, to;
        int cells;
        choose(t, v, &from, &to, &cells);
        begin(t, v, from, to, cells);
    }
    int64_t end = clock_ms() + SLICE_MS;
    *changed |= t->done < t->cells;
    while (t->done < t->cells && clock_ms() < end)
        read_cell(t, v);
    return t->done < t->cells;
}

static void title(const struct pane *p, const struct view *v, struct buffer *out)
{
    const struct pane_timeline *t = (const struct pane_timeline *)p;
    char x[FORMAT_TEXT], y[FORMAT_TEXT], z[FORMAT_TEXT];
    (void)v;
    if (t->cells)
        buffer_format(out, " %s to %s, %s a cell", format_typed(t->from, x), format_typed(t->to, y),
                      format_typed((t->to - t->from) / t->cells, z));
}

static void draw_stretch(const struct pane_timeline *t, const struct area *a, int x, int y, int node,
                         const struct stretch *s)
{
    enum glyph level = GLYPH_LEVEL;
    if (s->messages && t->most)
        level = (enum glyph)(GLYPH_LEVEL + (int)((uint64_t)(s->messages - 1) * LEVELS / t->most));
    if (s->state == NODE_FAILED || s->state == NODE_FROZEN)
        area_glyph(a, x, y, ROLE_BAD, s->messages ? level : s->state == NODE_FAILED ? GLYPH_CROSS : GLYPH_FROZEN);
    else if (s->state == NODE_PAUSED)
        area_glyph(a, x, y, ROLE_WARN, s->messages ? level : GLYPH_PAUSED);
    else if (s->messages)
        area_glyph(a, x, y, theme_node_role(node), level);
    else if (s->events)
        area_glyph(a, x, y, theme_node_role(node), GLYPH_LEVEL);
    else if (a->canvas->charset == CHARSET_UNICODE) /* elsewhere the lowest level would look the same */
        area_glyph(a, x, y, ROLE_DIM, GLYPH_METER_EMPTY);
}

static void draw_row(const struct pane_timeline *t, const struct view *v, const struct area *a, int left, int y,
                     int node)
{
    const char *id = v->scenario->nodes[node].id;
    area_text(a, 0, y, left - 1, theme_node_role(node), id, strlen(id));
    for (int c = 0; c < t->done && node < t->nodes; c++)
        draw_stretch(t, a, left + c, y, node, &t->stretches[(size_t)node * (size_t)t->cells + (size_t)c]);
}

/* Below the rows: where time begins and ends, and the moment that is shown. */
static void draw_axis(const struct pane_timeline *t, const struct view *v, const struct area *a, int left, int y)
{
    char x[FORMAT_TEXT];
    int at = left + cell_at(t, v->status->now), width = (int)strlen(format_typed(v->status->now, x));
    for (int row = 0; row < y; row++)
        area_paint(a, at, row, 1, GROUND_SELECT_DIM);
    area_glyph(a, at, y, ROLE_KEY, GLYPH_MARKER);
    int beside = at + 2 + width <= a->width ? at + 2 : at - 1 - width;
    area_put(a, beside, y, ROLE_STRONG, x);
}

static void draw(struct pane *p, const struct view *v, const struct area *a, bool focus)
{
    struct pane_timeline *t = timeline_of(p);
    if (!v->session || !v->model)
        return;
    int left = (v->model->id_width > 20 ? 20 : v->model->id_width) + 1;
    t->room = a->width - left - 1;
    t->screen_x = a->x + left;
    list_show(&p->list, (uint64_t)v->scenario->node_count, a->height - 1, a->y);
    if (!t->cells) {
        pane_empty(v, a, head_of(v) > 0 ? "Reading the history" : "No time has passed yet", NULL);
        return;
    }
    for (int y = 0; y < a->height - 1 && p->list.top + (uint64_t)y < p->list.count; y++) {
        draw_row(t, v, a, left, y, v->model->by_tier[p->list.top + (uint64_t)y]);
        if (p->list.top + (uint64_t)y == p->list.cursor)
            pane_select(&(struct area){ a->canvas, a->x, a->y, left - 1, a->height, a->ground }, y, focus);
    }
    draw_axis(t, v, a, left, a->height - 1);
}

simtime pane_timeline_at(const struct pane *p, int screen_x)
{
    const struct pane_timeline *t = (const struct pane_timeline *)p;
    int c = screen_x - t->screen_x;
    return c >= 0 && c < t->cells ? edge(t, c + 1) : -1;
}

simtime pane_timeline_beside(const struct pane *p, const struct view *v, bool before)
{
    const struct pane_timeline *t = (const struct pane_timeline *)p;
    simtime now = v->status->now;
    if (!t->cells)
        return now;
    int c = cell_at(t, now);
    simtime to = before ? edge(t, c) : edge(t, now < edge(t, c + 1) ? c + 1 : c + 2);
    simtime q = v->scenario->quantum;
    if (before) /* the barrier in or at the edge: one behind it would be in the same cell */
        to = to / q * q < now ? to / q * q : now - q;
    return !before && to <= now ? now + q : to;
}

static bool act(struct pane *p, const struct view *v, enum action action)
{
    struct pane_timeline *t = timeline_of(p);
    (void)v;
    if (action == ACTION_NARROW || action == ACTION_WIDEN) {
        t->scale += action == ACTION_NARROW ? t->scale < SCALE_MOST : -(t->scale > 0);
        return true;
    }
    return list_act(&p->list, action);
}

static int selected(const struct pane *p, const struct view *v)
{
    return v->model && p->list.count ? v->model->by_tier[p->list.cursor] : -1;
}

static int rows(const struct pane *p, const struct view *v, int width)
{
    (void)p, (void)width;
    return (v->scenario ? v->scenario->node_count : 0) + 1;
}

static void free_timeline(struct pane *p)
{
    struct pane_timeline *t = timeline_of(p);
    free(t->stretches);
    free(t->before);
    free(t->after);
    free(t);
}

struct pane *pane_timeline_new(void)
{
    static const struct pane_ops ops = {
        .name = "Timeline",
        .title = title,
        .draw = draw,
        .act = act,
        .node = selected,
        .work = work,
        .rows = rows,
        .free = free_timeline,
    };
    struct pane_timeline *t = mem_alloc(sizeof *t);
    t->pane.ops = &ops;
    return &t->pane;
}
