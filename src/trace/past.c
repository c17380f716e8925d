#include "trace/past.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "base/varint.h"
#include "trace/history.h"

#define PROBE 64 /* bytes that hold the run's fields up to its records, at the front of a checkpoint */

struct past {
    int fd, node_count;
    int64_t slot;
    bool skips;
    struct buffer loaded; /* of one slot, as much as there was */
    int64_t loaded_slot;  /* -1: none */
    size_t at;            /* behind the last entry that was taken, in it */
    int64_t broken_slot;  /* where an entry was found that says what cannot be: it ends the file; -1: none */
    size_t broken_at;
    struct moment_run run;
    struct moment_node *nodes;
    char **causes;
    bool is_end;
    struct past_end end;
    char *outcome, *end_cause;
};

static bool read_header(struct past *p)
{
    char header[HISTORY_HEADER];
    const char *at = header + sizeof HISTORY_MAGIC - 1, *end = header + sizeof header;
    uint64_t slot, nodes, skips;
    if (pread(p->fd, header, sizeof header, 0) != (ssize_t)sizeof header ||
        memcmp(header, HISTORY_MAGIC, sizeof HISTORY_MAGIC - 1) != 0 || !varint_take(&at, end, &slot) ||
        !varint_take(&at, end, &nodes) || !varint_take(&at, end, &skips))
        return false;
    p->slot = (int64_t)slot;
    p->skips = skips == 1;
    return slot >= HISTORY_SLOT_MIN && slot <= 1u << 30 && nodes == (uint64_t)p->node_count;
}

struct past *past_open(int fd, int node_count, struct error *err)
{
    struct past *p = mem_alloc(sizeof *p);
    p->fd = fd;
    p->node_count = node_count;
    p->loaded_slot = p->broken_slot = -1;
    if (!read_header(p)) {
        error_set(err, EXIT_INVALID, "no history of a run with %d node%s", node_count, node_count == 1 ? "" : "s");
        past_free(p);
        return NULL;
    }
    p->nodes = mem_array((size_t)node_count, sizeof *p->nodes);
    p->causes = mem_array((size_t)node_count, sizeof *p->causes);
    return p;
}

static void forget_causes(struct past *p)
{
    for (int i = 0; i < p->node_count && p->causes; i++) {
        free(p->causes[i]);
        p->causes[i] = NULL;
    }
}

void past_free(struct past *p)
{
    if (!p)
        return;
    forget_causes(p);
    close(p->fd);
    buffer_free(&p->loaded);
    free(p->nodes);
    free(p->causes);
    free(p->outcome);
    free(p->end_cause);
    free(p);
}

bool past_skips(const struct past *p)
{
    return p->skips;
}

/* The bytes of a slot, as many as are there now. */
static bool load(struct past *p, int64_t slot)
{
    size_t from = p->loaded_slot == slot ? p->loaded.len : 0;
    p->loaded_slot = slot;
    p->loaded.len = from;
    buffer_grow(&p->loaded, (size_t)p->slot - from);
    while (p->loaded.len < (size_t)p->slot) {
        ssize_t n = pread(p->fd, p->loaded.data + p->loaded.len, (size_t)p->slot - p->loaded.len,
                          slot * p->slot + (int64_t)p->loaded.len);
        if (n <= 0)
            break;
        p->loaded.len += (size_t)n;
    }
    return p->loaded.len > from || from > 0;
}

/* One entry as it stands in the loaded slot. */
struct entry {
    char kind;
    const char *body, *end; /* of the body */
    struct moment_run run;
    size_t next; /* behind it */
};

static bool run_fields(const struct moment_run *before, char kind, const char **at, const char *end,
                       struct moment_run *run)
{
    for (int k = 0; k < MOMENT_RUN_FIELDS; k++) {
        int64_t d;
        if (!varint_take_signed(at, end, &d))
            return false;
        run->v[k] = (int64_t)((uint64_t)(kind == 'c' ? 0 : before->v[k]) + (uint64_t)d);
    }
    return true;
}

static size_t slot_front(int64_t slot)
{
    return slot == 0 ? HISTORY_HEADER : 0;
}

/* The entry behind the last one that was taken; false where there is no whole one. At the front of a slot is a
 * checkpoint, and only there; time and records never go back. */
static bool look(const struct past *p, struct entry *e)
{
    bool is_broken = p->loaded_slot == p->broken_slot && p->at >= p->broken_at;
    if (p->at >= p->loaded.len || is_broken)
        return false;
    const char *at = p->loaded.data + p->at, *end = p->loaded.data + p->loaded.len;
    uint64_t len;
    e->kind = *at++;
    if ((e->kind != 'c' && e->kind != 'd' && e->kind != 'e') || !varint_take(&at, end, &len) ||
        len >= (uint64_t)(end - at) || at[len] != e->kind)
        return false;
    e->body = at;
    e->end = at + len;
    e->next = (size_t)(e->end + 1 - p->loaded.data);
    bool is_first = p->at == slot_front(p->loaded_slot);
    return is_first == (e->kind == 'c') && run_fields(&p->run, e->kind, &e->body, e->end, &e->run) &&
           (is_first || (e->run.v[MOMENT_NOW] >= p->run.v[MOMENT_NOW] &&
                         e->run.v[MOMENT_RECORDS] >= p->run.v[MOMENT_RECORDS]));
}

static bool take_cause(struct past *p, int i, const char **at, const char *end)
{
    uint64_t len;
    if (!varint_take(at, end, &len) || len > (uint64_t)(end - *at))
        return false;
    free(p->causes[i]);
    p->causes[i] = mem_text_n(*at, (size_t)len);
    *at += len;
    return true;
}

static bool take_nodes(struct past *p, const struct entry *e, const char **at)
{
    uint64_t count, mask;
    int64_t i = -1, gap;
    if (!varint_take(at, e->end, &count) || count > 2 * (uint64_t)p->node_count)
        return false;
    if (e->kind == 'c') {
        memset(p->nodes, 0, (size_t)p->node_count * sizeof *p->nodes);
        forget_causes(p);
    }
    for (; count > 0; count--) {
        if (!varint_take_signed(at, e->end, &gap) || gap <= -p->node_count - 1 || gap >= p->node_count ||
            !varint_take(at, e->end, &mask))
            return false;
        i += gap + 1;
        if (i < 0 || i >= p->node_count)
            return false;
        for (int k = 0; k < MOMENT_NODE_FIELDS; k++) {
            int64_t d = 0;
            if ((mask & (1u << k)) && !varint_take_signed(at, e->end, &d))
                return false;
            p->nodes[i].v[k] = (int64_t)((uint64_t)p->nodes[i].v[k] + (uint64_t)d);
        }
        if ((mask & HISTORY_CAUSE) && !take_cause(p, (int)i, at, e->end))
            return false;
    }
    return true;
}

/* A text that is read again stays where it is: it may have been given out. */
static bool take_text(char **to, const char **at, const char *end)
{
    uint64_t len;
    if (!varint_take(at, end, &len) || len > (uint64_t)(end - *at))
        return false;
    if (!*to || strlen(*to) != len || memcmp(*to, *at, (size_t)len) != 0) {
        free(*to);
        *to = mem_text_n(*at, (size_t)len);
    }
    *at += len;
    return true;
}

static bool take_end(struct past *p, const char **at, const char *end)
{
    uint64_t state, code, failed;
    p->end = (struct past_end){ 0 };
    if (!varint_take(at, end, &state) || state < SESSION_FINISHED || state > SESSION_ABORTED ||
        !varint_take(at, end, &code) || code > 255 || !varint_take(at, end, &failed) ||
        failed > (uint64_t)p->node_count || !take_text(&p->outcome, at, end) || !take_text(&p->end_cause, at, end))
        return false;
    p->end = (struct past_end){ (int)state, (int)code, (int)failed - 1, p->outcome, p->end_cause };
    return true;
}

static bool take(struct past *p, const struct entry *e)
{
    const char *at = e->body;
    p->is_end = false;
    if (!take_nodes(p, e, &at) || (e->kind == 'e' && !take_end(p, &at, e->end))) {
        p->broken_slot = p->loaded_slot;
        p->broken_at = p->at;
        p->loaded_slot = -1; /* half of it was taken: what was before is read anew */
        return false;
    }
    p->is_end = e->kind == 'e';
    p->run = e->run;
    p->at = e->next;
    return true;
}

static int64_t slot_count(const struct past *p)
{
    struct stat st;
    return fstat(p->fd, &st) == 0 ? (st.st_size + p->slot - 1) / p->slot : 0;
}

/* A field of the checkpoint at the front of a slot; INT64_MAX where there is none. */
static int64_t probe(const struct past *p, int64_t slot, enum moment_run_field field)
{
    char front[PROBE];
    struct moment_run run;
    ssize_t n = pread(p->fd, front, sizeof front, slot * p->slot + (int64_t)slot_front(slot));
    const char *at = front + 1, *end = front + (n > 0 ? n : 0);
    uint64_t len;
    if (n < 2 || front[0] != 'c' || !varint_take(&at, end, &len))
        return INT64_MAX;
    for (int k = 0; k <= (int)field; k++)
        if (!varint_take_signed(&at, end, &run.v[k]))
            return INT64_MAX;
    return run.v[field];
}

/* Enters the last slot that begins with no more than `most` in a field. */
static bool enter(struct past *p, enum moment_run_field field, int64_t most)
{
    int64_t low = 0, high = slot_count(p);
    struct entry e;
    while (high - low > 1) {
        int64_t middle = low + (high - low) / 2;
        if (probe(p, middle, field) <= most)
            low = middle;
        else
            high = middle;
    }
    p->loaded_slot = -1;
    for (; low >= 0 && low < slot_count(p); low--) { /* one whose checkpoint is not whole is no slot */
        p->at = slot_front(low);
        if (load(p, low) && look(p, &e) && e.kind == 'c' && take(p, &e))
            return true;
        p->loaded_slot = -1;
    }
    return false;
}

/* Whether what was loaded can be gone on from: to a later time of the slot that it is in. */
static bool can_go_on(struct past *p, enum moment_run_field field, int64_t most)
{
    if (p->loaded_slot < 0 || p->run.v[field] > most)
        return false;
    if (p->loaded_slot + 1 < slot_count(p) && probe(p, p->loaded_slot + 1, field) <= most)
        return false;
    return load(p, p->loaded_slot); /* there may be more of it by now */
}

static bool seek(struct past *p, enum moment_run_field field, int64_t most)
{
    struct entry e;
    if (!can_go_on(p, field, most) && !enter(p, field, most))
        return false;
    while (look(p, &e) && e.run.v[field] <= most)
        if (!take(p, &e))
            return seek(p, field, most); /* up to that entry, which ends the file now */
    return p->run.v[field] <= most;
}

bool past_seek(struct past *p, simtime t)
{
    return seek(p, MOMENT_NOW, t);
}

bool past_seek_end(struct past *p)
{
    return seek(p, MOMENT_NOW, INT64_MAX - 1);
}

/* The next entry, in whatever slot. */
static bool step(struct past *p)
{
    struct entry e;
    if (look(p, &e))
        return take(p, &e);
    int64_t slot = p->loaded_slot + 1;
    if (slot >= slot_count(p))
        return false;
    p->loaded_slot = -1;
    p->at = 0;
    return load(p, slot) && look(p, &e) && e.kind == 'c' && take(p, &e);
}

bool past_seek_record(struct past *p, uint64_t n)
{
    if (n >= INT64_MAX || !seek(p, MOMENT_RECORDS, (int64_t)n))
        return false;
    while (p->run.v[MOMENT_RECORDS] <= (int64_t)n)
        if (!step(p))
            return false;
    return true;
}

const struct moment_run *past_run(const struct past *p)
{
    return &p->run;
}

const struct moment_node *past_node(const struct past *p, int i)
{
    return &p->nodes[i];
}

const char *past_cause(const struct past *p, int i)
{
    return p->causes[i] ? p->causes[i] : "";
}

const struct past_end *past_end(const struct past *p)
{
    return p->is_end ? &p->end : NULL;
}

const struct past_end *past_known_end(const struct past *p)
{
    return p->end.outcome ? &p->end : NULL;
}
