/* Trees by hand: made, copied, searched and written as JSON. */
#include <string.h>

#include "base/json.h"
#include "scenario/scalar.h"
#include "scenario/tree.h"

struct tree *tree_text(struct arena *arena, struct mark mark, const char *text, size_t len)
{
    struct tree *t = arena_alloc(arena, sizeof *t);
    *t = (struct tree){ .kind = TREE_TEXT, .mark = mark, .len = len, .values = 1, .bytes = len };
    t->text = arena_text(arena, text, len);
    return t;
}

struct tree *tree_scalar(struct arena *arena, struct mark mark, const char *text, size_t len)
{
    struct tree *t = tree_text(arena, mark, text, len);
    scalar_resolve(arena, t);
    return t;
}

struct tree *tree_map(struct arena *arena, struct mark mark)
{
    struct tree *t = arena_alloc(arena, sizeof *t);
    *t = (struct tree){ .kind = TREE_MAP, .mark = mark, .values = 1, .height = 1 };
    return t;
}

struct tree *tree_copy(struct arena *arena, const struct tree *t)
{
    struct tree *copy = arena_alloc(arena, sizeof *copy);
    *copy = *t;
    if (t->items) {
        copy->items = arena_alloc(arena, t->count * sizeof *t->items);
        memcpy(copy->items, t->items, t->count * sizeof *t->items);
    }
    if (t->entries) {
        copy->entries = arena_alloc(arena, t->count * sizeof *t->entries);
        memcpy(copy->entries, t->entries, t->count * sizeof *t->entries);
    }
    return copy;
}

struct tree_entry *tree_add(struct arena *arena, struct tree *map, struct tree *key, struct tree *value)
{
    struct tree_entry *grown = arena_alloc(arena, (map->count + 1) * sizeof *grown);
    if (map->count)
        memcpy(grown, map->entries, map->count * sizeof *grown);
    grown[map->count] = (struct tree_entry){ .key = key, .value = value };
    map->entries = grown;
    return &grown[map->count++];
}

struct tree_entry *tree_find(const struct tree *map, const char *key)
{
    if (!map || map->kind != TREE_MAP)
        return NULL;
    for (size_t i = map->count; i-- > 0;)
        if (!map->entries[i].dropped && strcmp(map->entries[i].key->text, key) == 0)
            return &map->entries[i];
    return NULL;
}

struct tree *tree_get(const struct tree *map, const char *key)
{
    const struct tree_entry *e = tree_find(map, key);
    return e && e->value->kind != TREE_NULL ? e->value : NULL;
}

bool tree_is(const struct tree *t, const char *text)
{
    return t && t->kind < TREE_LIST && strcmp(t->text, text) == 0;
}

const char *tree_kind_name(const struct tree *t)
{
    static const char *const names[] = { "empty", "a yes or no", "a number", "text", "a list", "a map" };
    return names[t->kind];
}

static void write_list(struct buffer *out, const struct tree *t)
{
    buffer_text(out, "[");
    for (size_t i = 0; i < t->count; i++) {
        if (i)
            buffer_text(out, ",");
        tree_json(out, t->items[i]);
    }
    buffer_text(out, "]");
}

static void write_map(struct buffer *out, const struct tree *t)
{
    const char *before = "{";
    for (size_t i = 0; i < t->count; i++) {
        if (t->entries[i].dropped)
            continue;
        buffer_text(out, before);
        json_quote(out, t->entries[i].key->text, t->entries[i].key->len);
        buffer_text(out, ":");
        tree_json(out, t->entries[i].value);
        before = ",";
    }
    buffer_text(out, *before == '{' ? "{}" : "}");
}

void tree_json(struct buffer *out, const struct tree *t)
{
    switch (t->kind) {
    case TREE_NULL:
        buffer_text(out, "null");
        break;
    case TREE_BOOL:
        buffer_text(out, t->truth ? "true" : "false");
        break;
    case TREE_NUMBER:
        buffer_text(out, t->number ? t->number : "null");
        break;
    case TREE_TEXT:
        json_quote(out, t->text, t->len);
        break;
    case TREE_LIST:
        write_list(out, t);
        break;
    case TREE_MAP:
        write_map(out, t);
        break;
    }
}
