#include "node/http_head.h"

#include <ctype.h>
#include <strings.h>

#define LENGTH_MAX (INT64_C(1) << 40)

/* The length of the line at s without its end, and where the next one begins; false where there is no end yet. */
static bool line_at(const char *s, size_t len, size_t *line, size_t *next)
{
    const char *end = memchr(s, '\n', len);
    if (!end)
        return false;
    *next = (size_t)(end - s) + 1;
    *line = end > s && end[-1] == '\r' ? *next - 2 : *next - 1;
    return true;
}

static int digit(int c, int base)
{
    int v = isdigit(c) ? c - '0' : isxdigit(c) ? tolower(c) - 'a' + 10 : base;
    return v < base ? v : -1;
}

/* The number at the beginning of s; -1 where there is none, or one that is too large. *used: its digits. */
static int64_t number(const char *s, size_t len, int base, size_t *used)
{
    int64_t v = 0;
    size_t i = 0;
    for (int d; i < len && (d = digit((unsigned char)s[i], base)) >= 0; i++)
        if ((v = v * base + d) > LENGTH_MAX)
            return -1;
    *used = i;
    return i ? v : -1;
}

static bool status_line(struct http_head *h, const char *s, size_t len)
{
    if (len < 12 || memcmp(s, "HTTP/1.", 7) != 0 || !isdigit((unsigned char)s[7]) || s[8] != ' ')
        return false;
    size_t used;
    int64_t status = number(s + 9, len - 9, 10, &used);
    h->status = (int)status;
    return used == 3 && status >= 100 && status <= 599 && (len == 12 || s[12] == ' ');
}

/* What a header says where it has this name; NULL where it has another. */
static const char *value_of(const char *name, const char *s, size_t len, size_t *value_len)
{
    size_t n = strlen(name);
    if (len <= n || s[n] != ':' || strncasecmp(s, name, n) != 0)
        return NULL;
    for (s += n + 1, len -= n + 1; len && (*s == ' ' || *s == '\t'); s++)
        len--;
    while (len && (s[len - 1] == ' ' || s[len - 1] == '\t'))
        len--;
    *value_len = len;
    return s;
}

static bool header(struct http_head *h, const char *s, size_t len)
{
    size_t n, used;
    const char *value;
    if (memchr(s, ':', len) == NULL)
        return false;
    if ((value = value_of("Content-Length", s, len, &n)) != NULL) {
        int64_t length = number(value, n, 10, &used);
        if (length < 0 || used != n || (h->length >= 0 && h->length != length))
            return false;
        h->length = length;
    } else if ((value = value_of("Transfer-Encoding", s, len, &n)) != NULL) {
        if (n != 7 || strncasecmp(value, "chunked", 7) != 0)
            return false;
        h->chunked = true;
    }
    return true;
}

int http_head_parse(struct http_head *h, const char *s, size_t len, const char **why)
{
    size_t at = 0, line, next;
    bool more = true;
    while (more) {
        bool first = true;
        *h = (struct http_head){ .length = -1 };
        for (;; first = false, at += next) {
            *why = "its head is larger than 64 KiB";
            if (at > HTTP_HEAD_MAX)
                return -1;
            if (at == len || !line_at(s + at, len - at, &line, &next))
                return len > HTTP_HEAD_MAX ? -1 : 0;
            if (!line && !first)
                break;
            *why = first ? "it does not begin as an HTTP/1.1 response does" : "one of its headers cannot be";
            if (first ? !status_line(h, s + at, line) : !header(h, s + at, line))
                return -1;
        }
        at += next;
        more = h->status < 200 && h->status != 101;
    }
    h->len = at;
    return 1;
}

static int chunked_body(const char *s, size_t len, struct buffer *out)
{
    size_t at = 0, line, next, used;
    while (at < len && line_at(s + at, len - at, &line, &next)) {
        int64_t size = number(s + at, line, 16, &used);
        if (size < 0)
            return -1;
        at += next;
        if (size == 0) {
            while (at < len && line_at(s + at, len - at, &line, &next)) { /* trailers */
                if (!line)
                    return 1;
                at += next;
            }
            return 0;
        }
        if ((uint64_t)size > len - at)
            return 0;
        buffer_add(out, s + at, (size_t)size);
        at += (size_t)size;
        if (at == len || !line_at(s + at, len - at, &line, &next))
            return len - at > 2 ? -1 : 0;
        if (line)
            return -1;
        at += next;
    }
    return 0;
}

int http_head_body(const struct http_head *h, const char *s, size_t len, bool ended, struct buffer *out)
{
    if (h->chunked) {
        size_t before = out->len;
        int got = chunked_body(s, len, out);
        if (got <= 0)
            out->len = before;
        return got == 0 && ended ? -1 : got;
    }
    if (h->length >= 0 && (uint64_t)h->length > len)
        return ended ? -1 : 0;
    if (h->length < 0 && !ended)
        return 0;
    buffer_add(out, s, h->length >= 0 ? (size_t)h->length : len);
    return 1;
}
