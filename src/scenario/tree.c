/* The only user of yaml.h: libyaml's events become a tree. */
#include "scenario/tree.h"

#include <stdlib.h>
#include <string.h>
#include <uthash.h>
#include <yaml.h>

#include "base/hint.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "scenario/place.h"
#include "scenario/scalar.h"
#include "scenario/syntax.h"

#define TAG_LINES 64 /* %TAG lines; libyaml compares each with all others */

struct anchor {
    char *name;
    struct tree *value;
    UT_hash_handle hh;
};

/* A list or map that is still open. */
struct frame {
    struct tree *value;
    size_t start; /* of its items in the parser's stack; of a map, keys and values alternate */
};

struct parser {
    yaml_parser_t yaml;
    const char *text; /* the whole, NUL-terminated */
    const char *file;
    struct arena *arena;
    struct problems *problems;
    struct tree **stack; /* finished values of the open frames */
    size_t count, capacity;
    struct frame frames[TREE_DEPTH];
    int depth;
    struct tree *root;
    struct anchor *anchors;
    size_t values, bytes; /* so far, aliases written out */
    bool failed;
};

static struct mark mark_of(const struct parser *p, yaml_mark_t at)
{
    return (struct mark){ p->file, (int)at.line + 1, (int)at.column + 1 };
}

/* Reports an error at the place that the open frames stand for. */
static void tell(struct parser *p, struct mark mark, const char *text)
{
    struct place chain[TREE_DEPTH];
    const struct place *up = NULL;
    for (int i = 0; i < p->depth; i++) {
        const struct frame *f = &p->frames[i];
        size_t end = i + 1 < p->depth ? p->frames[i + 1].start : p->count;
        size_t n = end - f->start;
        chain[i] = (struct place){ .up = up, .index = n };
        if (f->value->kind == TREE_MAP) {
            if (n % 2 == 0)
                break;
            chain[i].key = p->stack[end - 1]->text;
        }
        up = &chain[i];
    }
    place_tell(p->problems, SEVERITY_ERROR, mark, up, "%s", text);
}

static void fail(struct parser *p, struct mark mark, const char *text)
{
    tell(p, mark, text);
    p->failed = true;
}

static bool within_limits(struct parser *p, struct mark mark, size_t values, size_t bytes)
{
    p->values += values;
    p->bytes += bytes;
    if (p->values <= TREE_VALUES && p->bytes <= TREE_BYTES)
        return true;
    fail(p, mark,
         p->values > TREE_VALUES ? "more than 1,000,000 values, counting what aliases (*name) repeat"
                                 : "more than 64 MiB of text, counting what aliases (*name) repeat");
    return false;
}

/* A finished value: into the open frame, or the root. */
static void push(struct parser *p, struct tree *value)
{
    if (p->depth == 0) {
        p->root = value;
        return;
    }
    const struct frame *f = &p->frames[p->depth - 1];
    bool is_key = f->value->kind == TREE_MAP && (p->count - f->start) % 2 == 0;
    if (is_key && (value->kind == TREE_LIST || value->kind == TREE_MAP)) {
        fail(p, value->mark, "a key must be plain text, not a list or map; quote it if it is meant as text");
        return;
    }
    p->stack = mem_grow(p->stack, p->count, &p->capacity, sizeof *p->stack);
    p->stack[p->count++] = value;
}

static struct anchor *find_anchor(struct parser *p, const char *name)
{
    struct anchor *a;
    HASH_FIND_STR(p->anchors, name, a);
    return a;
}

static void name_anchor(struct parser *p, const yaml_char_t *name, struct tree *value)
{
    if (!name)
        return;
    struct anchor *a = find_anchor(p, (const char *)name);
    if (!a) {
        a = arena_alloc(p->arena, sizeof *a);
        a->name = arena_text(p->arena, (const char *)name, strlen((const char *)name));
        HASH_ADD_KEYPTR(hh, p->anchors, a->name, strlen(a->name), a);
    }
    a->value = value;
}

/* Applies a tag as it is written (!!str); false for those that mean nothing here. */
static bool apply_tag(struct parser *p, struct tree *t, const char *tag)
{
    static const struct {
        const char *name;
        enum tree_kind kind;
    } tags[] = {
        { YAML_NULL_TAG, TREE_NULL },    { YAML_BOOL_TAG, TREE_BOOL }, { YAML_INT_TAG, TREE_NUMBER },
        { YAML_FLOAT_TAG, TREE_NUMBER }, { YAML_STR_TAG, TREE_TEXT },  { YAML_SEQ_TAG, TREE_LIST },
        { YAML_MAP_TAG, TREE_MAP },
    };
    if (strcmp(tag, "!") == 0)
        return true;
    for (size_t i = 0; i < sizeof tags / sizeof tags[0]; i++) {
        if (strcmp(tags[i].name, tag) != 0)
            continue;
        if (tags[i].kind < TREE_TEXT)
            scalar_resolve(p->arena, t);
        return t->kind == tags[i].kind;
    }
    return false;
}

static void check_tag(struct parser *p, struct tree *t, const yaml_char_t *tag)
{
    if (!tag || apply_tag(p, t, (const char *)tag))
        return;
    struct shown name = shown((const char *)tag);
    char text[sizeof name + 100];
    snprintf(text, sizeof text, "the tag '%s' does not fit here; remove it", name.text);
    fail(p, t->mark, text);
}

static void on_scalar(struct parser *p, const yaml_event_t *e)
{
    struct tree *t = arena_alloc(p->arena, sizeof *t);
    t->kind = TREE_TEXT;
    t->mark = mark_of(p, e->start_mark);
    t->len = e->data.scalar.length;
    t->text = arena_text(p->arena, (const char *)e->data.scalar.value, t->len);
    t->values = 1;
    t->bytes = t->len;
    if (e->data.scalar.plain_implicit)
        scalar_resolve(p->arena, t);
    check_tag(p, t, e->data.scalar.tag);
    if (!within_limits(p, t->mark, t->values, t->bytes))
        return;
    name_anchor(p, e->data.scalar.anchor, t);
    push(p, t);
}

static void on_alias(struct parser *p, const yaml_event_t *e)
{
    struct mark mark = mark_of(p, e->start_mark);
    struct shown name = shown((const char *)e->data.alias.anchor);
    char text[2 * sizeof name + 100];
    struct anchor *a = find_anchor(p, (const char *)e->data.alias.anchor);
    if (!a) {
        snprintf(text, sizeof text, "the alias '*%s' has no anchor '&%s' before it", name.text, name.text);
        fail(p, mark, text);
    } else if (a->value->values == 0) {
        snprintf(text, sizeof text, "the alias '*%s' stands inside what it repeats", name.text);
        fail(p, mark, text);
    } else if (p->depth + a->value->height > TREE_DEPTH) {
        fail(p, mark, "nested deeper than 64 levels");
    } else if (within_limits(p, mark, a->value->values, a->value->bytes)) {
        push(p, a->value);
    }
}

static void on_start(struct parser *p, const yaml_event_t *e, enum tree_kind kind, const yaml_char_t *anchor,
                     const yaml_char_t *tag)
{
    struct tree *t = arena_alloc(p->arena, sizeof *t);
    t->kind = kind;
    t->mark = mark_of(p, e->start_mark);
    check_tag(p, t, tag);
    if (p->depth == TREE_DEPTH)
        fail(p, t->mark, "nested deeper than 64 levels");
    if (p->failed || !within_limits(p, t->mark, 1, 0))
        return;
    name_anchor(p, anchor, t);
    p->frames[p->depth++] = (struct frame){ t, p->count };
}

static int by_key(const void *a, const void *b)
{
    const struct tree *x = (*(const struct tree_entry *const *)a)->key;
    const struct tree *y = (*(const struct tree_entry *const *)b)->key;
    if (x->len != y->len)
        return x->len < y->len ? -1 : 1;
    int order = memcmp(x->text, y->text, x->len);
    if (order)
        return order;
    const struct tree_entry *first = *(const struct tree_entry *const *)a;
    const struct tree_entry *second = *(const struct tree_entry *const *)b;
    return first < second ? -1 : 1;
}

static bool same_key(const struct tree_entry *a, const struct tree_entry *b)
{
    return a->key->len == b->key->len && memcmp(a->key->text, b->key->text, a->key->len) == 0;
}

/* Marks every later entry of a key as dropped. The first `own` entries are the map's own, where a second one of a key
 * is an error; the others were merged in, where the first one counts. */
static void drop_duplicates(struct parser *p, struct tree *map, size_t own)
{
    if (map->count < 2)
        return;
    struct tree_entry **sorted = mem_array(map->count, sizeof(struct tree_entry *));
    for (size_t i = 0; i < map->count; i++)
        sorted[i] = &map->entries[i];
    qsort(sorted, map->count, sizeof(struct tree_entry *), by_key);
    for (size_t i = 1, first = 0; i < map->count; i++) {
        if (!same_key(sorted[first], sorted[i])) {
            first = i;
            continue;
        }
        sorted[i]->dropped = true;
        if ((size_t)(sorted[i] - map->entries) >= own)
            continue;
        struct shown key = shown(sorted[i]->key->text);
        char text[sizeof key + 100];
        snprintf(text, sizeof text, "'%s' is given twice; the first one is in line %d", key.text,
                 sorted[first]->key->mark.line);
        tell(p, sorted[i]->key->mark, text);
    }
    free(sorted);
}

static bool is_merge_key(const struct tree *key, const struct tree *value)
{
    return key->kind == TREE_TEXT && strcmp(key->text, "<<") == 0 &&
           (value->kind == TREE_MAP || value->kind == TREE_LIST);
}

/* How many entries a merge key brings. Items of its list that are no maps are told, and left out. */
static size_t count_merged(struct parser *p, const struct tree *value)
{
    if (value->kind == TREE_MAP)
        return value->count;
    size_t n = 0;
    for (size_t i = 0; i < value->count; i++) {
        if (value->items[i]->kind == TREE_MAP)
            n += value->items[i]->count;
        else
            tell(p, value->items[i]->mark, "only maps can be merged with '<<'");
    }
    return n;
}

static void add_entries(struct tree *map, const struct tree *from)
{
    for (size_t i = 0; i < from->count; i++)
        map->entries[map->count++] = from->entries[i];
}

/* Removes what drop_duplicates marked. */
static void sweep(struct tree *map)
{
    size_t kept = 0;
    for (size_t i = 0; i < map->count; i++)
        if (!map->entries[i].dropped)
            map->entries[kept++] = map->entries[i];
    map->count = kept;
}

static void fill_map(struct parser *p, struct tree *map, struct tree **pairs, size_t n)
{
    size_t room = n / 2;
    for (size_t i = 0; i + 1 < n; i += 2)
        if (is_merge_key(pairs[i], pairs[i + 1]))
            room += count_merged(p, pairs[i + 1]);
    map->entries = arena_alloc(p->arena, room * sizeof *map->entries);
    for (size_t i = 0; i + 1 < n; i += 2)
        if (!is_merge_key(pairs[i], pairs[i + 1]))
            map->entries[map->count++] = (struct tree_entry){ .key = pairs[i], .value = pairs[i + 1] };
    size_t own = map->count;
    for (size_t i = 0; i + 1 < n; i += 2) {
        struct tree *value = pairs[i + 1];
        if (!is_merge_key(pairs[i], value))
            continue;
        if (value->kind == TREE_MAP)
            add_entries(map, value);
        for (size_t k = 0; value->kind == TREE_LIST && k < value->count; k++)
            if (value->items[k]->kind == TREE_MAP)
                add_entries(map, value->items[k]);
    }
    drop_duplicates(p, map, own);
    sweep(map);
}

static void on_end(struct parser *p)
{
    struct frame f = p->frames[p->depth - 1];
    struct tree *t = f.value;
    struct tree **items = p->stack ? p->stack + f.start : NULL;
    size_t n = p->count - f.start;
    size_t values = 1, bytes = 0;
    for (size_t i = 0; i < n; i++) {
        values += items[i]->values;
        bytes += items[i]->bytes;
        t->height = items[i]->height > t->height ? items[i]->height : t->height;
    }
    p->count = f.start;
    p->depth--;
    if (t->kind == TREE_MAP) {
        fill_map(p, t, items, n);
    } else {
        t->count = n;
        t->items = arena_alloc(p->arena, n * sizeof *items);
        if (n)
            memcpy(t->items, items, n * sizeof *items);
    }
    t->height++;
    t->values = values;
    t->bytes = bytes;
    push(p, t);
}

static void on_event(struct parser *p, const yaml_event_t *e)
{
    switch (e->type) {
    case YAML_DOCUMENT_START_EVENT:
        if (p->root)
            fail(p, mark_of(p, e->start_mark), "a second document starts here; a file holds one scenario");
        break;
    case YAML_SCALAR_EVENT:
        on_scalar(p, e);
        break;
    case YAML_ALIAS_EVENT:
        on_alias(p, e);
        break;
    case YAML_SEQUENCE_START_EVENT:
        on_start(p, e, TREE_LIST, e->data.sequence_start.anchor, e->data.sequence_start.tag);
        break;
    case YAML_MAPPING_START_EVENT:
        on_start(p, e, TREE_MAP, e->data.mapping_start.anchor, e->data.mapping_start.tag);
        break;
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        on_end(p);
        break;
    default:
        break;
    }
}

static const char *nth_character(const char *text, size_t n)
{
    for (; *text && n > 0; n--)
        for (text++; ((unsigned char)*text & 0xc0) == 0x80;)
            text++;
    return text;
}

static void tell_syntax(struct parser *p)
{
    const yaml_parser_t *y = &p->yaml;
    if (y->error == YAML_MEMORY_ERROR)
        mem_alloc(SIZE_MAX / 2); /* the one place that says so and aborts */
    struct complaint complaint = { .problem = y->problem ? y->problem : "",
                                   .context = y->context ? y->context : "",
                                   .at = nth_character(p->text, y->problem_mark.index),
                                   .line = (int)y->problem_mark.line + 1,
                                   .context_line = (int)y->context_mark.line + 1 };
    struct mark mark = mark_of(p, syntax_is_of_context(complaint.problem) ? y->context_mark : y->problem_mark);
    struct buffer text = { 0 };
    syntax_explain(&text, &complaint);
    fail(p, mark, buffer_string(&text));
    buffer_free(&text);
}

struct tree *tree_parse(const char *text, size_t len, const char *file, struct arena *arena, struct problems *problems)
{
    size_t errors = problems->errors;
    if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) { /* a byte order mark */
        text += 3;
        len -= 3;
    }
    struct parser p = { .text = text, .file = file, .arena = arena, .problems = problems };
    if (!syntax_check_bytes(text, len, file, TAG_LINES, problems))
        return NULL;
    if (!yaml_parser_initialize(&p.yaml))
        mem_alloc(SIZE_MAX / 2);
    yaml_parser_set_input_string(&p.yaml, (const unsigned char *)text, len);
    yaml_parser_set_encoding(&p.yaml, YAML_UTF8_ENCODING);
    for (bool more = true; more && !p.failed;) {
        yaml_event_t event;
        if (!yaml_parser_parse(&p.yaml, &event)) {
            tell_syntax(&p);
            break;
        }
        more = event.type != YAML_STREAM_END_EVENT;
        on_event(&p, &event);
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&p.yaml);
    HASH_CLEAR(hh, p.anchors);
    free(p.stack);
    if (!p.root && problems->errors == errors)
        problems_add(problems, SEVERITY_ERROR, (struct mark){ .file = file }, "",
                     "the file is empty; a scenario begins with lines such as `simulation:` and `nodes:`");
    return p.failed ? NULL : p.root;
}
