/* What was handed to nodes, and when: what they were sent, and what was done to that on its way. The records tell both;
 * what the commands say is kept, by message. A run folder may have as many of them as it likes: they are read in
 * slices, and looking one up takes the logarithm of their number at most. */
#include "session/session_deliveries.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "session/session_state.h"

#define FIRST_NS  INT64_C(20000000) /* of work before it is said that there is more; then session_step goes on */
#define FINDS     64                /* commands between two looks at the clock, with as many steps to each */
#define BATCH     16384             /* messages that are put into order at once, to be looked up */
#define PLACED    4                 /* of them between two looks at the clock */
#define PROBED    65536             /* steps to the next message; 256 records without any are one */
#define LOOKED_AT 16384             /* late messages in one call */

struct change {
    uint64_t n; /* the record of the command */
    simtime due;
    char *payload; /* NULL: none is given */
    size_t len;
};

/* All that was done to one message in one way, as it came. */
struct changes {
    uint64_t id;
    enum change_kind kind;
    size_t count;
    struct change *items; /* with room for the next power of two */
};

/* A message that was delayed, or put in by hand: when it arrives does not go by when it was recorded. */
struct late {
    bool is_new;    /* put in, or copied; else delayed */
    uint64_t id, n; /* new: n is its record; delayed: n is that of the command, until it is placed */
    simtime due;    /* as its record says; known once it is placed, as: */
    int node;       /* that it is for; -1: there is no such record */
};

struct deliveries {
    bool is_reading;  /* somebody waits for it */
    uint64_t next;    /* the record to go on with */
    uint64_t waiting; /* for what follows record `next`, while there are so many */
    struct changes *all;
    size_t all_count, all_capacity;
    size_t *table; /* places in `all` + 1, by message and kind; 0: free. With room for a power of two */
    size_t table_room;
    uint64_t *records; /* of the commands that change a message, as they came */
    size_t record_count, record_capacity;
    struct late *late;
    size_t late_count, late_capacity;
    size_t placed, ordered; /* of them: those whose records are known; those that are in order to be looked up */
};

void deliveries_free(struct deliveries *d)
{
    if (!d)
        return;
    for (size_t i = 0; i < d->all_count; i++) {
        for (size_t k = 0; k < d->all[i].count; k++)
            free(d->all[i].items[k].payload);
        free(d->all[i].items);
    }
    free(d->all);
    free(d->table);
    free(d->records);
    free(d->late);
    free(d);
}

/* Takes the word and the message's number behind it off the text. */
static bool take_word(struct text *command, const char *word, uint64_t *id)
{
    size_t at = strlen(word), first = at;
    if (command->len <= at || memcmp(command->s, word, at) != 0)
        return false;
    for (*id = 0; at < command->len && command->s[at] >= '0' && command->s[at] <= '9'; at++)
        *id = *id * 10 + (uint64_t)(command->s[at] - '0');
    if (at == first || (at < command->len && command->s[at] != ' '))
        return false;
    at += at < command->len;
    *command = (struct text){ command->s + at, command->len - at };
    return true;
}

static bool take_due(struct text words, simtime *due)
{
    char text[SIMTIME_TEXT + 8];
    const char *why;
    if (words.len < 4 || words.len >= sizeof text || memcmp(words.s, "to ", 3) != 0)
        return false;
    memcpy(text, words.s, words.len);
    text[words.len] = '\0';
    return simtime_parse(text + 3, 1000000, due, &why) == 0;
}

enum change_kind message_change_of(struct text command, struct message_change *out)
{
    *out = (struct message_change){ .kind = CHANGE_NONE };
    if (take_word(&command, "drop ", &out->id))
        out->kind = CHANGE_DROP;
    else if (take_word(&command, "delay ", &out->id))
        out->kind = take_due(command, &out->due) ? CHANGE_DELAY : CHANGE_NONE;
    else if (take_word(&command, "edit ", &out->id))
        out->kind = CHANGE_EDIT;
    if (out->kind == CHANGE_EDIT)
        out->payload = command;
    return out->kind;
}

/* Where the place in `all` of this message and kind stands in the table, or is to stand. */
static size_t *slot_of(const struct deliveries *d, uint64_t id, enum change_kind kind)
{
    size_t mask = d->table_room - 1, i = (size_t)((id * 4 + kind) * UINT64_C(0x9e3779b97f4a7c15) >> 24) & mask;
    while (d->table[i] && (d->all[d->table[i] - 1].id != id || d->all[d->table[i] - 1].kind != kind))
        i = (i + 1) & mask;
    return &d->table[i];
}

static const struct changes *changes_of(const struct deliveries *d, uint64_t id, enum change_kind kind)
{
    size_t place = d && d->table_room ? *slot_of(d, id, kind) : 0;
    return place ? &d->all[place - 1] : NULL;
}

static void make_room(struct deliveries *d)
{
    d->table_room = d->table_room ? 2 * d->table_room : 64;
    free(d->table);
    d->table = mem_array(d->table_room, sizeof *d->table);
    for (size_t i = 0; i < d->all_count; i++)
        *slot_of(d, d->all[i].id, d->all[i].kind) = i + 1;
}

static void add_late(struct deliveries *d, const struct late *l)
{
    d->late = mem_grow(d->late, d->late_count, &d->late_capacity, sizeof *d->late);
    d->late[d->late_count++] = *l;
}

/* They come in the order of their records. */
static void keep(struct deliveries *d, uint64_t n, const struct message_change *c)
{
    if (2 * d->all_count >= d->table_room)
        make_room(d);
    size_t *slot = slot_of(d, c->id, c->kind);
    if (!*slot) {
        d->all = mem_grow(d->all, d->all_count, &d->all_capacity, sizeof *d->all);
        d->all[d->all_count++] = (struct changes){ .id = c->id, .kind = c->kind };
        *slot = d->all_count;
        if (c->kind == CHANGE_DELAY)
            add_late(d, &(struct late){ .id = c->id, .n = n, .node = -1 });
    }
    struct changes *all = &d->all[*slot - 1];
    if ((all->count & (all->count - 1)) == 0) /* of most messages there is one */
        all->items = mem_resize(all->items, (all->count ? 2 * all->count : 1) * sizeof *all->items);
    struct change *to = &all->items[all->count++];
    *to = (struct change){ .n = n, .due = c->due, .len = c->payload.len };
    if (c->payload.len)
        to->payload = mem_text_n(c->payload.s, c->payload.len);
    d->records = mem_grow(d->records, d->record_count, &d->record_capacity, sizeof *d->records);
    d->records[d->record_count++] = n;
}

/* The record of what is put in by hand follows that of the command. */
static bool puts_in(struct text command)
{
    return (command.len > 7 && !memcmp(command.s, "inject ", 7)) || (command.len > 5 && !memcmp(command.s, "copy ", 5));
}

static bool is_command(void *data, const struct record *r)
{
    (void)data;
    return r->kind == RECORD_COMMAND;
}

/* The command of record n. False where what belongs to it is not there yet. */
static bool take_command(struct session *s, struct deliveries *d, uint64_t n)
{
    struct record r;
    struct message_change c;
    uint64_t count = store_count(s->results.store);
    if (!viewing_read(s, n, &r))
        return true;
    if (puts_in(r.cause) && n + 1 >= count) {
        d->waiting = count;
        return false;
    }
    if (puts_in(r.cause))
        add_late(d, &(struct late){ .is_new = true, .n = n + 1, .node = -1 });
    else if (message_change_of(r.cause, &c))
        keep(d, n, &c);
    return true;
}

/* Looks for some more commands. */
static void read_on(struct session *s, struct deliveries *d)
{
    struct store_query q = { .holds = is_command, .kinds = 1u << RECORD_COMMAND };
    struct store *store = s->results.store;
    for (int i = 0; i < FINDS; i++) {
        uint64_t n = d->next;
        enum store_found found = store_find(store, &q, false, FINDS, &n);
        d->next = found == STORE_NOT_FOUND ? store_count(store) : n;
        if (found != STORE_FOUND || !take_command(s, d, n))
            return;
        d->next = n + 1;
    }
}

static bool is_message(void *data, const struct record *r)
{
    (void)data;
    return r->kind == RECORD_MESSAGE;
}

/* The first message from record n on and before `end`. */
static bool message_from(struct session *s, uint64_t n, uint64_t end, struct record *r)
{
    struct store_query q = { .holds = is_message, .kinds = 1u << RECORD_MESSAGE };
    return store_find(s->results.store, &q, false, PROBED, &n) == STORE_FOUND && n < end && viewing_read(s, n, r);
}

/* Message `id`: of the records from `low` to `end`, exclusive, in which messages stand in the order of their numbers.
 * It is looked for near `low` first. */
static bool find_message(struct session *s, uint64_t id, uint64_t low, uint64_t end, struct record *r)
{
    uint64_t step = 1;
    while (low < end) {
        uint64_t ahead = step && step <= end - low ? step - 1 : (end - low) / 2, at = low + ahead;
        if (!message_from(s, at, end, r) || r->id > id) {
            end = at;
            step = 0;
        } else if (r->id == id) {
            return true;
        } else {
            if (id - r->id >= end - r->n)
                return false; /* each message has a record at least */
            low = r->n + (id - r->id);
            step *= 2;
        }
    }
    return false;
}

static int compare_late(const void *a, const void *b)
{
    const struct late *x = a, *y = b;
    if (x->is_new != y->is_new)
        return x->is_new ? -1 : 1;
    uint64_t left = x->is_new ? x->n : x->id, right = x->is_new ? y->n : y->id;
    return left < right ? -1 : left > right;
}

/* Looks up the records of some more late messages, in the order of their numbers, each from the one before on. */
static void place_on(struct session *s, struct deliveries *d)
{
    struct record r;
    size_t left = d->late_count - d->placed;
    if (d->placed == d->ordered) {
        d->ordered += left < BATCH ? left : BATCH;
        qsort(d->late + d->placed, d->ordered - d->placed, sizeof *d->late, compare_late);
    }
    for (int i = 0; i < PLACED && d->placed < d->ordered; i++, d->placed++) {
        struct late *l = &d->late[d->placed], *before = d->placed ? l - 1 : NULL;
        bool is_behind = before && before->node >= 0 && !before->is_new && l->id > before->id;
        uint64_t low = is_behind ? before->n + (l->id - before->id) : l->id;
        bool found =
            l->is_new ? viewing_read(s, l->n, &r) && r.kind == RECORD_MESSAGE : find_message(s, l->id, low, l->n, &r);
        if (found)
            *l = (struct late){ l->is_new, r.id, r.n, r.due, viewing_node_named(s, r.dst) };
    }
}

static bool is_known(const struct session *s, const struct deliveries *d)
{
    uint64_t count = store_count(s->results.store); /* later ones may be known, but are not to be seen */
    return (d->next >= count || d->waiting == count) && d->placed == d->late_count;
}

/* All that was recorded is looked through, also what is not shown. */
static void work(struct session *s, struct deliveries *d, int64_t deadline_ns)
{
    store_limit(s->results.store, UINT64_MAX);
    while (!is_known(s, d)) {
        if (d->next < store_count(s->results.store) && d->waiting != store_count(s->results.store))
            read_on(s, d);
        else
            place_on(s, d);
        if (clock_ns() >= deadline_ns)
            break;
    }
    d->is_reading = !is_known(s, d);
    viewing_limit_store(s);
}

bool deliveries_are_reading(const struct session *s)
{
    return s->deliveries && s->deliveries->is_reading;
}

void deliveries_work(struct session *s, int64_t deadline_ns)
{
    work(s, s->deliveries, deadline_ns);
}

bool deliveries_catch_up(struct session *s, bool to_end)
{
    if (!s->deliveries)
        s->deliveries = mem_alloc(sizeof *s->deliveries);
    struct deliveries *d = s->deliveries;
    if (to_end)
        work(s, d, INT64_MAX);
    else if (!d->is_reading && !is_known(s, d))
        work(s, d, clock_ns() + FIRST_NS);
    return is_known(s, d);
}

/* The last of them in what is shown of the run, done to a message behind its record; NULL: none was. */
static const struct change *last_of(const struct session *s, const struct changes *all, uint64_t record)
{
    uint64_t count = store_count(s->results.store);
    size_t low = 0, high = all ? all->count : 0;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        bool is_there = all->items[middle].n < count;
        low = is_there ? middle + 1 : low;
        high = is_there ? high : middle;
    }
    return low && all->items[low - 1].n >= record ? &all->items[low - 1] : NULL;
}

void deliveries_of(const struct session *s, const struct record *r, struct session_delivery *out)
{
    const struct deliveries *d = s->deliveries;
    const struct change *drop = last_of(s, changes_of(d, r->id, CHANGE_DROP), r->n);
    const struct change *delay = last_of(s, changes_of(d, r->id, CHANGE_DELAY), r->n);
    const struct change *edit = last_of(s, changes_of(d, r->id, CHANGE_EDIT), r->n);
    *out = (struct session_delivery){ .due = delay ? delay->due : r->due, .payload = r->payload };
    if (drop && (!delay || delay->n < drop->n))
        out->due = SIMTIME_NEVER;
    if (edit)
        out->payload = (struct text){ edit->payload, edit->len };
    out->dropped = drop ? drop->n : 0;
    out->delayed = delay ? delay->n : 0;
    out->edited = edit ? edit->n : 0;
}

static struct session *reader(const struct session *s)
{
    return (struct session *)(uintptr_t)s; /* it keeps what it has read, no more */
}

bool session_deliveries_known(const struct session *s)
{
    return deliveries_catch_up(reader(s), false);
}

int session_read_message(const struct session *s, uint64_t n, struct record *r, struct session_delivery *out)
{
    deliveries_catch_up(reader(s), false);
    if (store_read(s->results.store, n, r) < 0)
        return -1;
    *out = (struct session_delivery){ .due = SIMTIME_NEVER, .payload = r->payload };
    if (r->kind == RECORD_MESSAGE)
        deliveries_of(s, r, out);
    return 0;
}

uint64_t session_changes(const struct session *s)
{
    deliveries_catch_up(reader(s), false);
    const struct deliveries *d = s->deliveries;
    uint64_t count = store_count(s->results.store);
    size_t low = 0, high = d->record_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        bool is_there = d->records[middle] < count;
        low = is_there ? middle + 1 : low;
        high = is_there ? high : middle;
    }
    return low;
}

/* When it arrives, by what is shown of the run; SIMTIME_NEVER: it does not, or is late by nothing that is shown. */
static simtime due_of(const struct session *s, const struct late *l)
{
    struct session_delivery d;
    if (l->n >= store_count(s->results.store))
        return SIMTIME_NEVER;
    deliveries_of(s, &(struct record){ .kind = RECORD_MESSAGE, .id = l->id, .n = l->n, .due = l->due }, &d);
    return l->is_new || d.delayed ? d.due : SIMTIME_NEVER;
}

enum store_found session_next_late(const struct session *s, int node, size_t *at, struct session_late *out)
{
    if (!deliveries_catch_up(reader(s), false))
        return STORE_NOT_FOUND;
    const struct deliveries *d = s->deliveries;
    for (int looked = 0; *at < d->late_count; looked++) {
        const struct late *l = &d->late[d->late_count - 1 - (*at)++];
        *out = (struct session_late){ .n = l->n, .due = l->node == node ? due_of(s, l) : SIMTIME_NEVER };
        if (out->due != SIMTIME_NEVER)
            return STORE_FOUND;
        if (looked == LOOKED_AT)
            return STORE_MORE;
    }
    return STORE_NOT_FOUND;
}
