#include "scenario/ports.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "scenario/engine_address.h"

bool docker_is_on_host_network(const struct scenario_node *n)
{
    return n->docker.network && !strcmp(n->docker.network, "host");
}

int ports_host(const struct scenario_node *n, size_t k)
{
    if (n->docker.network && !strcmp(n->docker.network, "none"))
        return 0;
    return atoi(docker_is_on_host_network(n) ? n->docker.ports.values[k] : n->docker.ports.keys[k]);
}

const char *ports_protocol(const struct scenario_node *n, size_t k)
{
    const char *slash = strchr(n->docker.ports.values[k], '/');
    return slash ? slash + 1 : "tcp";
}

/* A port of a machine and the node that wants it. */
struct use {
    const char *engine, *protocol; /* engine "": this machine's */
    int port, node;
    const char *field;
};

static int by_port(const void *a, const void *b)
{
    const struct use *x = a, *y = b;
    int engine = strcmp(x->engine, y->engine), protocol = strcmp(x->protocol, y->protocol);
    if (engine || x->port != y->port)
        return engine ? engine : x->port < y->port ? -1 : 1;
    return protocol ? protocol : (x->node > y->node) - (x->node < y->node);
}

static bool is_same(const struct use *x, const struct use *y)
{
    return x->port == y->port && !strcmp(x->engine, y->engine) && !strcmp(x->protocol, y->protocol);
}

/* Whose ports those of a container are: engines on this machine share them. */
static const char *machine(const struct load *l, const struct scenario_node *n)
{
    char room[300], machine[300] = "";
    const char *address = l->environment ? engine_address(n, room, sizeof room) : n->docker.engine;
    if (address)
        engine_machine(address, machine, sizeof machine);
    return arena_text(l->scratch, machine, strlen(machine));
}

static size_t add_uses(const struct load *l, int i, struct use *uses)
{
    const struct scenario_node *n = &l->s->nodes[i];
    size_t count = 0;
    if (n->implementation == IMPLEMENTATION_PROCESS && n->transport == TRANSPORT_TCP && n->port)
        uses[count++] = (struct use){ "", "tcp", n->port, i, "port" };
    if (n->implementation == IMPLEMENTATION_RENODE && n->renode.monitor_port)
        uses[count++] = (struct use){ "", "tcp", n->renode.monitor_port, i, "monitor_port" };
    if (n->implementation != IMPLEMENTATION_DOCKER || !n->docker.ports.keys)
        return count;
    const char *engine = machine(l, n);
    for (size_t k = 0; n->docker.ports.keys[k]; k++)
        if (ports_host(n, k))
            uses[count++] = (struct use){ engine, ports_protocol(n, k), ports_host(n, k), i, "docker.ports" };
    return count;
}

static size_t count_ports(const struct scenario_node *n)
{
    size_t count = 2;
    for (size_t k = 0; n->docker.ports.keys && n->docker.ports.keys[k]; k++)
        count++;
    return count;
}

void ports_check(const struct load *l)
{
    const struct scenario *s = l->s;
    size_t room = 0, count = 0;
    for (int i = 0; i < s->node_count; i++)
        room += count_ports(&s->nodes[i]);
    struct use *uses = mem_array(room + 1, sizeof *uses);
    for (int i = 0; i < s->node_count; i++)
        count += add_uses(l, i, uses + count);
    qsort(uses, count, sizeof *uses, by_port);
    for (size_t k = 1; k < count; k++) {
        const struct use *first = &uses[k - 1], *again = &uses[k];
        if (!is_same(first, again))
            continue;
        const char *id = s->nodes[first->node].id;
        bool is_tcp = !strcmp(again->protocol, "tcp");
        node_tell(l, SEVERITY_ERROR, again->node, again->field,
                  "port %d%s%s is taken by node '%s' already; use another one", again->port, is_tcp ? "" : "/",
                  is_tcp ? "" : again->protocol, id ? id : "?");
    }
    free(uses);
}
