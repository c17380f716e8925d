#include "field.h"

/* The rest of the text. It goes forward only, and every step looks first whether it has ended. */
struct scan {
    const char *at, *end;
};

static bool scan_value(struct scan *s, unsigned depth);

static bool is_next(const struct scan *s, char c)
{
    return s->at < s->end && *s->at == c;
}

static bool take(struct scan *s, char c)
{
    if (!is_next(s, c))
        return false;
    s->at++;
    return true;
}

static void skip_blanks(struct scan *s)
{
    while (take(s, ' ') || take(s, '\t') || take(s, '\r') || take(s, '\n')) {
    }
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Does the piece say what the text says? */
static bool equals(struct piece p, const char *text)
{
    for (size_t i = 0; i < p.len; i++, text++)
        if (!*text || *text != p.at[i])
            return false;
    return !*text;
}

static bool take_digits(struct scan *s)
{
    const char *first = s->at;
    while (s->at < s->end && is_digit(*s->at))
        s->at++;
    return s->at > first;
}

static bool take_number(struct scan *s)
{
    take(s, '-');
    if (!take(s, '0') && !take_digits(s))
        return false;
    if (take(s, '.') && !take_digits(s))
        return false;
    if (take(s, 'e') || take(s, 'E')) {
        if (!take(s, '+'))
            take(s, '-');
        return take_digits(s);
    }
    return true;
}

/* true, false or null. */
static bool take_word(struct scan *s)
{
    struct piece word = { s->at, 0 };
    while (s->at < s->end && is_letter(*s->at))
        s->at++;
    word.len = (size_t)(s->at - word.at);
    return equals(word, "true") || equals(word, "false") || equals(word, "null");
}

static bool is_hexadecimal(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* What follows a backslash. */
static bool take_escape(struct scan *s)
{
    static const char plain[] = "\"\\/bfnrt";
    if (take(s, 'u')) {
        for (int i = 0; i < 4; i++, s->at++)
            if (s->at == s->end || !is_hexadecimal(*s->at))
                return false;
        return true;
    }
    for (const char *c = plain; *c; c++)
        if (take(s, *c))
            return true;
    return false;
}

/* *inside: what stands between the quotes. */
static bool take_string(struct scan *s, struct piece *inside)
{
    if (!take(s, '"'))
        return false;
    inside->at = s->at;
    while (s->at < s->end) {
        inside->len = (size_t)(s->at - inside->at);
        if (take(s, '"'))
            return true;
        if (take(s, '\\')) {
            if (!take_escape(s))
                return false;
        } else if ((unsigned char)*s->at++ < ' ') {
            return false;
        }
    }
    return false;
}

/* An object, from behind its brace. Where a key is given, *found becomes the value of its last member of that name. */
static bool take_members(struct scan *s, unsigned depth, const char *key, struct piece *found)
{
    skip_blanks(s);
    if (take(s, '}'))
        return true;
    do {
        struct piece name, value;
        skip_blanks(s);
        if (!take_string(s, &name))
            return false;
        skip_blanks(s);
        if (!take(s, ':'))
            return false;
        skip_blanks(s);
        value.at = s->at;
        if (!scan_value(s, depth))
            return false;
        value.len = (size_t)(s->at - value.at);
        if (key && equals(name, key))
            *found = value;
        skip_blanks(s);
    } while (take(s, ','));
    return take(s, '}');
}

/* An array, from behind its bracket. */
static bool take_items(struct scan *s, unsigned depth)
{
    skip_blanks(s);
    if (take(s, ']'))
        return true;
    do {
        skip_blanks(s);
        if (!scan_value(s, depth))
            return false;
        skip_blanks(s);
    } while (take(s, ','));
    return take(s, ']');
}

/* Any value; depth counts the objects and arrays around it, and so bounds the stack. */
static bool scan_value(struct scan *s, unsigned depth)
{
    struct piece ignored;
    if (is_next(s, '{') || is_next(s, '[')) {
        if (depth == FIELD_DEPTH_MAX)
            return false;
        return *s->at++ == '{' ? take_members(s, depth + 1, NULL, NULL) : take_items(s, depth + 1);
    }
    if (is_next(s, '"'))
        return take_string(s, &ignored);
    return s->at < s->end && is_letter(*s->at) ? take_word(s) : take_number(s);
}

struct piece field_find(struct piece object, const char *key)
{
    struct piece found = { NULL, 0 };
    if (!object.at)
        return found;
    struct scan s = { object.at, object.at + object.len };
    skip_blanks(&s);
    if (!take(&s, '{') || !take_members(&s, 1, key, &found))
        return (struct piece){ NULL, 0 };
    skip_blanks(&s);
    return s.at == s.end ? found : (struct piece){ NULL, 0 };
}

/* What stands between the quotes of a value that is a string. */
static struct piece inside(struct piece value)
{
    if (!value.at || value.len < 2 || *value.at != '"')
        return (struct piece){ NULL, 0 };
    return (struct piece){ value.at + 1, value.len - 2 };
}

bool field_is(struct piece value, const char *text)
{
    struct piece string = inside(value);
    return string.at && equals(string, text);
}

bool field_integer(struct piece value, int32_t least, int32_t most, int32_t *out)
{
    if (!value.at)
        return false;
    struct scan s = { value.at, value.at + value.len };
    bool is_negative = take(&s, '-');
    int64_t number = 0;
    if (s.at == s.end)
        return false;
    for (; s.at < s.end; s.at++) {
        if (!is_digit(*s.at) || number > INT32_MAX)
            return false;
        number = 10 * number + (*s.at - '0');
    }
    if (is_negative)
        number = -number;
    if (number < least || number > most)
        return false;
    *out = (int32_t)number;
    return true;
}

struct piece field_name(struct piece value)
{
    struct piece name = inside(value);
    if (name.len == 0 || name.len > FIELD_NAME_MAX)
        return (struct piece){ NULL, 0 };
    for (size_t i = 0; i < name.len; i++) {
        char c = name.at[i];
        if (!is_letter(c) && !is_digit(c) && c != '_' && c != '.' && c != '-')
            return (struct piece){ NULL, 0 };
    }
    return name;
}
