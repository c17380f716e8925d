/* A gateway: takes the sensors' readings, aggregates them, and sends on what it is told to. */
#include <inttypes.h>
#include <string.h>

#include "base/memory.h"
#include "node/models/model.h"
#include "node/models/readings.h"

#define PROCESSING_DELAY 100     /* us */
#define AGGREGATE_EVERY  5000000 /* us */
#define AGGREGATE_SIZE   128     /* bytes */
#define READING_SIZE     64      /* bytes */

enum { PROCESS = MODEL_ARRIVAL + 1, AGGREGATE, INFERENCE };

struct gateway {
    struct readings *readings;
    bool infers, sends_readings;
};

static int start(struct model *m, struct error *err)
{
    struct gateway *g = m->state;
    g->readings = readings_new(READINGS_WINDOW);
    g->infers = inference_at(m->node->scenario, PLACEMENT_EDGE);
    g->sends_readings =
        m->node->scenario->ml.placement == PLACEMENT_CLOUD && m->node->spec->model_config.readings_to >= 0;
    return model_schedule(m, (m->node->start_time / AGGREGATE_EVERY + 1) * AGGREGATE_EVERY, AGGREGATE, NULL, err);
}

static int take(struct model *m, simtime now, struct message *message, struct error *err)
{
    if (message->type.len != 8 || memcmp(message->type.s, "TRANSMIT", 8) != 0) {
        message_free(message); /* ACK, ALERT and what others may send: a gateway only takes note */
        return 0;
    }
    message->reading = model_reading(message);
    if (!message->reading.known) {
        model_ignore(m, now, message, "holds no temperature with a sample_id");
        message_free(message);
        return 0;
    }
    return model_schedule(m, now + PROCESSING_DELAY, PROCESS, message, err);
}

static int process(struct model *m, simtime now, struct message *message, struct error *err)
{
    struct gateway *g = m->state;
    const struct model_config *config = &m->node->spec->model_config;
    model_process_row(m, now, &message->reading);
    if (readings_add(g->readings, message->reading.sample_id, message->reading.value, err) < 0) {
        message_free(message);
        return -1;
    }
    if (g->sends_readings) {
        struct message *on = model_send(m, now, config->readings_to, "TRANSMIT", READING_SIZE, message->payload.s,
                                        message->payload.len);
        on->origin = message->origin;
        on->reading = message->reading;
    }
    if (g->infers)
        return model_schedule(m, now + config->inference_delay, INFERENCE, message, err);
    message_free(message);
    return 0;
}

static int aggregate(struct model *m, simtime now, struct error *err)
{
    struct gateway *g = m->state;
    struct readings_summary s;
    if (readings_summarize(g->readings, &s, err) < 0)
        return -1;
    if (s.count) {
        model_aggregate_row(m, now, s.mean, s.count, s.least, s.most);
        struct buffer payload = { 0 };
        buffer_text(&payload, "{\"mean\":");
        buffer_double(&payload, s.mean);
        buffer_format(&payload, ",\"count\":%" PRIu64 ",\"min\":", s.count);
        buffer_double(&payload, s.least);
        buffer_text(&payload, ",\"max\":");
        buffer_double(&payload, s.most);
        buffer_text(&payload, "}");
        int to = m->node->spec->model_config.forward_to;
        model_send(m, now, to >= 0 ? to : DESTINATION_NONE, "AGGREGATE", AGGREGATE_SIZE, payload.data, payload.len);
        buffer_free(&payload);
    }
    return model_schedule(m, now + AGGREGATE_EVERY, AGGREGATE, NULL, err);
}

static int handle(struct model *m, const struct event *e, struct error *err)
{
    switch (e->kind) {
    case PROCESS:
        return process(m, e->time, e->data, err);
    case AGGREGATE:
        return aggregate(m, e->time, err);
    case INFERENCE: {
        int result = inference_finish(m, e->time, e->data, err);
        message_free(e->data);
        return result;
    }
    default:
        return take(m, e->time, e->data, err);
    }
}

static void close_gateway(struct model *m)
{
    struct gateway *g = m->state;
    readings_free(g->readings);
}

const struct model_type model_gateway = {
    .metrics_header = "time_us,event_type,value,details",
    .state_size = sizeof(struct gateway),
    .start = start,
    .handle = handle,
    .close = close_gateway,
};
