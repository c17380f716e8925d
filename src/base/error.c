#include "lockstep/error.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "base/utf8.h"

/* Copies as much as fits, cut before a character that does not. */
static void fit(char *to, size_t size, const char *from)
{
    size_t len = strlen(from);
    if (len >= size) {
        len = size - 1;
        while (len > 0 && ((unsigned char)from[len] & 0xc0) == 0x80)
            len--;
    }
    memmove(to, from, len);
    to[len] = '\0';
}

void error_set(struct error *e, int code, const char *fmt, ...)
{
    if (e->code)
        return;
    char text[2 * sizeof e->text];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    struct buffer safe = { 0 };
    utf8_escape(&safe, text, strlen(text));
    e->code = code;
    fit(e->text, sizeof e->text, buffer_string(&safe));
    buffer_free(&safe);
}

void error_add(struct error *e, const char *fmt, ...)
{
    char text[2 * sizeof e->text];
    va_list args;
    va_start(args, fmt);
    int len = vsnprintf(text, sizeof e->text, fmt, args);
    va_end(args);
    if (len < 0 || (size_t)len >= sizeof e->text)
        len = (int)strlen(text);
    snprintf(text + len, sizeof text - (size_t)len, ": %s", e->text);
    fit(e->text, sizeof e->text, text);
}

void problems_add(struct problems *list, enum severity severity, struct mark at, const char *path, const char *fmt, ...)
{
    if (severity == SEVERITY_ERROR)
        list->errors++;
    else
        list->warnings++;
    if (list->count >= PROBLEMS_KEPT)
        return;
    list->items = mem_grow(list->items, list->count, &list->capacity, sizeof *list->items);
    char text[2000];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    list->items[list->count++] = (struct problem){ .severity = severity,
                                                   .file = mem_text(at.file ? at.file : ""),
                                                   .line = at.line,
                                                   .column = at.column,
                                                   .path = mem_text(path ? path : ""),
                                                   .text = mem_text(text) };
}

static bool comes_before(const struct problem *a, const struct problem *b)
{
    int order = strcmp(a->file, b->file);
    if (order)
        return order < 0;
    return a->line != b->line ? a->line < b->line : a->column < b->column;
}

void problems_sort(struct problems *list)
{
    for (size_t i = 1; i < list->count; i++) {
        struct problem p = list->items[i];
        size_t j = i;
        for (; j > 0 && comes_before(&p, &list->items[j - 1]); j--)
            list->items[j] = list->items[j - 1];
        list->items[j] = p;
    }
}

const char *problem_path(const struct problem *p)
{
    size_t file = strlen(p->file), path = strlen(p->path);
    bool is_told = file > path && p->file[file - path - 1] == ' ' && !strcmp(p->file + file - path, p->path);
    return is_told ? "" : p->path;
}

int problem_format(const struct problem *p, char *buf, size_t size)
{
    const char *path = problem_path(p);
    struct buffer line = { 0 };
    utf8_escape(&line, p->file, strlen(p->file));
    if (p->line)
        buffer_format(&line, ":%d:%d", p->line, p->column);
    buffer_text(&line, p->severity == SEVERITY_WARNING ? ": warning: " : ": ");
    utf8_escape(&line, path, strlen(path));
    buffer_text(&line, *path ? ": " : "");
    utf8_escape(&line, p->text, strlen(p->text));
    int len = (int)line.len;
    if (size)
        fit(buf, size, buffer_string(&line));
    buffer_free(&line);
    return len;
}

void problems_print(const struct problems *list, FILE *to)
{
    for (size_t i = 0; i < list->count; i++) {
        int len = problem_format(&list->items[i], NULL, 0);
        char *line = mem_alloc((size_t)len + 1);
        problem_format(&list->items[i], line, (size_t)len + 1);
        fprintf(to, "%s\n", line);
        free(line);
    }
    if (list->errors + list->warnings > list->count)
        fprintf(to, "… and %zu more problems\n", list->errors + list->warnings - list->count);
}

void problems_clear(struct problems *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->items[i].file);
        free(list->items[i].path);
        free(list->items[i].text);
    }
    free(list->items);
    *list = (struct problems){ 0 };
}
