#include "scenario/scalar.h"

#include <ctype.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"

static const char *const nulls[] = { "", "~", "null", "Null", "NULL", NULL };
static const char *const truths[] = { "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON", NULL };
static const char *const untruths[] = { "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF", NULL };
static const char *const no_numbers[] = { ".inf",  ".Inf",  ".INF", "+.inf", "+.Inf", "+.INF", "-.inf",
                                          "-.Inf", "-.INF", ".nan", ".NaN",  ".NAN",  NULL };

static bool is_one_of(const char *const *words, const char *text)
{
    while (*words && strcmp(*words, text) != 0)
        words++;
    return *words != NULL;
}

static const char *skip_digits(const char *s)
{
    while (isdigit((unsigned char)*s))
        s++;
    return s;
}

/* -?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)? */
static bool is_json_number(const char *s)
{
    s += *s == '-';
    if (!isdigit((unsigned char)*s))
        return false;
    s = *s == '0' ? s + 1 : skip_digits(s);
    if (*s == '.') {
        if (!isdigit((unsigned char)s[1]))
            return false;
        s = skip_digits(s + 1);
    }
    if (*s == 'e' || *s == 'E') {
        s++;
        s += *s == '+' || *s == '-';
        if (!isdigit((unsigned char)*s))
            return false;
        s = skip_digits(s);
    }
    return *s == '\0';
}

static int digit_of(char c)
{
    if (isdigit((unsigned char)c))
        return c - '0';
    return isxdigit((unsigned char)c) ? tolower((unsigned char)c) - 'a' + 10 : 99;
}

/* Digits of a base with underscores between them; false for anything else or none. Beyond 64 bits it is the nearest
 * double. */
static const char *read_based(struct arena *arena, const char *s, int base, bool negative)
{
    uint64_t exact = 0;
    double rough = 0;
    bool digits = false;
    for (; *s; s++) {
        if (*s == '_')
            continue;
        int d = digit_of(*s);
        if (d >= base)
            return NULL;
        rough = rough * base + d;
        exact = exact * (uint64_t)base + (uint64_t)d;
        digits = true;
    }
    if (!digits || isinf(rough))
        return NULL;
    struct buffer out = { 0 };
    if (negative)
        buffer_text(&out, "-");
    if (rough < 18446744073709551616.0)
        buffer_u64(&out, exact);
    else
        buffer_double(&out, rough);
    const char *number = arena_text(arena, out.data, out.len);
    buffer_free(&out);
    return number;
}

/* Base 60 as YAML 1.1 has it: 1:30 is 90, 1:30.5 is 90.5. */
static const char *read_sexagesimal(struct arena *arena, const char *s, bool negative)
{
    double value = 0, place = 0, scale = 0; /* scale: of the next digit behind the point; 0 before it */
    bool zero_first = *s == '0';
    int colons = 0, digits = 0;
    for (; *s; s++) {
        if (*s == ':' && scale <= 0) {
            if (!digits || (colons && (digits > 2 || place > 59)))
                return NULL;
            value = (value + place) * 60;
            place = 0;
            digits = 0;
            colons++;
        } else if (*s == '.' && colons && digits && digits <= 2 && scale <= 0) {
            scale = 0.1;
        } else if (isdigit((unsigned char)*s) && scale > 0) {
            place += scale * (*s - '0');
            scale /= 10;
        } else if (isdigit((unsigned char)*s)) {
            place = place * 10 + (*s - '0');
            digits++;
        } else if (*s != '_' || (colons && scale <= 0)) {
            return NULL;
        }
    }
    if (!colons || !digits || digits > 2 || place >= 60 || (zero_first && scale <= 0) || isinf(value + place))
        return NULL;
    char text[NUMBER_TEXT];
    size_t len = number_format(negative ? -(value + place) : value + place, text);
    if (scale <= 0 && len > 2 && strcmp(text + len - 2, ".0") == 0)
        len -= 2;
    return arena_text(arena, text, len);
}

/* Decimal, whole or not, with what JSON does not have: a plus, underscores, a bare point, zeros in front of a
 * fraction. */
static const char *read_decimal(struct arena *arena, const char *s, bool negative)
{
    struct buffer out = { 0 };
    const char *number = NULL;
    bool point = strchr(s, '.') != NULL;
    if (negative)
        buffer_text(&out, "-");
    if (*s == '_' || (!point && *s == '0'))
        goto end;
    while (point && (*s == '0' || *s == '_') && (isdigit((unsigned char)s[1]) || s[1] == '_'))
        s++;
    if (*s == '.')
        buffer_text(&out, "0");
    for (; isdigit((unsigned char)*s) || *s == '_'; s++)
        if (*s != '_')
            buffer_add(&out, s, 1);
    if (*s == '.') {
        size_t before = out.len;
        buffer_text(&out, ".");
        for (s++; isdigit((unsigned char)*s) || *s == '_'; s++)
            if (*s != '_')
                buffer_add(&out, s, 1);
        if (out.len == before + 1)
            buffer_text(&out, "0");
        if ((*s == 'e' || *s == 'E') && (s[1] == '+' || s[1] == '-')) {
            const char *end = skip_digits(s + 2);
            buffer_add(&out, s, (size_t)(end - s));
            s = end;
        }
    }
    if (*s == '\0' && is_json_number(buffer_string(&out)))
        number = arena_text(arena, out.data, out.len);
end:
    buffer_free(&out);
    return number;
}

static const char *read_number(struct arena *arena, const char *s)
{
    if (is_json_number(s))
        return s;
    bool negative = *s == '-';
    bool sign = negative || *s == '+';
    s += sign;
    if (*s == '.')
        return isdigit((unsigned char)s[1]) && !sign ? read_decimal(arena, s, negative) : NULL;
    if (!isdigit((unsigned char)*s))
        return NULL;
    if (strchr(s, ':'))
        return read_sexagesimal(arena, s, negative);
    if (*s == '0' && s[1] == 'x')
        return read_based(arena, s + 2, 16, negative);
    if (*s == '0' && s[1] == 'b')
        return read_based(arena, s + 2, 2, negative);
    if (*s == '0' && s[1] && !strchr(s, '.'))
        return read_based(arena, s, 8, negative);
    if (sign && is_json_number(s) && !negative)
        return s;
    return read_decimal(arena, s, negative);
}

void scalar_resolve(struct arena *arena, struct tree *t)
{
    t->kind = TREE_TEXT;
    if (strlen(t->text) != t->len)
        return;
    if (t->len <= 5 && (!t->len || strchr("~nNyYtToOfF+-.", *t->text))) { /* the others are none of these words */
        if (is_one_of(nulls, t->text))
            t->kind = TREE_NULL;
        else if (is_one_of(truths, t->text) || is_one_of(untruths, t->text))
            t->kind = TREE_BOOL;
        else if (is_one_of(no_numbers, t->text))
            t->kind = TREE_NUMBER;
        t->truth = t->kind == TREE_BOOL && is_one_of(truths, t->text);
        if (t->kind != TREE_TEXT)
            return;
    }
    if (isdigit((unsigned char)*t->text) || (*t->text && strchr("+-.", *t->text))) {
        t->number = read_number(arena, t->text);
        if (t->number)
            t->kind = TREE_NUMBER;
    }
}
