/* For the tests of the coordinator and of what is in flight: three nodes, and what is recorded of them as text. */
#ifndef TESTS_UNIT_COORDINATOR_FIXTURE_H
#define TESTS_UNIT_COORDINATOR_FIXTURE_H

#include "check.h"

#include "base/memory.h"
#include "sim/coordinator.h"

/* The nodes are a, b and c. */
struct fixture {
    struct sink sink; /* first: a sink is a fixture */
    char log[1 << 16];
    struct scenario scenario;
    struct scenario_node nodes[3];
    struct scenario_link links[2]; /* those that the scenario counts */
    struct bus *bus;
    struct coordinator *c;
    simtime target; /* for coordinator_begin */
};

/* The links are there by then; `record` appends to the log. */
static inline void fixture_open(struct fixture *f, void (*record)(struct sink *, const struct record *), bool skip)
{
    static char a[] = "a", b[] = "b", c[] = "c";
    f->nodes[0].id = a, f->nodes[1].id = b, f->nodes[2].id = c;
    f->scenario.node_count = 3;
    f->scenario.nodes = f->nodes;
    f->scenario.links = f->links;
    f->bus = bus_new();
    f->sink.record = record;
    bus_attach(f->bus, &f->sink);
    f->c = coordinator_new(&f->scenario, f->bus, skip);
    for (int i = 0; i < 3; i++)
        coordinator_answered(f->c, i, SIMTIME_NEVER);
}

static inline void tear_down(struct fixture *f)
{
    coordinator_free(f->c);
    bus_free(f->bus);
}

static inline void send_at(struct fixture *f, simtime t, int src, int dst)
{
    struct message *m = message_new(NULL, 0);
    m->time = t;
    m->src = src;
    m->dst = dst;
    m->size = 9;
    m->type = (struct text){ "X", 1 };
    m->payload = (struct text){ "1", 1 };
    m->unknown_dst = (struct text){ "nobody", 6 };
    coordinator_send(f->c, m);
}

#endif
