/* A temperature sensor: one sample an interval, sent on at once. */
#include <string.h>

#include "base/memory.h"
#include "base/number.h"
#include "base/random.h"
#include "node/models/model.h"

#define FIRST_SAMPLE 1000000 /* us */
#define MESSAGE_SIZE 64      /* bytes */

enum { SAMPLE = MODEL_ARRIVAL + 1 };

struct sensor {
    struct random random;
    int64_t count;
};

static int start(struct model *m, struct error *err)
{
    struct sensor *s = m->state;
    struct buffer text = { 0 };
    buffer_format(&text, "%s_%llu", m->node->spec->id, (unsigned long long)m->node->scenario->seed);
    random_seed_text(&s->random, buffer_string(&text));
    buffer_free(&text);
    return model_schedule(m, m->node->start_time + FIRST_SAMPLE, SAMPLE, NULL, err);
}

static char *append(char *at, const char *s, size_t len)
{
    memcpy(at, s, len);
    return at + len;
}

#define APPEND(at, literal) append(at, literal, sizeof literal - 1)

static int sample(struct model *m, simtime now, struct error *err)
{
    struct sensor *s = m->state;
    const struct model_config *config = &m->node->spec->model_config;
    double value = random_gauss(&s->random, 20.0, 2.0);
    char number[NUMBER_TEXT], payload[100], *at = payload;
    size_t digits = number_format(value, number);
    s->count++;

    struct buffer *row = model_row(m, now, "sample");
    buffer_add(row, number, digits);
    model_end_row(m);
    row = model_row(m, now, "transmit");
    size_t count_at = row->len;
    buffer_i64(row, s->count);
    const char *count = row->data + count_at;
    size_t count_len = row->len - count_at;

    at = APPEND(at, "{\"temperature\":");
    at = append(at, number, digits);
    at = APPEND(at, ",\"unit\":\"C\",\"sample_id\":");
    at = append(at, count, count_len);
    at = APPEND(at, "}");
    model_end_row(m);
    struct message *out =
        model_send(m, now, config->destination, "TRANSMIT", MESSAGE_SIZE, payload, (size_t)(at - payload));
    out->reading = (struct reading){ true, value, s->count };
    return model_schedule(m, now + config->interval, SAMPLE, NULL, err);
}

static int handle(struct model *m, const struct event *e, struct error *err)
{
    if (e->kind == SAMPLE)
        return sample(m, e->time, err);
    message_free(e->data); /* an ALERT or ACK: a sensor only takes note */
    return 0;
}

const struct model_type model_sensor = {
    .metrics_header = "time_us,event_type,value",
    .state_size = sizeof(struct sensor),
    .start = start,
    .handle = handle,
};
