#include "node/ignore.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "base/utf8.h"

/* A pattern is a chain of these. */
enum part_kind {
    PART_CHARACTER, /* this one */
    PART_ONE,       /* ?: any but a slash */
    PART_CLASS,     /* [a-z] */
    PART_NAME,      /* *: any number of any but a slash */
    PART_FOLDERS,   /* ** with something behind it: any number of whole folders, with the slash behind the last */
    PART_ALL,       /* ** at the end: anything */
};

struct part {
    enum part_kind kind;
    uint32_t character;
    const char *class; /* behind the [, in the pattern's text */
};

struct pattern {
    bool exception;
    char *text;
    struct part *parts;
    size_t count;
};

#define PARTS_MAX (IGNORE_PATTERN_MAX + PATH_MAX) /* of a pattern of the file, or of a path that is kept */

struct ignore {
    struct pattern *patterns;
    size_t count, capacity;
};

/* The character at *s, which is moved on; a byte that is no UTF-8 stands for itself. The end gives 0. */
static uint32_t next_character(const char **s)
{
    uint32_t c;
    size_t n = utf8_decode(*s, strnlen(*s, 4), &c);
    if (!n) {
        c = **s ? 0x110000u + (unsigned char)**s : 0;
        n = **s ? 1 : 0;
    } else if (!c) {
        n = 0;
    }
    *s += n;
    return c;
}

/* A character of a class, which may be escaped. False where there is none. */
static bool class_character(const char **s, uint32_t *c)
{
    if (**s == '\0' || **s == '-' || **s == ']')
        return false;
    if (**s == '\\' && *++*s == '\0')
        return false;
    *c = next_character(s);
    return true;
}

/* From behind the [ to behind the ]; is c in the class? Returns what is wrong with the class, or NULL. */
static const char *read_class(const char **s, uint32_t c, bool *holds)
{
    bool negated = **s == '^', found = false, empty = true;
    uint32_t low, high;
    *s += negated;
    for (; **s != ']' || empty; empty = false) {
        if (**s == '\0')
            return "a [ without its ]; write \\[ for the character itself";
        if (!class_character(s, &low))
            return **s == ']' ? "a [] with nothing in it; write \\[ and \\] for the characters themselves"
                   : **s      ? "a - that is not between two characters of a [ ]; write \\- for the character itself"
                              : "a [ without its ]; write \\[ for the character itself";
        high = low;
        if (**s == '-') {
            ++*s;
            if (!class_character(s, &high))
                return "a range in a [ ] without its end; write \\- for the character itself";
        }
        found = found || (c >= low && c <= high);
    }
    ++*s;
    *holds = found != negated;
    return NULL;
}

static void add_part(struct pattern *p, struct part part)
{
    p->parts[p->count++] = part;
}

/* Takes one part off *s. Returns what is wrong with it, or NULL. */
static const char *read_part(struct pattern *p, const char **s)
{
    bool holds;
    switch (**s) {
    case '*':
        if (*++*s != '*') {
            add_part(p, (struct part){ .kind = PART_NAME });
            return NULL;
        }
        ++*s;
        *s += **s == '/';
        add_part(p, (struct part){ .kind = **s ? PART_FOLDERS : PART_ALL });
        return NULL;
    case '?':
        ++*s;
        add_part(p, (struct part){ .kind = PART_ONE });
        return NULL;
    case '[':
        ++*s;
        add_part(p, (struct part){ .kind = PART_CLASS, .class = *s });
        return read_class(s, 0, &holds);
    case '\\':
        if (*++*s == '\0')
            return "a \\ with nothing behind it; write \\\\ for the character itself";
        break;
    default:
        break;
    }
    add_part(p, (struct part){ .kind = PART_CHARACTER, .character = next_character(s) });
    return NULL;
}

static const char *compile(struct pattern *p)
{
    const char *s = p->text, *why = NULL;
    p->parts = mem_array(strlen(s) + 1, sizeof *p->parts);
    while (*s && !why)
        why = read_part(p, &s);
    return why;
}

/* Lexically the shortest path, as Go's filepath.Clean: no empty names, no `.`, and `..` takes away the name before it
 * where there is one; then without a leading slash. `out` has room for strlen(s) + 1. */
static void clean(char *out, const char *s)
{
    bool rooted = *s == '/';
    size_t len = 0, fixed = 0; /* what is before `fixed` are `..` that nothing takes away */
    while (*s) {
        size_t n = strcspn(s, "/");
        bool up = n == 2 && s[0] == '.' && s[1] == '.';
        if (up && len > fixed) {
            while (len > fixed && out[len - 1] != '/')
                len--;
            len -= len > fixed; /* the slash */
        } else if (n && !(n == 1 && *s == '.') && !(up && rooted)) {
            if (len)
                out[len++] = '/';
            memmove(out + len, s, n);
            len += n;
            fixed = up ? len : fixed;
        }
        s += n;
        s += *s == '/';
    }
    out[len] = '\0';
}

static void trim(const char **s, size_t *len)
{
    while (*len && strchr(" \t\r\v\f", (*s)[*len - 1]))
        --*len;
    while (*len && strchr(" \t\r\v\f", **s))
        ++*s, --*len;
}

static void add_pattern(struct ignore *g, struct pattern p)
{
    g->patterns = mem_grow(g->patterns, g->count, &g->capacity, sizeof *g->patterns);
    g->patterns[g->count++] = p;
}

/* One line without its newline. Returns what is wrong with it, or NULL. */
static const char *read_line(struct ignore *g, const char *s, size_t len)
{
    struct pattern p = { 0 };
    if (len && *s == '#')
        return NULL;
    if (memchr(s, '\0', len))
        return "a NUL byte; it must be text";
    trim(&s, &len);
    if (len && *s == '!') {
        p.exception = true;
        s++;
        len--;
        trim(&s, &len);
        if (!len)
            return "a ! without a pattern; write what is to be sent after all behind it";
    }
    if (!len)
        return NULL;
    if (len > IGNORE_PATTERN_MAX)
        return "a pattern of more than 1000 bytes; use * for what is alike";
    if (g->count >= IGNORE_PATTERNS_MAX)
        return "more than 10000 patterns; leave out whole folders";
    char *given = mem_text_n(s, len);
    p.text = mem_alloc(len + 1);
    clean(p.text, given);
    free(given);
    const char *why = compile(&p);
    add_pattern(g, p); /* one that is empty by now was `.` or `/`: it matches nothing */
    return why;
}

struct ignore *ignore_parse(const char *file, const char *text, size_t len, const char *const *kept, struct error *err)
{
    struct ignore *g = mem_alloc(sizeof *g);
    size_t at = len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    for (int line = 1; at < len; line++) {
        const char *newline = memchr(text + at, '\n', len - at);
        size_t end = newline ? (size_t)(newline - text) : len;
        const char *why = read_line(g, text + at, end - at);
        if (why) {
            error_set(err, EXIT_LAUNCH, "%s:%d: '%.*s': %s", file, line, (int)(end - at < 200 ? end - at : 200),
                      text + at, why);
            ignore_free(g);
            return NULL;
        }
        at = end + 1;
    }
    for (; *kept; kept++) {
        struct pattern p = { .exception = true, .text = mem_text(*kept) };
        p.parts = mem_array(strlen(p.text) + 1, sizeof *p.parts);
        for (const char *s = p.text; *s;)
            add_part(&p, (struct part){ .kind = PART_CHARACTER, .character = next_character(&s) });
        add_pattern(g, p);
    }
    return g;
}

/* Reads a whole file. Returns 1, 0 where there is none, -1 with *err set. */
static int read_file(const char *path, struct buffer *out, struct error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t n = fd < 0 ? -1 : 1;
    while (n > 0 && out->len <= IGNORE_FILE_MAX) {
        buffer_grow(out, 65536);
        n = read(fd, out->data + out->len, 65536);
        if (n > 0)
            out->len += (size_t)n;
    }
    int failure = n < 0 ? errno : 0;
    if (fd >= 0)
        close(fd);
    if (fd < 0 && failure == ENOENT)
        return 0;
    if (failure)
        error_set(err, EXIT_LAUNCH, "%s: cannot be read: %s; it says what is not sent to the engine", path,
                  strerror(failure));
    else if (out->len > IGNORE_FILE_MAX)
        error_set(err, EXIT_LAUNCH, "%s: larger than 1 MiB; leave out whole folders", path);
    return err->code ? -1 : 1;
}

struct ignore *ignore_load(const char *folder, const char *dockerfile, struct error *err)
{
    struct buffer text = { 0 }, path = { 0 }, own = { 0 };
    struct ignore *g = NULL;
    buffer_format(&own, "%s.dockerignore", dockerfile);
    const char *kept[] = { dockerfile, ".dockerignore", NULL };
    buffer_format(&path, "%s/%s", folder, buffer_string(&own));
    int found = read_file(buffer_string(&path), &text, err);
    if (found > 0) {
        kept[1] = buffer_string(&own);
    } else if (!found) {
        path.len = 0;
        buffer_format(&path, "%s/.dockerignore", folder);
        found = read_file(buffer_string(&path), &text, err);
    }
    if (found >= 0)
        g = ignore_parse(buffer_string(&path), text.data ? text.data : "", text.len, kept, err);
    buffer_free(&text);
    buffer_free(&path);
    buffer_free(&own);
    return g;
}

void ignore_free(struct ignore *g)
{
    if (!g)
        return;
    for (size_t i = 0; i < g->count; i++) {
        free(g->patterns[i].text);
        free(g->patterns[i].parts);
    }
    free(g->patterns);
    free(g);
}

/* Which parts may come next, one byte each, with one more for the end of the pattern: all ways through a pattern are
 * followed at once, so that no pattern takes long. */
struct ways {
    unsigned char next[PARTS_MAX + 1];
};

static void reach(const struct pattern *p, struct ways *w, size_t i)
{
    for (w->next[i] = 1; i < p->count && p->parts[i].kind >= PART_NAME; i++)
        w->next[i + 1] = 1;
}

/* Where part i leads to with the character c. */
static void follow(const struct pattern *p, struct ways *w, size_t i, uint32_t c)
{
    const struct part *part = &p->parts[i];
    const char *class = part->class;
    bool holds = false;
    switch (part->kind) {
    case PART_CHARACTER:
        holds = part->character == c;
        break;
    case PART_ONE:
        holds = c != '/';
        break;
    case PART_CLASS:
        read_class(&class, c, &holds);
        break;
    case PART_NAME:
        if (c != '/')
            reach(p, w, i);
        return;
    case PART_FOLDERS:
        w->next[i] = 1;
        holds = c == '/';
        break;
    case PART_ALL:
        reach(p, w, i);
        return;
    }
    if (holds)
        reach(p, w, i + 1);
}

/* Goes on from *w with one character; false where no way is left. */
static bool go_on(const struct pattern *p, struct ways *w, uint32_t c)
{
    struct ways then;
    bool any = false;
    memset(then.next, 0, p->count + 1);
    for (size_t i = 0; i < p->count; i++)
        if (w->next[i])
            follow(p, &then, i, c);
    memcpy(w->next, then.next, p->count + 1);
    for (size_t i = 0; i <= p->count && !any; i++)
        any = w->next[i];
    return any;
}

static void begin(const struct pattern *p, struct ways *w)
{
    memset(w->next, 0, p->count + 1);
    reach(p, w, 0);
}

/* Does it match the path, or a folder that the path is in? */
static bool matches(const struct pattern *p, const char *path)
{
    struct ways w;
    begin(p, &w);
    while (p->count && *path) {
        if (*path == '/' && w.next[p->count])
            return true;
        if (!go_on(p, &w, next_character(&path)))
            return false;
    }
    return p->count && w.next[p->count];
}

bool ignore_leaves_out(const struct ignore *g, const char *path)
{
    bool out = false;
    for (size_t i = 0; i < g->count; i++)
        if (g->patterns[i].exception == out && matches(&g->patterns[i], path))
            out = !out;
    return out;
}

bool ignore_must_enter(const struct ignore *g, const char *folder)
{
    for (size_t i = 0; i < g->count; i++) {
        const struct pattern *p = &g->patterns[i];
        struct ways w;
        if (!p->exception || !p->count)
            continue;
        begin(p, &w);
        const char *s = folder;
        while (*s && go_on(p, &w, next_character(&s)))
            ;
        if (!*s && go_on(p, &w, '/'))
            return true;
    }
    return false;
}
