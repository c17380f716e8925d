/* What a message came of, and what came of it: by the steps of the nodes. What a node is handed at a barrier, and what
 * it sends next, belong together; more than that is not known of a node. */
#include <string.h>

#include "session/session_state.h"
#include "sim/barrier.h"

#define HANDED_MOST 1000  /* messages to a node at one barrier */
#define LOOKED_AT   10000 /* records, at most, for one link */

/* The barrier at which record n was written; -1: unknown. */
static simtime written_at(struct past *p, uint64_t n)
{
    return past_seek_record(p, n) ? past_run(p)->v[MOMENT_NOW] : -1;
}

/* How many records there were at a barrier. */
static uint64_t records_at(struct past *p, simtime t)
{
    return t >= 0 && past_seek(p, t) ? (uint64_t)past_run(p)->v[MOMENT_RECORDS] : 0;
}

/* In a direct network nodes are handed what is written at a barrier, at that; only what a person or a fault has put off
 * comes later. */
static bool is_at_once(const struct session *s, const struct record *r, const struct session_delivery *d)
{
    return s->scenario->network == NETWORK_DIRECT && !d->delayed && d->due <= r->t;
}

/* The barrier at which a message was handed to its node; SIMTIME_NEVER: it never was. `written` counts where it was
 * handed over at once. */
static simtime handed_at(const struct session *s, struct past *p, const struct record *r, simtime written)
{
    struct session_delivery d;
    deliveries_of(s, r, &d);
    if (r->kind != RECORD_MESSAGE || d.due == SIMTIME_NEVER)
        return SIMTIME_NEVER;
    if (is_at_once(s, r, &d))
        return written;
    bool by_hand = r->due == r->t && r->t % s->scenario->quantum == 0; /* it seems: at a barrier, within no quantum */
    simtime sent = by_hand ? written_at(p, r->n) : barrier_after(s->scenario, r->t + 1);
    simtime arrived = barrier_after(s->scenario, d.due);
    return arrived > sent ? arrived : sent;
}

/* A quick look at a line, before it is read. */
static bool may_have(struct store *store, uint64_t n, const char *key, const char *node)
{
    char part[100];
    struct text line;
    int len = snprintf(part, sizeof part, "\"%s\":\"%s\"", key, node);
    return store_line(store, n, &line) == 0 && memmem(line.s, line.len, part, (size_t)len);
}

static bool is_for(struct session *s, uint64_t n, const char *receiver, struct record *r)
{
    return may_have(s->results.store, n, "dst", receiver) && store_read(s->results.store, n, r) == 0 &&
           r->kind == RECORD_MESSAGE && text_is(r->dst, receiver);
}

/* Whether it says that a node has failed of its own accord. */
static bool is_failure(const struct record *r)
{
    static const char *const outside[] = { "killed by the user", "killed by a fault of the scenario" };
    bool is_own = r->kind == RECORD_NODE && text_is(r->state, "failed");
    for (size_t i = 0; i < sizeof outside / sizeof *outside; i++)
        is_own = is_own && !text_is(r->cause, outside[i]);
    return is_own;
}

/* Whether a node has sent it, or it is the node's failure. */
static bool is_from(struct session *s, uint64_t n, const char *sender, struct record *r)
{
    return (may_have(s->results.store, n, "src", sender) || may_have(s->results.store, n, "node", sender)) &&
           store_read(s->results.store, n, r) == 0 && text_is(r->src, sender) && session_has_chain(r);
}

bool session_has_chain(const struct record *r)
{
    return r->kind == RECORD_MESSAGE || r->kind == RECORD_LOCAL || is_failure(r);
}

/* The barrier at which the step began in which it came about. A node whose failure ends the run does so at once: the
 * barrier at the end of that step is never reached. */
static simtime began_at(const struct session *s, const struct record *r, simtime written)
{
    int node = is_failure(r) ? viewing_node_named(s, r->src) : -1;
    bool at_once = node >= 0 && s->scenario->nodes[node].on_failure == ON_FAILURE_ABORT;
    return at_once ? written : barrier_before(s->scenario, written);
}

/* What a node was handed last: records, the latest first, those of one barrier. */
struct handed {
    simtime last; /* the barrier; -1: nothing was found yet */
    uint64_t *out;
    size_t count, most;
};

static void take(struct handed *h, uint64_t n, simtime at)
{
    if (at < h->last)
        return;
    h->count = at > h->last ? 0 : h->count;
    h->last = at;
    size_t place = h->count;
    while (place > 0 && h->out[place - 1] < n)
        place--;
    if (place == h->most || (place > 0 && h->out[place - 1] == n))
        return;
    h->count += h->count < h->most;
    memmove(h->out + place + 1, h->out + place, (h->count - place - 1) * sizeof *h->out);
    h->out[place] = n;
}

/* What was put off arrives among what was sent later, and may have been sent long before. */
static void take_late(struct session *s, struct past *p, const char *node, simtime begin, struct handed *h)
{
    struct session_late late;
    struct session_delivery d;
    struct record r;
    int index = scenario_find_node(s->scenario, node);
    enum store_found found = index < 0 ? STORE_NOT_FOUND : STORE_MORE;
    for (size_t at = 0; found != STORE_NOT_FOUND;) {
        found = session_next_late(s, index, &at, &late);
        if (found != STORE_FOUND)
            continue;
        simtime arrived = barrier_after(s->scenario, late.due);
        if (arrived > begin || arrived < h->last || store_read(s->results.store, late.n, &r) < 0)
            continue;
        deliveries_of(s, &r, &d);
        simtime handed = is_at_once(s, &r, &d) ? SIMTIME_NEVER : handed_at(s, p, &r, -1);
        if (handed <= begin)
            take(h, late.n, handed);
    }
}

/* What a node was handed last, at or before the barrier at which its step began; the latest first. */
static size_t came_of(struct session *s, struct past *p, const char *sender, simtime begin, uint64_t *out, size_t most)
{
    struct handed h = { .last = -1, .out = out, .most = most };
    uint64_t end = records_at(p, begin), from = end > LOOKED_AT ? end - LOOKED_AT : 0;
    simtime written = -1;
    for (uint64_t n = end; n > from; n--) {
        struct record r;
        struct session_delivery d;
        if (!is_for(s, n - 1, sender, &r))
            continue;
        deliveries_of(s, &r, &d);
        if (is_at_once(s, &r, &d) && written < 0) { /* all that was sent until the same barrier, and nothing before */
            written = written_at(p, n - 1);
            from = records_at(p, written - 1);
        }
        simtime handed = handed_at(s, p, &r, written);
        if (handed <= begin)
            take(&h, n - 1, handed);
    }
    take_late(s, p, sender, begin, &h);
    return h.count;
}

/* The receiver's failure that ended the run in the step that began at that barrier: nothing else is left of the step.
 */
static bool ended_run(struct session *s, struct past *p, const char *receiver, simtime begin, uint64_t *n)
{
    uint64_t first = records_at(p, begin - 1), end = records_at(p, begin);
    struct record r;
    if (!end || store_read(s->results.store, end - 1, &r) < 0 || r.kind != RECORD_END)
        return false;
    first = end > first + LOOKED_AT ? end - LOOKED_AT : first;
    for (*n = end; *n > first;)
        if (is_from(s, --*n, receiver, &r) && is_failure(&r))
            return began_at(s, &r, begin) == begin;
    return false;
}

/* What the receiver sent first behind the barrier at which it was handed a message, `cause`, until the next one; or
 * that it has failed. */
static size_t led_to(struct session *s, struct past *p, uint64_t cause, const char *receiver, simtime handed,
                     uint64_t *out, size_t most)
{
    uint64_t n = records_at(p, handed), last = n + LOOKED_AT, all = store_count(s->results.store);
    struct record r;
    if (most && ended_run(s, p, receiver, handed, out))
        return 1;
    last = last < all ? last : all;
    while (n < last && !is_from(s, n, receiver, &r))
        n++;
    if (n == last)
        return 0;
    simtime written = written_at(p, n);
    uint64_t before[HANDED_MOST];
    size_t count = came_of(s, p, receiver, began_at(s, &r, written), before, HANDED_MOST);
    bool is_last = false; /* where it was handed something else since, that is the more likely cause */
    for (size_t i = 0; i < count; i++)
        is_last |= before[i] == cause;
    if (!is_last)
        return 0;
    count = 0;
    for (last = records_at(p, written); n < last && count < most; n++)
        if (is_from(s, n, receiver, &r))
            out[count++] = n;
    return count;
}

size_t session_chain(struct session *s, uint64_t n, bool forward, uint64_t *out, size_t most)
{
    struct past *p = viewing_survey(s);
    struct record r;
    char node[80];
    deliveries_catch_up(s, false);
    if (!p || n >= store_count(s->results.store) || store_read(s->results.store, n, &r) < 0 || !session_has_chain(&r))
        return 0;
    struct text id = forward ? r.dst : r.src;
    simtime written = written_at(p, n), handed = handed_at(s, p, &r, written);
    if (written < 0 || !id.len || id.len >= sizeof node || (forward && handed == SIMTIME_NEVER))
        return 0;
    memcpy(node, id.s, id.len);
    node[id.len] = '\0';
    return forward ? led_to(s, p, n, node, handed, out, most)
                   : came_of(s, p, node, began_at(s, &r, written), out, most);
}
