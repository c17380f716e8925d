#include "scenario/schema.h"

#include <string.h>

#include "base/hint.h"

static const struct unit_suffix {
    const char *text;
    simtime us;
} suffixes[] = { { "_us", 1 }, { "_ms", 1000 }, { "_s", 1000000 }, { "_sec", 1000000 } };
#define SUFFIXES (sizeof suffixes / sizeof suffixes[0])

/* Whether `key` is the name of n bytes, with a unit behind it where the field is a time. */
static bool is_name(const struct field *f, const char *name, size_t n, const char *key, simtime *unit)
{
    if (*name != *key || strncmp(name, key, n) != 0)
        return false;
    *unit = 1000000;
    if (!key[n])
        return true;
    for (size_t i = 0; f->kind == F_TIME && i < SUFFIXES; i++) {
        if (strcmp(key + n, suffixes[i].text) == 0) {
            *unit = suffixes[i].us;
            return true;
        }
    }
    return false;
}

/* Whether one of the names, with blanks between, is `key`. */
static bool is_among(const struct field *f, const char *names, const char *key, simtime *unit)
{
    for (const char *a = names; a && *a;) {
        size_t n = strcspn(a, " ");
        if (is_name(f, a, n, key, unit))
            return true;
        a += n + (a[n] == ' ');
    }
    return false;
}

static bool names_field(const struct field *f, const char *key, simtime *unit)
{
    return is_name(f, f->name, strlen(f->name), key, unit) || is_among(f, f->aliases, key, unit);
}

const struct field *schema_row(const struct table *table, const char *key, simtime *unit)
{
    simtime ignored;
    for (size_t i = 0; i < table->count; i++)
        if (names_field(&table->fields[i], key, unit ? unit : &ignored))
            return &table->fields[i];
    return NULL;
}

struct tree_entry *schema_find(const struct table *table, const struct tree *map, const char *name)
{
    simtime unit;
    const struct field *f = schema_row(table, name, &unit);
    struct tree_entry *found = NULL;
    for (size_t i = 0; f && map && map->kind == TREE_MAP && i < map->count; i++) {
        struct tree_entry *e = &map->entries[i];
        if (!e->dropped && (!found || (e->set && !found->set)) && names_field(f, e->key->text, &unit))
            found = e;
    }
    return found;
}

int schema_choice(const struct field *field, const char *word)
{
    for (int i = 0; *word && field->choices[i]; i++)
        if (strcmp(field->choices[i], word) == 0)
            return i;
    for (const struct synonym *s = field->synonyms; s && s->word; s++)
        if (strcmp(s->word, word) == 0)
            return s->value;
    return -1;
}

void schema_defaults(const struct table *table, struct arena *arena, void *into)
{
    struct problems none = { 0 };
    struct reader reader = { .problems = &none, .arena = arena };
    for (size_t i = 0; i < table->count; i++) {
        const struct field *f = &table->fields[i];
        if (f->kind == F_SECTION)
            schema_defaults(f->section, arena, (char *)into + f->at);
        else if (f->fallback)
            field_read(&reader, f, tree_scalar(arena, (struct mark){ 0 }, f->fallback, strlen(f->fallback)), 1000000,
                       NULL, into);
    }
    problems_clear(&none);
}

/* The place of an entry; one that stood at the top of the file has nothing above it. */
static struct place entry_place(const struct tree_entry *e, const struct place *map)
{
    return (struct place){ .up = e->raised ? NULL : map, .key = e->key->text };
}

static void tell_unknown(const struct reader *r, const struct table *table, const struct tree_entry *e,
                         const struct place *place)
{
    if (r->problems->count >= PROBLEMS_KEPT && !e->set) {
        r->problems->warnings++;
        return;
    }
    struct hint hint = { .word = e->key->text };
    for (size_t i = 0; i < table->count; i++) {
        const struct field *f = &table->fields[i];
        simtime unit;
        bool is_called = is_among(f, f->called, e->key->text, &unit);
        hint_consider(&hint, is_called ? e->key->text : f->name, f->name);
        for (size_t k = 0; f->kind == F_TIME && k < SUFFIXES; k++) {
            char name[64];
            snprintf(name, sizeof name, "%s%s", f->name, suffixes[k].text);
            hint_consider(&hint, name, f->name);
        }
    }
    for (const char *const *d = table->deeper; d && *d; d++)
        hint_consider(&hint, strchr(*d, '.') + 1, *d);
    struct place at = entry_place(e, place);
    place_tell(r->problems, e->asked ? SEVERITY_ERROR : SEVERITY_WARNING, e->key->mark, &at, "unknown field%s%s",
               e->asked ? "" : ", ignored", hint_text(&hint).text);
}

/* Two entries for one row: an override wins, else it is an error. Returns the one that counts. */
static struct tree_entry *settle(const struct reader *r, struct tree_entry *first, struct tree_entry *second,
                                 const struct place *place)
{
    if (second->set || first->set) {
        struct tree_entry *loser = second->set ? first : second;
        loser->dropped = true;
        return loser == first ? second : first;
    }
    struct place at = entry_place(second, place);
    place_tell(r->problems, SEVERITY_ERROR, second->key->mark, &at, "is given twice; '%s' in line %d says the same",
               shown(first->key->text).text, first->key->mark.line);
    return first;
}

static void read_entry(const struct reader *r, const struct field *f, struct tree_entry *e, const struct place *place,
                       void *into)
{
    struct place at = entry_place(e, place);
    if (f->kind == F_SECTION) {
        schema_read(r, f->section, e->value, &at, (char *)into + f->at);
        return;
    }
    simtime unit = 1000000;
    names_field(f, e->key->text, &unit);
    field_read(r, f, e->value, unit, &at, into);
}

static void tell_missing(const struct reader *r, const struct field *f, const struct tree *map,
                         const struct tree_entry *e, const struct place *place)
{
    struct place at = { .up = place, .key = f->name };
    if (e)
        at = entry_place(e, place);
    struct mark mark = e ? e->value->mark : map ? map->mark : (struct mark){ 0 };
    place_tell(r->problems, SEVERITY_ERROR, mark, &at, "is required; add for example `%s`", f->required);
}

static bool has_effect(const struct reader *r, const struct field *f)
{
    return !f->only || !r->only || (f->only & r->only);
}

/* One warning for all entries that do nothing here. */
static void tell_idle(const struct reader *r, const struct table *table, struct tree *map, const struct place *place)
{
    struct tree_entry *idle[TABLE_FIELDS];
    size_t count = 0;
    for (size_t i = 0; map->kind == TREE_MAP && i < map->count && count < TABLE_FIELDS; i++) {
        struct tree_entry *e = &map->entries[i];
        const struct field *f =
            e->dropped || e->value->kind == TREE_NULL ? NULL : schema_row(table, e->key->text, NULL);
        if (f && !has_effect(r, f))
            idle[count++] = e;
    }
    if (!count)
        return;
    struct place at = entry_place(idle[0], place);
    struct buffer others = { 0 };
    for (size_t i = 1; i < count; i++)
        buffer_format(&others, "%s'%s'", i == 1 ? ", nor has " : i + 1 == count ? " or " : ", ", idle[i]->key->text);
    place_tell(r->problems, SEVERITY_WARNING, idle[0]->value->mark, &at,
               "has no effect with implementation '%s'%s; remove %s", r->only_name, buffer_string(&others),
               count > 1 ? "them" : "it");
    buffer_free(&others);
}

/* Finds the entry of each row; tells of unknown fields and of rows that are given twice. */
static void sort_entries(const struct reader *r, const struct table *table, struct tree *map, const struct place *place,
                         struct tree_entry **found)
{
    for (size_t i = 0; i < map->count; i++) {
        struct tree_entry *e = &map->entries[i];
        const struct field *f = e->dropped ? NULL : schema_row(table, e->key->text, NULL);
        if (f) {
            struct tree_entry **slot = &found[f - table->fields];
            *slot = *slot ? settle(r, *slot, e, place) : e;
        } else if (!e->dropped && !table->open) {
            tell_unknown(r, table, e, place);
        }
    }
}

void schema_read(const struct reader *reader, const struct table *table, struct tree *map, const struct place *place,
                 void *into)
{
    struct tree_entry *found[TABLE_FIELDS] = { NULL };
    bool any_idle = false;
    if (map->kind == TREE_MAP) {
        sort_entries(reader, table, map, place, found);
    } else if (map->kind != TREE_NULL) {
        place_tell(reader->problems, SEVERITY_ERROR, map->mark, place, "must be a map (`name: value` lines), not %s",
                   tree_kind_name(map));
        return;
    }
    for (size_t i = 0; i < table->count; i++) {
        const struct field *f = &table->fields[i];
        struct tree_entry *e = found[i];
        bool given = e && e->value->kind != TREE_NULL;
        if (given && !has_effect(reader, f))
            any_idle = true;
        else if (given)
            read_entry(reader, f, e, place, into);
        else if (f->required)
            tell_missing(reader, f, map, e, place);
        else if (f->kind == F_SECTION)
            schema_read(reader, f->section, &(struct tree){ .mark = e ? e->value->mark : map->mark },
                        &(struct place){ place, f->name, 0 }, (char *)into + f->at);
    }
    if (any_idle)
        tell_idle(reader, table, map, place);
}
