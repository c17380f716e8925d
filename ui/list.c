#include "ui/list.h"

#define WHEEL_ROWS 3

static uint64_t last_top(const struct list *l)
{
    uint64_t rows = l->rows > 0 ? (uint64_t)l->rows : 1;
    return l->count > rows ? l->count - rows : 0;
}

void list_show(struct list *l, uint64_t count, int rows, int screen_y)
{
    l->count = count;
    l->rows = rows;
    l->screen_y = screen_y;
    if (l->cursor >= count)
        l->cursor = count ? count - 1 : 0;
    if (l->cursor < l->top)
        l->top = l->cursor;
    if (rows > 0 && l->cursor >= l->top + (uint64_t)rows)
        l->top = l->cursor - (uint64_t)rows + 1;
    if (l->top > last_top(l))
        l->top = last_top(l);
}

static uint64_t moved(uint64_t from, uint64_t by, bool down, uint64_t last)
{
    if (down)
        return by > last - (from < last ? from : last) ? last : from + by;
    return by > from ? 0 : from - by;
}

/* How far an action moves, or 0. */
static uint64_t distance(const struct list *l, enum action a, bool *down)
{
    uint64_t page = l->rows > 1 ? (uint64_t)l->rows - 1 : 1;
    *down = a == ACTION_DOWN || a == ACTION_PAGE_DOWN || a == ACTION_BOTTOM || a == ACTION_WHEEL_DOWN;
    switch (a) {
    case ACTION_UP:
    case ACTION_DOWN:
        return 1;
    case ACTION_WHEEL_UP:
    case ACTION_WHEEL_DOWN:
        return WHEEL_ROWS;
    case ACTION_PAGE_UP:
    case ACTION_PAGE_DOWN:
        return page;
    case ACTION_TOP:
    case ACTION_BOTTOM:
        return UINT64_MAX;
    default:
        return 0;
    }
}

bool list_act(struct list *l, enum action a)
{
    bool down;
    uint64_t by = distance(l, a, &down);
    if (by)
        l->cursor = moved(l->cursor, by, down, l->count ? l->count - 1 : 0);
    return by > 0;
}

bool list_scroll(struct list *l, enum action a)
{
    bool down;
    uint64_t by = distance(l, a, &down);
    if (by) {
        l->top = moved(l->top, by, down, last_top(l));
        l->cursor = l->top;
    }
    return by > 0;
}

void list_go_centred(struct list *l, uint64_t cursor)
{
    uint64_t rows = l->rows > 0 ? (uint64_t)l->rows : 1;
    l->top = cursor > rows / 2 ? cursor - rows / 2 : 0;
    l->cursor = cursor;
}

void list_go(struct list *l, uint64_t cursor)
{
    uint64_t rows = l->rows > 0 ? (uint64_t)l->rows : 1;
    if (cursor < l->top || cursor >= l->top + rows)
        list_go_centred(l, cursor);
    l->cursor = cursor;
}

bool list_click(struct list *l, int screen_y)
{
    int row = screen_y - l->screen_y;
    bool hit = row >= 0 && row < l->rows && l->top + (uint64_t)row < l->count;
    if (hit)
        l->cursor = l->top + (uint64_t)row;
    return hit;
}
