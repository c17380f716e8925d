#include "session/session_past_flight.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/memory.h"
#include "session/session_state.h"
#include "sim/barrier.h"
#include "trace/flight_history.h"
#include "trace/flight_past.h"

#define CATCH_UP_BYTES (1 << 20)         /* of a recorded run, at once */
#define FIRST_NS       INT64_C(20000000) /* of work before it is said that there is more; then session_step goes on */
#define SLICE          512               /* records between two looks at the clock */
#define KEPT_MORE      65536             /* items and changes more than there were before they are sorted out */

/* What the records of a message say of it. */
struct told {
    struct text type, payload;
    uint64_t size;
    simtime sent;
};

/* A message that may be in flight. */
struct flying {
    struct flight_noted m;
    const struct told *told; /* NULL: not read yet */
};

/* What became of a message since it was noted or sent; the last counts. */
struct change {
    uint64_t id, edit;
    simtime due; /* -1: as it was */
    bool is_used, is_gone, is_edited;
};

/* A node that is, or was, paused: what arrives for it waits. */
struct hold {
    bool is_paused;
    simtime since, ended; /* barriers; ended: of the last pause, -1: there was none */
    uint64_t first;       /* record of the barrier `since`; UINT64_MAX: not looked up yet */
};

struct past_flight {
    struct flight_past *file; /* NULL: not opened, or not there yet */
    bool is_begun;            /* what follows is of the barrier t, with so many records, … */
    simtime t;
    uint64_t records, before; /* … and so many at the barrier before it */
    simtime noted;            /* the barrier that it was begun with */
    bool is_reading;          /* records are to be looked at still, from `at` on */
    const char *missing;      /* why the items are not those in flight; NULL: they are */
    uint64_t at, lost;        /* lost: the last message that never was in flight; UINT64_MAX: none */
    size_t sort_from;         /* with so many items and changes they are sorted out, … */
    uint64_t sort_at;         /* … at the end of the barrier sort_t, before this record; UINT64_MAX: not yet */
    simtime sort_t;
    struct flying *items;
    size_t count, capacity;
    size_t from, to;        /* this part of them is in order, and is where it belongs */
    struct change *changes; /* a table by id, with room for a power of two */
    size_t change_count, change_room;
    struct hold *holds;          /* of the nodes */
    int named[STORE_NODE_SLOTS]; /* nodes that were found last, by store_node_slot of their ids */
    struct arena *texts;
};

void past_flight_free(struct past_flight *f)
{
    if (!f)
        return;
    flight_past_free(f->file);
    arena_free(f->texts);
    free(f->items);
    free(f->changes);
    free(f->holds);
    free(f);
}

static struct change *slot_of(const struct past_flight *f, uint64_t id)
{
    size_t mask = f->change_room - 1, i = (size_t)(id * UINT64_C(0x9e3779b97f4a7c15) >> 32) & mask;
    while (f->changes[i].is_used && f->changes[i].id != id)
        i = (i + 1) & mask;
    return &f->changes[i];
}

static void make_room(struct past_flight *f)
{
    struct change *old = f->changes;
    size_t room = f->change_room;
    f->change_room = room ? 2 * room : 64;
    f->changes = mem_array(f->change_room, sizeof *f->changes);
    for (size_t i = 0; i < room; i++)
        if (old[i].is_used)
            *slot_of(f, old[i].id) = old[i];
    free(old);
}

static struct change *change_of(struct past_flight *f, uint64_t id)
{
    if (2 * f->change_count >= f->change_room)
        make_room(f);
    struct change *c = slot_of(f, id);
    if (!c->is_used) {
        *c = (struct change){ .id = id, .due = -1, .is_used = true };
        f->change_count++;
    }
    return c;
}

static void add(struct past_flight *f, const struct flight_noted *m)
{
    f->items = mem_grow(f->items, f->count, &f->capacity, sizeof *f->items);
    f->items[f->count++] = (struct flying){ .m = *m };
}

/* What is dropped has a record of its own. */
static void take_command(struct past_flight *f, const struct record *r)
{
    struct message_change m;
    enum change_kind kind = message_change_of(r->cause, &m);
    if (kind == CHANGE_DELAY)
        change_of(f, m.id)->due = m.due;
    if (kind == CHANGE_EDIT) {
        struct change *c = change_of(f, m.id);
        c->is_edited = true;
        c->edit = r->n;
    }
}

/* A pause that begins at the barrier at which another one ended goes on with that. */
static void take_node(struct past_flight *f, int node, const struct record *r)
{
    struct hold *h = &f->holds[node];
    bool pauses = text_is(r->state, "paused");
    if (pauses && !h->is_paused && h->ended != r->t) {
        h->since = r->t;
        h->first = r->t == f->noted ? 0 : UINT64_MAX;
    }
    if (!pauses && h->is_paused)
        h->ended = r->t;
    h->is_paused = pauses;
}

/* As viewing_node_named, for many. */
static int node_named(struct session *s, struct text id)
{
    int *last = &s->viewing.flight->named[store_node_slot(id)];
    if (!text_is(id, s->scenario->nodes[*last].id)) {
        int node = viewing_node_named(s, id);
        if (node < 0)
            return node;
        *last = node;
    }
    return *last;
}

static void take_message(struct session *s, const struct record *r)
{
    struct flight_noted m = {
        .record = r->n, .id = r->id, .due = r->due, .src = node_named(s, r->src), .dst = node_named(s, r->dst)
    };
    if (m.src >= 0 && m.dst >= 0)
        add(s->viewing.flight, &m);
}

/* Of the barrier that is looked at, what became of nodes does not matter yet. */
static void take_record(struct session *s, const struct record *r)
{
    struct past_flight *f = s->viewing.flight;
    int node;
    switch (r->kind) {
    case RECORD_MESSAGE:
        if (r->due != SIMTIME_NEVER)
            take_message(s, r);
        else
            f->lost = r->id; /* it never was in flight, and the next record says so once more */
        break;
    case RECORD_DROP:
        if (r->id != f->lost)
            change_of(f, r->id)->is_gone = true;
        break;
    case RECORD_COMMAND:
        take_command(f, r);
        break;
    case RECORD_NODE:
        node = viewing_node_named(s, r->src);
        if (node >= 0 && r->n < f->before)
            take_node(f, node, r);
        break;
    default:
        break;
    }
}

static uint64_t records_at(struct past *p, simtime t)
{
    return t >= 0 && past_seek(p, t) ? (uint64_t)past_run(p)->v[MOMENT_RECORDS] : 0;
}

/* Whether it was written at or behind the barrier at which the pause of its node began. */
static bool is_behind(struct session *s, struct hold *h, uint64_t record)
{
    struct past *p = viewing_survey(s);
    if (h->first == UINT64_MAX)
        h->first = p ? records_at(p, h->since - 1) : 0;
    return record >= h->first;
}

/* A message is in flight up to the barrier at which its node is granted it: that at which it has arrived, or the end of
 * the node's pause. Whether t is not behind that, of one that was written before t. */
static bool is_to_come(struct session *s, const struct flight_noted *m, simtime t)
{
    struct hold *h = &s->viewing.flight->holds[m->dst];
    simtime arrival = barrier_after(s->scenario, m->due);
    return arrival >= t || (h->is_paused && (arrival >= h->since || is_behind(s, h, m->record)));
}

static bool is_there(struct session *s, const struct flight_noted *m, simtime t)
{
    struct past_flight *f = s->viewing.flight;
    return t == f->t ? f->noted == t || m->record >= f->before || is_to_come(s, m, t) : is_to_come(s, m, t);
}

static bool change_message(struct past_flight *f, struct flight_noted *m)
{
    const struct change *c = f->change_count ? slot_of(f, m->id) : NULL;
    if (!c || !c->is_used)
        return true;
    m->due = c->due >= 0 ? c->due : m->due;
    m->edit = c->is_edited ? c->edit : m->edit;
    return !c->is_gone;
}

static void forget_changes(struct past_flight *f)
{
    f->change_count = 0;
    if (f->change_room)
        memset(f->changes, 0, f->change_room * sizeof *f->changes);
}

/* Of what was looked at up to now: what is in flight at t. */
static void keep_those_there(struct session *s, simtime t)
{
    struct past_flight *f = s->viewing.flight;
    size_t count = 0;
    for (size_t i = 0; i < f->count; i++)
        if (change_message(f, &f->items[i].m) && is_there(s, &f->items[i].m, t))
            f->items[count++] = f->items[i];
    f->count = count;
    forget_changes(f);
    f->sort_from = 2 * count + KEPT_MORE;
    f->sort_at = UINT64_MAX;
}

/* What has arrived meanwhile does not stay in memory. It is known to have at the end of a barrier: then all has
 * happened that could hold it up. */
static void sort_out(struct session *s)
{
    struct past_flight *f = s->viewing.flight;
    struct past *p = viewing_survey(s);
    if (f->at == f->sort_at) {
        keep_those_there(s, f->sort_t + 1);
    } else if (f->sort_at == UINT64_MAX && f->count + f->change_count >= f->sort_from) {
        bool found = p && past_seek_record(p, f->at) && past_run(p)->v[MOMENT_NOW] < f->t;
        f->sort_at = found ? (uint64_t)past_run(p)->v[MOMENT_RECORDS] : f->records;
        f->sort_t = found ? past_run(p)->v[MOMENT_NOW] : f->t;
    }
}

static void begin(struct session *s, struct past_flight *f, simtime t, uint64_t records)
{
    struct flight_moment noted = { 0 };
    arena_free(f->texts);
    f->texts = arena_new();
    f->t = t;
    f->records = records;
    f->count = f->from = f->to = 0;
    forget_changes(f);
    if (!f->file)
        f->file = viewing_open_flight(s);
    if (!f->file || !flight_past_seek(f->file, t, records, &noted))
        noted = (struct flight_moment){ .now = -1 };
    f->noted = noted.now;
    for (int i = 0; i < s->scenario->node_count; i++)
        f->holds[i] = (struct hold){ .ended = -1 };
    for (size_t i = 0; i < noted.paused_count; i++)
        f->holds[noted.paused[i]] = (struct hold){ .is_paused = true, .since = noted.now, .ended = -1 };
    for (size_t i = 0; i < noted.count; i++)
        add(f, &noted.messages[i]);
    f->at = noted.records;
    f->lost = f->sort_at = UINT64_MAX;
    f->sort_from = 2 * f->count + KEPT_MORE;
    f->is_begun = f->is_reading = true;
    f->missing = "the records of this run are still being looked through";
}

static void stop_reading(struct past_flight *f, const char *missing)
{
    f->is_reading = false;
    f->missing = missing;
    f->count = missing ? 0 : f->count;
}

/* Some records. */
static void read_on(struct session *s, struct past_flight *f)
{
    struct record r;
    for (int i = 0; i < SLICE && f->at < f->records; i++) {
        sort_out(s);
        if (!viewing_read(s, f->at, &r)) {
            stop_reading(f, "events.jsonl has a record that cannot be read");
            return;
        }
        take_record(s, &r);
        f->at++;
    }
    if (f->at < f->records)
        return;
    keep_those_there(s, f->t);
    stop_reading(f, NULL);
}

static simtime shown_of(const struct session *s)
{
    return s->viewing.is_past ? s->viewing.at : now_of(s);
}

bool past_flight_is_reading(const struct session *s)
{
    return s->viewing.flight && s->viewing.flight->is_reading;
}

void past_flight_work(struct session *s, int64_t deadline_ns)
{
    struct past_flight *f = s->viewing.flight;
    if (shown_of(s) != f->t)
        f->is_begun = f->is_reading = false; /* nobody waits for it any more */
    while (f->is_reading && clock_ns() < deadline_ns) {
        if (store_count(s->results.store) >= f->records)
            read_on(s, f);
        else if (!store_catch_up(s->results.store, CATCH_UP_BYTES) && store_count(s->results.store) < f->records)
            stop_reading(f, "events.jsonl is cut: records of this moment are missing");
    }
}

const char *past_flight_missing(struct session *s)
{
    struct viewing *v = &s->viewing;
    struct past *p = viewing_survey(s);
    simtime t = shown_of(s);
    if (!p)
        return HISTORY_FILE " of this run cannot be read";
    if (!v->flight) {
        v->flight = mem_alloc(sizeof *v->flight);
        v->flight->holds = mem_array((size_t)s->scenario->node_count, sizeof *v->flight->holds);
    }
    struct past_flight *f = v->flight;
    uint64_t before = records_at(p, t - 1), records = records_at(p, t);
    if (f->is_begun && f->t == t && f->records == records)
        return f->missing;
    f->before = before;
    begin(s, f, t, records);
    past_flight_work(s, clock_ns() + FIRST_NS);
    return f->missing;
}

static bool is_before(const struct flight_noted *a, const struct flight_noted *b)
{
    if (a->due != b->due)
        return a->due < b->due;
    if (a->dst != b->dst)
        return a->dst < b->dst;
    return a->src != b->src ? a->src < b->src : a->id < b->id;
}

static int compare(const void *a, const void *b)
{
    return is_before(&((const struct flying *)a)->m, &((const struct flying *)b)->m) ? -1 : 1;
}

static void swap(struct flying *a, struct flying *b)
{
    struct flying t = *a;
    *a = *b;
    *b = t;
}

/* Parts items [low, high): returns where those begin that are not before the one that was in the middle; it is the
 * first. */
static size_t part(struct flying *items, size_t low, size_t high)
{
    size_t at = low;
    swap(&items[low + (high - low) / 2], &items[high - 1]);
    for (size_t i = low; i < high - 1; i++)
        if (is_before(&items[i].m, &items[high - 1].m))
            swap(&items[i], &items[at++]);
    swap(&items[at], &items[high - 1]);
    return at;
}

/* Brings that item of [low, high) to its place that is the kth of all, with the earlier ones before it. */
static void place(struct flying *items, size_t low, size_t high, size_t k)
{
    while (high - low > 1) {
        size_t at = part(items, low, high);
        if (at == k)
            return;
        low = at < k ? at + 1 : low;
        high = at < k ? high : at;
    }
}

/* Brings those items into order, and to where they are among all, that are asked for: not the others, which may be
 * many. */
static void bring_into_order(struct past_flight *f, size_t from, size_t to)
{
    if (from >= f->from && to <= f->to)
        return;
    place(f->items, 0, f->count, from);
    place(f->items, from, f->count, to - 1);
    qsort(f->items + from, to - from, sizeof *f->items, compare);
    f->from = from;
    f->to = to;
}

/* The payload that a person has given it: the rest of the command's text. */
static struct text edited_payload(struct session *s, uint64_t record)
{
    struct past_flight *f = s->viewing.flight;
    struct record r;
    struct message_change m;
    if (!viewing_read(s, record, &r) || message_change_of(r.cause, &m) != CHANGE_EDIT)
        return (struct text){ 0 };
    return (struct text){ arena_text(f->texts, m.payload.s, m.payload.len), m.payload.len };
}

static const struct told *read_told(struct session *s, const struct flight_noted *m)
{
    struct past_flight *f = s->viewing.flight;
    struct told *t = arena_alloc(f->texts, sizeof *t);
    struct record r;
    if (viewing_read(s, m->record, &r)) {
        *t = (struct told){ .type = { arena_text(f->texts, r.type.s, r.type.len), r.type.len },
                            .payload = { arena_text(f->texts, r.payload.s, r.payload.len), r.payload.len },
                            .size = r.size,
                            .sent = r.t };
    }
    if (m->edit)
        t->payload = edited_payload(s, m->edit);
    if (text_is(t->payload, "null"))
        t->payload.len = 0; /* as of the live run */
    return t;
}

static void fill(struct session *s, struct flying *item, struct session_message *out)
{
    const struct flight_noted *m = &item->m;
    if (!item->told)
        item->told = read_told(s, m);
    *out = (struct session_message){ .id = m->id,
                                     .src = m->src,
                                     .dst = m->dst,
                                     .type = item->told->type,
                                     .payload = item->told->payload,
                                     .size = item->told->size,
                                     .record = m->record,
                                     .sent = item->told->sent,
                                     .due = m->due };
}

uint64_t past_flight_count(struct session *s)
{
    return past_flight_missing(s) ? 0 : s->viewing.flight->count;
}

size_t past_flight_list(struct session *s, uint64_t from, struct session_message *out, size_t room)
{
    uint64_t all = past_flight_count(s);
    if (from >= all || !room)
        return 0;
    struct past_flight *f = s->viewing.flight;
    size_t first = (size_t)from, count = all - from < room ? (size_t)(all - from) : room;
    bring_into_order(f, first, first + count);
    for (size_t i = 0; i < count; i++)
        fill(s, &f->items[first + i], &out[i]);
    return count;
}

static struct flying *item_of(struct session *s, uint64_t id)
{
    uint64_t count = past_flight_count(s);
    for (uint64_t i = 0; i < count; i++)
        if (s->viewing.flight->items[i].m.id == id)
            return &s->viewing.flight->items[i];
    return NULL;
}

bool past_flight_find(struct session *s, uint64_t id, struct session_message *out)
{
    struct flying *item = item_of(s, id);
    if (item)
        fill(s, item, out);
    return item != NULL;
}

uint64_t past_flight_rank(struct session *s, uint64_t id)
{
    const struct flying *item = item_of(s, id);
    uint64_t rank = 0;
    for (size_t i = 0; item && i < s->viewing.flight->count; i++)
        rank += is_before(&s->viewing.flight->items[i].m, &item->m);
    return item ? rank : UINT64_MAX;
}
