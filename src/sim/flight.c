#include "sim/flight.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "sim/coordinator_state.h"

/* Where a message is: among those that wait for a node, or in the network. */
struct place {
    int node; /* -1: in the network */
    size_t index;
};

uint64_t flight_count(const struct coordinator *c)
{
    uint64_t count = network_count(c->network);
    for (int i = 0; i < c->scenario->node_count; i++)
        count += c->pending[i].count;
    return count;
}

bool flight_has_room(const struct coordinator *c)
{
    return c->pending_count + network_count(c->network) < COORDINATOR_IN_FLIGHT_MAX;
}

static bool before(const struct message *a, const struct message *b)
{
    if (a->time != b->time)
        return a->time < b->time;
    if (a->dst != b->dst)
        return a->dst < b->dst;
    return a->src != b->src ? a->src < b->src : a->id < b->id;
}

/* The first `room` of those that are offered: a heap whose top is the last of them. */
struct selection {
    const struct message **items;
    size_t count, room;
    simtime least; /* earlier ones are left out */
};

static void sink(struct selection *s, const struct message *m)
{
    size_t at = 0;
    for (size_t child; (child = 2 * at + 1) < s->count; at = child) {
        if (child + 1 < s->count && before(s->items[child], s->items[child + 1]))
            child++;
        if (!before(m, s->items[child]))
            break;
        s->items[at] = s->items[child];
    }
    s->items[at] = m;
}

static void offer(struct selection *s, const struct message *m)
{
    if (m->time < s->least)
        return;
    if (s->count == s->room) {
        if (before(m, s->items[0]))
            sink(s, m);
        return;
    }
    size_t at = s->count++;
    for (; at > 0 && before(s->items[(at - 1) / 2], m); at = (at - 1) / 2)
        s->items[at] = s->items[(at - 1) / 2];
    s->items[at] = m;
}

static int compare(const void *a, const void *b)
{
    return before(*(const struct message *const *)a, *(const struct message *const *)b) ? -1 : 1;
}

static void select_all(const struct coordinator *c, struct selection *s)
{
    for (int i = 0; i < c->scenario->node_count; i++)
        for (size_t k = 0; k < c->pending[i].count; k++)
            offer(s, c->pending[i].items[k]);
    for (size_t k = 0, count = network_count(c->network); k < count; k++) {
        simtime due = network_due(c->network, k);
        if (due >= s->least && (s->count < s->room || due <= s->items[0]->time))
            offer(s, network_at(c->network, k)); /* else it is not looked at: it may be far away in memory */
    }
}

/* How many arrive before t; *last is when the last of those under way arrives. */
static uint64_t count_before(const struct coordinator *c, simtime t, simtime *last)
{
    uint64_t sum = 0;
    *last = 0;
    for (int i = 0; i < c->scenario->node_count; i++)
        for (size_t k = 0; k < c->pending[i].count; k++)
            sum += c->pending[i].items[k]->time < t;
    for (size_t k = 0, count = network_count(c->network); k < count; k++) {
        simtime due = network_due(c->network, k);
        sum += due < t;
        *last = due > *last ? due : *last;
    }
    return sum;
}

/* The latest time before which there are not more than `from`; *earlier is how many there are. */
static simtime time_of(const struct coordinator *c, uint64_t from, uint64_t *earlier)
{
    simtime low = 0, high, last;
    *earlier = 0;
    if (!from)
        return low;
    *earlier = count_before(c, c->counts.now, &last);
    if (*earlier <= from)
        low = c->counts.now; /* most times it is */
    else
        *earlier = 0;
    high = (last > c->counts.now ? last : c->counts.now) + 1;
    while (high - low > 1) {
        simtime middle = low + (high - low) / 2;
        uint64_t count = count_before(c, middle, &last);
        if (count > from) {
            high = middle;
        } else {
            low = middle;
            *earlier = count;
        }
        if (count == from)
            break; /* the page begins there */
    }
    return low;
}

size_t flight_list(const struct coordinator *c, uint64_t from, const struct message **out, size_t room)
{
    uint64_t all = flight_count(c), earlier;
    if (from >= all || !room)
        return 0;
    size_t count = all - from < room ? (size_t)(all - from) : room;
    struct selection s = { .least = time_of(c, from, &earlier) };
    s.room = (size_t)(from - earlier) + count;
    s.items = mem_array(s.room, sizeof *s.items);
    select_all(c, &s);
    qsort(s.items, s.count, sizeof *s.items, compare);
    memcpy(out, s.items + (from - earlier), count * sizeof *out);
    free(s.items);
    return count;
}

void flight_visit(const struct coordinator *c, void (*visit)(void *data, const struct message *m), void *data)
{
    for (int i = 0; i < c->scenario->node_count; i++)
        for (size_t k = 0; k < c->pending[i].count; k++)
            visit(data, c->pending[i].items[k]);
    for (size_t k = 0, count = network_count(c->network); k < count; k++)
        visit(data, network_at(c->network, k));
}

static bool find(const struct coordinator *c, uint64_t id, struct place *at)
{
    for (int i = 0; i < c->scenario->node_count; i++)
        for (size_t k = 0; k < c->pending[i].count; k++)
            if (c->pending[i].items[k]->id == id) {
                *at = (struct place){ i, k };
                return true;
            }
    for (size_t k = 0, count = network_count(c->network); k < count; k++)
        if (network_at(c->network, k)->id == id) {
            *at = (struct place){ -1, k };
            return true;
        }
    return false;
}

static const struct message *message_at(const struct coordinator *c, const struct place *at)
{
    return at->node < 0 ? network_at(c->network, at->index) : c->pending[at->node].items[at->index];
}

const struct message *flight_find(const struct coordinator *c, uint64_t id)
{
    struct place at;
    return find(c, id, &at) ? message_at(c, &at) : NULL;
}

uint64_t flight_rank(const struct coordinator *c, uint64_t id)
{
    const struct message *m = flight_find(c, id);
    uint64_t rank = 0;
    if (!m)
        return UINT64_MAX;
    for (int i = 0; i < c->scenario->node_count; i++)
        for (size_t k = 0; k < c->pending[i].count; k++)
            rank += before(c->pending[i].items[k], m);
    for (size_t k = 0, count = network_count(c->network); k < count; k++) {
        simtime due = network_due(c->network, k);
        rank += due < m->time || (due == m->time && before(network_at(c->network, k), m));
    }
    return rank;
}

static struct message *remove_at(struct coordinator *c, const struct place *at)
{
    if (at->node < 0)
        return network_remove(c->network, at->index);
    struct message_list *list = &c->pending[at->node];
    struct message *m = list->items[at->index];
    list->count--;
    memmove(list->items + at->index, list->items + at->index + 1, (list->count - at->index) * sizeof *list->items);
    c->pending_count--;
    return m;
}

/* Owns m, for which there is room. */
static void put(struct coordinator *c, struct message *m)
{
    if (m->time <= c->counts.now || network_hold(c->network, m) < 0)
        coordinator_add_pending(c, m);
    coordinator_count_in_flight(c);
}

void flight_drop(struct coordinator *c, uint64_t id)
{
    struct place at;
    if (!find(c, id, &at))
        return;
    struct message *m = remove_at(c, &at);
    coordinator_publish_drop(c, id, m->src, m->dst, c->counts.now, DROP_EDITED);
    message_free(m);
    coordinator_count_in_flight(c);
}

void flight_delay(struct coordinator *c, uint64_t id, simtime to)
{
    struct place at;
    if (!find(c, id, &at))
        return;
    struct message *m = remove_at(c, &at);
    m->time = to;
    put(c, m);
}

void flight_copy(struct coordinator *c, uint64_t id)
{
    const struct message *m = flight_find(c, id);
    if (!m)
        return;
    struct message *copy = coordinator_copy(m, m->dst);
    copy->id = c->next_id++;
    coordinator_publish_message(c, copy, copy->sent, copy->time);
    put(c, copy);
}

static struct message *message_with(struct message_pool *pool, struct text type, struct text payload)
{
    struct message *m = message_new(pool, type.len + payload.len);
    memcpy(m->text, type.s, type.len);
    if (payload.len)
        memcpy(m->text + type.len, payload.s, payload.len);
    m->type = (struct text){ m->text, type.len };
    m->payload = (struct text){ m->text + type.len, payload.len };
    return m;
}

void flight_edit(struct coordinator *c, uint64_t id, struct text payload, uint64_t record)
{
    struct place at;
    if (!find(c, id, &at))
        return;
    const struct message *before_it = message_at(c, &at);
    struct message *m = message_with(before_it->pool, before_it->type, payload);
    m->time = before_it->time;
    m->sent = before_it->sent;
    m->origin = before_it->origin;
    m->id = id;
    m->record = before_it->record;
    m->edit = record;
    m->src = before_it->src;
    m->dst = before_it->dst;
    m->size = before_it->size;
    if (at.node < 0) {
        network_replace(c->network, at.index, m);
    } else {
        message_free(c->pending[at.node].items[at.index]);
        c->pending[at.node].items[at.index] = m;
    }
}

void flight_inject(struct coordinator *c, int src, int dst, struct text type, struct text payload, simtime due)
{
    struct message *m = message_with(NULL, type, payload);
    bool is_lost = due <= c->counts.now && c->holds[dst].is_frozen;
    m->id = c->next_id++;
    m->time = due;
    m->sent = m->origin = c->counts.now;
    m->src = src;
    m->dst = dst;
    m->size = (uint32_t)payload.len;
    coordinator_publish_message(c, m, m->sent, is_lost ? SIMTIME_NEVER : due);
    put(c, m); /* where its node has failed, dropped there */
}

bool flight_link(const struct coordinator *c, int src, int dst, simtime *latency, double *loss)
{
    return network_link(c->network, src, dst, latency, loss);
}
