/* Values from the command line, put into the tree as if the file had them. */
#include <stdlib.h>
#include <string.h>

#include "base/hint.h"
#include "scenario/load.h"

/* One override on its way down the tree. */
struct descent {
    struct load *l;
    struct mark mark;          /* of the option */
    const char *whole, *rest;  /* the path, and what is left of it */
    struct tree **slot;        /* holds the value reached so far */
    const struct table *table; /* of that value, where it has one */
    bool in_nodes;             /* that value is the list of nodes */
    int depth;
};

static bool refuse(const struct descent *d, const char *text, const char *subject, const char *hint)
{
    problems_add(d->l->problems, SEVERITY_ERROR, d->mark, d->whole, "%s%s%s%s%s", text, subject ? " '" : "",
                 subject ? shown(subject).text : "", subject ? "'" : "", hint);
    return false;
}

/* A value that an alias repeats is marked once: its line is 0 then. */
static void set_marks(struct tree *t, struct mark mark)
{
    if (!t->mark.line)
        return;
    t->mark = mark;
    for (size_t i = 0; t->kind >= TREE_LIST && i < t->count; i++) {
        set_marks(t->kind == TREE_MAP ? t->entries[i].value : t->items[i], mark);
        if (t->kind == TREE_MAP)
            t->entries[i].key->mark = mark;
    }
}

static struct tree *parse_value(const struct descent *d, const char *value)
{
    struct problems problems = { 0 };
    struct tree *t = NULL;
    if (!*value) {
        t = tree_scalar(d->l->scratch, d->mark, "", 0);
    } else {
        t = tree_parse(value, strlen(value), d->mark.file, d->l->scratch, &problems);
        const char *why = problems.count ? problems.items[0].text : "";
        const char *lines = strstr(why, " (in the"); /* there is only one */
        if (problems.count)
            problems_add(d->l->problems, SEVERITY_ERROR, d->mark, d->whole, "'%s' is no YAML value: %.*s",
                         shown(value).text, lines ? (int)(lines - why) : (int)strlen(why), why);
        else if (t)
            set_marks(t, d->mark);
    }
    bool good = problems.count == 0;
    problems_clear(&problems);
    return good ? t : NULL;
}

/* "[3]": an item of a list. */
static bool go_to_index(struct descent *d)
{
    char *end;
    unsigned long i = strtoul(d->rest + 1, &end, 10);
    if (end == d->rest + 1 || *end != ']' || !strchr("0123456789", d->rest[1]))
        return refuse(d, "an index is a number in brackets, as in nodes[0]", NULL, "");
    struct tree *list = *d->slot;
    if (list->kind != TREE_LIST)
        return refuse(d, "there is no list before", d->rest, "");
    if (i >= list->count) {
        char hint[80];
        snprintf(hint, sizeof hint, "; the list has %zu item%s, counted from 0", list->count,
                 list->count == 1 ? "" : "s");
        char item[40];
        snprintf(item, sizeof item, "%.*s", (int)(end + 1 - d->rest), d->rest);
        return refuse(d, "there is no item", item, hint);
    }
    d->table = d->in_nodes ? &node_table : NULL;
    d->in_nodes = false;
    d->slot = &list->items[i];
    d->rest = end + 1;
    return true;
}

/* The id of node i as it is written, or NULL. */
static const char *node_id(const struct tree *nodes, size_t i)
{
    const struct tree *id = tree_get(nodes->items[i], "id");
    return id && id->kind < TREE_LIST ? id->text : NULL;
}

/* An id in the list of nodes; ids may hold points, so the longest that fits counts. */
static bool go_to_node(struct descent *d)
{
    struct tree *nodes = *d->slot;
    size_t longest = 0, found = 0;
    char word[80];
    snprintf(word, sizeof word, "%.*s", (int)strcspn(d->rest, ".["), d->rest);
    struct hint hint = { .word = word };
    for (size_t i = 0; i < nodes->count; i++) {
        const char *id = node_id(nodes, i);
        size_t n = id ? strlen(id) : 0;
        if (n > longest && strncmp(id, d->rest, n) == 0 && (!d->rest[n] || strchr(".[", d->rest[n]))) {
            longest = n;
            found = i;
        }
        if (id)
            hint_consider(&hint, id, id);
    }
    if (!longest)
        return refuse(d, "there is no node", word, hint_text(&hint).text);
    d->slot = &nodes->items[found];
    d->rest += longest;
    d->table = &node_table;
    d->in_nodes = false;
    return true;
}

static const struct table *table_below(const struct table *table, const char *key)
{
    const struct field *f = table ? schema_row(table, key, NULL) : NULL;
    if (!f)
        return NULL;
    if (table == &node_table && strcmp(f->name, "docker") == 0)
        return &docker_table;
    return f->section;
}

/* A field of a map; one that is not there is added: null, or a map where the path goes on. */
static bool go_to_field(struct descent *d)
{
    struct arena *arena = d->l->scratch;
    size_t n = strcspn(d->rest, ".[");
    if (!n)
        return refuse(d, "a name is missing in the path", NULL, "; write for example nodes[0].config.interval");
    if ((*d->slot)->kind == TREE_NULL)
        *d->slot = tree_map(arena, d->mark);
    struct tree *map = *d->slot;
    char *key = arena_text(arena, d->rest, n);
    if (map->kind != TREE_MAP)
        return refuse(d, "there is no map to hold", key, "");
    bool last = !d->rest[n];
    struct tree_entry *e = tree_find(map, key);
    if (e && last && d->table) { /* the latest of all names of a field counts: settled when it is read */
        e->dropped = true;
        e = NULL;
    }
    if (!e)
        e = tree_add(arena, map, tree_text(arena, d->mark, key, n), tree_scalar(arena, d->mark, "", 0));
    e->set = e->set || last;
    e->asked = true;
    d->in_nodes = d->table == &root_table && strcmp(key, "nodes") == 0;
    d->table = table_below(d->table, key);
    d->slot = &e->value;
    d->rest += n;
    return true;
}

static bool go_down(struct descent *d)
{
    if (d->depth > TREE_DEPTH)
        return refuse(d, "nested deeper than 64 levels", NULL, "");
    *d->slot = tree_copy(d->l->scratch, *d->slot); /* it may be shared with others */
    if (*d->rest == '[')
        return go_to_index(d);
    if (d->rest != d->whole) {
        if (*d->rest != '.')
            return refuse(d, "a '.' is missing before", d->rest, "");
        d->rest++;
    }
    return d->in_nodes && (*d->slot)->kind == TREE_LIST ? go_to_node(d) : go_to_field(d);
}

/* A field of `simulation` may be named without it, as the harness report does. */
static bool is_raised(const char *path)
{
    char key[64];
    snprintf(key, sizeof key, "%s", path);
    return !strpbrk(path, ".[") && !schema_row(&root_table, key, NULL) && schema_row(&simulation_table, key, NULL);
}

/* A node that is replaced as a whole keeps its id where the new one has none. */
static void keep_id(struct load *l, const struct tree *old, struct tree *value)
{
    struct tree_entry *id = tree_find(old, "id");
    if (id && !tree_find(value, "id"))
        tree_add(l->scratch, value, id->key, id->value);
}

static void apply(struct load *l, const struct scenario_override *o)
{
    struct buffer label = { 0 };
    bool is_set = strcmp(o->origin, "--set") == 0;
    buffer_format(&label, "%s%s%s", o->origin, is_set ? " " : "", is_set ? o->path : "");
    struct mark mark = { .file = arena_text(l->arena, label.data, label.len) };
    label.len = 0;
    buffer_format(&label, "%s%s", is_raised(o->path) ? "simulation." : "", o->path);
    const char *path = arena_text(l->scratch, label.data, label.len);
    buffer_free(&label);
    struct descent d = { .l = l, .mark = mark, .whole = path, .rest = path, .slot = &l->root, .table = &root_table };
    struct tree *value = parse_value(&d, o->value);
    if (!value)
        return;
    if (!*path) {
        refuse(&d, "a path is missing", NULL, "; write for example --set simulation.seed=7");
        return;
    }
    for (; *d.rest; d.depth++)
        if (!go_down(&d))
            return;
    if (d.table == &node_table && value->kind == TREE_MAP && (*d.slot)->kind == TREE_MAP)
        keep_id(l, *d.slot, value);
    if (d.depth + value->height > TREE_DEPTH)
        refuse(&d, "nested deeper than 64 levels", NULL, "");
    else
        *d.slot = value;
}

void overrides_apply(struct load *l)
{
    for (size_t i = 0; i < l->override_count; i++)
        apply(l, &l->overrides[i]);
}
