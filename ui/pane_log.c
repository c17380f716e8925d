/* What one node wrote to stderr: the end of its log, line by line with the virtual time. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "ui/format.h"
#include "ui/log_view.h"

#define LOG_MOST     (256u << 10) /* bytes of its end */
#define STAMPS_WIDTH 50           /* in a narrower pane the times are left out */

struct pane_log {
    struct pane pane;
    int node;
    bool follow;
    bool found; /* the top row holds a match: the next one is looked for behind it */
    uint64_t match;
    struct log_view log;
};

static struct pane_log *log_of(struct pane *p)
{
    return (struct pane_log *)p;
}

static const struct scenario_node *node_of(const struct pane_log *l, const struct view *v)
{
    return v->scenario && l->node >= 0 && l->node < v->scenario->node_count ? &v->scenario->nodes[l->node] : NULL;
}

static void title(const struct pane *p, const struct view *v, struct buffer *out)
{
    const struct pane_log *l = (const struct pane_log *)p;
    const struct scenario_node *n = node_of(l, v);
    if (n)
        buffer_format(out, " %s (%d of %d)%s", n->id, l->node + 1, v->scenario->node_count,
                      l->follow && l->log.count ? ", follow" : "");
}

static void draw(struct pane *p, const struct view *v, const struct area *a, bool focus)
{
    struct pane_log *l = log_of(p);
    const struct scenario_node *n = node_of(l, v);
    (void)focus;
    if (!n || !v->session) {
        pane_empty(v, a, "No node is selected", "choose one in the Nodes pane and press {log}");
        return;
    }
    log_view_fit(&l->log, v, l->node, LOG_MOST, a, a->width >= STAMPS_WIDTH);
    if (l->follow)
        p->list.top = p->list.cursor = l->log.count ? l->log.count - 1 : 0;
    list_show(&p->list, l->log.count, a->height, a->y);
    if (!l->log.count && n->implementation == IMPLEMENTATION_MODEL)
        pane_empty(v, a, "A built-in model writes no log", "its events and metrics tell what it does: {enter}");
    else if (!l->log.count)
        pane_empty(v, a,
                   session_state_over(v->status->state) ? "This node has written nothing"
                                                        : "This node has written nothing yet",
                   "what it writes to stderr is shown here");
    uint64_t top = p->list.top;
    log_view_draw(&l->log, v, a, l->follow ? log_view_whole(&l->log, top, a->height) : top);
    for (int y = 0; y < a->height; y++)
        area_mark(a, y, v->find);
}

static bool work(struct pane *p, const struct view *v, bool *changed)
{
    struct pane_log *l = log_of(p);
    if (node_of(l, v) && log_view_is_old(&l->log, v, l->node))
        *changed = true;
    return false;
}

static bool act(struct pane *p, const struct view *v, enum action action)
{
    struct pane_log *l = log_of(p);
    int count = v->scenario ? v->scenario->node_count : 0;
    if (action == ACTION_FOLLOW) {
        l->follow = !l->follow;
        return true;
    }
    if ((action == ACTION_LEFT || action == ACTION_RIGHT) && count) {
        pane_log_show(p, (l->node + (action == ACTION_RIGHT ? 1 : count - 1)) % count);
        return true;
    }
    if (!list_scroll(&p->list, action))
        return false;
    l->found = false;
    l->follow = p->list.top + (uint64_t)(p->list.rows > 0 ? p->list.rows : 1) >= p->list.count;
    return true;
}

static int selected(const struct pane *p, const struct view *v)
{
    (void)v;
    return ((const struct pane_log *)p)->node;
}

static uint64_t count_matches(const struct pane_log *l, const char *text, uint64_t rows)
{
    uint64_t count = 0;
    for (uint64_t row = 0; row < rows; row++)
        count += log_view_matches(&l->log, row, text);
    return count;
}

uint64_t pane_log_find(struct pane *p, const char *text, bool backward, bool *around, uint64_t *rank)
{
    struct pane_log *l = log_of(p);
    uint64_t count = l->log.count, at = l->found ? l->match : p->list.top;
    *around = false;
    for (uint64_t i = l->found ? 1 : 0; i <= count && count; i++) {
        uint64_t row = backward ? (at + 2 * count - i) % count : (at + i) % count;
        if (!log_view_matches(&l->log, row, text))
            continue;
        *around = backward ? row > at : row < at;
        l->follow = false;
        l->found = true;
        l->match = row;
        list_go(&p->list, row);
        p->list.cursor = p->list.top;
        *rank = count_matches(l, text, row + 1);
        return count_matches(l, text, count);
    }
    return 0;
}

static bool export_row(struct pane *p, const struct view *v, uint64_t n, struct table_row *row)
{
    const struct pane_log *l = log_of(p);
    (void)v;
    if (n == TABLE_HEADINGS)
        table_headings(row, "time text");
    else
        return log_view_row(&l->log, n, row);
    return true;
}

void pane_log_show(struct pane *p, int node)
{
    struct pane_log *l = log_of(p);
    l->node = node;
    l->follow = true;
    l->found = false;
}

static void free_log(struct pane *p)
{
    log_view_free(&log_of(p)->log);
    free(p);
}

struct pane *pane_log_new(void)
{
    static const struct pane_ops ops = {
        .name = "Log",
        .title = title,
        .draw = draw,
        .act = act,
        .node = selected,
        .work = work,
        .export = export_row,
        .free = free_log,
    };
    struct pane_log *p = mem_alloc(sizeof *p);
    p->pane.ops = &ops;
    p->node = -1;
    return &p->pane;
}
