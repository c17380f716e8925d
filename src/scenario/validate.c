/* Checks across fields, one function each. */
#include <string.h>

#include "base/hint.h"
#include "base/utf8.h"
#include "scenario/ports.h"

#define DEVICE_NAME_MAX 200

static void check_name(const struct load *l)
{
    const char *name = l->s->name;
    size_t len = strlen(name);
    bool bad = *name == '.' || strchr(name, '/') != NULL || len > 128;
    for (const char *c = name; *c; c++)
        bad = bad || (unsigned char)*c < 0x20 || *c == 0x7f;
    if (bad)
        root_tell(l, SEVERITY_ERROR, "name",
                  "names the run's folder: at most 128 characters, no '/', no control characters, no '.' at the start");
}

static void check_network(const struct load *l)
{
    static const char *const fields[] = { "default_latency", "default_loss", "links" };
    const struct scenario *s = l->s;
    const struct tree *network = tree_get(l->root, "network");
    struct place at = { .key = "network" };
    if (!network || network->kind != TREE_MAP)
        return;
    const struct tree_entry *model = schema_find(&network_table, network, "model");
    bool model_is_bad = s->network == NETWORK_DIRECT && model && !tree_is(model->value, "direct");
    for (size_t i = 0; s->network == NETWORK_DIRECT && i < 3; i++) {
        const struct tree_entry *e = schema_find(&network_table, network, fields[i]);
        if (!e || (e->value->kind == TREE_LIST && !e->value->count) || e->value->kind == TREE_NULL || model_is_bad)
            continue;
        load_tell(l, SEVERITY_WARNING, &network_table, network, &at, fields[i],
                  "has no effect with model direct; add `model: latency`");
        break;
    }
    if (s->network == NETWORK_LATENCY && s->default_latency < s->quantum)
        load_tell(l, SEVERITY_WARNING, &network_table, network, &at, "default_latency",
                  "is below the quantum; messages may be seen up to one quantum late");
}

static void check_restart(const struct load *l)
{
    for (int i = 0; i < l->s->node_count; i++)
        if (l->s->nodes[i].on_failure != ON_FAILURE_RESTART && tree_get(l->nodes->items[i], "restart"))
            node_tell(l, SEVERITY_WARNING, i, "restart", "has no effect without `on_failure: restart`");
}

static void check_process(const struct load *l)
{
    for (int i = 0; i < l->s->node_count; i++) {
        const struct scenario_node *n = &l->s->nodes[i];
        if (n->implementation != IMPLEMENTATION_PROCESS)
            continue;
        if (!n->command && n->transport != TRANSPORT_TCP && !tree_get(l->nodes->items[i], "command"))
            node_tell(l, SEVERITY_ERROR, i, "command",
                      "is required; add for example `command: [python3, nodes/node.py]`");
        if (n->transport == TRANSPORT_TCP && !n->port && !tree_get(l->nodes->items[i], "port"))
            node_tell(l, SEVERITY_ERROR, i, "port", "is required with transport tcp; add for example `port: 5004`");
        if (n->transport != TRANSPORT_TCP && n->port)
            node_tell(l, SEVERITY_WARNING, i, "port", "has no effect without `transport: tcp`");
    }
}

static bool is_engine(const char *engine)
{
    return strncmp(engine, "unix:///", 8) == 0 || (strncmp(engine, "tcp://", 6) == 0 && engine[6]);
}

/* Whether what listens in a container can be reached by transport tcp. */
static void check_reach(const struct load *l, int i)
{
    const struct scenario_node *n = &l->s->nodes[i];
    if (n->transport != TRANSPORT_TCP)
        return;
    if (n->docker.network && !strcmp(n->docker.network, "none"))
        node_tell(
            l, SEVERITY_ERROR, i, "docker.network",
            "none: nothing in it can be reached by transport tcp; use another network, or transport attach or unix");
    if (n->docker.ports.values && n->docker.ports.values[0] && strcmp(ports_protocol(n, 0), "tcp") != 0)
        node_tell(l, SEVERITY_ERROR, i, "docker.ports",
                  "the first is where transport tcp connects to, and '%s' is none of TCP; put the node's own before it",
                  shown(n->docker.ports.values[0]).text);
}

static void check_docker(const struct load *l)
{
    for (int i = 0; i < l->s->node_count; i++) {
        const struct scenario_node *n = &l->s->nodes[i];
        const struct tree *docker = tree_get(l->nodes->items[i], "docker");
        if (n->implementation != IMPLEMENTATION_DOCKER || !docker || docker->kind != TREE_MAP)
            continue;
        if (n->docker.engine && !is_engine(n->docker.engine))
            node_tell(l, SEVERITY_ERROR, i, "docker.engine",
                      "must be unix:///PATH or tcp://HOST:PORT, for example unix:///var/run/docker.sock");
        if (n->transport == TRANSPORT_EXEC && !n->docker.exec && !tree_get(docker, "exec"))
            node_tell(l, SEVERITY_ERROR, i, "docker.exec",
                      "is required with transport exec; add for example `exec: [python3, -u, -m, service]`");
        if (n->transport != TRANSPORT_EXEC && n->docker.exec)
            node_tell(l, SEVERITY_WARNING, i, "docker.exec", "has no effect without `transport: exec`");
        const struct tree *ports = tree_get(docker, "ports");
        if (n->transport == TRANSPORT_TCP && (!ports || (ports->kind >= TREE_LIST && !ports->count)))
            node_tell(l, SEVERITY_ERROR, i, "docker.ports",
                      "is required with transport tcp; add for example `ports: [\"5000:5000\"]`");
        if (tree_get(docker, "dockerfile") && !n->docker.build_context)
            node_tell(l, SEVERITY_WARNING, i, "docker.dockerfile", "has no effect without build_context");
        check_reach(l, i);
    }
}

/* A word that Renode's monitor takes as a device, and as nothing else. */
static bool is_device(const char *s)
{
    size_t len = strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.");
    return len && !s[len] && len <= DEVICE_NAME_MAX;
}

static const char not_a_device[] =
    "is no name of a device; it has letters, digits, _ and dots, for example sysbus.uart0";

/* Each is there once, and is not the one of messages. */
static void check_uarts(const struct load *l, int i)
{
    const struct renode_config *r = &l->s->nodes[i].renode;
    if (r->uart && !is_device(r->uart))
        node_tell(l, SEVERITY_ERROR, i, "uart", "%s", not_a_device);
    const struct tree *list = tree_get(l->nodes->items[i], "uarts");
    struct place nodes, node = node_place(l, (size_t)i, &nodes), uarts = { .up = &node, .key = "uarts" };
    for (size_t k = 0; list && r->uarts && r->uarts[k]; k++) {
        struct place at = { .up = &uarts, .index = k };
        bool again = r->uart && !strcmp(r->uarts[k], r->uart);
        for (size_t j = 0; j < k && !again; j++)
            again = !strcmp(r->uarts[k], r->uarts[j]);
        if (!is_device(r->uarts[k]))
            place_tell(l->problems, SEVERITY_ERROR, list->items[k]->mark, &at, "%s", not_a_device);
        else if (again)
            place_tell(l->problems, SEVERITY_ERROR, list->items[k]->mark, &at,
                       "'%s' is named twice; `uart` is the one of messages, `uarts` are further ones", r->uarts[k]);
    }
}

static void check_renode(const struct load *l)
{
    for (int i = 0; i < l->s->node_count; i++) {
        const struct scenario_node *n = &l->s->nodes[i];
        const struct tree *node = l->nodes->items[i];
        if (n->implementation != IMPLEMENTATION_RENODE)
            continue;
        check_uarts(l, i);
        if (tree_get(node, "script"))
            continue;
        if (!n->renode.platform && !tree_get(node, "platform"))
            node_tell(l, SEVERITY_ERROR, i, "platform",
                      "is required; add for example `platform: platforms/board.repl`");
        if (!n->renode.firmware && !tree_get(node, "firmware"))
            node_tell(l, SEVERITY_ERROR, i, "firmware", "is required; add for example `firmware: firmware/sensor.elf`");
    }
}

void validate(struct load *l)
{
    static void (*const checks[])(const struct load *l) = {
        check_name, check_network, check_restart, check_process, check_docker, check_renode, ports_check, ml_check,
    };
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++)
        checks[i](l);
}
