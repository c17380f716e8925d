/* Lists of nodes in the order of a column. */
#ifndef UI_SORT_H
#define UI_SORT_H

#include "ui/pane.h"

#define SORT_NONE (-1) /* the scenario's order */

/* Starts as zeros, with `column` SORT_NONE. */
struct sort {
    int column;
    bool down;   /* the largest first */
    bool fresh;  /* column or direction were chosen since it was sorted */
    int *order;  /* node indices; owned */
    void *items; /* to sort by; owned */
    int count;
    int64_t sorted_ms;
    enum session_state state; /* of the run, when it was sorted … */
    uint64_t quanta, records; /* … and how far it had come */
};

/* What a node has in a column: a text where `text` is set. */
struct sort_key {
    const char *text;
    double number;
};
typedef struct sort_key sort_key_of(const struct view *v, int node, int column);

/* Brings the order up to date, where the run goes on a few times a second only. `nodes` is the order of equals; nodes
 * of another group (of `group`, NULL: there are none) are never mixed. Returns whether the order changed. */
bool sort_update(struct sort *s, const struct view *v, const int *nodes, int count, sort_key_of *key,
                 int (*group)(const struct view *v, int node));
/* Chooses the column before or behind, or turns the order around. `can` says of each of so many columns whether it can
 * be sorted by, `is_text` whether the smallest comes first at first. Returns false for actions that do not sort. */
bool sort_act(struct sort *s, enum action action, int columns, bool (*can)(const void *pane, int column),
              bool (*is_text)(int column), const void *pane);
void sort_by(struct sort *s, int column, bool is_text); /* once more: the other way around */
int sort_row_of(const struct sort *s, int node); /* -1: it is not there */
void sort_free(struct sort *s);

#endif
