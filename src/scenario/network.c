/* Links of the network, their ends looked up among the nodes. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "scenario/load.h"

const struct tree *load_list(const struct load *l, const struct tree *map, const char *name, const char *path)
{
    const struct tree *list = tree_get(map, name);
    if (list && list->kind != TREE_LIST) {
        root_tell(l, SEVERITY_ERROR, path, "must be a list, not %s", tree_kind_name(list));
        return NULL;
    }
    return list && list->count ? list : NULL;
}

static int end_of_link(const struct load *l, const struct tree *link, const char *field, const char *id,
                       const struct place *place)
{
    const struct tree *value = tree_get(link, field);
    struct place at = { .up = place, .key = field };
    return id && value ? find_node_or_tell(l, id, value->mark, &at) : -1;
}

static void read_link(const struct load *l, struct tree *link, const struct place *place, struct scenario_link *out)
{
    struct raw_link raw = { .latency = -1, .loss = -1 };
    struct reader reader = { .problems = l->problems, .arena = l->scratch };
    schema_read(&reader, &link_table, link, place, &raw);
    out->src = end_of_link(l, link, "src", raw.src, place);
    out->dst = end_of_link(l, link, "dst", raw.dst, place);
    out->latency = raw.latency < 0 ? l->s->default_latency : raw.latency;
    out->loss = raw.loss < 0 ? l->s->default_loss : raw.loss;
    if (raw.latency >= 0 && raw.latency < l->s->quantum && l->s->network == NETWORK_LATENCY)
        load_tell(l, SEVERITY_WARNING, &link_table, link, place, "latency",
                  "is below the quantum; messages may be seen up to one quantum late");
}

/* A link with its place among the others, for finding those that are given twice. */
struct end_pair {
    int src, dst, index;
};

static int by_ends(const void *a, const void *b)
{
    const struct end_pair *x = a, *y = b;
    if (x->src != y->src)
        return x->src < y->src ? -1 : 1;
    if (x->dst != y->dst)
        return x->dst < y->dst ? -1 : 1;
    return x->index < y->index ? -1 : 1;
}

static void check_twice(const struct load *l, const struct tree *links, const struct place *place)
{
    const struct scenario *s = l->s;
    struct end_pair *pairs = mem_array((size_t)s->link_count, sizeof *pairs);
    for (int i = 0; i < s->link_count; i++)
        pairs[i] = (struct end_pair){ s->links[i].src, s->links[i].dst, i };
    qsort(pairs, (size_t)s->link_count, sizeof *pairs, by_ends);
    for (int i = 1, first = 0; i < s->link_count; i++) {
        if (pairs[i].src != pairs[first].src || pairs[i].dst != pairs[first].dst) {
            first = i;
            continue;
        }
        if (pairs[i].src < 0 || pairs[i].dst < 0)
            continue;
        struct place at = { .up = place, .index = (size_t)pairs[i].index };
        place_tell(l->problems, SEVERITY_ERROR, links->items[pairs[i].index]->mark, &at,
                   "the link from '%s' to '%s' is given twice; the first one is in line %d", s->nodes[pairs[i].src].id,
                   s->nodes[pairs[i].dst].id, links->items[pairs[first].index]->mark.line);
    }
    free(pairs);
}

void links_read(struct load *l)
{
    const struct tree *links = load_list(l, tree_get(l->root, "network"), "links", "network.links");
    if (!links)
        return;
    struct place network = { .key = "network" };
    struct place list = { .up = &network, .key = "links" };
    l->s->link_count = (int)links->count;
    l->s->links = arena_alloc(l->arena, links->count * sizeof *l->s->links);
    for (size_t i = 0; i < links->count; i++)
        read_link(l, links->items[i], &(struct place){ .up = &list, .index = i }, &l->s->links[i]);
    check_twice(l, links, &list);
}
