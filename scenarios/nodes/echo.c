/* A service: sends every message back to its sender, type, payload and size as they were, after config.delay (default
 * 1ms of virtual time). It runs in a container in docker_echo.yaml. */
#include <inttypes.h>
#include <lockstep/node.h>
#include <stdlib.h>
#include <string.h>

/* A message that waits for its answer; its texts follow it. */
struct waiting {
    int64_t size;
    size_t type, payload; /* where these begin in text; the source begins it */
    char text[];
};

struct echo {
    int64_t delay; /* us */
};

static void init(struct lockstep_node *node)
{
    struct echo *e = lockstep_state(node);
    e->delay = 1000;
    lockstep_json_time(lockstep_config(node), "delay", &e->delay);
}

static void message(struct lockstep_node *node, int64_t now, const struct lockstep_message *m)
{
    const struct echo *e = lockstep_state(node);
    size_t src = strlen(m->src) + 1, type = strlen(m->type) + 1, payload = strlen(m->payload) + 1;
    struct waiting *w = malloc(sizeof *w + src + type + payload);
    if (!w)
        abort();
    *w = (struct waiting){ .size = m->size, .type = src, .payload = src + type };
    memcpy(w->text, m->src, src);
    memcpy(w->text + w->type, m->type, type);
    memcpy(w->text + w->payload, m->payload, payload);
    lockstep_timer_with(node, now + e->delay, 0, w, sizeof *w + src + type + payload);
    free(w);
}

static void timer(struct lockstep_node *node, int64_t now, int kind, const void *data)
{
    const struct waiting *w = data;
    (void)now;
    (void)kind;
    if (*w->text)
        lockstep_send(node, w->text, w->text + w->type, w->size, w->text + w->payload);
}

int main(void)
{
    static const struct lockstep_behaviour behaviour = { .init = init, .message = message, .timer = timer };
    struct echo echo = { 0 };
    return lockstep_run(&behaviour, &echo);
}
