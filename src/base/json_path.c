#include "base/json_path.h"

#include <stdlib.h>
#include <string.h>

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

/* `at` is behind the opening quote. Returns what is behind the closing one, NULL where there is none. */
static inline const char *skip_string(const char *at, const char *end, bool *escapes)
{
    for (; at < end; at++) {
        if (*at == '"')
            return at + 1;
        if (*at == '\\') {
            *escapes = true;
            if (++at == end)
                break;
        }
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

static enum json_kind kind_of(char c)
{
    switch (c) {
    case '{':
        return JSON_OBJECT;
    case '[':
        return JSON_ARRAY;
    case '"':
        return JSON_STRING;
    case 't':
    case 'f':
        return JSON_BOOL;
    case 'n':
        return JSON_NULL;
    default:
        return JSON_NUMBER;
    }
}

/* Takes the value at `at`. Returns what is behind it, NULL where the text ends before. */
static inline const char *take_value(const char *at, const char *end, struct json_span *out)
{
    *out = (struct json_span){ .kind = kind_of(*at), .s = at, .blanks = true };
    if (*at == '"') {
        at = skip_string(at + 1, end, &out->escapes);
    } else if (*at == '{' || *at == '[') {
        at = skip_nested(at, end);
    } else {
        while (at < end && *at != ',' && *at != '}' && *at != ']' && !is_blank(*at))
            at++;
        at = at == out->s ? NULL : at;
    }
    out->len = at ? (size_t)(at - out->s) : 0;
    return at;
}

static bool is_key(const struct json_span *name, const struct json_step *step)
{
    if (!name->escapes)
        return name->len == step->len + 2 && memcmp(name->s + 1, step->key, step->len) == 0;
    struct json_text t;
    struct json_span string;
    json_text_begin(&t, name->s, name->len);
    return json_text_value(&t, &string) && json_span_is(&string, step->key, step->len);
}

/* Of the object or array whose inside begins at `at`. */
static bool find_item(const char *at, const char *end, bool object, const struct json_step *step, struct json_span *out)
{
    bool found = false;
    if (!object && step->index == JSON_NO_INDEX)
        return false;
    for (uint32_t i = 0;; i++) {
        struct json_span name = { 0 }, value;
        at = skip_blanks(at, end);
        if (object) {
            if (at == end || *at != '"' || !(at = take_value(at, end, &name)))
                return found;
            at = skip_blanks(at, end);
            if (at == end || *at != ':')
                return found;
            at = skip_blanks(at + 1, end);
        }
        if (at == end || !(at = take_value(at, end, &value)))
            return found;
        if (object ? is_key(&name, step) : i == step->index) {
            found = true;
            *out = value;
            if (!object)
                return true;
        }
        at = skip_blanks(at, end);
        if (at == end || *at != ',')
            return found;
        at++;
    }
}

bool json_find(const char *s, size_t len, const struct json_step *path, size_t steps, struct json_span *out)
{
    const char *end = s + len, *at = skip_blanks(s, end);
    if (at == end || (!steps && !take_value(at, end, out)))
        return false;
    for (size_t i = 0; i < steps; i++) {
        if (at == end || (*at != '{' && *at != '['))
            return false;
        struct json_span inner;
        if (!find_item(at + 1, end, *at == '{', &path[i], &inner))
            return false;
        *out = inner;
        at = inner.s;
        end = inner.s + inner.len;
    }
    return true;
}

static inline bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The digits of a number, without its point, and the power of ten that goes with them. */
struct digits {
    uint64_t value;
    int count; /* that are in value */
    int exponent;
    bool plain; /* no point and no exponent */
    bool all;   /* none was left out */
};

static const char *take_digits(const char *at, const char *end, struct digits *d)
{
    for (; at < end && is_digit(*at); at++) {
        if (d->count < 18)
            d->value = d->value * 10 + (uint64_t)(*at - '0');
        else
            d->all = false;
        d->count += d->count < 18 && d->value;
    }
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
    *d = (struct digits){ .plain = true, .all = true };
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
    *out = (struct json_number){ .is_whole = d.plain && d.all, .whole = (int64_t)d.value };
    if (!d.all || d.exponent > 22 || d.exponent < -22)
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
