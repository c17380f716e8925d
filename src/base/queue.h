/* Future events, earliest first, and what was pushed first where times are equal. The order is total: the same pushes
 * give the same pops on every machine.
 *
 * Most events of a simulation are pushed in the order of their times (everything over one link, every timer of one
 * kind): those go into sorted lanes, where push and pop take constant time. What fits no lane goes into
 * a 4-ary heap. */
#ifndef BASE_QUEUE_H
#define BASE_QUEUE_H

#include <stdbool.h>
#include <stddef.h>

#include "lockstep/simtime.h"

struct event {
    simtime time;
    uint64_t serial; /* given by the queue */
    void *data;      /* the pusher's; the queue never looks at it */
    int kind;        /* the pusher's */
};

struct queue;
struct queue *queue_new(size_t limit);  /* events that it will hold at most */
void queue_free(struct queue *q);       /* NULL is fine; what events point to is the caller's */
/* Returns -1 when the queue holds its limit. */
int queue_push(struct queue *q, simtime time, int kind, void *data);
const struct event *queue_first(struct queue *q); /* NULL when empty; good until the next push or pop */
bool queue_pop(struct queue *q, struct event *out); /* false when empty */
size_t queue_count(const struct queue *q);

/* All events, in no particular order: `i` counts from 0 to queue_count - 1. Good until the next push, pop or removal.
 * Only the event's data may be changed. */
struct event *queue_at(struct queue *q, size_t i);
void queue_remove(struct queue *q, size_t i); /* the one that queue_at gives; the others keep their order */

#endif
