/* The effective scenario as canonical YAML: rows of the tables that differ from their defaults, written so that reading
 * them gives the same scenario again. */
#include <string.h>

#include "base/digest.h"
#include "scenario/emit_faults.h"
#include "scenario/emit_rows.h"
#include "scenario/load.h"
#include "scenario/volume.h"

static void write_links(const struct load *l, struct buffer *out)
{
    const struct scenario *s = l->s;
    struct raw_link fallback = { .latency = s->default_latency, .loss = s->default_loss };
    if (s->link_count)
        buffer_text(out, "  links:\n");
    for (int i = 0; i < s->link_count; i++) {
        const struct scenario_link *link = &s->links[i];
        struct raw_link raw = { s->nodes[link->src].id, s->nodes[link->dst].id, link->latency, link->loss };
        buffer_text(out, "    - ");
        emit_flow(l->scratch, out, &link_table, &raw, &fallback);
    }
}

static void write_network(const struct load *l, struct buffer *out)
{
    struct scenario defaults = { 0 };
    if (l->s->network == NETWORK_DIRECT)
        return;
    schema_defaults(&network_table, l->scratch, &defaults);
    buffer_text(out, "network:\n");
    emit_rows(l->scratch, out, 2, &network_table, 0, l->s, &defaults);
    write_links(l, out);
}

static void write_faults(const struct load *l, struct buffer *out)
{
    if (l->s->fault_count)
        buffer_text(out, "faults:\n");
    faults_emit(l->s, l->s->faults, (size_t)l->s->fault_count, out);
}

static void write_node(const struct load *l, struct buffer *out, int i, const struct scenario_node *defaults)
{
    const struct scenario_node *n = &l->s->nodes[i];
    const struct tree *config = tree_get(l->nodes->items[i], "config");
    struct scenario_node fallback = *defaults;
    fallback.type = n->type;
    fallback.implementation = n->implementation;
    nodes_fallbacks(&fallback, n->port != 0);
    fallback.type = NULL;
    fallback.implementation = IMPLEMENTATION_MODEL;
    size_t start = out->len;
    emit_rows(l->scratch, out, 4, &node_table, 1u << n->implementation, n, &fallback);
    memcpy(out->data + start, "  - ", 4);
    if (strcmp(n->config_json, "{}") != 0) {
        buffer_text(out, "    config: ");
        emit_tree(l->scratch, out, config);
        buffer_text(out, "\n");
    }
    if (n->implementation == IMPLEMENTATION_DOCKER) {
        buffer_text(out, "    docker:\n");
        emit_rows(l->scratch, out, 6, &docker_table, 0, n, &fallback);
    }
}

static bool is_relative(const char *path)
{
    return path && *path != '/';
}

/* Whether any row of a table holds a relative path. */
static bool has_relative(const struct table *table, unsigned only, const void *values)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct field *f = &table->fields[i];
        if (f->is_path && (f->only & only || !f->only) && is_relative(*(char *const *)((const char *)values + f->at)))
            return true;
    }
    return false;
}

static bool node_uses_base_dir(const struct scenario_node *n)
{
    if (n->implementation == IMPLEMENTATION_PROCESS)
        return !n->working_dir || is_relative(n->working_dir);
    if (n->implementation == IMPLEMENTATION_RENODE && strchr(n->renode.program, '/') && is_relative(n->renode.program))
        return true;
    if (n->implementation != IMPLEMENTATION_DOCKER)
        return has_relative(&node_table, 1u << n->implementation, n);
    for (size_t k = 0; n->docker.volumes && n->docker.volumes[k]; k++)
        if (container_volume(n->docker.volumes[k]).is_relative)
            return true;
    return has_relative(&docker_table, 0, n);
}

static bool uses_base_dir(const struct scenario *s)
{
    bool uses = is_relative(s->ml.model_path);
    for (int i = 0; i < s->node_count && !uses; i++)
        uses = node_uses_base_dir(&s->nodes[i]);
    return uses;
}

static void write_simulation(const struct load *l, struct buffer *out, bool with_pace)
{
    struct scenario defaults = { .duration = -1, .quantum = -1, .seed = ~l->s->seed };
    if (!with_pace)
        defaults.pace = l->s->pace;
    buffer_text(out, "simulation:\n");
    emit_rows(l->scratch, out, 2, &simulation_table, 0, l->s, &defaults);
}

static void write_rest(const struct load *l, struct buffer *out)
{
    struct scenario_node defaults;
    write_network(l, out);
    if (l->s->ml.json) {
        buffer_text(out, "ml_inference: ");
        emit_tree(l->scratch, out, tree_get(l->root, "ml_inference"));
        buffer_text(out, "\n");
    }
    nodes_defaults(l->scratch, &defaults);
    buffer_text(out, "nodes:\n");
    for (int i = 0; i < l->s->node_count; i++)
        write_node(l, out, i, &defaults);
    write_faults(l, out);
}

static void write_named(const struct load *l, struct buffer *out, const char *name, const char *text)
{
    buffer_format(out, "%s: ", name);
    emit_text(l->scratch, out, text, strlen(text));
    buffer_text(out, "\n");
}

/* The loaded ML model decides results as much as the scenario that names it does. */
static void digest_ml_model(struct digest *digest, const struct ml_model *m)
{
    struct buffer text = { 0 };
    for (int i = 0; m && i < m->features; i++) {
        buffer_format(&text, "%s ", m->names[i]);
        buffer_double(&text, m->mean[i]);
        buffer_text(&text, " ");
        buffer_double(&text, m->scale[i]);
        buffer_text(&text, " ");
        buffer_double(&text, m->weights[i]);
        buffer_text(&text, "\n");
    }
    if (m)
        buffer_double(&text, m->bias);
    digest_add(digest, text.data, text.len);
    buffer_free(&text);
}

void emit(struct load *l)
{
    struct scenario *s = l->s;
    struct buffer head = { 0 }, rest = { 0 };
    struct digest *digest = digest_new();
    write_rest(l, &rest);
    write_named(l, &head, "name", s->name);
    digest_add(digest, head.data, head.len);
    if (s->description)
        write_named(l, &head, "description", s->description);
    if (uses_base_dir(s))
        write_named(l, &head, "base_dir", s->base_dir);
    size_t start = head.len;
    write_simulation(l, &head, false);
    digest_add(digest, head.data + start, head.len - start);
    digest_add(digest, rest.data, rest.len);
    digest_ml_model(digest, s->ml.model);
    digest_end(digest, s->digest);
    head.len = start;
    write_simulation(l, &head, true);
    buffer_add(&head, rest.data, rest.len);
    s->canonical = arena_text(l->arena, head.data, head.len);
    buffer_free(&head);
    buffer_free(&rest);
}
