#include "sim/coordinator.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "sim/barrier.h"
#include "sim/coordinator_state.h"

static struct text text_of(const char *s)
{
    return (struct text){ s, strlen(s) };
}

struct coordinator *coordinator_new(const struct scenario *s, struct bus *bus, bool skip)
{
    struct coordinator *c = mem_alloc(sizeof *c);
    size_t n = (size_t)s->node_count;
    c->scenario = s;
    c->bus = bus;
    c->skip = skip;
    c->network = network_new(s, COORDINATOR_IN_FLIGHT_MAX);
    c->ids = mem_array(n, sizeof *c->ids);
    c->next = mem_array(n, sizeof *c->next);
    c->pending = mem_array(n, sizeof *c->pending);
    c->taken = mem_array(n, sizeof *c->taken);
    c->traffic = mem_array(n, sizeof *c->traffic);
    c->handed = mem_array(n, sizeof *c->handed);
    c->holds = mem_array(n, sizeof *c->holds);
    for (size_t i = 0; i < n; i++) {
        c->ids[i] = text_of(s->nodes[i].id);
        c->next[i] = NEXT_UNKNOWN;
    }
    return c;
}

void coordinator_free(struct coordinator *c)
{
    if (!c)
        return;
    for (int i = 0; i < c->scenario->node_count; i++) {
        message_list_free(&c->pending[i]);
        free(c->handed[i].items);
    }
    free(c->handed);
    free(c->holds);
    network_free(c->network);
    free(c->ids);
    free(c->next);
    free(c->pending);
    free(c->taken);
    free(c->traffic);
    free(c);
}

void coordinator_publish_run(struct coordinator *c)
{
    struct record r = { .kind = RECORD_RUN, .src_node = -1, .dst_node = -1 };
    bus_publish(c->bus, &r);
}

void coordinator_publish_end(struct coordinator *c, const char *outcome, const char *cause)
{
    struct record r = { .t = c->counts.now,
                        .kind = RECORD_END,
                        .src_node = -1,
                        .dst_node = -1,
                        .state = text_of(outcome),
                        .cause = text_of(cause),
                        .quanta = c->counts.quanta,
                        .messages = c->counts.messages,
                        .dropped = c->counts.dropped,
                        .in_flight = c->counts.in_flight };
    bus_publish(c->bus, &r);
}

static simtime min_time(simtime a, simtime b)
{
    return a < b ? a : b;
}

simtime coordinator_barrier_after(const struct coordinator *c, simtime t)
{
    return barrier_after(c->scenario, t);
}

static void publish_drop(struct coordinator *c, uint64_t id, int src, int dst, simtime t, const char *reason)
{
    struct record r = { .t = t,
                        .kind = RECORD_DROP,
                        .src_node = src,
                        .dst_node = dst >= 0 ? dst : -1,
                        .id = id,
                        .cause = text_of(reason) };
    c->counts.dropped++;
    c->traffic[src].dropped++;
    bus_publish(c->bus, &r);
}

static void add_pending(struct coordinator *c, struct message *m)
{
    if (c->holds[m->dst].is_frozen) {
        publish_drop(c, m->id, m->src, m->dst, m->time, DROP_NODE_FAILED);
        message_free(m);
        return;
    }
    message_list_add(&c->pending[m->dst], m);
    c->pending_count++;
}

static void take_arrivals(struct coordinator *c)
{
    for (struct message *m; (m = network_arrived(c->network, c->counts.now));)
        add_pending(c, m);
}

static void count_in_flight(struct coordinator *c)
{
    c->counts.waiting = c->pending_count;
    c->counts.in_flight = c->pending_count + network_count(c->network);
}

/* The barrier up to which nothing can happen: the one before the first event of a node, or the one at which the first
 * message under way becomes pending. */
static simtime idle_until(struct coordinator *c)
{
    simtime first = SIMTIME_NEVER, arrival = network_next(c->network), q = c->scenario->quantum;
    uint64_t held = 0; /* what waits for nodes that are paused */
    for (int i = 0; i < c->scenario->node_count; i++)
        first = min_time(first, c->next[i]);
    if (c->paused_count) {
        first = SIMTIME_NEVER;
        for (int i = 0; i < c->scenario->node_count; i++)
            if (c->holds[i].is_paused)
                held += c->pending[i].count;
            else
                first = min_time(first, c->next[i]);
    }
    if (c->pending_count > held || first < c->counts.now)
        return c->counts.now;
    simtime until = first == SIMTIME_NEVER ? c->scenario->duration : first / q * q;
    if (arrival != SIMTIME_NEVER)
        until = min_time(until, coordinator_barrier_after(c, arrival));
    return until;
}

simtime coordinator_next_activity(struct coordinator *c)
{
    return min_time(idle_until(c) + c->scenario->quantum, c->scenario->duration);
}

bool coordinator_knows_next(const struct coordinator *c)
{
    for (int i = 0; i < c->scenario->node_count; i++)
        if (c->next[i] == NEXT_UNKNOWN && !c->holds[i].is_frozen && !c->holds[i].is_paused)
            return false;
    return true;
}

bool coordinator_begin(struct coordinator *c, simtime limit, simtime *target)
{
    simtime q = c->scenario->quantum;
    if (c->skip) {
        simtime to = min_time(idle_until(c), limit);
        if (to > c->counts.now) {
            uint64_t quanta = (uint64_t)((to - c->counts.now + q - 1) / q);
            c->counts.quanta += quanta;
            c->counts.skipped += quanta;
            c->counts.now = to;
            take_arrivals(c);
            count_in_flight(c);
        }
    }
    if (c->counts.now >= limit)
        return false;
    *target = c->target = min_time(c->counts.now + q, c->scenario->duration);
    return true;
}

bool coordinator_must_grant(const struct coordinator *c, int i)
{
    if (c->holds[i].is_frozen || c->holds[i].is_paused)
        return false;
    return !c->skip || coordinator_is_due(c, i, c->target);
}

bool coordinator_is_due(const struct coordinator *c, int i, simtime until)
{
    return c->next[i] < until || c->pending[i].count > 0;
}

void coordinator_take(struct coordinator *c, int i, struct message_list *out)
{
    struct message_list empty = *out;
    *out = c->pending[i];
    c->pending[i] = empty;
    c->taken[i] = out->count;
    struct handed_list *list = &c->handed[i];
    list->count = 0;
    for (size_t k = 0; k < out->count; k++) {
        list->items = mem_grow(list->items, list->count, &list->capacity, sizeof *list->items);
        list->items[list->count++] = (struct handed){ out->items[k]->id, out->items[k]->src };
    }
}

void coordinator_answered(struct coordinator *c, int i, simtime next)
{
    c->next[i] = next;
    c->traffic[i].in += c->taken[i];
    c->handed[i].count = 0; /* it has handled them */
}

static void publish_message(struct coordinator *c, struct message *m, simtime sent, simtime due)
{
    struct record r = { .t = sent,
                        .kind = RECORD_MESSAGE,
                        .src_node = m->src,
                        .dst_node = m->dst >= 0 ? m->dst : -1,
                        .id = m->id,
                        .src = c->ids[m->src],
                        .dst = m->dst >= 0 ? c->ids[m->dst] : m->unknown_dst,
                        .type = m->type,
                        .size = m->size,
                        .payload = m->payload,
                        .due = due,
                        .latency = due == SIMTIME_NEVER ? -1 : due - sent };
    c->counts.messages++;
    c->traffic[m->src].out++;
    bus_publish(c->bus, &r);
    m->record = r.n;
    m->edit = 0;
}

/* Owns m. */
static void route(struct coordinator *c, struct message *m)
{
    simtime sent = m->time;
    m->id = c->next_id++;
    m->sent = sent;
    const char *lost = NULL;
    if (m->dst == DESTINATION_UNKNOWN) {
        lost = "unknown destination";
    } else {
        enum network_fate fate = network_send(c->network, m);
        if (fate == NETWORK_LOST)
            lost = "loss";
        else if (fate == NETWORK_FULL || (fate == NETWORK_AT_ONCE && c->pending_count >= COORDINATOR_IN_FLIGHT_MAX))
            lost = "limit";
        else if (fate == NETWORK_AT_ONCE && c->holds[m->dst].is_frozen)
            lost = DROP_NODE_FAILED;
        else if (fate == NETWORK_AT_ONCE)
            add_pending(c, m);
    }
    publish_message(c, m, sent, lost ? SIMTIME_NEVER : m->time);
    if (lost) {
        publish_drop(c, m->id, m->src, m->dst, sent, lost);
        message_free(m);
    }
}

static struct message *copy_for(const struct message *m, int dst)
{
    size_t type = m->type.len, payload = m->payload.len;
    struct message *copy = message_new(m->pool, type + payload);
    struct message_pool *pool = copy->pool; /* none, where the texts are too long for it */
    char *text = copy->text;
    *copy = *m;
    copy->pool = pool;
    memcpy(text, m->type.s, type);
    if (payload)
        memcpy(text + type, m->payload.s, payload);
    copy->type.s = text;
    copy->payload.s = text + type;
    copy->unknown_dst = (struct text){ 0 };
    copy->dst = dst;
    return copy;
}

void coordinator_send(struct coordinator *c, struct message *m)
{
    if (m->dst == DESTINATION_NONE) {
        struct record r = { .t = m->time,
                            .kind = RECORD_LOCAL,
                            .src_node = m->src,
                            .dst_node = -1,
                            .src = c->ids[m->src],
                            .type = m->type,
                            .payload = m->payload,
                            .latency = m->latency };
        bus_publish(c->bus, &r);
        message_free(m);
    } else if (m->dst == DESTINATION_ALL) {
        for (int i = 0; i < c->scenario->node_count; i++)
            if (i != m->src)
                route(c, copy_for(m, i));
        message_free(m);
    } else {
        route(c, m);
    }
}

static void publish_warning(struct coordinator *c, simtime t, int i, struct text text)
{
    c->counts.warnings++;
    struct record r = { .t = t, .kind = RECORD_WARNING, .src_node = i, .dst_node = -1, .cause = text };
    if (i >= 0)
        r.src = c->ids[i];
    bus_publish(c->bus, &r);
}

void coordinator_warn(struct coordinator *c, int i, struct text text)
{
    publish_warning(c, c->target, i, text);
}

void coordinator_warn_now(struct coordinator *c, int i, struct text text)
{
    publish_warning(c, c->counts.now, i, text);
}

void coordinator_publish_node(struct coordinator *c, int i, const char *state, const char *cause)
{
    struct record r = { .t = c->counts.now,
                        .kind = RECORD_NODE,
                        .src_node = i,
                        .dst_node = -1,
                        .src = c->ids[i],
                        .state = text_of(state),
                        .cause = text_of(cause) };
    bus_publish(c->bus, &r);
}

uint64_t coordinator_publish_command(struct coordinator *c, const char *text)
{
    struct record r = {
        .t = c->counts.now, .kind = RECORD_COMMAND, .src_node = -1, .dst_node = -1, .cause = text_of(text)
    };
    bus_publish(c->bus, &r);
    return r.n;
}

void coordinator_failed(struct coordinator *c, int i)
{
    struct handed_list *list = &c->handed[i];
    for (size_t k = 0; k < list->count; k++)
        publish_drop(c, list->items[k].id, list->items[k].src, i, c->counts.now, DROP_NODE_FAILED);
    list->count = 0;
    c->next[i] = SIMTIME_NEVER;
}

void coordinator_freeze(struct coordinator *c, int i)
{
    struct message_list *list = &c->pending[i];
    for (size_t k = 0; k < list->count; k++) {
        publish_drop(c, list->items[k]->id, list->items[k]->src, i, c->counts.now, DROP_NODE_FAILED);
        message_free(list->items[k]);
    }
    c->pending_count -= list->count;
    list->count = 0;
    c->next[i] = SIMTIME_NEVER;
    coordinator_pause(c, i, false);
    c->holds[i].is_frozen = true;
    count_in_flight(c);
}

void coordinator_thaw(struct coordinator *c, int i)
{
    c->holds[i].is_frozen = false;
}

void coordinator_pause(struct coordinator *c, int i, bool paused)
{
    c->paused_count += paused - c->holds[i].is_paused;
    c->holds[i].is_paused = paused;
}

bool coordinator_is_paused(const struct coordinator *c, int i)
{
    return c->holds[i].is_paused;
}

void coordinator_change_link(struct coordinator *c, int src, int dst, simtime latency, double loss, const char *cause)
{
    struct record r = { .t = c->counts.now,
                        .kind = RECORD_LINK,
                        .src_node = src,
                        .dst_node = dst,
                        .src = c->ids[src],
                        .dst = c->ids[dst],
                        .latency = latency,
                        .loss = loss,
                        .cause = text_of(cause) };
    network_change(c->network, src, dst, latency, loss);
    bus_publish(c->bus, &r);
}

void coordinator_end(struct coordinator *c)
{
    c->counts.now = c->target;
    c->counts.quanta++;
    for (int i = 0; i < c->scenario->node_count; i++) {
        c->pending_count -= c->taken[i];
        c->taken[i] = 0;
    }
    take_arrivals(c);
    count_in_flight(c);
}

const struct coordinator_counts *coordinator_counts(const struct coordinator *c)
{
    return &c->counts;
}

uint64_t coordinator_waiting(const struct coordinator *c, int i)
{
    return c->pending[i].count;
}

void coordinator_traffic(const struct coordinator *c, int i, struct coordinator_traffic *out)
{
    *out = c->traffic[i];
    out->waiting = c->pending[i].count;
    out->next = c->next[i];
}

/* For flight.c: by other names, so that what is called for every message is inlined here. */

void coordinator_publish_drop(struct coordinator *c, uint64_t id, int src, int dst, simtime t, const char *reason)
{
    publish_drop(c, id, src, dst, t, reason);
}

void coordinator_publish_message(struct coordinator *c, struct message *m, simtime sent, simtime due)
{
    publish_message(c, m, sent, due);
}

void coordinator_add_pending(struct coordinator *c, struct message *m)
{
    add_pending(c, m);
}

void coordinator_count_in_flight(struct coordinator *c)
{
    count_in_flight(c);
}

struct message *coordinator_copy(const struct message *m, int dst)
{
    return copy_for(m, dst);
}
