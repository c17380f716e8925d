#include "scenario/load.h"

#include <stdarg.h>
#include <string.h>

#include "base/hint.h"

#define HINTS 2000000 /* comparisons of ids that all hints together may take */

struct place node_place(const struct load *l, size_t i, struct place *nodes)
{
    *nodes = (struct place){ .key = "nodes" };
    return (struct place){ .up = nodes, .key = l->nodes->entries ? l->nodes->entries[i].key->text : NULL, .index = i };
}

/* The table of a section; docker has one that is read apart. */
static const struct table *section_of(const struct field *f)
{
    return f && f->kind == F_KEPT && strcmp(f->name, "docker") == 0 ? &docker_table : f ? f->section : NULL;
}

/* Goes down `field` one name at a time and tells `text` where it ends. */
static void tell_below(const struct load *l, enum severity severity, const struct table *table, const struct tree *map,
                       const struct place *place, const char *field, const char *text)
{
    if (!*field) {
        place_tell(l->problems, severity, map->mark, place, "%s", text);
        return;
    }
    char name[64];
    size_t n = strcspn(field, ".");
    snprintf(name, sizeof name, "%.*s", (int)n, field);
    const struct field *row = table ? schema_row(table, name, NULL) : NULL;
    const struct tree_entry *e = table ? schema_find(table, map, name) : tree_find(map, name);
    struct place at = { .up = e && e->raised ? NULL : place, .key = e ? e->key->text : name };
    struct tree nothing = { .mark = map->mark };
    tell_below(l, severity, section_of(row), e ? e->value : &nothing, &at, field + n + (field[n] == '.'), text);
}

void load_tell(const struct load *l, enum severity severity, const struct table *table, const struct tree *map,
               const struct place *place, const char *field, const char *fmt, ...)
{
    char text[1000];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    tell_below(l, severity, table, map, place, field, text);
}

void node_tell(const struct load *l, enum severity severity, int node, const char *field, const char *fmt, ...)
{
    char text[1000];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    struct place nodes, place = node_place(l, (size_t)node, &nodes);
    tell_below(l, severity, &node_table, l->nodes->items[node], &place, field, text);
}

void root_tell(const struct load *l, enum severity severity, const char *field, const char *fmt, ...)
{
    char text[1000];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    tell_below(l, severity, &root_table, l->root, NULL, field, text);
}

int find_node_or_tell(const struct load *l, const char *id, struct mark mark, const struct place *place)
{
    int found = scenario_find_node(l->s, id);
    if (found >= 0)
        return found;
    struct hint hint = { .word = id };
    bool hasty = l->problems->errors * (size_t)l->s->node_count > HINTS;
    for (int i = 0; i < l->s->node_count && !hasty; i++)
        if (l->s->nodes[i].id)
            hint_consider(&hint, l->s->nodes[i].id, l->s->nodes[i].id);
    place_tell(l->problems, SEVERITY_ERROR, mark, place, "node '%s' does not exist%s", shown(id).text,
               hint_text(&hint).text);
    return -1;
}

void check_json(const struct load *l, const struct tree *t, const struct place *place)
{
    if (t->kind == TREE_NUMBER && !t->number)
        place_tell(l->problems, SEVERITY_ERROR, t->mark, place, "%s cannot be written as JSON; use a finite number",
                   t->text);
    for (size_t i = 0; t->kind >= TREE_LIST && i < t->count; i++) {
        struct place at = { .up = place, .key = t->kind == TREE_MAP ? t->entries[i].key->text : NULL, .index = i };
        check_json(l, t->kind == TREE_MAP ? t->entries[i].value : t->items[i], &at);
    }
}

char *full_path(const struct load *l, const char *from, const char *path)
{
    struct buffer full = { 0 };
    const char *base = from ? from : l->s->base_dir;
    buffer_format(&full, "%s%s%s", *path == '/' ? "" : base, *path == '/' ? "" : "/", path);
    char *text = arena_text(l->scratch, full.data, full.len);
    buffer_free(&full);
    return text;
}
