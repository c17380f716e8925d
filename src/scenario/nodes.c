/* Nodes: read from their maps, then connected with each other by what their configurations name. */
#include <string.h>

#include "base/hint.h"
#include "scenario/load.h"

/* Those with a built-in model first. */
static const struct {
    const char *type;
    enum tier tier;
    enum builtin_model model;
} types[] = {
    { "sensor", TIER_DEVICE, MODEL_SENSOR }, { "gateway", TIER_EDGE, MODEL_GATEWAY },
    { "cloud", TIER_CLOUD, MODEL_CLOUD },    { "device", TIER_DEVICE, MODEL_NONE },
    { "edge", TIER_EDGE, MODEL_NONE },       { "service", TIER_EDGE, MODEL_NONE },
    { "server", TIER_CLOUD, MODEL_NONE },
};
#define TYPES (sizeof types / sizeof types[0])

static size_t find_type(const char *type)
{
    size_t i = 0;
    while (i < TYPES && (!type || strcmp(types[i].type, type) != 0))
        i++;
    return i;
}

/* `type: docker` and `type: renode` name the implementation in the harness report's spelling. */
static int implementation_of_type(const struct tree *node)
{
    const struct tree *type = tree_get(node, "type");
    return tree_is(type, "docker") ? IMPLEMENTATION_DOCKER : tree_is(type, "renode") ? IMPLEMENTATION_RENODE : -1;
}

/* How a node runs as far as its fields say; -1 where they say something unknown. */
static int implementation_of(const struct tree *node)
{
    simtime unit;
    const struct tree *word = tree_get(node, "implementation");
    if (!word)
        return implementation_of_type(node) < 0 ? IMPLEMENTATION_MODEL : implementation_of_type(node);
    if (tree_is(word, "python_model") && tree_get(node, "command"))
        return IMPLEMENTATION_PROCESS;
    return word->kind < TREE_LIST ? schema_choice(schema_row(&node_table, "implementation", &unit), word->text) : -1;
}

/* "sensor_model" is the loader's word for "sensor". */
static void settle_type(const struct load *l, struct scenario_node *n, const struct tree *node)
{
    size_t len = n->type ? strlen(n->type) : 0;
    if (len > 6 && strcmp(n->type + len - 6, "_model") == 0)
        n->type = arena_text(l->arena, n->type, len - 6);
    if (implementation_of_type(node) >= 0)
        n->type = n->implementation == IMPLEMENTATION_RENODE ? arena_text(l->arena, "device", 6)
                                                             : arena_text(l->arena, "service", 7);
}

void nodes_fallbacks(struct scenario_node *n, bool port_given)
{
    size_t type = find_type(n->type);
    n->tier = type < TYPES ? types[type].tier : n->implementation == IMPLEMENTATION_DOCKER ? TIER_EDGE : TIER_DEVICE;
    n->dialect = n->implementation == IMPLEMENTATION_DOCKER ? DIALECT_SERVICE : DIALECT_NODE;
    n->transport = n->implementation == IMPLEMENTATION_DOCKER ? TRANSPORT_ATTACH : TRANSPORT_STDIO;
    if (n->implementation == IMPLEMENTATION_PROCESS && port_given)
        n->transport = TRANSPORT_TCP;
}

/* Fallbacks that depend on other fields, where the fields themselves are not there. */
static void settle_fallbacks(struct scenario_node *n, const struct tree *node)
{
    struct scenario_node fallback = *n;
    const struct tree *docker = tree_get(node, "docker");
    bool is_docker = n->implementation == IMPLEMENTATION_DOCKER;
    nodes_fallbacks(&fallback, n->port != 0);
    if (!tree_get(node, "tier"))
        n->tier = fallback.tier;
    if (!tree_get(node, "dialect"))
        n->dialect = fallback.dialect;
    if (!tree_get(is_docker ? docker : node, "transport"))
        n->transport = fallback.transport;
}

static void settle_model(const struct load *l, int i, struct scenario_node *n)
{
    size_t type = find_type(n->type);
    if (n->implementation != IMPLEMENTATION_MODEL || !n->type)
        return;
    if (type < TYPES)
        n->model = types[type].model;
    if (n->model != MODEL_NONE)
        return;
    struct hint hint = { .word = n->type };
    for (size_t k = 0; k < TYPES && types[k].model != MODEL_NONE; k++) {
        char loaders[32];
        snprintf(loaders, sizeof loaders, "%s_model", types[k].type);
        hint_consider(&hint, types[k].type, types[k].type);
        hint_consider(&hint, loaders, types[k].type);
    }
    if (hint.best) { /* with which the rest is checked */
        n->model = types[find_type(hint.best)].model;
        node_tell(l, SEVERITY_ERROR, i, "type", "no built-in model '%s'%s", shown(n->type).text, hint_text(&hint).text);
    } else {
        node_tell(
            l, SEVERITY_ERROR, i, "type",
            "no built-in model '%s'; use sensor, gateway or cloud, or add an implementation (process, docker, renode)",
            shown(n->type).text);
    }
}

static void check_id(const struct load *l, int i, const char *id)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    static const char all[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";
    size_t len = strlen(id);
    if (len > 64)
        node_tell(l, SEVERITY_ERROR, i, "id", "'%s' is longer than 64 characters", shown(id).text);
    else if (!strchr(letters, *id) || strspn(id, all) != len)
        node_tell(l, SEVERITY_ERROR, i, "id",
                  "'%s' is no id; use letters, digits, '_', '.' and '-', beginning with a letter or digit",
                  shown(id).text);
}

static void read_config(const struct load *l, int i, struct scenario_node *n, const struct tree *node)
{
    const struct tree *config = tree_get(node, "config");
    if (config && config->kind != TREE_MAP) {
        node_tell(l, SEVERITY_ERROR, i, "config", "must be a map (`name: value` lines), not %s",
                  tree_kind_name(config));
        config = NULL;
    }
    if (config) {
        struct place nodes, place = node_place(l, (size_t)i, &nodes);
        check_json(l, config, &(struct place){ .up = &place, .key = "config" });
    }
    if (!config)
        n->config_json = arena_text(l->arena, "{}", 2);
}

static void read_docker(const struct load *l, int i, struct scenario_node *n, const struct tree *node,
                        const struct place *place)
{
    struct reader reader = { .problems = l->problems, .arena = l->arena };
    struct tree *docker = tree_get(node, "docker");
    struct place at = { .up = place, .key = "docker" };
    if (docker)
        schema_read(&reader, &docker_table, docker, &at, n);
    else
        node_tell(l, SEVERITY_ERROR, i, "docker",
                  "is required; add for example `docker: { image: local/echo:latest }`");
}

static void read_node(const struct load *l, int i, const struct scenario_node *defaults)
{
    struct tree *node = l->nodes->items[i];
    struct scenario_node *n = &l->s->nodes[i];
    struct place nodes, place = node_place(l, (size_t)i, &nodes);
    int implementation = implementation_of(node);
    struct reader reader = { .problems = l->problems, .arena = l->arena };
    if (implementation >= 0) {
        reader.only = 1u << implementation;
        reader.only_name = implementation_name((enum implementation)implementation);
    }
    *n = *defaults;
    n->mark = node->mark;
    if (node->kind != TREE_MAP) {
        place_tell(l->problems, SEVERITY_ERROR, node->mark, &place,
                   "must be a map with id and type, for example `{ id: sensor1, type: sensor }`, not %s",
                   tree_kind_name(node));
        return;
    }
    schema_read(&reader, &node_table, node, &place, n);
    if (implementation >= 0)
        n->implementation = (enum implementation)implementation;
    settle_type(l, n, node);
    if (n->implementation == IMPLEMENTATION_DOCKER)
        read_docker(l, i, n, node, &place);
    settle_fallbacks(n, node);
    if (implementation >= 0)
        settle_model(l, i, n);
    if (n->id)
        check_id(l, i, n->id);
    read_config(l, i, n, node);
}

void nodes_defaults(struct arena *arena, struct scenario_node *n)
{
    *n = (struct scenario_node){ .model_config = { .destination = -1, .forward_to = -1, .readings_to = -1 } };
    schema_defaults(&docker_table, arena, n);
    schema_defaults(&node_table, arena, n);
}

void nodes_read(struct load *l)
{
    struct tree *nodes = tree_get(l->root, "nodes");
    if (nodes && nodes->kind != TREE_LIST) {
        root_tell(l, SEVERITY_ERROR, "nodes", "must be a list of nodes, not %s", tree_kind_name(nodes));
        return;
    }
    if (!nodes || !nodes->count) {
        root_tell(l, SEVERITY_ERROR, "nodes", "no nodes; add for example `nodes: [{ id: sensor1, type: sensor }]`");
        return;
    }
    if (nodes->count > SCENARIO_MAX_NODES) {
        root_tell(l, SEVERITY_ERROR, "nodes", "%zu nodes; at most %d are possible", nodes->count, SCENARIO_MAX_NODES);
        return;
    }
    l->nodes = nodes;
    l->s->node_count = (int)nodes->count;
    l->s->nodes = arena_alloc(l->arena, nodes->count * sizeof *l->s->nodes);
    struct scenario_node defaults;
    nodes_defaults(l->arena, &defaults);
    for (int i = 0; i < l->s->node_count; i++)
        read_node(l, i, &defaults);
}

/* The node that a field of `config` names; -1 where it names none. */
static int named_node(const struct load *l, const struct tree *config, const struct place *at, const char *field,
                      const char *id)
{
    const struct tree *value = tree_get(config, field);
    struct place place = { .up = at, .key = field };
    return id && value ? find_node_or_tell(l, id, value->mark, &place) : -1;
}

/* Where a sensor sends when it does not say: the node `gateway`, else the first gateway, also one that is misspelt. */
static int default_destination(const struct load *l, const char *type, enum builtin_model model, const char *id)
{
    int found = id ? scenario_find_node(l->s, id) : -1;
    for (int i = 0; found < 0 && i < l->s->node_count; i++)
        if (l->s->nodes[i].model == model || (l->s->nodes[i].type && strcmp(l->s->nodes[i].type, type) == 0))
            found = i;
    return found;
}

/* What connecting needs to know once, not once a node. */
struct connections {
    int gateway, cloud; /* the defaults, or -1 */
    bool all_known;     /* every node has a type */
};

static void connect_sensor(const struct load *l, int i, const struct connections *c, bool named)
{
    struct model_config *m = &l->s->nodes[i].model_config;
    if (!named)
        m->destination = c->gateway;
    if (!named && m->destination < 0 && c->all_known)
        node_tell(l, SEVERITY_ERROR, i, "config.destination",
                  "there is no gateway to send to; add a node of type gateway, or set config.destination");
}

/* Where no node can be found, ml_check tells so once for all gateways. */
static void connect_gateway(const struct load *l, int i, const struct connections *c, bool named)
{
    struct model_config *m = &l->s->nodes[i].model_config;
    if (l->s->ml.placement == PLACEMENT_CLOUD)
        m->readings_to = named && l->s->nodes[m->forward_to].model != MODEL_GATEWAY ? m->forward_to : c->cloud;
}

static void connect_node(const struct load *l, int i, const struct connections *c, struct raw_model_config raw)
{
    struct scenario_node *n = &l->s->nodes[i];
    struct tree *config = tree_get(l->nodes->items[i], "config");
    struct place nodes, place = node_place(l, (size_t)i, &nodes);
    struct place at = { .up = &place, .key = "config" };
    struct reader reader = { .problems = l->problems, .arena = l->scratch };
    if (config && config->kind == TREE_MAP)
        schema_read(&reader, model_table(n->model), config, &at, &raw);
    struct model_config *m = &n->model_config;
    m->interval = raw.interval;
    m->processing_delay = raw.processing_delay;
    m->reply = raw.reply;
    m->inference_delay = raw.inference_delay;
    m->destination = named_node(l, config, &at, "destination", raw.destination);
    m->forward_to = named_node(l, config, &at, "forward_to", raw.forward_to);
    if (n->model == MODEL_SENSOR)
        connect_sensor(l, i, c, raw.destination != NULL);
    else if (n->model == MODEL_GATEWAY)
        connect_gateway(l, i, c, raw.forward_to != NULL);
}

static void write_config(const struct load *l, int i)
{
    const struct tree *config = tree_get(l->nodes->items[i], "config");
    if (l->s->nodes[i].config_json || !config)
        return;
    struct buffer json = { 0 };
    tree_json(&json, config);
    l->s->nodes[i].config_json = arena_text(l->arena, json.data, json.len);
    buffer_free(&json);
}

void nodes_connect(struct load *l)
{
    struct connections c = { default_destination(l, "gateway", MODEL_GATEWAY, "gateway"),
                             default_destination(l, "cloud", MODEL_CLOUD, NULL), true };
    for (int i = 0; i < l->s->node_count; i++)
        c.all_known = c.all_known && l->s->nodes[i].type;
    struct raw_model_config raw = { .inference_delay = ml_inference_delay(l) };
    schema_defaults(&sensor_table, l->scratch, &raw);
    schema_defaults(&cloud_table, l->scratch, &raw);
    for (int i = 0; i < l->s->node_count; i++) {
        if (l->s->nodes[i].model != MODEL_NONE)
            connect_node(l, i, &c, raw);
        write_config(l, i);
    }
}
