/* The three spellings of a scenario become one tree. Names and words that differ only in themselves are rows and
 * synonyms of the tables; here is what stands at another place. */
#include <string.h>

#include "scenario/load.h"

/* Whether a field at the top is one that belongs into `simulation`. */
static bool is_raised(const struct tree_entry *e)
{
    return !e->dropped && !schema_row(&root_table, e->key->text, NULL) &&
           schema_row(&simulation_table, e->key->text, NULL);
}

static void lower_simulation(struct load *l)
{
    struct tree *root = l->root;
    size_t count = 0;
    for (size_t i = 0; i < root->count; i++)
        count += is_raised(&root->entries[i]);
    struct tree_entry *section = tree_find(root, "simulation");
    if (!count || (section && section->value->kind != TREE_MAP && section->value->kind != TREE_NULL))
        return;
    if (!section)
        section = tree_add(l->scratch, root, tree_text(l->scratch, root->mark, "simulation", 10),
                           tree_map(l->scratch, root->mark));
    else if (section->value->kind == TREE_NULL)
        section->value = tree_map(l->scratch, section->value->mark);
    struct tree *simulation = tree_copy(l->scratch, section->value);
    section->value = simulation;
    for (size_t i = 0; i < root->count; i++) {
        struct tree_entry *e = &root->entries[i];
        if (!is_raised(e))
            continue;
        tree_add(l->scratch, simulation, e->key, e->value)->raised = true;
        e->dropped = true;
    }
}

/* A map id → node as a list of nodes that have ids. */
static struct tree *list_of_nodes(struct arena *arena, const struct tree *map)
{
    struct tree *list = tree_copy(arena, map);
    list->kind = TREE_LIST;
    list->items = arena_alloc(arena, map->count * sizeof *list->items);
    for (size_t i = 0; i < map->count; i++) {
        const struct tree_entry *e = &map->entries[i];
        struct tree *node = e->value->kind == TREE_NULL ? tree_map(arena, e->key->mark) : tree_copy(arena, e->value);
        if (node->kind == TREE_MAP)
            tree_add(arena, node, tree_text(arena, e->key->mark, "id", 2),
                     tree_text(arena, e->key->mark, e->key->text, e->key->len));
        list->items[i] = node;
    }
    return list;
}

void aliases_settle(struct load *l)
{
    lower_simulation(l);
    struct tree_entry *nodes = tree_find(l->root, "nodes");
    if (nodes && nodes->value->kind == TREE_MAP)
        nodes->value = list_of_nodes(l->scratch, nodes->value);
}
