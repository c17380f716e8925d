#include "base/json.h"

#include <errno.h>
#include <json-c/json.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/number.h"
#include "base/utf8.h"

/* `struct json *` is json-c's object under another name, so that its header stays in this file; JSON's null, which
 * json-c gives as NULL, is the address of this byte. */
static const char null_value = 0;

static struct json *wrap(struct json_object *o)
{
    return o ? (struct json *)(void *)o : (struct json *)(void *)(uintptr_t)&null_value;
}

static struct json_object *unwrap(const struct json *v)
{
    if (!v || (const void *)v == (const void *)&null_value)
        return NULL;
    return (struct json_object *)(void *)(uintptr_t)v;
}

/* json-c takes more than RFC 8259 has, even when strict: strings in single quotes, NaN, Infinity. None of them can be
 * written with the characters that JSON uses outside strings. */
static bool is_plain_json(const char *text, size_t len)
{
    bool in_string = false;
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '"')
            in_string = !in_string;
        else if (in_string && text[i] == '\\')
            i++;
        else if (!in_string && (!text[i] || !strchr("{}[],: \t\r\n+-.0123456789eEtrufalsn", text[i])))
            return false;
    }
    return true;
}

struct json *json_parse(const char *text, size_t len, const char **why)
{
    if (len > INT32_MAX) {
        *why = "longer than 2 GiB";
        return NULL;
    }
    if (!is_plain_json(text, len)) {
        *why = "a character that JSON does not use there";
        return NULL;
    }
    struct json_tokener *t = json_tokener_new_ex(JSON_DEPTH);
    if (!t)
        abort();
    json_tokener_set_flags(t, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    struct json_object *o = json_tokener_parse_ex(t, text, (int)len);
    enum json_tokener_error e = json_tokener_get_error(t);
    if (e == json_tokener_continue) {
        /* a number or word at the very end: only a byte behind it tells json-c that it is whole */
        o = json_tokener_parse_ex(t, " ", 1);
        e = json_tokener_get_error(t);
        *why = "it ends too early";
    } else if (e == json_tokener_success) {
        size_t at = json_tokener_get_parse_end(t);
        while (at < len && strchr(" \t\r\n", text[at]))
            at++;
        if (at < len) {
            *why = "there is something behind the value";
            json_object_put(o);
            json_tokener_free(t);
            return NULL;
        }
    } else {
        *why = json_tokener_error_desc(e);
    }
    json_tokener_free(t);
    return e == json_tokener_success ? wrap(o) : NULL;
}

void json_free(struct json *v)
{
    json_object_put(unwrap(v));
}

enum json_kind json_kind(const struct json *v)
{
    switch (json_object_get_type(unwrap(v))) {
    case json_type_boolean:
        return JSON_BOOL;
    case json_type_double:
    case json_type_int:
        return JSON_NUMBER;
    case json_type_string:
        return JSON_STRING;
    case json_type_array:
        return JSON_ARRAY;
    case json_type_object:
        return JSON_OBJECT;
    case json_type_null:
        break;
    }
    return JSON_NULL;
}

enum json_kind json_kind_at(const char *value)
{
    switch (*value) {
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

const struct json *json_get(const struct json *object, const char *key)
{
    struct json_object *found;
    if (json_kind(object) != JSON_OBJECT || !json_object_object_get_ex(unwrap(object), key, &found))
        return NULL;
    return wrap(found);
}

const struct json *json_at(const struct json *array, size_t i)
{
    return i < json_count(array) && json_kind(array) == JSON_ARRAY ? wrap(json_object_array_get_idx(unwrap(array), i))
                                                                   : NULL;
}

const struct json *json_member(const struct json *object, size_t i)
{
    if (json_kind(object) != JSON_OBJECT)
        return NULL;
    json_object_object_foreach(unwrap(object), key, value)
    {
        (void)key;
        if (!i--)
            return wrap(value);
    }
    return NULL;
}

size_t json_count(const struct json *v)
{
    switch (json_kind(v)) {
    case JSON_ARRAY:
        return json_object_array_length(unwrap(v));
    case JSON_OBJECT:
        return (size_t)json_object_object_length(unwrap(v));
    default:
        return 0;
    }
}

double json_double(const struct json *v, double otherwise)
{
    return json_kind(v) == JSON_NUMBER ? json_object_get_double(unwrap(v)) : otherwise;
}

int64_t json_int64(const struct json *v, int64_t otherwise)
{
    struct json_object *o = unwrap(v);
    if (json_object_is_type(o, json_type_int)) {
        errno = 0;
        int64_t whole = json_object_get_int64(o);
        return errno ? otherwise : whole;
    }
    if (!json_object_is_type(o, json_type_double))
        return otherwise;
    double d = json_object_get_double(o);
    return fabs(d) < 9007199254740992.0 && d == floor(d) ? (int64_t)d : otherwise;
}

const char *json_string(const struct json *v, const char *otherwise)
{
    return json_kind(v) == JSON_STRING ? json_object_get_string(unwrap(v)) : otherwise;
}

void json_write(struct buffer *out, const struct json *v)
{
    size_t len;
    const char *text =
        json_object_to_json_string_length(unwrap(v), JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &len);
    if (json_kind(v) == JSON_NULL)
        buffer_text(out, "null");
    else
        buffer_add(out, text, len);
}

void json_quote(struct buffer *out, const char *s, size_t len)
{
    size_t plain = 0, at = 0; /* start of what needs no escape */
    buffer_add(out, "\"", 1);
    while (at < len && s[at] >= ' ' && s[at] < 0x7f && s[at] != '"' && s[at] != '\\')
        at++; /* most texts are no more than this */
    while (at < len) {
        uint32_t c;
        size_t n = utf8_decode(s + at, len - at, &c);
        if (n && c >= 0x20 && c != '"' && c != '\\') {
            at += n;
            continue;
        }
        buffer_add(out, s + plain, at - plain);
        if (!n)
            buffer_text(out, "\xef\xbf\xbd");
        else if (c == '"' || c == '\\')
            buffer_format(out, "\\%c", (char)c);
        else if (c == '\n')
            buffer_text(out, "\\n");
        else
            buffer_format(out, "\\u%04x", (unsigned)c);
        at += n ? n : 1;
        plain = at;
    }
    buffer_add(out, s + plain, len - plain);
    buffer_add(out, "\"", 1);
}
