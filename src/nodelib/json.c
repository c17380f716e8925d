#include "nodelib/json.h"

#include "base/utf8.h"
#include "lockstep/node.h"

struct reader {
    const char *at, *end;
    const char *why; /* NULL while nothing is wrong */
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

const char *json_blanks(const char *at, const char *end)
{
    while (at < end && is_blank(*at))
        at++;
    return at;
}

static bool wrong(struct reader *r, const char *why)
{
    if (!r->why)
        r->why = r->at < r->end ? why : "it ends too early";
    return false;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

static bool read_escape(struct reader *r)
{
    if (++r->at >= r->end)
        return wrong(r, "");
    if (*r->at != 'u') {
        if (!*r->at || !strchr("\"\\/bfnrt", *r->at))
            return wrong(r, "an escape that JSON does not have");
        r->at++;
        return true;
    }
    r->at++;
    for (int i = 0; i < 4; i++, r->at++)
        if (r->at >= r->end || hex_digit(*r->at) < 0)
            return wrong(r, "\\u without four hex digits");
    return true;
}

static bool read_string(struct reader *r)
{
    r->at++;
    while (r->at < r->end && *r->at != '"') {
        unsigned char c = (unsigned char)*r->at;
        uint32_t codepoint;
        if (c == '\\') {
            if (!read_escape(r))
                return false;
        } else if (c < 0x20) {
            return wrong(r, "a control character in a string; write it as an escape");
        } else if (c < 0x80) {
            r->at++;
        } else {
            size_t n = utf8_decode(r->at, (size_t)(r->end - r->at), &codepoint);
            if (!n)
                return wrong(r, "bytes that are no UTF-8");
            r->at += n;
        }
    }
    if (r->at >= r->end)
        return wrong(r, "");
    r->at++;
    return true;
}

static bool read_digits(struct reader *r)
{
    if (r->at >= r->end || *r->at < '0' || *r->at > '9')
        return wrong(r, "a number without a digit where one must be");
    while (r->at < r->end && *r->at >= '0' && *r->at <= '9')
        r->at++;
    return true;
}

static bool read_number(struct reader *r)
{
    if (*r->at == '-')
        r->at++;
    const char *first = r->at;
    if (!read_digits(r))
        return false;
    if (*first == '0' && r->at > first + 1) {
        r->at = first;
        return wrong(r, "a number that begins with 0");
    }
    if (r->at < r->end && *r->at == '.') {
        r->at++;
        if (!read_digits(r))
            return false;
    }
    if (r->at < r->end && (*r->at == 'e' || *r->at == 'E')) {
        r->at++;
        if (r->at < r->end && (*r->at == '+' || *r->at == '-'))
            r->at++;
        return read_digits(r);
    }
    return true;
}

static bool read_word(struct reader *r, const char *word)
{
    for (; *word; word++, r->at++)
        if (r->at >= r->end || *r->at != *word)
            return wrong(r, "a word that JSON does not have");
    return true;
}

static bool read_value(struct reader *r, int depth);

static bool read_key(struct reader *r)
{
    if (r->at >= r->end || *r->at != '"')
        return wrong(r, "a key must be a string in double quotes");
    if (!read_string(r))
        return false;
    r->at = json_blanks(r->at, r->end);
    if (r->at >= r->end || *r->at != ':')
        return wrong(r, "a ':' is missing behind a key");
    r->at++;
    return true;
}

static bool read_parts(struct reader *r, char close, int depth)
{
    if (depth >= LOCKSTEP_JSON_DEPTH)
        return wrong(r, "more than 64 arrays and objects inside one another");
    r->at = json_blanks(r->at + 1, r->end);
    if (r->at < r->end && *r->at == close) {
        r->at++;
        return true;
    }
    for (;;) {
        r->at = json_blanks(r->at, r->end);
        if ((close == '}' && !read_key(r)) || !read_value(r, depth + 1))
            return false;
        r->at = json_blanks(r->at, r->end);
        if (r->at >= r->end || (*r->at != ',' && *r->at != close))
            return wrong(r, close == '}' ? "a ',' or '}' is missing" : "a ',' or ']' is missing");
        if (*r->at++ == close)
            return true;
    }
}

static bool read_value(struct reader *r, int depth)
{
    r->at = json_blanks(r->at, r->end);
    if (r->at >= r->end)
        return wrong(r, "");
    switch (*r->at) {
    case '{':
        return read_parts(r, '}', depth);
    case '[':
        return read_parts(r, ']', depth);
    case '"':
        return read_string(r);
    case 't':
        return read_word(r, "true");
    case 'f':
        return read_word(r, "false");
    case 'n':
        return read_word(r, "null");
    default:
        return *r->at == '-' || (*r->at >= '0' && *r->at <= '9') ? read_number(r)
                                                                 : wrong(r, "a character that JSON does not use there");
    }
}

const char *json_value_end(const char *at, const char *end, const char **why, const char **where)
{
    struct reader r = { at, end, NULL };
    bool fine = read_value(&r, 0);
    *why = r.why;
    *where = r.at;
    return fine ? r.at : NULL;
}

const char *json_problem(const char *text, size_t len, size_t *where)
{
    const char *why, *at, *end = text + len, *behind = json_value_end(text, end, &why, &at);
    if (behind) {
        at = json_blanks(behind, end);
        why = at < end ? "there is something behind the value" : NULL;
    }
    *where = (size_t)(at - text);
    return why;
}

bool json_next(const char **at, const char *end, bool object, struct json_part *part)
{
    struct reader r = { json_blanks(*at, end), end, NULL };
    if (r.at < end && *r.at == ',')
        r.at = json_blanks(r.at + 1, end);
    if (r.at >= end || *r.at == '}' || *r.at == ']')
        return false;
    if (object) {
        part->key = r.at;
        read_string(&r);
        part->key_len = (size_t)(r.at - part->key);
        r.at = json_blanks(r.at, end) + 1;
    }
    part->value = json_blanks(r.at, end);
    if (!read_value(&r, 0))
        return false;
    part->value_len = (size_t)(r.at - part->value);
    *at = r.at;
    return true;
}

static uint32_t read_unit(const char *at)
{
    uint32_t c = 0;
    for (int i = 0; i < 4; i++)
        c = c << 4 | (uint32_t)hex_digit(at[i]);
    return c;
}

/* The character of an escape at *at, which moves behind it. Half a pair of surrogates becomes U+FFFD. */
static uint32_t unescape(const char **at)
{
    static const char names[] = "bfnrt", values[] = "\b\f\n\r\t";
    char c = (*at)[1];
    *at += 2;
    if (c != 'u') {
        const char *found = strchr(names, c);
        return (uint32_t)(found ? values[found - names] : c);
    }
    uint32_t high = read_unit(*at);
    *at += 4;
    if (high < 0xd800 || high > 0xdfff)
        return high;
    if (high > 0xdbff || (*at)[0] != '\\' || (*at)[1] != 'u')
        return 0xfffd;
    uint32_t low = read_unit(*at + 2);
    if (low < 0xdc00 || low > 0xdfff)
        return 0xfffd;
    *at += 6;
    return 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
}

void json_decode(struct buffer *out, const char *text, size_t len)
{
    const char *at = text + 1, *end = text + len - 1;
    while (at < end) {
        size_t plain = 0;
        while (at + plain < end && at[plain] != '\\')
            plain++;
        buffer_add(out, at, plain);
        at += plain;
        if (at < end) {
            char encoded[4];
            buffer_add(out, encoded, utf8_encode(unescape(&at), encoded));
        }
    }
}

bool json_is(const char *text, size_t len, const char *word)
{
    size_t want = strlen(word);
    if (len == want + 2 && memcmp(text + 1, word, want) == 0)
        return !memchr(text, '\\', len);
    if (!memchr(text, '\\', len))
        return false;
    struct buffer plain = { 0 };
    json_decode(&plain, text, len);
    bool same = plain.len == want && memcmp(buffer_string(&plain), word, want) == 0;
    buffer_free(&plain);
    return same;
}

void json_encode(struct buffer *out, const char *text, size_t len)
{
    buffer_text(out, "\"");
    for (size_t at = 0; at < len;) {
        uint32_t c;
        size_t n = utf8_decode(text + at, len - at, &c);
        if (!n)
            buffer_text(out, "\xef\xbf\xbd");
        else if (c == '"' || c == '\\')
            buffer_format(out, "\\%c", (char)c);
        else if (c < 0x20 || c == 0x7f)
            buffer_format(out, "\\u%04x", (unsigned)c);
        else
            buffer_add(out, text + at, n);
        at += n ? n : 1;
    }
    buffer_text(out, "\"");
}

void json_compact(struct buffer *out, const char *text, size_t len)
{
    bool in_string = false;
    for (size_t i = 0, from = 0; i <= len; i++) {
        if (i == len || (!in_string && is_blank(text[i]))) {
            buffer_add(out, text + from, i - from);
            from = i + 1;
        } else if (text[i] == '"') {
            in_string = !in_string;
        } else if (in_string && text[i] == '\\') {
            i++;
        }
    }
}
