/* What was handed to nodes, and when: what they were sent, and what was done to that on its way. The records tell both;
 * the commands are few, so they are kept, by message. */
#include "session/session_deliveries.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "session/session_state.h"

struct change {
    uint64_t id, n; /* the message; the record of the command */
    enum change_kind kind;
    simtime due;
    char *payload; /* NULL: none is given */
    size_t len;
};

struct deliveries {
    uint64_t next;          /* the record to go on with */
    struct change *changes; /* by message, then as they came */
    size_t count, capacity;
};

void deliveries_free(struct deliveries *d)
{
    if (!d)
        return;
    for (size_t i = 0; i < d->count; i++)
        free(d->changes[i].payload);
    free(d->changes);
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

/* Where the first change of this message, or behind it, is. */
static size_t place_of(const struct deliveries *d, uint64_t id)
{
    size_t low = 0, high = d->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        bool is_before = d->changes[middle].id < id;
        low = is_before ? middle + 1 : low;
        high = is_before ? high : middle;
    }
    return low;
}

/* They come in the order of their records. */
static void keep(struct deliveries *d, uint64_t n, const struct message_change *c)
{
    d->changes = mem_grow(d->changes, d->count, &d->capacity, sizeof *d->changes);
    size_t at = place_of(d, c->id + 1);
    memmove(d->changes + at + 1, d->changes + at, (d->count - at) * sizeof *d->changes);
    d->changes[at] = (struct change){ .id = c->id, .n = n, .kind = c->kind, .due = c->due };
    if (c->payload.len) {
        d->changes[at].payload = mem_text_n(c->payload.s, c->payload.len);
        d->changes[at].len = c->payload.len;
    }
    d->count++;
}

static bool is_command(void *data, const struct record *r)
{
    (void)data;
    return r->kind == RECORD_COMMAND;
}

void deliveries_catch_up(struct session *s)
{
    struct store *store = s->results.store;
    struct store_query q = { .holds = is_command, .kinds = 1u << RECORD_COMMAND };
    if (!s->deliveries)
        s->deliveries = mem_alloc(sizeof *s->deliveries);
    struct deliveries *d = s->deliveries;
    for (uint64_t n = d->next; n < store_count(store); n++) {
        struct record r;
        struct message_change c;
        if (store_find(store, &q, false, UINT64_MAX, &n) != STORE_FOUND)
            break;
        if (store_read(store, n, &r) == 0 && message_change_of(r.cause, &c))
            keep(d, n, &c);
    }
    d->next = store_count(store) > d->next ? store_count(store) : d->next;
}

void deliveries_of(const struct session *s, const struct record *r, struct session_delivery *out)
{
    const struct deliveries *d = s->deliveries;
    uint64_t count = store_count(s->results.store); /* later ones may be known, but are not to be seen */
    *out = (struct session_delivery){ .due = r->due, .payload = r->payload };
    for (size_t i = d ? place_of(d, r->id) : 0; d && i < d->count && d->changes[i].id == r->id; i++) {
        const struct change *c = &d->changes[i];
        if (c->n >= count || c->n < r->n)
            continue;
        if (c->kind == CHANGE_DROP) {
            out->dropped = c->n;
            out->due = SIMTIME_NEVER;
        } else if (c->kind == CHANGE_DELAY) {
            out->delayed = c->n;
            out->due = c->due;
        } else {
            out->edited = c->n;
            out->payload = (struct text){ c->payload, c->len };
        }
    }
}

/* The record of message `id`: of those before `end`, in which messages stand in the order of their numbers. */
static bool find_record(const struct session *s, uint64_t id, uint64_t end, uint64_t *n)
{
    struct store *store = s->results.store;
    struct record r;
    uint64_t low = id; /* each message has a record at least */
    while (low < end) {
        uint64_t middle = low + (end - low) / 2, at = middle;
        while (at < end && (store_read(store, at, &r) < 0 || r.kind != RECORD_MESSAGE))
            at++;
        if (at < end && r.id == id) {
            *n = at;
            return true;
        }
        if (at < end && r.id < id)
            low = at + 1;
        else
            end = middle;
    }
    return false;
}

int session_read_message(const struct session *s, uint64_t n, struct record *r, struct session_delivery *out)
{
    struct session *reader = (struct session *)(uintptr_t)s; /* it keeps what it has read, no more */
    deliveries_catch_up(reader);
    if (store_read(s->results.store, n, r) < 0)
        return -1;
    *out = (struct session_delivery){ .due = SIMTIME_NEVER, .payload = r->payload };
    if (r->kind == RECORD_MESSAGE)
        deliveries_of(s, r, out);
    return 0;
}

uint64_t session_changes(const struct session *s)
{
    uint64_t count = 0;
    deliveries_catch_up((struct session *)(uintptr_t)s);
    for (size_t i = 0; i < s->deliveries->count; i++)
        count += s->deliveries->changes[i].n < store_count(s->results.store);
    return count;
}

bool session_next_delayed(const struct session *s, simtime from, simtime to, size_t *at, uint64_t *n)
{
    deliveries_catch_up((struct session *)(uintptr_t)s);
    const struct deliveries *d = s->deliveries;
    uint64_t count = store_count(s->results.store);
    while (*at < d->count) {
        const struct change *c = &d->changes[(*at)++];
        bool is_last = *at == d->count || d->changes[*at].id != c->id || d->changes[*at].kind != CHANGE_DELAY;
        if (c->kind == CHANGE_DELAY && is_last && c->n < count && c->due >= from && c->due <= to &&
            find_record(s, c->id, c->n, n))
            return true;
    }
    return false;
}
