#include "ui/filter.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"

#define SLICE_US  8000 /* of looking, before the screen gets its turn */
#define TAIL_MOST 64   /* strides: so far behind the newest records, they go first */
#define WORDS     (STORE_STRIDE / 64)

struct stride {
    uint64_t hits[WORDS];
    uint16_t done;  /* records that were looked at */
    uint16_t count; /* of hits */
};

struct filter {
    struct condition *condition;
    struct stride *strides;
    size_t capacity;
    uint64_t from, to; /* strides in sight: what is known of without a gap */
    bool up_next;
};

struct filter *filter_new(struct condition *c)
{
    struct filter *f = mem_alloc(sizeof *f);
    f->condition = c;
    return f;
}

void filter_free(struct filter *f)
{
    if (!f)
        return;
    condition_free(f->condition);
    free(f->strides);
    free(f);
}

const char *filter_refuses(const struct condition *c, const struct keymap *keys, char buf[KEYMAP_TEXT])
{
    unsigned needs = condition_needs(c);
    if (needs & CONDITION_HISTORY)
        return keymap_text(keys, "count and changed go by what was before: ask a breakpoint ({breakpoints}) or :bisect",
                           false, buf);
    return needs & CONDITION_NODE ? "what a node was like is not recorded: node.… is for breakpoints only" : NULL;
}

const char *filter_text(const struct filter *f)
{
    return condition_text(f->condition);
}

static bool holds(void *data, const struct record *r)
{
    return condition_matches(data, r, NULL);
}

static bool excludes(void *data, struct text payload)
{
    return condition_excludes(data, payload);
}

static unsigned node_slot(const char *id)
{
    return store_node_slot((struct text){ id, id ? strlen(id) : 0 });
}

void filter_scope(const struct condition *c, struct store_query *q)
{
    struct condition_scope scope = condition_scope(c);
    const char *values[] = { scope.src, scope.dst, scope.type, scope.kind };
    memcpy(q->values, values, sizeof values);
    q->kinds = scope.kinds;
    q->nodes[0] = node_slot(scope.src);
    q->nodes[1] = node_slot(scope.dst);
    q->from = scope.from;
    q->until = scope.until;
    q->member = scope.member;
}

void filter_query(struct filter *f, struct store_query *q)
{
    *q = (struct store_query){ .holds = holds, .excludes = excludes, .data = f->condition };
    filter_scope(f->condition, q);
}

void filter_go(struct filter *f, uint64_t n)
{
    uint64_t stride = n / STORE_STRIDE;
    if (stride < f->from || stride >= f->to)
        f->from = f->to = stride;
}

static void make_room(struct filter *f, uint64_t strides)
{
    if (strides <= f->capacity)
        return;
    size_t capacity = f->capacity ? f->capacity : 64;
    while (capacity < strides)
        capacity *= 2;
    f->strides = mem_resize(f->strides, capacity * sizeof *f->strides);
    memset(f->strides + f->capacity, 0, (capacity - f->capacity) * sizeof *f->strides);
    f->capacity = capacity;
}

static uint64_t records_in(uint64_t stride, uint64_t records)
{
    uint64_t first = stride * STORE_STRIDE, there = first < records ? records - first : 0;
    return there < STORE_STRIDE ? there : STORE_STRIDE;
}

/* Looks at one stride, where that was not done yet. */
static void look(struct filter *f, struct store *store, uint64_t stride, uint64_t records, bool *changed)
{
    struct stride *s = &f->strides[stride];
    struct store_query q;
    if (s->done >= records_in(stride, records))
        return;
    filter_query(f, &q);
    unsigned before = s->count;
    s->done = (uint16_t)store_scan(store, &q, stride * STORE_STRIDE, s->hits);
    s->count = 0;
    for (int w = 0; w < WORDS; w++)
        s->count = (uint16_t)(s->count + __builtin_popcountll(s->hits[w]));
    *changed |= s->count != before;
}

/* Whether there is something behind what is in sight: another stride, or more in the last one. */
static bool more_below(const struct filter *f, uint64_t records)
{
    uint64_t strides = (records + STORE_STRIDE - 1) / STORE_STRIDE;
    return f->to < strides || (f->to > f->from && f->strides[f->to - 1].done < records_in(f->to - 1, records));
}

bool filter_work(struct filter *f, struct store *store, bool tail, bool *changed)
{
    uint64_t records = store_count(store), strides = (records + STORE_STRIDE - 1) / STORE_STRIDE;
    int64_t deadline = clock_us() + SLICE_US;
    make_room(f, strides);
    if (tail && strides > f->to + TAIL_MOST)
        filter_go(f, records - 1);
    bool below, above;
    do {
        below = more_below(f, records);
        above = f->from > 0;
        bool up = above && (!below || (!tail && f->up_next));
        f->up_next = !f->up_next;
        if (up) {
            look(f, store, --f->from, records, changed);
        } else if (below) {
            bool again = f->to > f->from && f->strides[f->to - 1].done < records_in(f->to - 1, records);
            look(f, store, again ? f->to - 1 : f->to++, records, changed);
        }
    } while ((below || above) && clock_us() < deadline);
    return more_below(f, records) || f->from > 0;
}

void filter_fit(struct filter *f, uint64_t records)
{
    uint64_t strides = (records + STORE_STRIDE - 1) / STORE_STRIDE;
    if (f->to > strides)
        f->to = strides;
    if (f->from > f->to)
        f->from = f->to;
    if (f->to == f->from)
        return;
    struct stride *last = &f->strides[f->to - 1];
    if (last->done > records_in(f->to - 1, records)) /* what it holds behind the last record is not there */
        *last = (struct stride){ 0 };
}

bool filter_complete(const struct filter *f, uint64_t records)
{
    return f->from == 0 && !more_below(f, records);
}

uint64_t filter_count(const struct filter *f)
{
    uint64_t count = 0;
    for (uint64_t i = f->from; i < f->to; i++)
        count += f->strides[i].count;
    return count;
}

static uint64_t bits_below(const struct stride *s, unsigned bit)
{
    uint64_t count = 0;
    for (unsigned w = 0; w < bit / 64; w++)
        count += (unsigned)__builtin_popcountll(s->hits[w]);
    if (bit % 64)
        count += (unsigned)__builtin_popcountll(s->hits[bit / 64] << (64 - bit % 64));
    return count;
}

uint64_t filter_rank(const struct filter *f, uint64_t n)
{
    uint64_t count = 0, stride = n / STORE_STRIDE;
    for (uint64_t i = f->from; i < f->to && i < stride; i++)
        count += f->strides[i].count;
    if (stride >= f->from && stride < f->to)
        count += bits_below(&f->strides[stride], (unsigned)(n % STORE_STRIDE));
    return count;
}

bool filter_select(const struct filter *f, uint64_t k, uint64_t *n)
{
    uint64_t i = f->from;
    while (i < f->to && k >= f->strides[i].count)
        k -= f->strides[i++].count;
    if (i >= f->to)
        return false;
    for (unsigned bit = 0; bit < STORE_STRIDE; bit++)
        if (f->strides[i].hits[bit / 64] >> bit % 64 & 1 && k-- == 0) {
            *n = i * STORE_STRIDE + bit;
            return true;
        }
    return false;
}

bool filter_holds(struct filter *f, struct store *store, uint64_t n)
{
    struct store_query q;
    filter_query(f, &q);
    return store_find(store, &q, false, 1, &n) == STORE_FOUND;
}
