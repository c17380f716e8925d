#include "base/json_path.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#define NUMBER_MOST 800 /* bytes of a number that is read exactly: more digits than a double can tell apart */

struct json_step json_step(const char *key, size_t len)
{
    struct json_step step = { key, len, JSON_NO_INDEX };
    uint32_t v = 0;
    for (size_t i = 0; i < len; i++) {
        if (key[i] < '0' || key[i] > '9' || i == 9 || (i > 0 && !v))
            return step;
        v = v * 10 + (uint32_t)(key[i] - '0');
    }
    step.index = len ? v : JSON_NO_INDEX;
    return step;
}

static inline bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static inline const char *skip_blanks(const char *at, const char *end)
{
    while (at < end && is_blank(*at))
        at++;
    return at;
}

/* Eight bytes at once: the highest bit of the first that is `c` is set, and none below it. */
static inline uint64_t bytes_that_are(uint64_t word, char c)
{
    uint64_t x = word ^ UINT64_C(0x0101010101010101) * (unsigned char)c;
    return (x - UINT64_C(0x0101010101010101)) & ~x & UINT64_C(0x8080808080808080);
}

static inline bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static inline const char *skip_digits(const char *at, const char *end)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    for (; end - at >= 8; at += 8) {
        uint64_t word;
        memcpy(&word, at, sizeof word);
        word ^= UINT64_C(0x3030303030303030); /* a digit becomes 0 to 9, all else is more */
        word = (word | (word + UINT64_C(0x7676767676767676))) & UINT64_C(0x8080808080808080);
        if (word)
            return at + __builtin_ctzll(word) / 8;
    }
#endif
    while (at < end && is_digit(*at))
        at++;
    return at;
}

/* The next quote or backslash, or the end. */
static inline const char *find_quote(const char *at, const char *end)
{
    while (end - at >= 8) {
        uint64_t word, found;
        memcpy(&word, at, sizeof word);
        found = bytes_that_are(word, '"') | bytes_that_are(word, '\\');
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
        if (found)
            return at + __builtin_ctzll(found) / 8;
#else
        if (found)
            break;
#endif
        at += 8;
    }
    while (at < end && *at != '"' && *at != '\\')
        at++;
    return at;
}

/* `at` is behind the opening quote. Returns what is behind the closing one, NULL where there is none. */
static inline const char *skip_string(const char *at, const char *end, bool *escapes)
{
    while (at < end) {
        at = find_quote(at, end);
        if (at == end)
            break;
        if (*at == '"')
            return at + 1;
        *escapes = true;
        at += end - at < 2 ? 1 : 2;
    }
    return NULL;
}

static const char *skip_nested(const char *at, const char *end)
{
    bool escapes;
    size_t depth = 0;
    while (at < end) {
        char c = *at++;
        if (c == '"') {
            if (!(at = skip_string(at, end, &escapes)))
                return NULL;
        } else if (c == '{' || c == '[') {
            depth++;
        } else if ((c == '}' || c == ']') && --depth == 0) {
            return at;
        }
    }
    return NULL;
}

static const bool ends_scalar[256] = {
    [','] = true, ['}'] = true, [']'] = true, [' '] = true, ['\t'] = true, ['\n'] = true, ['\r'] = true
};

/* Returns what is behind the value at `at`, NULL where the text ends before. */
static inline const char *skip_value(const char *at, const char *end, bool *escapes)
{
    const char *first = at;
    if (*at == '"')
        return skip_string(at + 1, end, escapes);
    if (*at == '{' || *at == '[')
        return skip_nested(at, end);
    at = skip_digits(at + (*at == '-'), end);
    if (at < end && *at == '.')
        at = skip_digits(at + 1, end);
    while (at < end && !ends_scalar[(unsigned char)*at])
        at++;
    return at == first ? NULL : at;
}

static struct json_span span_of(const char *s, const char *end, bool escapes)
{
    return (struct json_span){
        .kind = json_kind_at(s), .s = s, .len = (size_t)(end - s), .blanks = true, .escapes = escapes
    };
}

/* Whether the name in s[0..len), quotes and all, is that of the step. */
static inline bool is_key(const char *s, size_t len, bool escapes, const struct json_step *step)
{
    if (!escapes)
        return len == step->len + 2 && memcmp(s + 1, step->key, step->len) == 0;
    struct json_text t;
    struct json_span string;
    json_text_begin(&t, s, len);
    return json_text_value(&t, &string) && json_span_is(&string, step->key, step->len);
}

/* The inside of an object begins at `at`. */
static bool find_member(const char *at, const char *end, const struct json_step *step, struct json_span *out)
{
    bool found = false;
    for (;;) {
        bool escapes = false, wanted;
        at = skip_blanks(at, end);
        const char *name = at;
        if (at == end || *at != '"' || !(at = skip_string(at + 1, end, &escapes)))
            return found;
        wanted = is_key(name, (size_t)(at - name), escapes, step);
        at = skip_blanks(at, end);
        if (at == end || *at != ':')
            return found;
        at = skip_blanks(at + 1, end);
        const char *value = at;
        escapes = false;
        if (at == end || !(at = skip_value(at, end, &escapes)))
            return found;
        if (wanted) {
            found = true;
            *out = span_of(value, at, escapes);
        }
        at = skip_blanks(at, end);
        if (at == end || *at++ != ',')
            return found;
    }
}

bool json_members(const char *s, size_t len,
                  void (*member)(void *data, const struct json_span *name, const struct json_span *value), void *data)
{
    const char *end = s + len, *at = skip_blanks(s, end);
    if (at == end || (*at != '{' && *at != '['))
        return true;
    if (*at++ == '[')
        return false;
    for (at = skip_blanks(at, end); at < end && *at != '}'; at = skip_blanks(at + (*at == ','), end)) {
        bool escapes = false;
        const char *name = at, *behind = *at == '"' ? skip_string(at + 1, end, &escapes) : NULL;
        if (!behind || escapes)
            return false;
        struct json_span key = span_of(name, behind, false);
        at = skip_blanks(behind, end);
        if (at == end || *at != ':')
            return false;
        at = skip_blanks(at + 1, end);
        if (at == end || !(behind = skip_value(at, end, &escapes)))
            return false;
        struct json_span value = span_of(at, behind, escapes);
        member(data, &key, &value);
        at = skip_blanks(behind, end);
        if (at == end || (*at != ',' && *at != '}'))
            return false;
    }
    return at < end;
}

/* The inside of an array begins at `at`. */
static bool find_element(const char *at, const char *end, const struct json_step *step, struct json_span *out)
{
    if (step->index == JSON_NO_INDEX)
        return false;
    for (uint32_t i = 0;; i++) {
        bool escapes = false;
        at = skip_blanks(at, end);
        const char *value = at;
        if (at == end || !(at = skip_value(at, end, &escapes)))
            return false;
        if (i == step->index) {
            *out = span_of(value, at, escapes);
            return true;
        }
        at = skip_blanks(at, end);
        if (at == end || *at++ != ',')
            return false;
    }
}

bool json_find(const char *s, size_t len, const struct json_step *path, size_t steps, struct json_span *out)
{
    const char *end = s + len, *at = skip_blanks(s, end);
    if (at == end)
        return false;
    if (!steps) {
        bool escapes = false;
        const char *behind = skip_value(at, end, &escapes);
        if (behind)
            *out = span_of(at, behind, escapes);
        return behind;
    }
    for (size_t i = 0; i < steps; i++) {
        struct json_span inner;
        bool found = *at == '{'   ? find_member(at + 1, end, &path[i], &inner)
                     : *at == '[' ? find_element(at + 1, end, &path[i], &inner)
                                  : false;
        if (!found)
            return false;
        *out = inner;
        at = inner.s;
        end = inner.s + inner.len;
    }
    return true;
}

struct json_probe {
    const struct json_step *path;
    size_t steps;
    size_t len;              /* of `name`; 0: only json_find will do */
    unsigned char skip[256]; /* by the byte where a name would end: so far on is the next place where one can */
    char name[];             /* the first key in its quotes */
};

/* Whether the key in quotes is, in JSON without a backslash, always one string, however it is found: where its first
 * quote could be the end of another string, something else than the key follows. And no key but with a backslash has
 * quotes or control characters in it. */
static bool is_plain(const struct json_step *step)
{
    for (size_t i = 0; i < step->len; i++)
        if ((unsigned char)step->key[i] < ' ' || step->key[i] == '"' || step->key[i] == '\\')
            return false;
    return step->len && !strchr(" ,:]}", step->key[0]);
}

struct json_probe *json_probe_new(const struct json_step *path, size_t steps)
{
    size_t len = path->len + 2, most = len < 255 ? len : 255;
    struct json_probe *p = mem_alloc(sizeof *p + len);
    p->path = path;
    p->steps = steps;
    if (!is_plain(path))
        return p;
    p->len = len;
    p->name[0] = p->name[len - 1] = '"';
    memcpy(p->name + 1, path->key, path->len);
    memset(p->skip, (int)most, sizeof p->skip);
    for (size_t i = 0; i + 1 < len; i++) {
        size_t rest = len - 1 - i;
        p->skip[(unsigned char)p->name[i]] = (unsigned char)(rest < most ? rest : most);
    }
    return p;
}

void json_probe_free(struct json_probe *p)
{
    free(p);
}

static inline bool is_same(const char *a, const char *b, size_t len)
{
    if (len < 8 || len > 16)
        return memcmp(a, b, len) == 0;
    return memcmp(a, b, 8) == 0 && memcmp(a + len - 8, b + len - 8, 8) == 0; /* compilers know how without a call */
}

/* Where the name begins next; NULL: nowhere. */
static inline const char *next_name(const struct json_probe *p, const char *at, const char *end)
{
    size_t last = p->len - 1, left = (size_t)(end - at), i = last;
    for (; i < left; i += p->skip[(unsigned char)at[i]])
        if (at[i] == '"' && at[i - last] == '"' && is_same(at + i - last, p->name, last))
            return at + i - last;
    return NULL;
}

/* Whether no object begins there. */
static inline bool is_flat(const char *at, const char *end)
{
    for (; end - at >= 8; at += 8) {
        uint64_t word;
        memcpy(&word, at, sizeof word);
        if (bytes_that_are(word, '{'))
            return false;
    }
    while (at < end && *at != '{')
        at++;
    return at == end;
}

enum place { NOWHERE, THERE, UNSURE };

/* Where the first key's value begins in the text that begins at `at`. Most payloads are one object with the key once or
 * not at all, and no backslash: only of others it is not known. */
static inline enum place locate(const struct json_probe *p, const char *at, const char *end, const char **value)
{
    if (!p->len || *at != '{' || memchr(at, '\\', (size_t)(end - at)))
        return UNSURE;
    const char *name = next_name(p, at + 1, end);
    if (!name)
        return NOWHERE;
    const char *behind = name + p->len;
    if (!is_flat(at + 1, name) || next_name(p, behind, end))
        return UNSURE;
    at = skip_blanks(behind, end);
    if (at == end || *at != ':')
        return NOWHERE;
    *value = skip_blanks(at + 1, end);
    return *value < end ? THERE : NOWHERE;
}

static inline bool begins_nested(const char *at, const char *end)
{
    return at < end && (*at == '{' || *at == '[');
}

bool json_probe_find(const struct json_probe *p, const char *s, size_t len, struct json_span *out)
{
    const char *end = s + len, *at = skip_blanks(s, end), *value, *behind;
    bool escapes = false;
    switch (begins_nested(at, end) ? locate(p, at, end, &value) : NOWHERE) {
    case NOWHERE:
        return false;
    case THERE:
        if (!(behind = skip_value(value, end, &escapes)))
            return false;
        *out = span_of(value, behind, escapes);
        return p->steps == 1 || json_find(value, (size_t)(behind - value), p->path + 1, p->steps - 1, out);
    case UNSURE:
        break;
    }
    return json_find(s, len, p->path, p->steps, out);
}

/* Of a number with 15 digits before its point at most, as far as those tell. */
static inline enum json_order order_of(const char *at, const char *end, const struct json_number *to)
{
    bool negative = *at == '-', is_whole;
    const char *first = at += negative;
    int64_t whole = 0;
    for (; at < end && is_digit(*at) && at - first < 15; at++)
        whole = whole * 10 + (*at - '0');
    if (at == first || at == end || (*first == '0' && at > first + 1))
        return JSON_UNSURE;
    is_whole = *at != '.';
    if (!is_whole) {
        const char *fraction = at + 1;
        at = skip_digits(fraction, end);
        if (at == fraction || at == end)
            return JSON_UNSURE;
    }
    if (!ends_scalar[(unsigned char)*at])
        return JSON_UNSURE;
    whole = negative ? -whole : whole;
    if (is_whole && to->is_whole)
        return whole < to->whole ? JSON_LESS : whole > to->whole ? JSON_MORE : JSON_SAME;
    double low = (double)(whole - (negative && !is_whole)), high = (double)(whole + (!negative && !is_whole));
    return high < to->value ? JSON_LESS : low > to->value ? JSON_MORE : JSON_UNSURE;
}

enum json_order json_probe_order(const struct json_probe *p, const char *s, size_t len, const struct json_number *to)
{
    const char *end = s + len, *at = skip_blanks(s, end), *value;
    if (!begins_nested(at, end))
        return JSON_NOT_THERE;
    switch (locate(p, at, end, &value)) {
    case NOWHERE:
        return JSON_NOT_THERE;
    case THERE:
        return p->steps == 1 ? order_of(value, end, to) : JSON_UNSURE;
    default:
        return JSON_UNSURE;
    }
}

/* The digits of a number, without its point, and the power of ten that goes with them. */
struct digits {
    uint64_t value; /* good where `count` is 19 at most */
    ptrdiff_t count;
    int exponent;
    bool plain; /* no point and no exponent */
};

static inline const char *take_digits(const char *at, const char *end, struct digits *d)
{
    const char *first = at;
    uint64_t value = d->value;
    for (; at < end && is_digit(*at); at++)
        value = value * 10 + (uint64_t)(*at - '0');
    d->value = value;
    d->count += at - first;
    return at;
}

static bool take_exponent(const char *at, const char *end, struct digits *d)
{
    int e = 0;
    bool less = false;
    d->plain = false;
    if (at < end && (*at == '-' || *at == '+'))
        less = *at++ == '-';
    if (at == end)
        return false;
    for (; at < end; at++) {
        if (!is_digit(*at))
            return false;
        e = e < 10000 ? e * 10 + (*at - '0') : e;
    }
    d->exponent += less ? -e : e;
    return true;
}

/* Without its sign. */
static bool take_number(const char *at, const char *end, struct digits *d)
{
    *d = (struct digits){ .plain = true };
    const char *first = at;
    at = take_digits(at, end, d);
    if (at == first || (*first == '0' && at > first + 1))
        return false;
    if (at < end && *at == '.') {
        d->plain = false;
        const char *fraction = at + 1;
        at = take_digits(fraction, end, d);
        if (at == fraction)
            return false;
        d->exponent -= at - fraction < 10000 ? (int)(at - fraction) : 10000;
    }
    if (at < end && (*at == 'e' || *at == 'E'))
        return take_exponent(at + 1, end, d);
    return at == end;
}

bool json_number_exact(const char *s, size_t len, struct json_number *out)
{
    char text[NUMBER_MOST];
    if (len >= sizeof text)
        return false;
    memcpy(text, s, len);
    text[len] = '\0';
    out->value = strtod(text, NULL);
    out->is_near = false;
    return true;
}

bool json_number_read(const char *s, size_t len, struct json_number *out)
{
    static const double powers[] = { 1,    1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                     1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };
    struct digits d;
    bool negative = len && *s == '-';
    if (!len || !take_number(s + negative, s + len, &d))
        return false;
    *out = (struct json_number){ .is_whole = d.plain && d.count <= 18 };
    out->whole = out->is_whole ? (int64_t)d.value : 0;
    if (d.count > 19 || d.exponent > 22 || d.exponent < -22)
        return json_number_exact(s, len, out);
    out->value = (double)d.value;
    if (d.exponent < 0)
        out->value /= powers[-d.exponent];
    else
        out->value *= powers[d.exponent];
    out->is_near = d.value > UINT64_C(1) << 53;
    if (negative) {
        out->whole = -out->whole;
        out->value = -out->value;
    }
    return true;
}
