#include "ui/sort.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"

#define SORT_MS 250 /* between two sortings while the run goes on */

struct item {
    int node, rank, group;
    struct sort_key key;
};

static int compare_items(const void *a, const void *b, void *down)
{
    const struct item *x = a, *y = b;
    if (x->group != y->group)
        return x->group < y->group ? -1 : 1;
    int order = x->key.text && y->key.text ? strcmp(x->key.text, y->key.text)
                                           : (x->key.number > y->key.number) - (x->key.number < y->key.number);
    if (order)
        return *(const bool *)down ? -order : order;
    return (x->rank > y->rank) - (x->rank < y->rank);
}

/* Whether the order is still what it was. */
static bool is_fit(const struct sort *s, const struct session_status *now, int64_t ms)
{
    bool moving = now->state == SESSION_RUNNING || now->state == SESSION_STARTING || now->state == SESSION_ENDING;
    if (s->fresh)
        return false;
    if (s->column == SORT_NONE || (moving && ms - s->sorted_ms < SORT_MS))
        return true;
    return !moving && s->state == now->state && s->quanta == now->quanta && s->records == now->records;
}

bool sort_update(struct sort *s, const struct view *v, const int *nodes, int count, sort_key_of *key,
                 int (*group)(const struct view *v, int node))
{
    int64_t ms = clock_ms();
    if (s->count == count && is_fit(s, v->status, ms))
        return false;
    if (s->count != count) {
        free(s->order);
        free(s->items);
        s->order = mem_array((size_t)count, sizeof *s->order);
        s->items = mem_array((size_t)count, sizeof(struct item));
        s->count = count;
        for (int i = 0; i < count; i++)
            s->order[i] = nodes ? nodes[i] : i;
    }
    struct item *items = s->items;
    for (int i = 0; i < count; i++)
        items[i] = (struct item){ nodes ? nodes[i] : i, i, 0, { 0 } };
    for (int i = 0; i < count && s->column != SORT_NONE; i++) {
        items[i].group = group ? group(v, items[i].node) : 0;
        items[i].key = key(v, items[i].node, s->column);
    }
    if (s->column != SORT_NONE)
        qsort_r(items, (size_t)count, sizeof *items, compare_items, &s->down);
    bool changed = false;
    for (int i = 0; i < count; i++) {
        changed |= s->order[i] != items[i].node;
        s->order[i] = items[i].node;
    }
    s->sorted_ms = ms;
    s->state = v->status->state;
    s->quanta = v->status->quanta;
    s->records = v->status->records;
    s->fresh = false;
    return changed;
}

bool sort_act(struct sort *s, enum action action, int columns, bool (*can)(const void *pane, int column),
              bool (*is_text)(int column), const void *pane)
{
    if (action == ACTION_SORT_REVERSE) {
        s->down = !s->down;
        s->fresh = true;
        return true;
    }
    if (action != ACTION_SORT_NEXT && action != ACTION_SORT_PREVIOUS)
        return false;
    do /* SORT_NONE stands before the first column and behind the last one */
        s->column = (s->column + 1 + (action == ACTION_SORT_NEXT ? 1 : columns)) % (columns + 1) - 1;
    while (s->column != SORT_NONE && !can(pane, s->column));
    s->down = s->column != SORT_NONE && !is_text(s->column);
    s->fresh = true;
    return true;
}

void sort_by(struct sort *s, int column, bool is_text)
{
    s->down = s->column == column ? !s->down : !is_text;
    s->column = column;
    s->fresh = true;
}

int sort_row_of(const struct sort *s, int node)
{
    for (int i = 0; i < s->count; i++)
        if (s->order[i] == node)
            return i;
    return -1;
}

void sort_free(struct sort *s)
{
    free(s->order);
    free(s->items);
    *s = (struct sort){ .column = SORT_NONE };
}
