#include "ui/json_view.h"

#include <string.h>

enum token_kind { TOKEN_PUNCTUATION, TOKEN_STRING, TOKEN_NAME, TOKEN_NUMBER, TOKEN_OTHER };

struct token {
    enum token_kind kind;
    const char *s;
    size_t len;
};

static size_t blanks(const char *s, size_t len)
{
    size_t n = 0;
    while (n < len && (s[n] == ' ' || s[n] == '\t'))
        n++;
    return n;
}

/* The token at the start of a text that is not empty and does not start with a blank. */
static struct token next_token(const char *s, size_t len)
{
    struct token t = { TOKEN_OTHER, s, 1 };
    if (*s == '"') {
        while (t.len < len && s[t.len] != '"')
            t.len += s[t.len] == '\\' && t.len + 1 < len ? 2 : 1;
        t.len += t.len < len;
        size_t colon = t.len + blanks(s + t.len, len - t.len);
        t.kind = colon < len && s[colon] == ':' ? TOKEN_NAME : TOKEN_STRING;
    } else if (memchr("{}[],:", *s, 6)) {
        t.kind = TOKEN_PUNCTUATION;
    } else {
        t.kind = *s == '-' || (*s >= '0' && *s <= '9') ? TOKEN_NUMBER : TOKEN_OTHER;
        while (t.len < len && !memchr("{}[],:\" \t", s[t.len], 9))
            t.len++;
    }
    return t;
}

static enum role token_role(enum token_kind kind)
{
    static const enum role roles[] = {
        [TOKEN_PUNCTUATION] = ROLE_DIM,    [TOKEN_STRING] = ROLE_JSON_STRING, [TOKEN_NAME] = ROLE_JSON_KEY,
        [TOKEN_NUMBER] = ROLE_JSON_NUMBER, [TOKEN_OTHER] = ROLE_INFO,
    };
    return roles[kind];
}

#define DECIMALS 4 /* of a fraction that are shown in compact form */

static void compact_number(struct pen *p, const struct token *t)
{
    const char *point = memchr(t->s, '.', t->len);
    size_t keep = point ? (size_t)(point - t->s) + 1 + DECIMALS : t->len;
    if (keep >= t->len || memchr(t->s, 'e', t->len) || memchr(t->s, 'E', t->len)) {
        pen_text(p, ROLE_JSON_NUMBER, t->s, t->len);
        return;
    }
    pen_text(p, ROLE_JSON_NUMBER, t->s, keep);
    pen_glyph(p, ROLE_DIM, GLYPH_ELLIPSIS);
}

static void compact_token(struct pen *p, const struct token *t, int *depth)
{
    bool quoted = t->len >= 2 && t->s[t->len - 1] == '"';
    switch (t->kind) {
    case TOKEN_NAME:
    case TOKEN_STRING:
        if (quoted && t->len > 2)
            pen_text(p, token_role(t->kind), t->s + 1, t->len - 2);
        else
            pen_text(p, token_role(t->kind), t->s, t->len);
        return;
    case TOKEN_NUMBER:
        compact_number(p, t);
        return;
    case TOKEN_PUNCTUATION:
        break;
    case TOKEN_OTHER:
        pen_text(p, token_role(t->kind), t->s, t->len);
        return;
    }
    bool open = *t->s == '{' || *t->s == '[', close = *t->s == '}' || *t->s == ']';
    *depth -= close;
    if (*t->s == ':')
        pen_put(p, ROLE_DIM, " ");
    else if (*t->s == ',')
        pen_put(p, ROLE_DIM, *depth <= 1 ? "  " : " ");
    else if (*depth > 0 || *t->s == '[' || *t->s == ']')
        pen_text(p, ROLE_DIM, t->s, 1);
    *depth += open;
}

void json_compact(struct pen *p, const char *s, size_t len)
{
    int depth = 0;
    for (size_t i = blanks(s, len); i < len && !p->full; i += blanks(s + i, len - i)) {
        struct token t = next_token(s + i, len - i);
        compact_token(p, &t, &depth);
        i += t.len;
    }
}

void json_line(struct pen *p, const char *s, size_t len)
{
    for (size_t i = 0; i < len && !p->full;) {
        size_t gap = blanks(s + i, len - i);
        pen_text(p, ROLE_TEXT, s + i, gap);
        i += gap;
        if (i >= len)
            return;
        struct token t = next_token(s + i, len - i);
        pen_text(p, token_role(t.kind), t.s, t.len);
        i += t.len;
        if (t.kind == TOKEN_PUNCTUATION && (*t.s == ',' || *t.s == ':') && i < len && s[i] != ' ')
            pen_put(p, ROLE_DIM, " ");
    }
}

/* A token, broken where a row ends. */
static void flow_token(struct pen *p, enum role role, const char *s, size_t len)
{
    enum charset charset = p->area->canvas->charset;
    while (len && !p->full) {
        bool last = p->y + 1 >= p->area->height;
        size_t fit = last ? len : text_fit(s, len, p->end - p->x, charset);
        if (!last && p->x > 0 && text_columns(s, fit, charset) > p->end - p->x)
            fit = 0;
        pen_text(p, role, s, fit);
        s += fit;
        len -= fit;
        if (len && !last)
            *p = pen_at(p->area, 0, p->y + 1, -1);
    }
}

void json_flow(const struct area *a, const char *s, size_t len)
{
    struct pen p = pen_at(a, 0, 0, -1);
    for (size_t i = blanks(s, len); i < len && !p.full; i += blanks(s + i, len - i)) {
        struct token t = next_token(s + i, len - i);
        flow_token(&p, token_role(t.kind), t.s, t.len);
        i += t.len;
        if (t.kind == TOKEN_PUNCTUATION && (*t.s == ',' || *t.s == ':') && p.x < p.end)
            flow_token(&p, ROLE_DIM, " ", 1);
    }
}

#define INDENT_MAX 20 /* levels; deeper ones stay there */

static void new_line(struct buffer *out, int depth)
{
    buffer_add(out, "\n", 1);
    for (int i = 0; i < depth && i < INDENT_MAX; i++)
        buffer_add(out, "  ", 2);
}

void json_pretty(struct buffer *out, const char *s, size_t len)
{
    int depth = 0;
    for (size_t i = blanks(s, len); i < len; i += blanks(s + i, len - i)) {
        struct token t = next_token(s + i, len - i);
        i += t.len;
        bool mark = t.kind == TOKEN_PUNCTUATION;
        size_t next = i + blanks(s + i, len - i);
        bool empty = next < len && (s[next] == '}' || s[next] == ']');
        if (mark && (*t.s == '}' || *t.s == ']')) {
            depth -= depth > 0;
            if (out->len && out->data[out->len - 1] != '{' && out->data[out->len - 1] != '[')
                new_line(out, depth);
        }
        buffer_add(out, t.s, t.len);
        if (mark && *t.s == ':')
            buffer_add(out, " ", 1);
        if (mark && *t.s == ',')
            new_line(out, depth);
        if (mark && (*t.s == '{' || *t.s == '[')) {
            depth++;
            if (!empty)
                new_line(out, depth);
        }
    }
}

uint64_t json_draw(const struct area *a, const struct buffer *text, uint64_t top)
{
    uint64_t line = 0;
    for (size_t i = 0; i < text->len;) {
        const char *s = text->data + i;
        const char *newline = memchr(s, '\n', text->len - i);
        size_t len = newline ? (size_t)(newline - s) : text->len - i;
        size_t fit = len ? text_fit(s, len, a->width - 1, a->canvas->charset) : 0;
        if (line >= top && line - top < (uint64_t)a->height) {
            struct pen pen = pen_at(a, 1, (int)(line - top), -1);
            json_line(&pen, s, fit);
        }
        line++;
        i += fit + (fit == len);
    }
    return line;
}
