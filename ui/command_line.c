#include "ui/command_line.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hint.h"
#include "base/memory.h"

#define BLANKS " \t"

bool command_refuse(struct command_error *err, size_t column, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    err->column = column;
    vsnprintf(err->text, sizeof err->text, fmt, args);
    va_end(args);
    return false;
}

/* In characters, from 1. */
static size_t column_of(const char *line, size_t bytes)
{
    size_t column = 1;
    for (size_t i = 0; i < bytes; i++)
        column += ((unsigned char)line[i] & 0xc0) != 0x80;
    return column;
}

/* Takes the next of the words in a text with blanks between them. Returns its length, 0 behind the last one. */
static size_t next_word(const char **words)
{
    *words += strspn(*words, BLANKS);
    return strcspn(*words, BLANKS);
}

static bool is_word(const char *word, size_t len, const char *name)
{
    return strlen(name) == len && !memcmp(word, name, len);
}

static bool has_word(const char *words, const char *word, size_t len)
{
    for (size_t n; words && (n = next_word(&words)) > 0; words += n)
        if (n == len && !memcmp(words, word, n))
            return true;
    return false;
}

static const struct command_row *find_n(const struct command_table *t, const char *name, size_t len)
{
    for (size_t i = 0; i < t->count; i++)
        if (is_word(name, len, t->rows[i].name) || has_word(t->rows[i].aliases, name, len))
            return &t->rows[i];
    return NULL;
}

const struct command_row *command_find(const struct command_table *t, const char *name)
{
    return find_n(t, name, strlen(name));
}

static const char *behind_colon(const char *line)
{
    const char *start = line + strspn(line, BLANKS);
    return *start == ':' ? start + 1 : line;
}

const struct command_row *command_of_line(const struct command_table *t, const char *line)
{
    line = behind_colon(line);
    size_t len = next_word(&line);
    return len ? find_n(t, line, len) : NULL;
}

static struct hint nearest_command(const struct command_table *t, const char *word)
{
    struct hint hint = { .word = word };
    for (size_t i = 0; i < t->count; i++) {
        const char *alias = t->rows[i].aliases;
        hint_consider(&hint, t->rows[i].name, t->rows[i].name);
        for (size_t n; alias && (n = next_word(&alias)) > 0; alias += n) {
            char name[40];
            snprintf(name, sizeof name, "%.*s", (int)n, alias);
            hint_consider(&hint, name, t->rows[i].name);
        }
    }
    return hint;
}

static bool read_node(const struct scenario *scenario, struct command_value *v, struct command_error *err)
{
    v->node = scenario ? scenario_find_node(scenario, v->text) : -1;
    if (v->node >= 0)
        return true;
    struct hint hint = { .word = v->text };
    for (int i = 0; scenario && i < scenario->node_count; i++)
        hint_consider(&hint, scenario->nodes[i].id, scenario->nodes[i].id);
    return command_refuse(err, v->column, "node '%s' does not exist%s", shown(v->text).text, hint_text(&hint).text);
}

static bool read_time(struct command_value *v, struct command_error *err)
{
    const char *why = NULL;
    v->relative = *v->text == '+' || *v->text == '-';
    if (simtime_parse(v->text + v->relative, 1000000, &v->time, &why) == 0)
        return true;
    return command_refuse(err, v->column, "'%s': %s", shown(v->text).text, why);
}

static bool read_count(struct command_value *v, struct command_error *err)
{
    char *end;
    v->count = strtoull(v->text, &end, 10);
    bool digits = strspn(v->text, "0123456789") == strlen(v->text) && strlen(v->text) <= 19;
    if (digits && v->count > 0)
        return true;
    return command_refuse(err, v->column, "'%s' is no whole number above 0", shown(v->text).text);
}

static bool read_number(struct command_value *v, struct command_error *err)
{
    char *end;
    v->number = strtod(v->text, &end);
    if (strspn(v->text, "0123456789.eE+-") == strlen(v->text) && end > v->text && !*end && v->number >= 0 &&
        v->number <= 1e12)
        return true;
    return command_refuse(err, v->column, "'%s' is no number from 0 up", shown(v->text).text);
}

static bool read_word(const struct argument_form *form, struct command_value *v, struct command_error *err)
{
    struct hint hint = { .word = v->text };
    char names[16][24];
    const char *words = form->words;
    int i = 0;
    for (size_t n; i < 16 && (n = next_word(&words)) > 0; words += n, i++) {
        snprintf(names[i], sizeof names[i], "%.*s", (int)n, words);
        if (!strcmp(names[i], v->text)) {
            v->word = i;
            return true;
        }
        hint_consider(&hint, names[i], names[i]);
    }
    return command_refuse(err, v->column, "'%s' is none of: %s%s", shown(v->text).text, form->words,
                          hint_text(&hint).text);
}

static bool read_command(const struct command_table *t, struct command_value *v, struct command_error *err)
{
    struct hint hint = nearest_command(t, v->text);
    if (command_find(t, v->text))
        return true;
    return command_refuse(err, v->column, "unknown command '%s'%s", shown(v->text).text,
                          hint.best ? hint_text(&hint).text : "; :help lists them");
}

static bool read_value(const struct command_table *t, const struct argument_form *form, const struct scenario *scenario,
                       struct command_value *v, struct command_error *err)
{
    switch (form->kind) {
    case ARGUMENT_NODE:
        return read_node(scenario, v, err);
    case ARGUMENT_TIME:
        return read_time(v, err);
    case ARGUMENT_COUNT:
        return read_count(v, err);
    case ARGUMENT_NUMBER:
        return read_number(v, err);
    case ARGUMENT_WORD:
        return read_word(form, v, err);
    case ARGUMENT_COMMAND:
        return read_command(t, v, err);
    case ARGUMENT_NONE:
    case ARGUMENT_FILE:
    case ARGUMENT_CONDITION:
    case ARGUMENT_MESSAGE:
    case ARGUMENT_ROUTE:
    case ARGUMENT_TEXT:
        break;
    }
    return true;
}

static bool takes_rest(enum argument_kind kind)
{
    return kind >= ARGUMENT_FILE;
}

/* Cuts the next argument out of the call's text. Returns what stands behind it. */
static char *cut_value(struct command_call *call, char *at, enum argument_kind kind, struct command_value *v)
{
    at += strspn(at, BLANKS);
    size_t len = takes_rest(kind) ? strlen(at) : strcspn(at, BLANKS);
    v->text = at;
    v->column = column_of(call->text, (size_t)(at - call->text));
    char *next = at + len + (at[len] != '\0');
    at[len] = '\0';
    return next;
}

static bool missing(const struct command_row *row, const struct argument_form *form, size_t column,
                    struct command_error *err)
{
    struct buffer usage = { 0 };
    command_usage(row, &usage);
    command_refuse(err, column, "%s is missing: %s", form->name, buffer_string(&usage));
    buffer_free(&usage);
    return false;
}

static bool read_arguments(const struct command_table *t, const struct scenario *scenario, struct command_call *call,
                           char *at, struct command_error *err)
{
    const struct argument_form *forms = call->row->arguments;
    for (int i = 0; i < COMMAND_ARGUMENTS && forms[i].kind != ARGUMENT_NONE; i++) {
        if (!at[strspn(at, BLANKS)]) {
            size_t column = column_of(call->text, (size_t)(at - call->text));
            return forms[i].optional ? true : missing(call->row, &forms[i], column, err);
        }
        struct command_value *v = &call->values[call->count++];
        at = cut_value(call, at, forms[i].kind, v);
        if (!read_value(t, &forms[i], scenario, v, err))
            return false;
    }
    if (!at[strspn(at, BLANKS)])
        return true;
    struct command_value more;
    cut_value(call, at, ARGUMENT_TEXT, &more);
    return command_refuse(err, more.column, "'%s' is more than %s takes", shown(more.text).text, call->row->name);
}

bool command_parse(const struct command_table *t, const struct scenario *scenario, const char *line,
                   struct command_call *call, struct command_error *err)
{
    *call = (struct command_call){ 0 };
    line = behind_colon(line);
    if (strlen(line) >= sizeof call->text)
        return command_refuse(err, 1, "the line is longer than %d bytes", COMMAND_LINE_MAX - 1);
    strcpy(call->text, line);
    for (size_t n = strlen(call->text); n > 0 && strchr(BLANKS, call->text[n - 1]); n--)
        call->text[n - 1] = '\0';
    struct command_value name;
    char *rest = cut_value(call, call->text, ARGUMENT_WORD, &name);
    if (!*name.text)
        return true;
    if (!read_command(t, &name, err))
        return false;
    call->row = command_find(t, name.text);
    return read_arguments(t, scenario, call, rest, err);
}

void command_usage(const struct command_row *row, struct buffer *out)
{
    buffer_text(out, row->name);
    for (int i = 0; i < COMMAND_ARGUMENTS && row->arguments[i].kind != ARGUMENT_NONE; i++)
        buffer_format(out, row->arguments[i].optional ? " [%s]" : " %s", row->arguments[i].name);
}

void command_manual(const struct command_table *t, struct buffer *out)
{
    for (size_t i = 0; i < t->count; i++) {
        const struct command_row *row = &t->rows[i];
        buffer_format(out, ".It Ic %s", row->name);
        for (int k = 0; k < COMMAND_ARGUMENTS && row->arguments[k].kind != ARGUMENT_NONE; k++)
            buffer_format(out, row->arguments[k].optional ? " Op Ar %s" : " Ar %s", row->arguments[k].name);
        buffer_text(out, "\n");
        if (row->aliases)
            buffer_format(out, "(also %s) ", row->aliases);
        buffer_format(out, "%s.\n", row->help);
    }
}
