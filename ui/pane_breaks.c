/* The breakpoints, with what has become of them. */
#include <string.h>

#include "base/memory.h"
#include "ui/format.h"
#include "ui/pane.h"

static void title(const struct pane *p, const struct view *v, struct buffer *out)
{
    char count[FORMAT_TEXT];
    (void)p;
    buffer_format(out, " %s", format_count(breakpoints_count(v->breakpoints), count));
}

static int rows(const struct pane *p, const struct view *v, int width)
{
    (void)p, (void)width;
    size_t count = breakpoints_count(v->breakpoints);
    return count < 5 ? 5 : count < CANVAS_MAX_ROWS ? (int)count : CANVAS_MAX_ROWS;
}

static void draw_breakpoint(const struct area *a, int y, const struct breakpoint *b)
{
    static const char *const actions[] = { [BREAKPOINT_NOTE] = "note",
                                           [BREAKPOINT_COMMAND] = "do",
                                           [BREAKPOINT_PAUSE] = "pause",
                                           [BREAKPOINT_ABORT] = "abort",
                                           [BREAKPOINT_END] = "end" };
    char hits[FORMAT_TEXT], text[2 * FORMAT_TEXT];
    enum role role = b->enabled ? ROLE_TEXT : ROLE_DIM;
    area_put(a, 1, y, b->enabled ? ROLE_GOOD : ROLE_DIM, b->enabled ? "on" : "off");
    snprintf(text, sizeof text, "%d", b->id);
    area_right(a, 5, y, 3, ROLE_DIM, text);
    area_put(a, 10, y, b->action == BREAKPOINT_PAUSE ? role : ROLE_INFO, actions[b->action]);
    snprintf(text, sizeof text, "%s hit%s", format_count(b->hits, hits), b->hits == 1 ? "" : "s");
    area_right(a, 16, y, 12, b->hits ? ROLE_STRONG : ROLE_DIM, text);
    area_put(a, 30, y, role, b->text);
}

static void draw(struct pane *p, const struct view *v, const struct area *a, bool focus)
{
    size_t count = breakpoints_count(v->breakpoints);
    list_show(&p->list, count, a->height, a->y);
    if (!count)
        pane_empty(v, a, "No breakpoints yet", "{breakpoints} adds one: a condition, a time, or log =~ REGEX");
    for (int y = 0; y < a->height; y++) {
        struct breakpoint b;
        if (!breakpoints_get(v->breakpoints, (size_t)p->list.top + (size_t)y, &b))
            break;
        draw_breakpoint(a, y, &b);
        if (p->list.top + (uint64_t)y == p->list.cursor)
            pane_select(a, y, focus);
    }
}

/* Keys that elsewhere do something to a node or to the run. */
static bool act(struct pane *p, const struct view *v, enum action action)
{
    struct breakpoint b;
    bool is_there = breakpoints_get(v->breakpoints, (size_t)p->list.cursor, &b);
    switch (action) {
    case ACTION_NODE_STOP:
    case ACTION_DELETE:
        if (is_there)
            breakpoints_remove(v->breakpoints, b.id);
        return true;
    case ACTION_PAUSE:
        if (is_there)
            breakpoints_enable(v->breakpoints, b.id, !b.enabled);
        return true;
    default:
        return list_act(&p->list, action);
    }
}

struct pane *pane_breaks_new(void)
{
    static const struct pane_ops ops = {
        .name = "Breakpoints", .title = title, .draw = draw, .act = act, .rows = rows, .free = pane_free
    };
    struct pane *p = mem_alloc(sizeof *p);
    p->ops = &ops;
    return p;
}
