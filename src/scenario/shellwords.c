#include "scenario/shellwords.h"

#include <string.h>

/* Copies one word from *s, which begins with no blank, and moves both behind it. False where a quote stays open or a
 * backslash ends the text. */
static bool take_word(const char **s, char **out)
{
    const char *at = *s;
    char *to = *out;
    char quote = 0;
    for (; *at && (quote || !strchr(" \t\r\n", *at)); at++) {
        if (quote == '\'' || (*at != '\\' && *at != '\'' && *at != '"')) {
            if (quote && *at == quote)
                quote = 0;
            else
                *to++ = *at;
        } else if (*at == '\\') {
            if (!at[1])
                return false;
            if (quote && !strchr("\"\\$`", at[1]))
                *to++ = '\\';
            *to++ = *++at;
        } else if (quote == *at) {
            quote = 0;
        } else if (quote) {
            *to++ = *at;
        } else {
            quote = *at;
        }
    }
    *to++ = '\0';
    *out = to;
    *s = at;
    return !quote;
}

string_list shellwords_split(struct arena *arena, const char *text, const char **why)
{
    size_t len = strlen(text), count = 0;
    string_list words = arena_alloc(arena, (len / 2 + 2) * sizeof(char *));
    char *space = arena_alloc(arena, len + 1); /* no word is longer than what it was read from */
    for (const char *s = text;;) {
        s += strspn(s, " \t\r\n");
        if (!*s)
            break;
        words[count++] = space;
        if (!take_word(&s, &space)) {
            *why = "has a quote that is not closed, or ends with a backslash";
            return NULL;
        }
    }
    if (!count || !*words[0]) {
        *why = "is empty; the program is missing";
        return NULL;
    }
    return words;
}
