#include "base/json_text.h"

#include <string.h>

#include "base/utf8.h"

static const char ends_early[] = "it ends too early";

void json_text_begin(struct json_text *t, const char *s, size_t len)
{
    *t = (struct json_text){ .begin = s, .at = s, .end = s + len };
}

static bool fail(struct json_text *t, const char *why)
{
    if (!t->why)
        t->why = why;
    return false;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static void skip_blanks(struct json_text *t)
{
    if (t->at == t->end || !is_blank(*t->at))
        return;
    t->blanks = true;
    while (t->at < t->end && is_blank(*t->at))
        t->at++;
}

/* The four digits at s, or -1. */
static int32_t hex4(const char *s)
{
    int32_t v = 0;
    for (int i = 0; i < 4; i++) {
        char c = s[i];
        if (is_digit(c))
            v = v * 16 + (c - '0');
        else if ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'))
            v = v * 16 + ((c | 0x20) - 'a' + 10);
        else
            return -1;
    }
    return v;
}

static bool take_escape(struct json_text *t)
{
    size_t left = (size_t)(t->end - t->at);
    if (left < 2)
        return fail(t, ends_early);
    if (t->at[1] == 'u') {
        if (left < 6)
            return fail(t, ends_early);
        if (hex4(t->at + 2) < 0)
            return fail(t, "\\u needs four hexadecimal digits");
        t->at += 6;
        return true;
    }
    if (!t->at[1] || !strchr("\"\\/bfnrt", t->at[1]))
        return fail(t, "an escape that JSON does not have");
    t->at += 2;
    return true;
}

static bool is_plain(char c)
{
    return (unsigned char)c >= 0x20 && (unsigned char)c < 0x80 && c != '"' && c != '\\';
}

/* At a double quote. */
static bool take_string(struct json_text *t, struct json_span *string)
{
    *string = (struct json_span){ .kind = JSON_STRING, .s = t->at++ };
    for (;;) {
        while (t->at < t->end && is_plain(*t->at))
            t->at++;
        if (t->at == t->end)
            return fail(t, ends_early);
        if (*t->at == '"') {
            string->len = (size_t)(++t->at - string->s);
            return true;
        }
        uint32_t c;
        size_t n = utf8_decode(t->at, (size_t)(t->end - t->at), &c);
        if (*t->at == '\\') {
            string->escapes = true;
            if (!take_escape(t))
                return false;
        } else if (!n) {
            return fail(t, "bytes that are no UTF-8");
        } else if (c < 0x20) {
            return fail(t, "a control character in a string");
        } else {
            t->at += n;
        }
    }
}

static bool take_digits(struct json_text *t)
{
    if (t->at == t->end)
        return fail(t, ends_early);
    if (!is_digit(*t->at))
        return fail(t, "a digit is missing");
    while (t->at < t->end && is_digit(*t->at))
        t->at++;
    return true;
}

static bool take_number(struct json_text *t)
{
    if (*t->at == '-')
        t->at++;
    const char *first = t->at;
    if (first < t->end && *first == 'I')
        return fail(t, "JSON has no Infinity and no NaN");
    if (!take_digits(t))
        return false;
    if (*first == '0' && t->at > first + 1) {
        t->at = first;
        return fail(t, "a number that begins with 0");
    }
    if (t->at < t->end && *t->at == '.') {
        t->at++;
        if (!take_digits(t))
            return false;
    }
    if (t->at < t->end && (*t->at == 'e' || *t->at == 'E')) {
        t->at++;
        if (t->at < t->end && (*t->at == '+' || *t->at == '-'))
            t->at++;
        return take_digits(t);
    }
    return true;
}

static bool take_word(struct json_text *t, const char *word)
{
    size_t len = strlen(word), left = (size_t)(t->end - t->at);
    if (memcmp(t->at, word, left < len ? left : len) != 0)
        return fail(t, "a word that JSON does not have");
    if (left < len) {
        t->at = t->end;
        return fail(t, ends_early);
    }
    t->at += len;
    return true;
}

static bool refuse(struct json_text *t)
{
    switch (*t->at) {
    case ',':
    case ':':
    case ']':
    case '}':
        return fail(t, "a value is missing");
    case '\'':
        return fail(t, "JSON has double quotes only");
    case 'N':
    case 'I':
        return fail(t, strncmp(t->at, "None", 4 < t->end - t->at ? 4 : (size_t)(t->end - t->at)) == 0
                           ? "a word that JSON does not have"
                           : "JSON has no Infinity and no NaN");
    default:
        return fail(t, "a character that JSON does not use there");
    }
}

/* A value that is no array or object, from its first character on. */
static bool take_scalar(struct json_text *t, struct json_span *value)
{
    if (t->at == t->end)
        return fail(t, ends_early);
    switch (*t->at) {
    case '"':
        return take_string(t, value);
    case 't':
        return take_word(t, "true");
    case 'f':
        return take_word(t, "false");
    case 'n':
        return take_word(t, "null");
    default:
        return *t->at == '-' || is_digit(*t->at) ? take_number(t) : refuse(t);
    }
}

enum json_kind json_text_kind(struct json_text *t)
{
    skip_blanks(t);
    return t->at == t->end ? JSON_NULL : json_kind_at(t->at);
}

bool json_text_open(struct json_text *t)
{
    enum json_kind kind = json_text_kind(t);
    if (kind != JSON_OBJECT && kind != JSON_ARRAY)
        return fail(t, "an array or object is missing");
    if (t->depth == JSON_DEPTH)
        return fail(t, "nested too deeply");
    t->depth++;
    t->objects = t->objects << 1 | (kind == JSON_OBJECT);
    t->fresh = true;
    t->at++;
    return true;
}

bool json_text_item(struct json_text *t, struct json_span *name, bool *more)
{
    bool object = t->objects & 1;
    skip_blanks(t);
    if (t->at == t->end)
        return fail(t, ends_early);
    if (*t->at == (object ? '}' : ']')) {
        t->at++;
        t->depth--;
        t->objects >>= 1;
        t->fresh = *more = false;
        return true;
    }
    if (!t->fresh) {
        if (*t->at != ',')
            return fail(t, object ? "a , or } is missing" : "a , or ] is missing");
        t->at++;
        skip_blanks(t);
    }
    t->fresh = false;
    *more = true;
    if (!object)
        return true;
    struct json_span unused;
    if (t->at == t->end)
        return fail(t, ends_early);
    if (*t->at != '"')
        return fail(t, "a name in double quotes is missing");
    if (!take_string(t, name ? name : &unused))
        return false;
    skip_blanks(t);
    if (t->at == t->end)
        return fail(t, ends_early);
    if (*t->at != ':')
        return fail(t, "a : is missing");
    t->at++;
    return true;
}

bool json_text_value(struct json_text *t, struct json_span *value)
{
    struct json_span part;
    enum json_kind kind = json_text_kind(t);
    *value = (struct json_span){ .kind = kind, .s = t->at };
    t->blanks = false;
    int outer = t->depth;
    bool more = true;
    do {
        if (more) {
            kind = json_text_kind(t);
            bool nested = kind == JSON_ARRAY || kind == JSON_OBJECT;
            if (!(nested ? json_text_open(t) : take_scalar(t, t->depth == outer ? value : &part)))
                return false;
        }
        if (t->depth > outer && !json_text_item(t, NULL, &more))
            return false;
    } while (t->depth > outer);
    value->len = (size_t)(t->at - value->s);
    value->blanks = t->blanks;
    return true;
}

bool json_text_end(struct json_text *t)
{
    skip_blanks(t);
    return t->at == t->end || fail(t, "there is something behind the value");
}

size_t json_text_column(const struct json_text *t)
{
    size_t column = 1;
    for (const char *at = t->begin; at < t->at; column++) {
        uint32_t c;
        size_t n = utf8_decode(at, (size_t)(t->at - at), &c);
        at += n ? n : 1;
    }
    return column;
}

/* One character of a string's inside; *at goes behind it. */
static uint32_t next_character(const char **at, const char *end)
{
    static const char letters[] = "bfnrt", meant[] = "\b\f\n\r\t";
    const char *s = *at;
    uint32_t c;
    if (*s != '\\') {
        *at += utf8_decode(s, (size_t)(end - s), &c);
        return c;
    }
    if (s[1] != 'u') {
        const char *letter = strchr(letters, s[1]);
        *at += 2;
        return (unsigned char)(letter ? meant[letter - letters] : s[1]);
    }
    *at += 6;
    c = (uint32_t)hex4(s + 2);
    if (c >= 0xd800 && c < 0xdc00 && end - s >= 12 && s[6] == '\\' && s[7] == 'u') {
        uint32_t low = (uint32_t)hex4(s + 8);
        if (low >= 0xdc00 && low < 0xe000) {
            *at += 6;
            return 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
        }
    }
    return c >= 0xd800 && c < 0xe000 ? 0xfffd : c;
}

size_t json_span_unescape(const struct json_span *string, char *out, size_t room)
{
    const char *at = string->s + 1, *end = string->s + string->len - 1;
    size_t len = (size_t)(end - at);
    if (!string->escapes) {
        if (len > room)
            return SIZE_MAX;
        memcpy(out, at, len);
        return len;
    }
    for (len = 0; at < end;) {
        char c[4];
        size_t n = utf8_encode(next_character(&at, end), c);
        if (n > room - len)
            return SIZE_MAX;
        memcpy(out + len, c, n);
        len += n;
    }
    return len;
}

bool json_span_is(const struct json_span *string, const char *plain, size_t len)
{
    if (!string->escapes)
        return string->len == len + 2 && memcmp(string->s + 1, plain, len) == 0;
    char text[64];
    return json_span_unescape(string, text, sizeof text) == len && memcmp(text, plain, len) == 0;
}

size_t json_span_compact(const struct json_span *span, char *out)
{
    if (!span->blanks) {
        memcpy(out, span->s, span->len);
        return span->len;
    }
    bool in_string = false;
    size_t len = 0;
    for (size_t i = 0; i < span->len; i++) {
        char c = span->s[i];
        if (!in_string && is_blank(c))
            continue;
        out[len++] = c;
        if (c == '"')
            in_string = !in_string;
        else if (in_string && c == '\\')
            out[len++] = span->s[++i];
    }
    return len;
}

/* The digits of a number without sign and point, and where the point stands in them. */
struct decimal {
    const char *digits;
    int64_t whole, count; /* digits before the point as written; all of them */
    int64_t point;        /* with the exponent: the value is 0.DIGITS times ten to this */
};

static int64_t digit_at(const struct decimal *d, int64_t i)
{
    return d->digits[i < d->whole ? i : i + 1] - '0';
}

static struct decimal read_decimal(const char *s, const char *end)
{
    struct decimal d = { .digits = s };
    while (s < end && is_digit(*s))
        s++;
    d.count = d.whole = s - d.digits;
    if (s < end && *s == '.') {
        while (++s < end && is_digit(*s))
            d.count++;
    }
    int64_t exponent = 0;
    bool less = false;
    if (s < end) { /* at the e */
        less = *++s == '-';
        if (*s == '-' || *s == '+')
            s++;
        for (; s < end; s++)
            if (exponent < INT64_C(1000000000000))
                exponent = exponent * 10 + (*s - '0');
    }
    d.point = d.whole + (less ? -exponent : exponent);
    return d;
}

int json_span_whole(const struct json_span *number, int64_t *out)
{
    const char *s = number->s, *end = s + number->len;
    bool negative = *s == '-';
    struct decimal d = read_decimal(s + negative, end);
    int64_t first = 0, last = d.count;
    while (first < d.count && !digit_at(&d, first))
        first++;
    while (last > first && !digit_at(&d, last - 1))
        last--;
    *out = 0;
    if (first == d.count)
        return 0;
    if (d.point < last)
        return -1;
    uint64_t v = 0, most = negative ? UINT64_C(1) << 63 : INT64_MAX;
    if (d.point - first <= 19)
        for (int64_t i = first; i < d.point; i++)
            v = v * 10 + (i < last ? (uint64_t)digit_at(&d, i) : 0);
    else
        v = UINT64_MAX;
    if (v > most)
        v = most;
    *out = negative ? (int64_t)(0 - v) : (int64_t)v;
    return 0;
}
