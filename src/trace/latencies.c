#include "trace/latencies.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>

#include "base/memory.h"

struct value {
    simtime latency;
    uint64_t count;
    UT_hash_handle hh;
};

struct latencies {
    struct sink sink; /* first: a sink is a latencies */
    struct value *values;
    uint64_t count;
};

static simtime three_digits(simtime t)
{
    simtime unit = 1;
    while (t / unit >= 1000)
        unit *= 10;
    return (t + unit - 1) / unit * unit;
}

static void take_record(struct sink *sink, const struct record *r)
{
    struct latencies *l = (struct latencies *)sink;
    if (r->kind != RECORD_LOCAL || r->latency < 0)
        return;
    simtime latency = r->latency;
    struct value *v;
    HASH_FIND(hh, l->values, &latency, sizeof latency, v);
    if (!v && HASH_COUNT(l->values) >= LATENCIES_EXACT) {
        latency = three_digits(latency);
        HASH_FIND(hh, l->values, &latency, sizeof latency, v);
    }
    if (!v) {
        v = mem_alloc(sizeof *v);
        v->latency = latency;
        HASH_ADD(hh, l->values, latency, sizeof v->latency, v);
    }
    v->count++;
    l->count++;
}

struct latencies *latencies_new(void)
{
    struct latencies *l = mem_alloc(sizeof *l);
    l->sink.record = take_record;
    return l;
}

void latencies_free(struct latencies *l)
{
    if (!l)
        return;
    for (struct value *v = l->values, *next; v; v = next) {
        next = v->hh.next;
        HASH_DEL(l->values, v);
        free(v);
    }
    free(l);
}

struct sink *latencies_sink(struct latencies *l)
{
    return &l->sink;
}

bool latencies_are_few(const struct latencies *l)
{
    return HASH_COUNT(l->values) <= LATENCIES_FEW;
}

static int by_latency(struct value *a, struct value *b)
{
    return (a->latency > b->latency) - (a->latency < b->latency);
}

void latencies_summarize(struct latencies *l, struct session_inference *out)
{
    *out = (struct session_inference){ .count = l->count };
    if (!l->count)
        return;
    HASH_SORT(l->values, by_latency);
    uint64_t half = (l->count + 1) / 2, most = l->count - l->count / 100, seen = 0;
    for (struct value *v = l->values; v; v = v->hh.next) {
        if (seen < half)
            out->p50 = v->latency;
        if (seen < most)
            out->p99 = v->latency;
        out->max = v->latency;
        seen += v->count;
    }
}
