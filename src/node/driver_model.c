#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "node/models/model.h"
#include "node/node.h"

/* Events handled before the caller gets its turn: well below a millisecond. */
#define SLICE 1000

static const struct model_type *const types[] = {
    [MODEL_SENSOR] = &model_sensor,
    [MODEL_GATEWAY] = &model_gateway,
    [MODEL_CLOUD] = &model_cloud,
};

/* What it sends belongs to this quantum: others have been past the time of its pause. */
static void amend_times(struct model *m)
{
    struct message_list *sent = &m->node->answer.sent;
    size_t amended = 0;
    for (size_t i = 0; i < sent->count; i++)
        if (sent->items[i]->time < m->earliest) {
            sent->items[i]->time = sent->items[i]->origin = m->earliest;
            amended++;
        }
    if (amended)
        buffer_format(&m->node->answer.warnings,
                      "%zu message%s from the time that it was paused; taken as %" PRId64 "\n", amended,
                      amended == 1 ? "" : "s", m->earliest);
    m->earliest = 0;
}

static void note_answer(struct model *m)
{
    if (m->earliest)
        amend_times(m);
    const struct event *first = queue_first(m->queue);
    m->node->answer.next = first ? first->time : SIMTIME_NEVER;
    m->node->answer.done = true;
}

static void close_model(struct node *n)
{
    struct model *m = n->state;
    if (!m)
        return;
    if (m->type->close)
        m->type->close(m);
    for (struct event e; queue_pop(m->queue, &e);)
        message_free(e.data);
    queue_free(m->queue);
    free(m->state);
    free(m);
    n->state = NULL;
}

static int start(struct node *n, struct error *err)
{
    bool again = n->state != NULL;
    close_model(n);
    struct model *m = mem_alloc(sizeof *m);
    n->state = m;
    m->node = n;
    m->type = types[n->spec->model];
    m->queue = queue_new(MODEL_QUEUE_MAX);
    m->state = mem_alloc(m->type->state_size);
    if (n->metrics && !again) {
        buffer_text(n->metrics, m->type->metrics_header);
        buffer_text(n->metrics, "\r\n");
    }
    if (m->type->start(m, err) < 0)
        return -1;
    note_answer(m);
    return 0;
}

static int grant(struct node *n, simtime from, simtime until, struct error *err)
{
    struct model *m = n->state;
    const struct event *first = queue_first(m->queue);
    m->earliest = first && first->time < from ? from : 0;
    size_t taken = 0;
    int result = 0;
    m->until = until;
    while (taken < n->inbox.count && result == 0) {
        struct message *message = n->inbox.items[taken++];
        result = model_schedule(m, message->time, MODEL_ARRIVAL, message, err);
    }
    while (taken < n->inbox.count)
        message_free(n->inbox.items[taken++]);
    n->inbox.count = 0;
    return result;
}

static int work(struct node *n, struct error *err)
{
    struct model *m = n->state;
    for (int handled = 0; handled < SLICE; handled++) {
        const struct event *first = queue_first(m->queue);
        if (!first || first->time >= m->until) {
            note_answer(m);
            return 0;
        }
        struct event e;
        queue_pop(m->queue, &e);
        n->events++;
        n->last_active = e.time;
        if (m->type->handle(m, &e, err) < 0)
            return -1;
    }
    return 0;
}

static uint64_t queue(const struct node *n)
{
    const struct model *m = n->state;
    return m ? queue_count(m->queue) : 0;
}

const struct driver driver_model = {
    .name = "model",
    .start = start,
    .grant = grant,
    .work = work,
    .queue = queue,
    .close = close_model,
};

int model_schedule(struct model *m, simtime at, int kind, struct message *data, struct error *err)
{
    if (queue_push(m->queue, at, kind, data) == 0)
        return 0;
    message_free(data);
    error_set(err, EXIT_RUN_FAILED,
              "it has %u events ahead of it, the most that a model may have: messages come faster than it handles "
              "them; send fewer, or lower its delays",
              MODEL_QUEUE_MAX);
    return -1;
}

struct message *model_send(struct model *m, simtime now, int dst, const char *type, uint32_t size, const char *payload,
                           size_t len)
{
    struct message *out = message_new(m->node->pool, len);
    memcpy(out->text, payload, len);
    out->time = out->origin = now;
    out->src = m->node->index;
    out->dst = dst;
    out->size = size;
    out->type = (struct text){ type, strlen(type) };
    out->payload = (struct text){ out->text, len };
    message_list_add(&m->node->answer.sent, out);
    return out;
}

struct buffer *model_row(struct model *m, simtime now, const char *name)
{
    struct buffer *b = m->node->metrics;
    buffer_number(b, &m->time, (uint64_t)now);
    buffer_add(b, ",", 1);
    buffer_text(b, name);
    buffer_add(b, ",", 1);
    return b;
}

void model_end_row(struct model *m)
{
    buffer_add(m->node->metrics, "\r\n", 2);
}

struct reading model_reading(const struct message *m)
{
    if (m->reading.known)
        return m->reading;
    struct reading r = { 0 };
    const char *why;
    struct json *payload = json_parse(m->payload.s, m->payload.len, &why);
    const struct json *value = json_get(payload, "temperature"), *id = json_get(payload, "sample_id");
    if (json_kind(value) == JSON_NUMBER && json_kind(id) == JSON_NUMBER) {
        r = (struct reading){ true, json_double(value, 0), json_int64(id, INT64_MIN) };
        r.known = r.sample_id != INT64_MIN;
    }
    json_free(payload);
    return r;
}

void model_process_row(struct model *m, simtime now, const struct reading *r)
{
    struct buffer *row = model_row(m, now, "process");
    buffer_double(row, r->value);
    buffer_add(row, ",", 1);
    char quoted[40] = "\"sample_", *name = quoted + 1;
    size_t name_at = row->len;
    buffer_add(row, name, strlen(name));
    buffer_i64(row, r->sample_id);
    size_t len = row->len - name_at;
    memcpy(name, row->data + name_at, len);
    name[len] = '"';
    model_send(m, now, DESTINATION_NONE, "PROCESS", 0, quoted, len + 2);
    model_end_row(m);
}

void model_aggregate_row(struct model *m, simtime now, double mean, uint64_t count, double least, double most)
{
    struct buffer *row = model_row(m, now, "aggregate");
    buffer_double(row, mean);
    buffer_format(row, ",\"count=%" PRIu64 ",min=%.2f,max=%.2f\"", count, least, most);
    model_end_row(m);
}

void model_ignore(struct model *m, simtime now, const struct message *message, const char *why)
{
    struct buffer text = { 0 }, quoted = { 0 };
    buffer_format(&text, "%.*s from %s %s", (int)message->type.len, message->type.s,
                  m->node->scenario->nodes[message->src].id, why);
    json_quote(&quoted, text.data, text.len);
    model_send(m, now, DESTINATION_NONE, "IGNORED", 0, quoted.data, quoted.len);
    buffer_free(&text);
    buffer_free(&quoted);
}
