/* Inference by the built-in models: logistic regression on a reading. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "node/models/model.h"

#define ALERT_SIZE 64 /* bytes */

bool inference_at(const struct scenario *s, enum placement where)
{
    return s->ml.placement == where && s->ml.model;
}

static double feature(const struct reading *r, const char *name)
{
    if (strcmp(name, "temperature") == 0)
        return r->value;
    if (strcmp(name, "sample_id") == 0)
        return (double)r->sample_id;
    return 0; /* the loader lets no other name pass */
}

double inference_probability(const struct ml_model *ml, const struct reading *r)
{
    double sum = 0;
    for (int i = 0; i < ml->features; i++)
        sum += ml->weights[i] * ((feature(r, ml->names[i]) - ml->mean[i]) / ml->scale[i]);
    return 1.0 / (1.0 + exp(-(sum + ml->bias)));
}

int inference_finish(struct model *model, simtime now, const struct message *m, struct error *err)
{
    const struct ml_inference *ml = &model->node->scenario->ml;
    double p = inference_probability(ml->model, &m->reading);
    if (isnan(p)) {
        error_set(err, EXIT_RUN_FAILED,
                  "%s gives no number for sample %" PRId64 ": its weights, means and scales are too "
                  "far apart",
                  ml->model_path, m->reading.sample_id);
        return -1;
    }
    struct buffer *row = model_row(model, now, "inference");
    buffer_double(row, p);
    buffer_text(row, ",sample_");
    buffer_i64(row, m->reading.sample_id);
    model_end_row(model);

    struct buffer payload = { 0 };
    buffer_format(&payload, "{\"sample_id\":%" PRId64 ",\"p\":", m->reading.sample_id);
    buffer_double(&payload, p);
    buffer_text(&payload, "}");
    struct message *result =
        model_send(model, now, DESTINATION_NONE, "INFERENCE", 0, payload.data, payload.len);
    result->origin = m->origin;
    result->latency = now - m->origin;
    if (p > ml->threshold)
        model_send(model, now, m->src, "ALERT", ALERT_SIZE, payload.data, payload.len)->origin = m->origin;
    buffer_free(&payload);
    return 0;
}
