/* The helpers of lockstep/node.h for JSON and numbers as text. */
#include <errno.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/number.h"
#include "lockstep/node.h"
#include "lockstep/simtime.h"
#include "nodelib/json.h"

const char *lockstep_json_find(const char *object, const char *key, size_t *len)
{
    const char *end = object + strlen(object), *at = json_blanks(object, end), *found = NULL;
    struct json_part part;
    if (*at != '{')
        return NULL;
    for (at++; json_next(&at, end, true, &part);)
        if (json_is(part.key, part.key_len, key)) {
            found = part.value;
            *len = part.value_len;
        }
    return found;
}

char *lockstep_json_copy(const char *object, const char *key)
{
    size_t len;
    const char *found = lockstep_json_find(object, key, &len);
    return found ? mem_text_n(found, len) : NULL;
}

/* The member's text where it is a number; the caller frees it. */
static char *number_text(const char *object, const char *key)
{
    char *text = lockstep_json_copy(object, key);
    if (text && (*text == '-' || (*text >= '0' && *text <= '9')))
        return text;
    free(text);
    return NULL;
}

bool lockstep_json_double(const char *object, const char *key, double *out)
{
    char *text = number_text(object, key);
    if (!text)
        return false;
    *out = strtod(text, NULL);
    free(text);
    return true;
}

bool lockstep_json_int64(const char *object, const char *key, int64_t *out)
{
    char *text = number_text(object, key), *end = NULL;
    bool fine = false;
    if (text) {
        errno = 0;
        int64_t v = strtoll(text, &end, 10);
        fine = !*end && !errno;
        if (fine)
            *out = v;
    }
    free(text);
    return fine;
}

bool lockstep_json_bool(const char *object, const char *key, bool *out)
{
    size_t len;
    const char *found = lockstep_json_find(object, key, &len);
    if (!found || (*found != 't' && *found != 'f'))
        return false;
    *out = *found == 't';
    return true;
}

bool lockstep_json_string(const char *object, const char *key, char *out, size_t size)
{
    size_t len;
    const char *found = lockstep_json_find(object, key, &len);
    if (!found || *found != '"')
        return false;
    struct buffer text = { 0 };
    json_decode(&text, found, len);
    bool fine = text.len < size && !(text.len && memchr(text.data, '\0', text.len));
    if (fine)
        memcpy(out, buffer_string(&text), text.len + 1);
    buffer_free(&text);
    return fine;
}

bool lockstep_json_time(const char *object, const char *key, int64_t *us)
{
    char string[64];
    const char *why;
    simtime t;
    char *number = number_text(object, key);
    bool found = number || lockstep_json_string(object, key, string, sizeof string);
    bool fine = found && simtime_parse(number ? number : string, 1000000, &t, &why) == 0;
    if (fine)
        *us = t;
    free(number);
    return fine;
}

const char *lockstep_number(double value, char buf[LOCKSTEP_NUMBER_TEXT])
{
    _Static_assert(LOCKSTEP_NUMBER_TEXT >= NUMBER_TEXT, "the buffer must hold what number_format writes");
    number_format(value, buf);
    return buf;
}

size_t lockstep_quote(char *buf, size_t size, const char *text)
{
    struct buffer quoted = { 0 };
    json_encode(&quoted, text, strlen(text));
    size_t len = quoted.len, kept = len < size ? len : size - 1;
    if (size) {
        memcpy(buf, quoted.data, kept);
        buf[kept] = '\0';
    }
    buffer_free(&quoted);
    return len;
}
