/* The value of an option that has a field of its own, before there is a scenario. */
#include <string.h>

#include "scenario/tables.h"

/* As it will be read with the scenario; what is no YAML is looked at as text. */
static struct tree *read_value(struct arena *arena, const char *value)
{
    struct problems problems = { 0 };
    size_t len = strlen(value);
    struct mark nowhere = { .file = "" };
    struct tree *t = len ? tree_parse(value, len, nowhere.file, arena, &problems) : NULL;
    bool is_read = t && !problems.count;
    problems_clear(&problems);
    return is_read ? t : len ? tree_text(arena, nowhere, value, len) : tree_scalar(arena, nowhere, "", 0);
}

int scenario_check_option(const struct scenario_override *o, struct error *err)
{
    const struct field *f = schema_row(&simulation_table, o->path + strlen("simulation."), NULL);
    struct arena *arena = arena_new();
    struct problems problems = { 0 };
    struct reader reader = { .problems = &problems, .arena = arena };
    struct field kind = *f;
    struct place nowhere = { .key = f->name };
    struct scenario scratch = { 0 };
    kind.positive = false; /* whether 0 may be is up to the scenario */
    if (!field_read(&reader, &kind, read_value(arena, o->value), 1000000, &nowhere, &scratch))
        error_set(err, EXIT_USAGE, "%s: %s", o->origin, problems.items[0].text);
    problems_clear(&problems);
    arena_free(arena);
    return err->code ? -1 : 0;
}
