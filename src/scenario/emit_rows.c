#include "scenario/emit_rows.h"

#include <string.h>

#include "base/utf8.h"
#include "lockstep/scenario.h"
#include "scenario/scalar.h"

#define LONG_KEY 500 /* bytes; YAML wants "? " before keys of more than 1,024 characters */

/* A character that a double-quoted text cannot hold as it is. */
static bool needs_escape(uint32_t c)
{
    return c < 0x20 || c == '"' || c == '\\' || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029 || c == 0xfeff ||
           c == 0xfffe || c == 0xffff;
}

static void write_quoted(struct buffer *out, const char *s, size_t len)
{
    buffer_text(out, "\"");
    for (size_t i = 0; i < len;) {
        uint32_t c;
        size_t n = utf8_decode(s + i, len - i, &c);
        if (!n)
            buffer_text(out, "\\uFFFD");
        else if (!needs_escape(c))
            buffer_add(out, s + i, n);
        else if (c == '"' || c == '\\')
            buffer_format(out, "\\%c", (int)c);
        else if (c == '\n' || c == '\t')
            buffer_text(out, c == '\n' ? "\\n" : "\\t");
        else
            buffer_format(out, c < 0x100 ? "\\x%02X" : "\\u%04X", (unsigned)c);
        i += n ? n : 1;
    }
    buffer_text(out, "\"");
}

void emit_text(struct arena *scratch, struct buffer *out, const char *s, size_t len)
{
    static const char safe[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./-";
    struct tree t = { .text = s, .len = len };
    bool plain = len > 0 && len < 200 && !strchr("0123456789.-", *s) && strspn(s, safe) == len;
    if (plain)
        scalar_resolve(scratch, &t);
    if (plain && t.kind == TREE_TEXT)
        buffer_add(out, s, len);
    else
        write_quoted(out, s, len);
}

static void write_entry(struct arena *scratch, struct buffer *out, const struct tree_entry *e)
{
    size_t start = out->len;
    emit_text(scratch, out, e->key->text, e->key->len);
    if (out->len - start > LONG_KEY) {
        out->len = start;
        buffer_text(out, "? ");
        emit_text(scratch, out, e->key->text, e->key->len);
        buffer_text(out, " ");
    }
    buffer_text(out, ": ");
    emit_tree(scratch, out, e->value);
}

void emit_tree(struct arena *scratch, struct buffer *out, const struct tree *t)
{
    const char *before = t->kind == TREE_LIST ? "[" : "{ ";
    switch (t->kind) {
    case TREE_NULL:
        buffer_text(out, "null");
        return;
    case TREE_BOOL:
        buffer_text(out, t->truth ? "true" : "false");
        return;
    case TREE_NUMBER:
        buffer_text(out, t->number);
        return;
    case TREE_TEXT:
        emit_text(scratch, out, t->text, t->len);
        return;
    case TREE_LIST:
    case TREE_MAP:
        break;
    }
    for (size_t i = 0; i < t->count; i++) {
        if (t->kind == TREE_MAP && t->entries[i].dropped)
            continue;
        buffer_text(out, before);
        if (t->kind == TREE_MAP)
            write_entry(scratch, out, &t->entries[i]);
        else
            emit_tree(scratch, out, t->items[i]);
        before = ", ";
    }
    if (*before != ',')
        buffer_text(out, t->kind == TREE_LIST ? "[]" : "{}");
    else
        buffer_text(out, t->kind == TREE_LIST ? "]" : " }");
}

static void write_list(struct arena *scratch, struct buffer *out, char *const *list)
{
    buffer_text(out, "[");
    for (size_t i = 0; list[i]; i++) {
        buffer_text(out, i ? ", " : "");
        emit_text(scratch, out, list[i], strlen(list[i]));
    }
    buffer_text(out, "]");
}

/* "KEY=VALUE" or "HOST:CONTAINER" items; a port without a host has no colon. */
static void write_pairs(struct arena *scratch, struct buffer *out, const struct string_map *map, bool ports)
{
    buffer_text(out, "[");
    for (size_t i = 0; map->keys[i]; i++) {
        struct buffer item = { 0 };
        buffer_format(&item, "%s%s%s", map->keys[i], !ports ? "=" : *map->keys[i] ? ":" : "", map->values[i]);
        buffer_text(out, i ? ", " : "");
        emit_text(scratch, out, buffer_string(&item), item.len);
        buffer_free(&item);
    }
    buffer_text(out, "]");
}

static void write_size(struct buffer *out, int64_t size)
{
    static const char units[] = "\0KMG";
    int unit = 0;
    for (; unit < 3 && size % 1024 == 0; unit++)
        size /= 1024;
    buffer_i64(out, size);
    if (unit)
        buffer_add(out, &units[unit], 1);
}

static void write_time(struct buffer *out, simtime t)
{
    char text[SIMTIME_TEXT];
    buffer_add(out, text, simtime_format(t, text));
}

/* The value of a row. */
static void write_value(struct arena *scratch, struct buffer *out, const struct field *f, const void *at)
{
    switch (f->kind) {
    case F_TEXT:
        emit_text(scratch, out, *(char *const *)at, strlen(*(char *const *)at));
        break;
    case F_BOOL:
        buffer_text(out, *(const bool *)at ? "true" : "false");
        break;
    case F_INT:
        buffer_i64(out, *(const int *)at);
        break;
    case F_SEED:
        buffer_u64(out, *(const uint64_t *)at);
        break;
    case F_REAL:
        buffer_double(out, *(const double *)at);
        break;
    case F_TIME:
        write_time(out, *(const simtime *)at);
        break;
    case F_SIZE:
        write_size(out, *(const int64_t *)at);
        break;
    case F_ENUM:
        buffer_text(out, f->choices[*(const int *)at]);
        break;
    case F_LIST:
    case F_COMMAND:
    case F_HEALTH:
    case F_VOLUMES:
        write_list(scratch, out, *(const string_list *)at);
        break;
    case F_PAIRS:
    case F_PORTS:
        write_pairs(scratch, out, at, f->kind == F_PORTS);
        break;
    case F_SECTION:
    case F_KEPT:
        break;
    }
}

/* Whether a row's value is another one than the default. */
static bool differs(const struct field *f, const void *a, const void *b)
{
    static const size_t sizes[] = {
        [F_BOOL] = sizeof(bool),    [F_INT] = sizeof(int),      [F_ENUM] = sizeof(int),    [F_SEED] = sizeof(uint64_t),
        [F_TIME] = sizeof(simtime), [F_SIZE] = sizeof(int64_t), [F_REAL] = sizeof(double),
    };
    switch (f->kind) {
    case F_TEXT: {
        const char *x = *(char *const *)a, *y = *(char *const *)b;
        return x && (!y || strcmp(x, y) != 0);
    }
    case F_LIST:
    case F_COMMAND:
    case F_HEALTH:
    case F_VOLUMES: {
        string_list list = *(const string_list *)a;
        return list && list[0];
    }
    case F_PAIRS:
    case F_PORTS: {
        string_list keys = ((const struct string_map *)a)->keys;
        return keys && keys[0];
    }
    case F_SECTION:
    case F_KEPT:
        return false;
    default:
        return memcmp(a, b, sizes[f->kind]) != 0;
    }
}

void emit_rows(struct arena *scratch, struct buffer *out, int indent, const struct table *table, unsigned only,
               const void *values, const void *defaults)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct field *f = &table->fields[i];
        const char *at = (const char *)values + f->at, *fallback = (const char *)defaults + f->at;
        if (f->kind == F_SECTION) {
            struct buffer rows = { 0 };
            emit_rows(scratch, &rows, indent + 2, f->section, only, at, fallback);
            if (rows.len)
                buffer_format(out, "%*s%s:\n", indent, "", f->name);
            buffer_add(out, rows.data, rows.len);
            buffer_free(&rows);
        } else if ((!f->only || (f->only & only)) && differs(f, at, fallback)) {
            buffer_format(out, "%*s%s: ", indent, "", f->name);
            write_value(scratch, out, f, at);
            buffer_text(out, "\n");
        }
    }
}

void emit_flow(struct arena *scratch, struct buffer *out, const struct table *table, const void *values,
               const void *defaults)
{
    const char *before = "{ ";
    for (size_t i = 0; i < table->count; i++) {
        const struct field *f = &table->fields[i];
        const char *at = (const char *)values + f->at;
        if (!differs(f, at, (const char *)defaults + f->at))
            continue;
        buffer_format(out, "%s%s: ", before, f->name);
        write_value(scratch, out, f, at);
        before = ", ";
    }
    buffer_text(out, " }\n");
}
