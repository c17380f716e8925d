/* A temperature sensor: the built-in one as a program of its own. It writes the same metrics and sends the same
 * messages.
 *
 * Reads from `config`: interval (default 1s), destination (default: the node `gateway`), and every_quantum: true, with
 * which it does not tell its next event. */
#include <inttypes.h>
#include <lockstep/node.h>

#define FIRST_SAMPLE 1000000 /* us */
#define MESSAGE_SIZE 64      /* bytes */

struct sensor {
    int64_t interval, count;
    char destination[80];
};

static void init(struct lockstep_node *node)
{
    struct sensor *s = lockstep_state(node);
    const char *config = lockstep_config(node);
    size_t len;
    bool every_quantum = false;
    *s = (struct sensor){ .interval = 1000000, .destination = "gateway" };
    if (lockstep_json_find(config, "interval", &len) &&
        (!lockstep_json_time(config, "interval", &s->interval) || s->interval <= 0))
        lockstep_fail(node, "config.interval must be a time above 0, for example 250ms");
    lockstep_json_string(config, "destination", s->destination, sizeof s->destination);
    lockstep_json_bool(config, "every_quantum", &every_quantum);
    lockstep_every_quantum(node, every_quantum);
    lockstep_metrics(node, "time_us,event_type,value");
    lockstep_timer(node, lockstep_now(node) + FIRST_SAMPLE, 0);
}

static void timer(struct lockstep_node *node, int64_t now, int kind, const void *data)
{
    struct sensor *s = lockstep_state(node);
    FILE *metrics = lockstep_metrics(node, "");
    char number[LOCKSTEP_NUMBER_TEXT], payload[100];
    (void)data;
    lockstep_number(lockstep_gauss(node, 20.0, 2.0), number);
    s->count++;
    fprintf(metrics, "%" PRId64 ",sample,%s\r\n", now, number);
    fprintf(metrics, "%" PRId64 ",transmit,%" PRId64 "\r\n", now, s->count);
    snprintf(payload, sizeof payload, "{\"temperature\":%s,\"unit\":\"C\",\"sample_id\":%" PRId64 "}", number,
             s->count);
    lockstep_send(node, s->destination, "TRANSMIT", MESSAGE_SIZE, payload);
    lockstep_timer(node, now + s->interval, kind);
}

int main(void)
{
    static const struct lockstep_behaviour behaviour = { .init = init, .timer = timer };
    struct sensor sensor;
    return lockstep_run(&behaviour, &sensor);
}
