#include "base/queue.h"

#include <stdlib.h>

#include "base/memory.h"

#define LANES 2
#define ARITY 4

/* A ring whose events are in order from first to last. */
struct lane {
    struct event *ring;
    size_t first, count, capacity; /* capacity is a power of two */
    simtime last_time;
};

struct queue {
    struct lane lanes[LANES];
    struct event *heap;
    size_t heap_count, heap_capacity;
    size_t count, limit;
    uint64_t next_serial;
};

static inline bool before(const struct event *a, const struct event *b)
{
    return a->time != b->time ? a->time < b->time : a->serial < b->serial;
}

struct queue *queue_new(size_t limit)
{
    struct queue *q = mem_alloc(sizeof *q);
    q->limit = limit;
    return q;
}

void queue_free(struct queue *q)
{
    if (!q)
        return;
    for (int i = 0; i < LANES; i++)
        free(q->lanes[i].ring);
    free(q->heap);
    free(q);
}

size_t queue_count(const struct queue *q)
{
    return q->count;
}

static void lane_grow(struct lane *l)
{
    size_t capacity = l->capacity ? l->capacity * 2 : 4;
    struct event *ring = mem_array(capacity, sizeof *ring);
    for (size_t i = 0; i < l->count; i++)
        ring[i] = l->ring[(l->first + i) & (l->capacity - 1)];
    free(l->ring);
    l->ring = ring;
    l->first = 0;
    l->capacity = capacity;
}

static void lane_push(struct lane *l, const struct event *e)
{
    if (l->count == l->capacity)
        lane_grow(l);
    l->ring[(l->first + l->count++) & (l->capacity - 1)] = *e;
    l->last_time = e->time;
}

/* Puts `e` where the hole at `at` rises to. */
static void heap_rise(struct queue *q, size_t at, struct event e)
{
    while (at > 0) {
        size_t parent = (at - 1) / ARITY;
        if (!before(&e, &q->heap[parent]))
            break;
        q->heap[at] = q->heap[parent];
        at = parent;
    }
    q->heap[at] = e;
}

static void heap_push(struct queue *q, const struct event *e)
{
    q->heap = mem_grow(q->heap, q->heap_count, &q->heap_capacity, sizeof *q->heap);
    heap_rise(q, q->heap_count++, *e);
}

/* Puts `last` where the hole at `at` sinks to. */
static void heap_sink(struct queue *q, size_t at, struct event last)
{
    size_t n = q->heap_count;
    for (;;) {
        size_t child = at * ARITY + 1, least = child;
        if (child >= n)
            break;
        size_t end = child + ARITY < n ? child + ARITY : n;
        for (size_t c = child + 1; c < end; c++)
            if (before(&q->heap[c], &q->heap[least]))
                least = c;
        if (!before(&q->heap[least], &last))
            break;
        q->heap[at] = q->heap[least];
        at = least;
    }
    q->heap[at] = last;
}

static void heap_pop(struct queue *q)
{
    struct event last = q->heap[--q->heap_count];
    heap_sink(q, 0, last);
}

int queue_push(struct queue *q, simtime time, int kind, void *data)
{
    if (q->count >= q->limit)
        return -1;
    struct event e = { time, q->next_serial++, data, kind };
    struct lane *best = NULL; /* the lane with the latest end that is not after the event; an empty one otherwise */
    for (int i = 0; i < LANES; i++) {
        struct lane *l = &q->lanes[i];
        if (l->count && l->last_time > time)
            continue;
        if (!best || (l->count && (!best->count || l->last_time > best->last_time)))
            best = l;
    }
    if (best)
        lane_push(best, &e);
    else
        heap_push(q, &e);
    q->count++;
    return 0;
}

/* The lane that holds the first event, LANES for the heap, -1 for none. */
static int find_first(const struct queue *q, const struct event **first)
{
    int where = -1;
    *first = NULL;
    if (q->heap_count) {
        *first = q->heap;
        where = LANES;
    }
    for (int i = 0; i < LANES; i++) {
        const struct lane *l = &q->lanes[i];
        if (l->count && (!*first || before(&l->ring[l->first], *first))) {
            *first = &l->ring[l->first];
            where = i;
        }
    }
    return where;
}

const struct event *queue_first(struct queue *q)
{
    const struct event *first;
    find_first(q, &first);
    return first;
}

bool queue_pop(struct queue *q, struct event *out)
{
    const struct event *first;
    int where = find_first(q, &first);
    if (where < 0)
        return false;
    *out = *first;
    q->count--;
    if (where == LANES) {
        heap_pop(q);
    } else {
        struct lane *l = &q->lanes[where];
        l->first = (l->first + 1) & (l->capacity - 1);
        l->count--;
    }
    return true;
}

/* Event i is in a lane, whose number comes back with *i counted within it; or in the heap: LANES. */
static int find_place(const struct queue *q, size_t *i)
{
    int where = 0;
    for (; where < LANES && *i >= q->lanes[where].count; where++)
        *i -= q->lanes[where].count;
    return where;
}

struct event *queue_at(struct queue *q, size_t i)
{
    int where = find_place(q, &i);
    if (where == LANES)
        return &q->heap[i];
    struct lane *l = &q->lanes[where];
    return &l->ring[(l->first + i) & (l->capacity - 1)];
}

void queue_remove(struct queue *q, size_t i)
{
    int where = find_place(q, &i);
    q->count--;
    if (where < LANES) {
        struct lane *l = &q->lanes[where];
        for (size_t mask = l->capacity - 1; i + 1 < l->count; i++)
            l->ring[(l->first + i) & mask] = l->ring[(l->first + i + 1) & mask];
        l->count--;
        return;
    }
    struct event last = q->heap[--q->heap_count];
    if (i == q->heap_count)
        return;
    if (i > 0 && before(&last, &q->heap[(i - 1) / ARITY]))
        heap_rise(q, i, last);
    else
        heap_sink(q, i, last);
}
