/* Reads single values as their rows say. Lists, pairs and what containers take are in field_list.c. */
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/hint.h"
#include "scenario/field_list.h"
#include "scenario/schema.h"

/* A value on its way into the struct. */
struct reading {
    const struct reader *reader;
    const struct field *field;
    const struct tree *value;
    const struct place *place;
    simtime unit;
    void *at;
};

static bool refuse(const struct reading *r, const char *fmt, ...) LOCKSTEP_PRINTF(2, 3);

static bool refuse(const struct reading *r, const char *fmt, ...)
{
    char text[500];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    place_tell(r->reader->problems, SEVERITY_ERROR, r->value->mark, r->place, "%s", text);
    return false;
}

static bool refuse_kind(const struct reading *r, const char *wanted)
{
    const struct tree *v = r->value;
    if (v->kind < TREE_LIST)
        return refuse(r, "must be %s, not '%s'", wanted, shown(v->text).text);
    return refuse(r, "must be %s, not %s", wanted, tree_kind_name(v));
}

static bool read_text(const struct reading *r)
{
    const struct tree *v = r->value;
    if (v->kind != TREE_TEXT && v->kind != TREE_NUMBER)
        return v->kind == TREE_BOOL ? refuse(r, "must be text; write \"%s\" in quotes if it is meant so", v->text)
                                    : refuse_kind(r, "text");
    if (strlen(v->text) != v->len)
        return refuse(r, "has a NUL character");
    if (!v->len)
        return refuse(r, "must not be empty; remove it or give a value");
    *(char **)r->at = arena_text(r->reader->arena, v->text, v->len);
    return true;
}

static bool read_bool(const struct reading *r)
{
    if (r->value->kind != TREE_BOOL)
        return refuse_kind(r, "true or false");
    *(bool *)r->at = r->value->truth;
    return true;
}

/* A whole number of at most 63 bits. */
static bool read_whole(const struct reading *r, int64_t *out)
{
    const struct tree *v = r->value;
    if (v->kind == TREE_TEXT && v->len && strspn(v->text, "0123456789") == v->len)
        return refuse(r, "must be a whole number, not text; remove the quotes");
    if (v->kind != TREE_NUMBER || !v->number || strpbrk(v->number, ".eE"))
        return refuse_kind(r, "a whole number");
    errno = 0;
    *out = strtoll(v->number, NULL, 10);
    if (errno == ERANGE)
        *out = *v->number == '-' ? INT64_MIN : INT64_MAX;
    return true;
}

static bool read_int(const struct reading *r)
{
    const struct field *f = r->field;
    int64_t n;
    if (!read_whole(r, &n))
        return false;
    double max = f->max > f->min ? f->max : INT32_MAX;
    if ((double)n < f->min || (double)n > max)
        return refuse(r, "must be between %.0f and %.0f, not %s", f->min, max, shown(r->value->text).text);
    *(int *)r->at = (int)n;
    return true;
}

static bool read_seed(const struct reading *r)
{
    int64_t n;
    if (!read_whole(r, &n))
        return false;
    if (n < 0 || (n == INT64_MAX && strcmp(r->value->number, "9223372036854775807") != 0))
        return refuse(r, "must be between 0 and 9223372036854775807 (2^63-1), not %s", shown(r->value->text).text);
    *(uint64_t *)r->at = (uint64_t)n;
    return true;
}

static bool read_real(const struct reading *r)
{
    const struct field *f = r->field;
    if (r->value->kind != TREE_NUMBER || !r->value->number)
        return refuse_kind(r, "a number");
    double x = strtod(r->value->number, NULL);
    if (f->max > f->min && (x < f->min || x > f->max))
        return refuse(r, "must be between %g and %g, not %s", f->min, f->max, shown(r->value->text).text);
    if (x < f->min)
        return refuse(r, "must not be negative");
    if (!isfinite(x))
        return refuse(r, "is too large");
    *(double *)r->at = x == 0 ? 0 : x;
    return true;
}

static bool read_time(const struct reading *r)
{
    const struct tree *v = r->value;
    const char *why;
    simtime t;
    if (v->kind != TREE_TEXT && v->kind != TREE_NUMBER)
        return refuse_kind(r, "a time such as 10ms or 2.5s");
    bool plain = v->kind == TREE_NUMBER && v->number && !strchr(v->text, ':');
    if (strlen(v->text) != v->len)
        return refuse(r, "has a NUL character");
    if (simtime_parse(plain ? v->number : v->text, r->unit, &t, &why) < 0)
        return refuse(r, "'%s': %s", shown(v->text).text, why);
    if (r->field->positive && t == 0)
        return refuse(r, "must be more than 0");
    if ((double)t < r->field->min) {
        char least[SIMTIME_TEXT];
        simtime_format((simtime)r->field->min, least);
        return refuse(r, "must be at least %s", least);
    }
    *(simtime *)r->at = t;
    return true;
}

static bool read_size(const struct reading *r)
{
    static const char units[] = "KMG";
    const struct tree *v = r->value;
    char *end = NULL;
    double size = v->kind == TREE_TEXT || v->kind == TREE_NUMBER ? strtod(v->text, &end) : 0;
    if (!end || end == v->text || !isfinite(size) || size < 0 ||
        strspn(v->text, "0123456789.") != (size_t)(end - v->text))
        return refuse_kind(r, "a size such as 256M");
    const char *unit = *end ? strchr(units, *end & ~0x20) : NULL;
    for (long i = unit ? unit - units : -1; i >= 0; i--)
        size *= 1024;
    if (*end && (!unit || end[1]))
        return refuse(r, "'%s' is no size; the units are K, M and G", shown(v->text).text);
    if (size < 1 || size > 9007199254740992.0 || size != floor(size))
        return refuse(r, "must be a whole number of bytes, at least 1");
    if (size < r->field->min)
        return refuse(r, "must be at least %.0fM", r->field->min / 1048576);
    *(int64_t *)r->at = (int64_t)size;
    return true;
}

static bool read_enum(const struct reading *r)
{
    const struct field *f = r->field;
    if (r->value->kind >= TREE_LIST)
        return refuse_kind(r, "a word");
    int choice = schema_choice(f, r->value->text);
    if (choice >= 0) {
        *(int *)r->at = choice;
        return true;
    }
    struct hint hint = { .word = r->value->text };
    struct buffer all = { 0 };
    for (int i = 0; f->choices[i]; i++) {
        hint_consider(&hint, f->choices[i], f->choices[i]);
        if (*f->choices[i])
            buffer_format(&all, "%s%s", !all.len ? "" : f->choices[i + 1] ? ", " : " or ", f->choices[i]);
    }
    for (const struct synonym *s = f->synonyms; s && s->word; s++)
        hint_consider(&hint, s->word, s->word);
    if (hint.best)
        refuse(r, "unknown value '%s'%s", shown(r->value->text).text, hint_text(&hint).text);
    else
        refuse(r, "unknown value '%s'; use %s", shown(r->value->text).text, buffer_string(&all));
    buffer_free(&all);
    return false;
}

bool field_read(const struct reader *reader, const struct field *field, const struct tree *value, simtime unit,
                const struct place *place, void *into)
{
    struct reading r = { reader, field, value, place, unit, (char *)into + field->at };
    switch (field->kind) {
    case F_TEXT:
        return read_text(&r);
    case F_BOOL:
        return read_bool(&r);
    case F_INT:
        return read_int(&r);
    case F_SEED:
        return read_seed(&r);
    case F_REAL:
        return read_real(&r);
    case F_TIME:
        return read_time(&r);
    case F_SIZE:
        return read_size(&r);
    case F_ENUM:
        return read_enum(&r);
    case F_LIST:
    case F_COMMAND:
    case F_HEALTH:
        return field_read_list(reader, field->kind, value, place, r.at);
    case F_PAIRS:
        return field_read_pairs(reader, value, place, r.at);
    case F_PORTS:
        return field_read_ports(reader, value, place, r.at);
    case F_VOLUMES:
        return field_read_volumes(reader, value, place, r.at);
    case F_SECTION:
    case F_KEPT:
        break;
    }
    return true;
}
