#include "ui/layout.h"

#define SIDE_BY_SIDE_COLUMNS 60  /* fewer: one pane at a time */
#define FOUR_PANES_COLUMNS   110 /* fewer: Health and Barrier share a place */
#define TWO_STOREYS_ROWS     14  /* fewer: no panes at the bottom */

static int clamp(int v, int low, int high)
{
    return v < low ? low : v > high ? high : v;
}

bool rect_contains(const struct rect *r, int x, int y)
{
    return x >= r->x && x < r->x + r->width && y >= r->y && y < r->y + r->height;
}

struct layout layout_make(int columns, int rows, int nodes, int id_width, enum pane_id focus, enum pane_id bottom,
                          bool zoom, int status_rows)
{
    struct layout l = { .too_small = columns < LAYOUT_MIN_COLUMNS || rows < LAYOUT_MIN_ROWS };
    if (rows < 16)
        status_rows = 1;
    int body = rows - 2 - status_rows;
    l.header = (struct rect){ 0, 0, columns, 1 };
    l.body = (struct rect){ 0, 1, columns, body };
    l.status = (struct rect){ 0, 1 + body, columns, status_rows };
    l.bar = (struct rect){ 0, rows - 1, columns, 1 };
    bool low = focus == PANE_HEALTH || focus == PANE_BARRIER;
    if (zoom || columns < SIDE_BY_SIDE_COLUMNS || (low && body < TWO_STOREYS_ROWS)) {
        l.panes[focus] = l.body;
        return l;
    }
    int left = columns < 100 ? clamp(id_width + 15, 22, columns * 2 / 5) : clamp(columns * 32 / 100, 36, 52);
    int right = columns - left;
    int below = body < TWO_STOREYS_ROWS ? 0 : clamp(nodes + 4, 7, body * 2 / 5);
    l.panes[PANE_NODES] = (struct rect){ 0, 1, left, body - below };
    l.panes[PANE_EVENTS] = (struct rect){ left, 1, right, body - below };
    if (!below)
        return l;
    if (columns >= FOUR_PANES_COLUMNS) {
        l.panes[PANE_BARRIER] = (struct rect){ 0, 1 + body - below, left, below };
        l.panes[PANE_HEALTH] = (struct rect){ left, 1 + body - below, right, below };
    } else {
        l.tabs = true;
        l.panes[low ? focus : bottom] = (struct rect){ 0, 1 + body - below, columns, below };
    }
    return l;
}
