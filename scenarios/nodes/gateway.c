/* A gateway: the built-in one as a program of its own. It writes the same metrics and sends the same messages. It does
 * no machine-learning inference.
 *
 * Reads from `config`: forward_to (who gets the means; default: nobody), and every_quantum: true, with which it does
 * not tell its next event. */
#include <inttypes.h>
#include <lockstep/node.h>
#include <stdlib.h>

#define PROCESSING_DELAY 100     /* us */
#define AGGREGATE_EVERY  5000000 /* us */
#define AGGREGATE_SIZE   128     /* bytes */

enum { PROCESS, AGGREGATE };

struct reading {
    double temperature;
    int64_t sample_id;
};

/* The temperatures of one sample id, in the order in which they came. */
struct group {
    int64_t sample_id;
    double *values;
    size_t count;
};

struct gateway {
    struct group *groups; /* in the order in which their ids first came */
    size_t count;
    char forward_to[80];
};

static FILE *metrics(struct lockstep_node *node)
{
    return lockstep_metrics(node, "time_us,event_type,value,details");
}

static void init(struct lockstep_node *node)
{
    struct gateway *g = lockstep_state(node);
    bool every_quantum = false;
    lockstep_json_string(lockstep_config(node), "forward_to", g->forward_to, sizeof g->forward_to);
    lockstep_json_bool(lockstep_config(node), "every_quantum", &every_quantum);
    lockstep_every_quantum(node, every_quantum);
    metrics(node);
    lockstep_timer(node, (lockstep_now(node) / AGGREGATE_EVERY + 1) * AGGREGATE_EVERY, AGGREGATE);
}

static void message(struct lockstep_node *node, int64_t now, const struct lockstep_message *m)
{
    struct reading r;
    if (strcmp(m->type, "TRANSMIT") != 0)
        return;
    if (lockstep_json_double(m->payload, "temperature", &r.temperature) &&
        lockstep_json_int64(m->payload, "sample_id", &r.sample_id)) {
        lockstep_timer_with(node, now + PROCESSING_DELAY, PROCESS, &r, sizeof r);
    } else {
        char text[200], quoted[400];
        snprintf(text, sizeof text, "TRANSMIT from %s holds no temperature with a sample_id", m->src);
        lockstep_quote(quoted, sizeof quoted, text);
        lockstep_report(node, "IGNORED", quoted);
    }
}

/* An array with room for one item more. */
static void *grow(void *items, size_t count, size_t size)
{
    if (count & (count - 1))
        return items; /* there is room up to the next power of two */
    void *more = realloc(items, (count ? 2 * count : 1) * size);
    if (!more)
        abort();
    return more;
}

static void keep(struct gateway *g, const struct reading *r)
{
    size_t i = g->count;
    while (i > 0 && g->groups[i - 1].sample_id != r->sample_id)
        i--;
    if (i == 0) {
        g->groups = grow(g->groups, g->count, sizeof *g->groups);
        g->groups[g->count++] = (struct group){ .sample_id = r->sample_id };
        i = g->count;
    }
    struct group *group = &g->groups[i - 1];
    group->values = grow(group->values, group->count, sizeof *group->values);
    group->values[group->count++] = r->temperature;
}

static void process(struct lockstep_node *node, int64_t now, const struct reading *r)
{
    char number[LOCKSTEP_NUMBER_TEXT], payload[40];
    fprintf(metrics(node), "%" PRId64 ",process,%s,sample_%" PRId64 "\r\n", now,
            lockstep_number(r->temperature, number), r->sample_id);
    snprintf(payload, sizeof payload, "\"sample_%" PRId64 "\"", r->sample_id);
    lockstep_report(node, "PROCESS", payload);
    keep(lockstep_state(node), r);
}

static void aggregate(struct lockstep_node *node, int64_t now)
{
    const struct gateway *g = lockstep_state(node);
    double sum = 0, least = 0, most = 0;
    size_t count = 0;
    for (size_t i = 0; i < g->count; i++) {
        for (size_t k = 0; k < g->groups[i].count; k++, count++) {
            double v = g->groups[i].values[k];
            sum += v;
            least = !count || v < least ? v : least;
            most = !count || v > most ? v : most;
        }
    }
    if (!count)
        return;
    char mean_text[LOCKSTEP_NUMBER_TEXT], least_text[LOCKSTEP_NUMBER_TEXT], most_text[LOCKSTEP_NUMBER_TEXT],
        payload[200];
    lockstep_number(sum / (double)count, mean_text);
    fprintf(metrics(node), "%" PRId64 ",aggregate,%s,\"count=%zu,min=%.2f,max=%.2f\"\r\n", now, mean_text, count, least,
            most);
    snprintf(payload, sizeof payload, "{\"mean\":%s,\"count\":%zu,\"min\":%s,\"max\":%s}", mean_text, count,
             lockstep_number(least, least_text), lockstep_number(most, most_text));
    if (*g->forward_to)
        lockstep_send(node, g->forward_to, "AGGREGATE", AGGREGATE_SIZE, payload);
    else
        lockstep_report(node, "AGGREGATE", payload);
}

static void timer(struct lockstep_node *node, int64_t now, int kind, const void *data)
{
    if (kind == PROCESS) {
        process(node, now, data);
        return;
    }
    aggregate(node, now);
    lockstep_timer(node, now + AGGREGATE_EVERY, AGGREGATE);
}

static void close_gateway(struct lockstep_node *node)
{
    const struct gateway *g = lockstep_state(node);
    for (size_t i = 0; i < g->count; i++)
        free(g->groups[i].values);
    free(g->groups);
}

int main(void)
{
    static const struct lockstep_behaviour behaviour = {
        .init = init, .message = message, .timer = timer, .close = close_gateway
    };
    struct gateway gateway = { 0 };
    return lockstep_run(&behaviour, &gateway);
}
