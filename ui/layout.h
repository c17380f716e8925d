/* Where things are on a screen of a given size. */
#ifndef UI_LAYOUT_H
#define UI_LAYOUT_H

#include <stdbool.h>

enum pane_id {
    PANE_NODES,
    PANE_EVENTS,
    PANE_HEALTH,
    PANE_BARRIER,
    MAIN_PANES,
    PANE_DETAIL = MAIN_PANES,
    PANE_PROBLEMS,
    PANE_LOG,
    PANE_TIMELINE,
    PANE_WATCHES,
    PANE_FLIGHT,
    PANE_RECORD,
    PANE_CHAIN,
    PANE_BREAKS,
    PANE_MESSAGE,
    PANE_HELP,
    PANES,
    PANE_NONE = -1
};

struct rect {
    int x, y, width, height;
};

struct layout {
    bool too_small;
    struct rect header, body, status, bar;
    struct rect panes[MAIN_PANES]; /* height 0: not in sight */
    bool tabs;                     /* Health and Barrier share a place */
};

#define LAYOUT_MIN_COLUMNS 40
#define LAYOUT_MIN_ROWS    8

/* `id_width`: of the nodes' ids; `focus`: the main pane that must be in sight; `bottom`: which of Health and Barrier is
 * shown where only one can be; `zoom`: the focused pane alone; `status_rows`: wanted for the status. */
struct layout layout_make(int columns, int rows, int nodes, int id_width, enum pane_id focus, enum pane_id bottom,
                          bool zoom, int status_rows);
bool rect_contains(const struct rect *r, int x, int y);

#endif
