/* base/queue.h beside a plain binary heap: the same events, the same results. */
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/queue.h"
#include "base/random.h"
#include "bench.h"

#define POPS   2000000
#define RUNS   5
#define DELAYS (1u << 16) /* random ones, made beforehand */

struct heap {
    struct event *items;
    size_t count, capacity;
    uint64_t next_serial;
};

static bool before(const struct event *a, const struct event *b)
{
    return a->time != b->time ? a->time < b->time : a->serial < b->serial;
}

static void heap_push(struct heap *h, simtime time, int kind, void *data)
{
    h->items = mem_grow(h->items, h->count, &h->capacity, sizeof *h->items);
    struct event e = { time, h->next_serial++, data, kind };
    size_t at = h->count++;
    for (; at > 0 && before(&e, &h->items[(at - 1) / 2]); at = (at - 1) / 2)
        h->items[at] = h->items[(at - 1) / 2];
    h->items[at] = e;
}

static bool heap_pop(struct heap *h, struct event *out)
{
    if (!h->count)
        return false;
    *out = h->items[0];
    struct event last = h->items[--h->count];
    size_t at = 0;
    for (size_t child; (child = 2 * at + 1) < h->count; at = child) {
        if (child + 1 < h->count && before(&h->items[child + 1], &h->items[child]))
            child++;
        if (!before(&h->items[child], &last))
            break;
        h->items[at] = h->items[child];
    }
    h->items[at] = last;
    return true;
}

/* Both behind the same calls: exactly one of them is there. */
struct subject {
    struct queue *queue;
    struct heap *heap;
    uint64_t operations;
};

static void push(struct subject *s, simtime time, int kind)
{
    s->operations++;
    if (s->queue)
        queue_push(s->queue, time, kind, NULL);
    else
        heap_push(s->heap, time, kind, NULL);
}

static bool pop(struct subject *s, struct event *out)
{
    s->operations++;
    return s->queue ? queue_pop(s->queue, out) : heap_pop(s->heap, out);
}

enum { TIMER, ARRIVAL, PROCESS };

/* Every event comes again a constant time later: what goes over one link. */
static void react_constant(struct subject *s, const struct event *e, const simtime *delays)
{
    (void)delays;
    push(s, e->time + 10000, e->kind);
}

/* The hold model (D. W. Jones, 1986): every event comes again after a random time. */
static void react_random(struct subject *s, const struct event *e, const simtime *delays)
{
    push(s, e->time + delays[s->operations % DELAYS], e->kind);
}

/* Sensors' timers, messages that arrive 10 ms later at a gateway, and are handled 100 us after that. */
static void react_gateway(struct subject *s, const struct event *e, const simtime *delays)
{
    (void)delays;
    if (e->kind == TIMER) {
        push(s, e->time + 1000000, TIMER);
        push(s, e->time + 10000, ARRIVAL);
    } else if (e->kind == ARRIVAL) {
        push(s, e->time + 100, PROCESS);
    }
}

struct pattern {
    const char *name;
    void (*react)(struct subject *s, const struct event *e, const simtime *delays);
    simtime spread; /* of the first events */
};

/* A digest of what came out, in order; *seconds for it. */
static uint64_t run_pattern(const struct pattern *p, struct subject *s, size_t pending, const simtime *delays,
                            double *seconds)
{
    uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a, by words */
    struct event e;
    for (size_t i = 0; i < pending; i++)
        push(s, p->spread * (simtime)i / (simtime)pending, TIMER);
    s->operations = 0;
    double start = now_seconds();
    for (int i = 0; i < POPS && pop(s, &e); i++) {
        hash = (hash ^ (uint64_t)e.time ^ e.serial << 20 ^ (uint64_t)e.kind << 60) * UINT64_C(1099511628211);
        p->react(s, &e, delays);
    }
    *seconds = now_seconds() - start;
    return hash;
}

/* Millions of operations a second. */
static uint64_t measure(const struct pattern *p, bool is_queue, size_t pending, const simtime *delays, double *rate)
{
    struct heap heap = { 0 };
    struct subject s = { .queue = is_queue ? queue_new(SIZE_MAX) : NULL, .heap = is_queue ? NULL : &heap };
    double seconds;
    uint64_t hash = run_pattern(p, &s, pending, delays, &seconds);
    *rate = (double)s.operations / seconds / 1e6;
    queue_free(s.queue);
    free(heap.items);
    return hash;
}

static bool compare(const struct pattern *p, size_t pending, const simtime *delays)
{
    double queue[RUNS], heap[RUNS];
    bool same = true;
    for (int i = 0; i < RUNS; i++)
        same = measure(p, true, pending, delays, &queue[i]) == measure(p, false, pending, delays, &heap[i]) && same;
    double q = sample_of(queue, RUNS).median, h = sample_of(heap, RUNS).median;
    printf("  %-34s %8zu %12.1f %12.1f %8.2f  %s\n", p->name, pending, q, h, q / h,
           same ? "same order" : "ORDERS DIFFER");
    return same;
}

bool bench_queue(const struct bench *b)
{
    static const struct pattern patterns[] = {
        { "constant latency (monotone)", react_constant, 10000 },
        { "random times (hold model)", react_random, 1000000 },
        { "gateway: timers and arrivals", react_gateway, 1000000 },
    };
    static const size_t pending[] = { 10, 1000, 100000 };
    struct random random;
    simtime *delays = mem_array(DELAYS, sizeof *delays);
    bool same = true;
    (void)b;
    random_seed(&random, 42);
    for (size_t i = 0; i < DELAYS; i++)
        delays[i] = 1 + (simtime)(random_double(&random) * 1e6);
    printf("\nqueue beside a plain binary heap: %d pops each, median of %d, in turn; a push or a pop is an operation\n",
           POPS, RUNS);
    printf("  %-34s %8s %12s %12s %8s\n", "", "events", "queue M/s", "heap M/s", "ratio");
    for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++)
        for (size_t k = 0; k < sizeof pending / sizeof pending[0]; k++)
            same = compare(&patterns[i], pending[k], delays) && same;
    free(delays);
    return same;
}
