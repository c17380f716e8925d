#include "node/launcher.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"

struct launcher {
    const struct scenario *scenario;
    struct node *nodes;
};

/* What is not named is illegal. */
#define TO(state) ((state) + 1)
static const int lifecycle[NODE_FAILED + 1][NODE_EVENTS] = {
    [NODE_LOADED] = { [NODE_EVENT_START] = TO(NODE_STARTING), [NODE_EVENT_STOP] = TO(NODE_FINISHED) },
    [NODE_STARTING] = { [NODE_EVENT_READY] = TO(NODE_IDLE),
                        [NODE_EVENT_FAIL] = TO(NODE_FAILED),
                        [NODE_EVENT_STOP] = TO(NODE_FINISHED) },
    [NODE_IDLE] = { [NODE_EVENT_GRANT] = TO(NODE_BUSY),
                    [NODE_EVENT_FAIL] = TO(NODE_FAILED),
                    [NODE_EVENT_STOP] = TO(NODE_FINISHED) },
    [NODE_BUSY] = { [NODE_EVENT_DONE] = TO(NODE_IDLE),
                    [NODE_EVENT_FAIL] = TO(NODE_FAILED),
                    [NODE_EVENT_STOP] = TO(NODE_FINISHED) },
    [NODE_FINISHED] = { [NODE_EVENT_STOP] = TO(NODE_FINISHED) },
    [NODE_FAILED] = { [NODE_EVENT_STOP] = TO(NODE_FAILED) },
};

static void move(struct node *n, enum node_event event)
{
    int to = lifecycle[n->phase][event];
    if (!to) {
        fprintf(stderr, "lockstep: node %s: event %d is illegal while %s\n", n->spec->id, (int)event,
                node_state_name(n->phase));
        abort();
    }
    n->phase = (enum node_state)(to - 1);
}

/* By implementation; NULL: this program has no driver for it. */
static const struct driver *const drivers[] = {
    [IMPLEMENTATION_MODEL] = &driver_model,
    [IMPLEMENTATION_PROCESS] = NULL,
    [IMPLEMENTATION_DOCKER] = NULL,
    [IMPLEMENTATION_RENODE] = NULL,
};

struct launcher *launcher_new(const struct scenario *s, struct error *err)
{
    if (s->fault_count) {
        error_set(err, EXIT_LAUNCH, "faults: this version of lockstep cannot carry out faults; take the section out");
        return NULL;
    }
    struct launcher *l = mem_alloc(sizeof *l);
    l->scenario = s;
    l->nodes = mem_array((size_t)s->node_count, sizeof *l->nodes);
    for (int i = 0; i < s->node_count; i++) {
        const struct scenario_node *spec = &s->nodes[i];
        l->nodes[i] = (struct node){
            .scenario = s, .spec = spec, .index = i, .driver = drivers[spec->implementation], .last_active = -1
        };
        if (!l->nodes[i].driver) {
            error_set(err, EXIT_LAUNCH,
                      "nodes[%d] %s: this version of lockstep cannot launch implementation '%s'; it runs 'model' nodes",
                      i, spec->id, implementation_name(spec->implementation));
            launcher_free(l);
            return NULL;
        }
    }
    return l;
}

void launcher_free(struct launcher *l)
{
    if (!l)
        return;
    for (int i = 0; i < l->scenario->node_count; i++) {
        struct node *n = &l->nodes[i];
        if (n->driver)
            n->driver->close(n);
        message_list_free(&n->inbox);
        message_list_free(&n->answer.sent);
    }
    free(l->nodes);
    free(l);
}

struct node *launcher_node(struct launcher *l, int i)
{
    return &l->nodes[i];
}

static int failed(struct node *n, struct error *err)
{
    move(n, NODE_EVENT_FAIL);
    n->failure = *err;
    error_add(err, "nodes[%d] %s", n->index, n->spec->id);
    return -1;
}

int launcher_start(struct node *n, struct error *err)
{
    move(n, NODE_EVENT_START);
    if (n->driver->start(n, err) < 0)
        return failed(n, err);
    if (n->answer.done)
        move(n, NODE_EVENT_READY);
    return 0;
}

int launcher_grant(struct node *n, simtime until, struct error *err)
{
    move(n, NODE_EVENT_GRANT);
    n->answer.done = false;
    return n->driver->grant(n, until, err) < 0 ? failed(n, err) : 0;
}

int launcher_work(struct node *n, struct error *err)
{
    if (n->driver->work && n->driver->work(n, err) < 0)
        return failed(n, err);
    if (n->answer.done)
        move(n, NODE_EVENT_DONE);
    return 0;
}

void launcher_stop(struct launcher *l)
{
    for (int i = 0; i < l->scenario->node_count; i++) {
        struct node *n = &l->nodes[i];
        n->driver->stop(n);
        move(n, NODE_EVENT_STOP);
    }
}
