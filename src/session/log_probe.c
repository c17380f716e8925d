#include "session/log_probe.h"

#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#define REGEX_MAX 1000

struct log_probe {
    char *node; /* NULL: any */
    regex_t regex;
};

static const char *skip_blanks(const char *s)
{
    return s + strspn(s, " \t");
}

bool log_probe_is_meant(const char *text)
{
    return !strncmp(text, "log", 3) && (text[3] == ' ' || text[3] == '=');
}

static struct log_probe *fail(struct condition_error *err, size_t column, const char *what)
{
    err->column = column;
    snprintf(err->text, sizeof err->text, "column %zu: %s", column, what);
    return NULL;
}

/* The text of a quoted or plain rest of the line. */
static bool take_regex(const char *s, char out[REGEX_MAX])
{
    size_t len = strlen(s);
    while (len && s[len - 1] == ' ')
        len--;
    bool quoted = len >= 2 && (*s == '"' || *s == '\'') && s[len - 1] == *s;
    s += quoted;
    len -= quoted ? 2 : 0;
    if (!len || len >= REGEX_MAX)
        return false;
    memcpy(out, s, len);
    out[len] = '\0';
    return true;
}

struct log_probe *log_probe_parse(const char *text, struct condition_error *err)
{
    const char *node = skip_blanks(text + 3), *operator= strstr(node, "=~");
    size_t len = operator? strcspn(node, " \t=") : 0;
    char regex[REGEX_MAX], why[200];
    if (!operator|| skip_blanks(node + len) != operator)
        return fail(err, (size_t)(node - text) + 1, "expected `log =~ REGEX`, or `log NODE =~ REGEX`");
    size_t column = (size_t)(skip_blanks(operator+ 2) - text) + 1;
    if (!take_regex(skip_blanks(operator+ 2), regex))
        return fail(err, column, "expected a regular expression after '=~'");
    struct log_probe *p = mem_alloc(sizeof *p);
    int bad = regcomp(&p->regex, regex, REG_EXTENDED | REG_NOSUB);
    if (bad) {
        regerror(bad, &p->regex, why, sizeof why);
        free(p);
        return fail(err, column, why);
    }
    p->node = len ? mem_text_n(node, len) : NULL;
    return p;
}

void log_probe_free(struct log_probe *p)
{
    if (!p)
        return;
    regfree(&p->regex);
    free(p->node);
    free(p);
}

bool log_probe_matches(const struct log_probe *p, const char *node, const char *line)
{
    return (!p->node || !strcmp(p->node, node)) && regexec(&p->regex, line, 0, NULL, 0) == 0;
}

bool log_probe_line(struct buffer *line, const char **data, size_t *len)
{
    const char *end = memchr(*data, '\n', *len);
    size_t piece = end ? (size_t)(end - *data) : *len, room = LOG_LINE_MAX - line->len;
    bool is_full = piece >= room;
    buffer_add(line, *data, is_full ? room : piece);
    size_t taken = is_full ? room : piece + (end != NULL);
    *data += taken;
    *len -= taken;
    for (size_t i = 0; i < line->len; i++) /* what ends a text early does not hide what stands behind it */
        line->data[i] = line->data[i] ? line->data[i] : ' ';
    return end || is_full;
}
