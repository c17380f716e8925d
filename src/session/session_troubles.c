/* What the run goes on with, by the moment that is shown: nodes that have sent to names that are no node's, and nodes
 * that have failed. What the run itself has noted, or, of a recorded one, what its records tell. */
#include "session/session_state.h"

#define SLICE 4096 /* records that are looked through at a time */

static const struct drops *drops_of(const struct session *s)
{
    return s->viewing.is_recorded ? s->viewing.troubles : s->results.drops;
}

size_t troubles_count(const struct session *s)
{
    const struct drops *d = drops_of(s);
    size_t count = d ? drops_trouble_count(d) : 0;
    while (s->viewing.is_past && count && drops_trouble(d, count - 1)->record >= store_count(s->results.store))
        count--;
    return count;
}

const struct session_trouble *session_trouble(const struct session *s, size_t i)
{
    return drops_trouble(drops_of(s), i);
}

static bool is_unknown(void *data, const struct record *r)
{
    (void)data;
    return text_is(r->cause, DROP_UNKNOWN);
}

static bool is_state(void *data, const struct record *r)
{
    (void)data;
    return r->kind == RECORD_NODE;
}

static bool take(struct session *s, uint64_t n, enum record_kind kind)
{
    struct sink *sink = drops_sink(s->viewing.troubles);
    struct record r;
    if (store_read(s->results.store, n, &r) < 0 || r.kind != kind)
        return false;
    if (kind != RECORD_DROP)
        r.src_node = viewing_node_named(s, r.src);
    r.dst_node = -1;
    sink->record(sink, &r);
    return true;
}

/* Of a drop the message stands right before it. */
static void take_found(struct session *s, uint64_t n, const struct store_query *query)
{
    if (query->holds == is_state)
        take(s, n, RECORD_NODE);
    else if (n && take(s, n - 1, RECORD_MESSAGE))
        take(s, n, RECORD_DROP);
}

/* Through a slice, as long as there are fewer than `most`. Returns whether there is more to come. */
static bool look(struct session *s, const struct store_query *query, uint64_t *read, size_t most)
{
    const struct drops *d = s->viewing.troubles;
    bool states = query->holds == is_state;
    uint64_t end = store_count(s->results.store), stop = *read + SLICE < end ? *read + SLICE : end;
    size_t found_so_far = 0;
    while (*read < stop) {
        size_t unknown = drops_unknown_count(d);
        found_so_far = states ? drops_trouble_count(d) - unknown : unknown;
        if (found_so_far >= most)
            return false;
        uint64_t n = *read;
        enum store_found found = store_find(s->results.store, query, false, stop - n, &n);
        *read = found == STORE_FOUND ? n + 1 : stop;
        if (found == STORE_FOUND)
            take_found(s, n, query);
    }
    return *read < end;
}

bool session_look_for_troubles(struct session *s, bool *changed)
{
    static const struct store_query unknown = { .holds = is_unknown,
                                                .kinds = 1u << RECORD_DROP,
                                                .values = { DROP_UNKNOWN } };
    static const struct store_query states = { .holds = is_state, .kinds = 1u << RECORD_NODE };
    struct viewing *v = &s->viewing;
    if (!v->is_recorded)
        return false;
    if (!v->troubles)
        v->troubles = drops_new();
    size_t before = drops_trouble_count(v->troubles);
    bool more = look(s, &states, &v->failures_read, SESSION_FAILURES_MOST);
    if (!v->past || past_run(v->past)->v[MOMENT_DROPPED])
        more |= look(s, &unknown, &v->unknown_read, SESSION_UNKNOWN_MOST);
    *changed |= drops_trouble_count(v->troubles) != before;
    return more;
}
