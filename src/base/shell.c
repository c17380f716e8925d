#include "base/shell.h"

#include <stdbool.h>

static bool is_plain(const char *text)
{
    return *text &&
           text[strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./+-:=@%")] == '\0';
}

void shell_word(struct buffer *b, const char *text)
{
    if (is_plain(text)) {
        buffer_text(b, text);
        return;
    }
    buffer_text(b, "'");
    for (; *text; text++)
        buffer_add(b, *text == '\'' ? "'\\''" : text, *text == '\'' ? 4 : 1);
    buffer_text(b, "'");
}
