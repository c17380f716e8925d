#include "check/report.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/utf8.h"

#define SHOWN     300 /* bytes of a request or an answer that are shown of its beginning, */
#define SHOWN_END 60  /* and of its end */
#define LOG_LINES 12  /* of the node's stderr */
#define LOG_LINE  300 /* bytes of each */

/* The offset before which a cut does not part a character. */
static size_t whole(const char *s, size_t at)
{
    for (int i = 0; i < 3 && at && ((unsigned char)s[at] & 0xc0) == 0x80; i++)
        at--;
    return at;
}

static void add_escaped(struct buffer *out, const char *s, size_t len)
{
    if (len <= SHOWN + SHOWN_END) {
        utf8_escape(out, s, len);
        return;
    }
    size_t begin = whole(s, SHOWN), end = whole(s, len - SHOWN_END);
    utf8_escape(out, s, begin);
    buffer_format(out, " … %zu bytes … ", end - begin);
    utf8_escape(out, s + end, len - end);
}

/* A text of several lines, the first four: each below the one before. */
static void print_part(const char *word, const char *s, size_t len)
{
    struct buffer line = { 0 };
    while (len && s[len - 1] == '\n')
        len--;
    for (size_t at = 0, lines = 0; at <= len && lines < 4; lines++) {
        const char *newline = memchr(s + at, '\n', len - at);
        size_t end = newline ? (size_t)(newline - s) : len;
        line.len = 0;
        if (newline && lines == 3)
            buffer_text(&line, "…");
        else
            add_escaped(&line, s + at, end - at);
        printf("        %-9s %s\n", lines ? "" : word, buffer_string(&line));
        at = end + 1;
    }
    buffer_free(&line);
}

static void print_line(const char *verdict, const char *name, const char *fmt, va_list args)
{
    char text[2000];
    vsnprintf(text, sizeof text, fmt, args);
    printf("%-6s  %s%s%s\n", verdict, name, *text ? ": " : "", text);
}

void report_ok(struct report *r, const char *name, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    print_line("ok", name, fmt, args);
    va_end(args);
    r->ok++;
}

void report_note(struct report *r, const char *name, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    print_line("note", name, fmt, args);
    va_end(args);
    r->notes++;
}

static void print_said(const char *word, const char *text)
{
    if (text && *text)
        printf("        %-9s %s\n", word, text);
}

void report_failed(struct report *r, const char *name, const struct failure *f)
{
    printf("FAILED  %s\n", name);
    if (f->sent.len)
        print_part("sent", f->sent.s, f->sent.len);
    if (f->came.len)
        print_part("came", f->came.s, f->came.len);
    else
        print_said("came", "nothing");
    if (f->log.len)
        print_part("stderr", f->log.s, f->log.len);
    print_said("wrong", f->wrong);
    print_said("expected", f->expected);
    print_said("to do", f->todo);
    r->failed++;
}

void report_log(const struct buffer *log)
{
    size_t len = log->len, begin;
    struct buffer line = { 0 };
    while (len && log->data[len - 1] == '\n')
        len--;
    if (!len)
        return;
    begin = len;
    for (int lines = 0; begin; begin--)
        if (log->data[begin - 1] == '\n' && ++lines == LOG_LINES)
            break;
    printf("\nThe end of what it wrote to stderr:\n");
    for (size_t at = begin; at <= len;) {
        const char *newline = memchr(log->data + at, '\n', len - at);
        size_t end = newline ? (size_t)(newline - log->data) : len;
        line.len = 0;
        utf8_escape(&line, log->data + at, end - at < LOG_LINE ? end - at : whole(log->data + at, LOG_LINE));
        printf("  | %s%s\n", buffer_string(&line), end - at > LOG_LINE ? "…" : "");
        at = end + 1;
    }
    buffer_free(&line);
}

void report_end(const struct report *r)
{
    printf("\n%d ok, %d failed, %d note%s", r->ok, r->failed, r->notes, r->notes == 1 ? "" : "s");
    if (r->left_out)
        printf(", %d left out", r->left_out);
    printf("\n");
}

void report_conversation(const char *mark, const char *s, size_t len)
{
    struct buffer line = { 0 };
    while (len && s[len - 1] == '\n')
        len--;
    for (size_t at = 0; at <= len;) {
        const char *newline = memchr(s + at, '\n', len - at);
        size_t end = newline ? (size_t)(newline - s) : len;
        line.len = 0;
        add_escaped(&line, s + at, end - at);
        printf("  %s %s\n", mark, buffer_string(&line));
        at = end + 1;
    }
    buffer_free(&line);
}
