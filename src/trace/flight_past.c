#include "trace/flight_past.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/varint.h"
#include "trace/flight_history.h"

#define FRONT    48          /* bytes that hold an entry's kind, length, time and records */
#define BODY_MAX (64u << 20) /* FLIGHT_MESSAGES_MAX, none of them longer than it can be */
#define NUMBERS  6           /* of a message; each takes a byte at least */

/* An entry, found by its front. */
struct place {
    int64_t at; /* of its body */
    uint64_t len, records;
    simtime now;
};

struct flight_past {
    int fd, node_count;
    struct place *places;
    size_t count, capacity;
    int64_t end;    /* behind the last of them; 0: the magic was not looked at yet */
    bool is_broken; /* what stands there is no entry */
    struct buffer body;
    int *paused;
    struct flight_noted *messages;
    size_t room;
};

struct flight_past *flight_past_open(int fd, int node_count)
{
    struct flight_past *p = mem_alloc(sizeof *p);
    p->fd = fd;
    p->node_count = node_count;
    p->paused = mem_array((size_t)node_count, sizeof *p->paused);
    return p;
}

void flight_past_free(struct flight_past *p)
{
    if (!p)
        return;
    close(p->fd);
    buffer_free(&p->body);
    free(p->places);
    free(p->paused);
    free(p->messages);
    free(p);
}

static bool read_magic(struct flight_past *p)
{
    char magic[sizeof FLIGHT_MAGIC - 1];
    if (p->end)
        return true;
    if (pread(p->fd, magic, sizeof magic, 0) != (ssize_t)sizeof magic || memcmp(magic, FLIGHT_MAGIC, sizeof magic) != 0)
        return false;
    p->end = (int64_t)sizeof magic;
    return true;
}

/* The next entry, where it is whole: time and records never go back. */
static bool find_next(struct flight_past *p)
{
    char front[FRONT], last;
    uint64_t now;
    struct place e;
    ssize_t n = pread(p->fd, front, sizeof front, p->end);
    const char *at = front + 1, *end = front + (n > 0 ? n : 0);
    if (n < 2 || front[0] != 'f' || !varint_take(&at, end, &e.len) || e.len > BODY_MAX)
        return false;
    e.at = p->end + (at - front);
    if (!varint_take(&at, end, &now) || now > SIMTIME_MAX || !varint_take(&at, end, &e.records) ||
        pread(p->fd, &last, 1, e.at + (int64_t)e.len) != 1 || last != 'f')
        return false;
    e.now = (simtime)now;
    const struct place *before = p->count ? &p->places[p->count - 1] : NULL;
    if (before && (e.now < before->now || e.records < before->records))
        return false;
    p->places = mem_grow(p->places, p->count, &p->capacity, sizeof *p->places);
    p->places[p->count++] = e;
    p->end = e.at + (int64_t)e.len + 1;
    return true;
}

static bool take_node(const struct flight_past *p, const char **at, const char *end, int *node)
{
    uint64_t i;
    if (!varint_take(at, end, &i) || i >= (uint64_t)p->node_count)
        return false;
    *node = (int)i;
    return true;
}

static bool take_message(const struct flight_past *p, const struct place *e, const char **at, const char *end,
                         uint64_t *lead, struct flight_noted *m)
{
    int64_t record, ahead, due;
    if (!varint_take_signed(at, end, &record) || !varint_take_signed(at, end, &ahead) ||
        !varint_take_signed(at, end, &due) || !take_node(p, at, end, &m->src) || !take_node(p, at, end, &m->dst) ||
        !varint_take(at, end, &m->edit))
        return false;
    m->record += (uint64_t)record;
    *lead += (uint64_t)ahead;
    m->id = m->record - *lead;
    m->due = (simtime)((uint64_t)m->due + (uint64_t)due);
    return m->record < e->records && m->edit < e->records && m->id <= m->record && m->due >= 0;
}

static bool take_body(struct flight_past *p, const struct place *e, struct flight_moment *out)
{
    const char *at = p->body.data, *end = at + e->len;
    uint64_t number, paused, count, lead = 0;
    if (!varint_take(&at, end, &number) || !varint_take(&at, end, &number) || !varint_take(&at, end, &paused) ||
        paused > (uint64_t)p->node_count)
        return false;
    for (uint64_t i = 0; i < paused; i++)
        if (!take_node(p, &at, end, &p->paused[i]))
            return false;
    if (!varint_take(&at, end, &count) || count > FLIGHT_MESSAGES_MAX || count > (uint64_t)(end - at) / NUMBERS)
        return false;
    if (count > p->room) {
        free(p->messages);
        p->room = (size_t)count;
        p->messages = mem_array(p->room, sizeof *p->messages);
    }
    struct flight_noted m = { 0 };
    for (uint64_t i = 0; i < count; i++) {
        if (!take_message(p, e, &at, end, &lead, &m))
            return false;
        p->messages[i] = m;
    }
    *out = (struct flight_moment){ e->now, e->records, p->paused, (size_t)paused, p->messages, (size_t)count };
    return at == end;
}

static bool read_entry(struct flight_past *p, const struct place *e, struct flight_moment *out)
{
    p->body.len = 0;
    buffer_grow(&p->body, (size_t)e->len + 1);
    while (p->body.len < e->len) {
        ssize_t n =
            pread(p->fd, p->body.data + p->body.len, (size_t)e->len - p->body.len, e->at + (int64_t)p->body.len);
        if (n <= 0)
            return false;
        p->body.len += (size_t)n;
    }
    return take_body(p, e, out);
}

bool flight_past_seek(struct flight_past *p, simtime t, uint64_t records, struct flight_moment *out)
{
    if (!read_magic(p))
        return false;
    while (!p->is_broken && find_next(p))
        ;                            /* fronts only: what is between is not read */
    size_t low = 0, high = p->count; /* all before low are not too late */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        bool is_late = p->places[middle].now > t || p->places[middle].records > records;
        low = is_late ? low : middle + 1;
        high = is_late ? middle : high;
    }
    for (; low > 0; low--) {
        if (read_entry(p, &p->places[low - 1], out))
            return true;
        p->count = low - 1;
        p->is_broken = true; /* it ends the file */
    }
    return false;
}
