#include "trace/store_words.h"

#include <string.h>

/* The bytes of what stands between words at s; 0: nothing. */
static size_t between(const char *s, size_t len)
{
    static const char *const signs[] = { "->", "→", "⇢", "»", "…" };
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
        size_t n = strlen(signs[i]);
        if (n <= len && memcmp(s, signs[i], n) == 0)
            return n;
    }
    return *s && strchr(" \t\r\n\"\\{}[],:>!~", *s) ? 1 : 0;
}

void store_words_add(struct buffer *out, const char *s, size_t len)
{
    bool is_apart = true;
    for (size_t i = 0, n; i < len; i += n) {
        n = between(s + i, len - i);
        if (n) {
            is_apart = true;
            continue;
        }
        n = 1;
        if (is_apart && out->len)
            buffer_add(out, " ", 1);
        is_apart = false;
        buffer_add(out, s + i, 1);
    }
}
