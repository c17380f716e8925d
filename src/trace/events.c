#include "trace/events.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/json.h"
#include "base/memory.h"
#include "trace/hasher.h"
#include "trace/write.h"

struct events {
    struct sink sink; /* first: a sink is an events */
    const struct folder *folder;
    const struct scenario *scenario;
    struct store_index *index;
    struct hasher *hasher;
    struct buffer lines; /* not yet written */
    int64_t written;     /* bytes in the file */
    uint64_t records;
    struct buffer_number n, t, id, size, due; /* of the last lines */
    struct error failure;
};

#define LITERAL(b, s) buffer_add(b, s, sizeof s - 1)

static void add_text(struct buffer *b, struct text t)
{
    buffer_add(b, t.s, t.len);
}

/* Node ids need no quoting. */
#define ID(b, key, t) (LITERAL(b, ",\"" key "\":\""), add_text(b, t), LITERAL(b, "\""))
/* Keys come with what is before them: `,"key":`. */
#define QUOTED(b, key, t) (LITERAL(b, ",\"" key "\":"), json_quote(b, (t).s, (t).len))
#define NUMBER(b, key, v) (LITERAL(b, ",\"" key "\":"), buffer_u64(b, v))
#define AGAIN(b, key, last, v) (LITERAL(b, ",\"" key "\":"), buffer_number(b, last, v))
#define TIME(b, key, v)   (LITERAL(b, ",\"" key "\":"), buffer_i64(b, v))

static void add_payload(struct buffer *b, struct text payload)
{
    LITERAL(b, ",\"payload\":");
    if (payload.len)
        add_text(b, payload);
    else
        LITERAL(b, "null");
}

static void add_run(struct buffer *b, const struct scenario *s)
{
    LITERAL(b, ",\"scenario\":");
    json_quote(b, s->name, strlen(s->name));
    buffer_format(b, ",\"digest\":\"%s\"", s->digest);
    NUMBER(b, "seed", s->seed);
    TIME(b, "quantum", s->quantum);
    TIME(b, "duration", s->duration);
    LITERAL(b, ",\"nodes\":[");
    for (int i = 0; i < s->node_count; i++)
        buffer_format(b, "%s\"%s\"", i ? "," : "", s->nodes[i].id);
    LITERAL(b, "]");
}

static void add_message(struct events *e, struct buffer *b, const struct record *r)
{
    AGAIN(b, "id", &e->id, r->id);
    ID(b, "src", r->src);
    if (r->dst_node >= 0)
        ID(b, "dst", r->dst);
    else
        QUOTED(b, "dst", r->dst); /* whatever a node wrote there */
    QUOTED(b, "type", r->type);
    AGAIN(b, "size", &e->size, r->size);
    add_payload(b, r->payload);
    if (r->due != SIMTIME_NEVER)
        AGAIN(b, "due", &e->due, (uint64_t)r->due);
}

static void add_fields(struct events *e, struct buffer *b, const struct record *r)
{
    switch (r->kind) {
    case RECORD_RUN:
        add_run(b, e->scenario);
        break;
    case RECORD_MESSAGE:
        add_message(e, b, r);
        break;
    case RECORD_LOCAL:
        ID(b, "src", r->src);
        QUOTED(b, "type", r->type);
        add_payload(b, r->payload);
        break;
    case RECORD_DROP:
        NUMBER(b, "id", r->id);
        QUOTED(b, "reason", r->cause);
        break;
    case RECORD_NODE:
        ID(b, "node", r->src);
        QUOTED(b, "state", r->state);
        QUOTED(b, "cause", r->cause);
        break;
    case RECORD_LINK:
        ID(b, "src", r->src);
        ID(b, "dst", r->dst);
        TIME(b, "latency", r->latency);
        LITERAL(b, ",\"loss\":");
        buffer_double(b, r->loss);
        QUOTED(b, "cause", r->cause);
        break;
    case RECORD_COMMAND:
        QUOTED(b, "text", r->cause);
        break;
    case RECORD_WARNING:
        ID(b, "node", r->src);
        QUOTED(b, "text", r->cause);
        break;
    case RECORD_END:
        QUOTED(b, "outcome", r->state);
        QUOTED(b, "cause", r->cause);
        NUMBER(b, "quanta", r->quanta);
        NUMBER(b, "messages", r->messages);
        NUMBER(b, "dropped", r->dropped);
        NUMBER(b, "in_flight", r->in_flight);
        break;
    }
}

/* After a full disk the file ends with a whole line: what was written of the last one is taken back. */
static size_t keep_whole_lines(struct events *e, size_t done)
{
    uint64_t lost = 0;
    folder_failed(e->folder, "events.jsonl", &e->failure);
    while (done > 0 && e->lines.data[done - 1] != '\n')
        done--;
    for (size_t i = done; i < e->lines.len; i++)
        lost += e->lines.data[i] == '\n';
    e->records -= lost;
    if (ftruncate(folder_events(e->folder), e->written + (int64_t)done) < 0)
        error_add(&e->failure, "its last line is cut");
    return done;
}

static void flush_lines(struct events *e)
{
    if (e->failure.code || !e->lines.len)
        return;
    size_t done = write_all(folder_events(e->folder), e->lines.data, e->lines.len);
    if (done < e->lines.len)
        done = keep_whole_lines(e, done);
    hasher_add(e->hasher, e->lines.data, done);
    e->written += (int64_t)done;
    e->lines.len = 0;
    e->index->records = e->records;
    e->index->end = e->written;
}

static void take_record(struct sink *sink, const struct record *r)
{
    struct events *e = (struct events *)sink;
    struct buffer *b = &e->lines;
    if (e->failure.code)
        return;
    store_index_note(e->index, r->n, e->written + (int64_t)b->len);
    store_index_zone(e->index, r);
    LITERAL(b, "{\"n\":");
    buffer_number(b, &e->n, r->n);
    AGAIN(b, "t", &e->t, (uint64_t)r->t); /* no time is negative */
    LITERAL(b, ",\"kind\":\"");
    buffer_text(b, record_kind_name(r->kind));
    LITERAL(b, "\"");
    add_fields(e, b, r);
    LITERAL(b, "}\n");
    e->records = r->n + 1;
}

static int at_barrier(struct sink *sink, simtime now, struct error *err)
{
    struct events *e = (struct events *)sink;
    (void)now;
    flush_lines(e);
    if (!e->failure.code)
        return 0;
    error_set(err, e->failure.code, "%s", e->failure.text);
    return -1;
}

struct events *events_new(const struct folder *f, const struct scenario *s, struct store_index *index)
{
    struct events *e = mem_alloc(sizeof *e);
    *e = (struct events){ .sink = { take_record, at_barrier }, .folder = f, .scenario = s, .index = index };
    e->hasher = hasher_new();
    return e;
}

struct sink *events_sink(struct events *e)
{
    return &e->sink;
}

void events_end(struct events *e, char hex[DIGEST_HEX])
{
    flush_lines(e);
    hasher_end(e->hasher, hex);
    buffer_free(&e->lines);
    free(e);
}
