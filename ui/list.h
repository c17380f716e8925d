/* A cursor in a list that is longer than the place it is shown in. */
#ifndef UI_LIST_H
#define UI_LIST_H

#include <stdbool.h>
#include <stdint.h>

#include "ui/keys.h"

struct list {
    uint64_t count, cursor, top;
    int rows;     /* that are shown */
    int screen_y; /* of the first of them, for the mouse */
};

/* Says how long the list is and where it is shown; brings cursor and top back into it. */
void list_show(struct list *l, uint64_t count, int rows, int screen_y);
/* Moves the cursor by an action. Returns false when it is none that moves. */
bool list_act(struct list *l, enum action a);
/* The same for a text without a cursor: moves what is shown. */
bool list_scroll(struct list *l, enum action a);
void list_go(struct list *l, uint64_t cursor);         /* into the middle where it was not in sight */
void list_go_centred(struct list *l, uint64_t cursor); /* into the middle */
/* Returns whether there is a row. */
bool list_click(struct list *l, int screen_y);

#endif
