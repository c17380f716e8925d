/* Which nodes have sent to names that are no node's, by the moment that is shown: what the run itself has counted, or,
 * of a recorded one, what its records tell. */
#include "session/session_state.h"

#define SLICE 4096 /* records that are looked through at a time */

static const struct drops *drops_of(const struct session *s)
{
    return s->viewing.is_recorded ? s->viewing.unknown : s->results.drops;
}

size_t unknown_count(const struct session *s)
{
    const struct drops *d = drops_of(s);
    size_t count = d ? drops_unknown_count(d) : 0;
    while (s->viewing.is_past && count && drops_unknown(d, count - 1)->drop >= store_count(s->results.store))
        count--;
    return count;
}

const struct session_unknown *session_unknown(const struct session *s, size_t i)
{
    return drops_unknown(drops_of(s), i);
}

static bool is_unknown(void *data, const struct record *r)
{
    (void)data;
    return text_is(r->cause, DROP_UNKNOWN);
}

/* The message stands right before its drop. */
static void take_drop(struct session *s, uint64_t n)
{
    struct sink *sink = drops_sink(s->viewing.unknown);
    struct record r;
    if (!n || store_read(s->results.store, n - 1, &r) < 0 || r.kind != RECORD_MESSAGE)
        return;
    r.src_node = viewing_node_named(s, r.src);
    r.dst_node = -1;
    sink->record(sink, &r);
    if (store_read(s->results.store, n, &r) == 0)
        sink->record(sink, &r);
}

bool session_look_for_unknown(struct session *s, bool *changed)
{
    struct viewing *v = &s->viewing;
    struct store_query query = { .holds = is_unknown, .kinds = 1u << RECORD_DROP, .values = { DROP_UNKNOWN } };
    if (!v->is_recorded || (v->past && !past_run(v->past)->v[MOMENT_DROPPED]))
        return false;
    if (!v->unknown)
        v->unknown = drops_new();
    uint64_t end = store_count(s->results.store), stop = v->unknown_read + SLICE;
    size_t before = drops_unknown_count(v->unknown);
    stop = stop < end ? stop : end;
    while (v->unknown_read < stop && drops_unknown_count(v->unknown) < SESSION_UNKNOWN_MOST) {
        uint64_t n = v->unknown_read;
        enum store_found found = store_find(s->results.store, &query, false, stop - n, &n);
        v->unknown_read = found == STORE_FOUND ? n + 1 : stop;
        if (found == STORE_FOUND)
            take_drop(s, n);
    }
    *changed |= drops_unknown_count(v->unknown) != before;
    return v->unknown_read < end && drops_unknown_count(v->unknown) < SESSION_UNKNOWN_MOST;
}
