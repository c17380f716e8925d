/* A cloud service: takes readings and aggregates, and answers where it is told to. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "node/models/model.h"

#define ACK_SIZE 32 /* bytes */

enum { PROCESS = MODEL_ARRIVAL + 1, INFERENCE };

struct cloud {
    bool infers;
};

static int start(struct model *m, struct error *err)
{
    struct cloud *c = m->state;
    (void)err;
    c->infers = inference_at(m->node->scenario, PLACEMENT_CLOUD);
    return 0;
}

static bool is(const struct message *m, const char *type)
{
    return m->type.len == strlen(type) && memcmp(m->type.s, type, m->type.len) == 0;
}

static void acknowledge(struct model *m, simtime now, const struct message *message, const char *key, int64_t value)
{
    if (!m->node->spec->model_config.reply)
        return;
    char payload[80];
    int len = snprintf(payload, sizeof payload, "{\"%s\":%" PRId64 "}", key, value);
    model_send(m, now, message->src, "ACK", ACK_SIZE, payload, (size_t)len)->origin = message->origin;
}

static void process_aggregate(struct model *m, simtime now, const struct message *message)
{
    const char *why;
    struct json *payload = json_parse(message->payload.s, message->payload.len, &why);
    const struct json *mean = json_get(payload, "mean"), *count = json_get(payload, "count");
    const struct json *least = json_get(payload, "min"), *most = json_get(payload, "max");
    int64_t n = json_int64(count, -1);
    if (json_kind(mean) == JSON_NUMBER && json_kind(least) == JSON_NUMBER && json_kind(most) == JSON_NUMBER && n >= 0) {
        model_aggregate_row(m, now, json_double(mean, 0), (uint64_t)n, json_double(least, 0), json_double(most, 0));
        acknowledge(m, now, message, "count", n);
    } else {
        model_ignore(m, now, message, "holds no mean, count, min and max");
    }
    json_free(payload);
}

/* Owns message. */
static int process(struct model *m, simtime now, struct message *message, struct error *err)
{
    const struct cloud *c = m->state;
    if (is(message, "AGGREGATE")) {
        process_aggregate(m, now, message);
    } else {
        message->reading = model_reading(message);
        if (message->reading.known) {
            model_process_row(m, now, &message->reading);
            acknowledge(m, now, message, "sample_id", message->reading.sample_id);
            if (c->infers)
                return model_schedule(m, now + m->node->spec->model_config.inference_delay, INFERENCE, message, err);
        } else {
            model_ignore(m, now, message, "holds no temperature with a sample_id");
        }
    }
    message_free(message);
    return 0;
}

static int handle(struct model *m, const struct event *e, struct error *err)
{
    struct message *message = e->data;
    int result = 0;
    if (e->kind == PROCESS)
        return process(m, e->time, message, err);
    if (e->kind == INFERENCE)
        result = inference_finish(m, e->time, message, err);
    else if (is(message, "TRANSMIT") || is(message, "AGGREGATE"))
        return model_schedule(m, e->time + m->node->spec->model_config.processing_delay, PROCESS, message, err);
    message_free(message);
    return result;
}

const struct model_type model_cloud = {
    .metrics_header = "time_us,event_type,value,details",
    .state_size = sizeof(struct cloud),
    .start = start,
    .handle = handle,
};
