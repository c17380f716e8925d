#include "ui/editor.h"

#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "ui/input.h"

#define CTRL(c) ((c)&0x1f)

void editor_set(struct editor *e, const char *text)
{
    snprintf(e->text, sizeof e->text, "%s", text);
    e->len = e->cursor = strlen(e->text);
    e->selected = false;
}

void editor_offer(struct editor *e, const char *text)
{
    editor_set(e, text);
    e->selected = e->len > 0;
}

static bool continues(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

static size_t before(const struct editor *e, size_t at)
{
    do
        at -= at > 0;
    while (at > 0 && continues(e->text[at]));
    return at;
}

static size_t after(const struct editor *e, size_t at)
{
    do
        at += at < e->len;
    while (at < e->len && continues(e->text[at]));
    return at;
}

static void cut(struct editor *e, size_t from, size_t to)
{
    memmove(e->text + from, e->text + to, e->len - to + 1);
    e->len -= to - from;
    e->cursor = from;
}

static void insert(struct editor *e, uint32_t c)
{
    char bytes[4];
    size_t n = utf8_encode(c, bytes);
    if (e->len + n >= sizeof e->text)
        return;
    memmove(e->text + e->cursor + n, e->text + e->cursor, e->len - e->cursor + 1);
    memcpy(e->text + e->cursor, bytes, n);
    e->len += n;
    e->cursor += n;
}

static bool is_character(uint32_t key)
{
    return key >= 0x20 && key < INPUT_FIRST && utf8_is_safe(key);
}

bool editor_key(struct editor *e, uint32_t key)
{
    if (e->selected && (is_character(key) || key == INPUT_DELETE))
        cut(e, 0, e->len);
    bool was_selected = e->selected;
    e->selected = false;
    switch (key) {
    case INPUT_LEFT:
        e->cursor = before(e, e->cursor);
        return true;
    case INPUT_RIGHT:
        e->cursor = after(e, e->cursor);
        return true;
    case INPUT_HOME:
    case CTRL('a'):
        e->cursor = 0;
        return true;
    case INPUT_END:
    case CTRL('e'):
        e->cursor = e->len;
        return true;
    case INPUT_BACKSPACE:
        cut(e, before(e, e->cursor), e->cursor);
        return true;
    case INPUT_DELETE:
        cut(e, e->cursor, after(e, e->cursor));
        return true;
    case CTRL('u'):
        cut(e, 0, e->len);
        return true;
    case CTRL('k'):
        cut(e, e->cursor, e->len);
        return true;
    default:
        if (!is_character(key)) {
            e->selected = was_selected;
            return false;
        }
        insert(e, key);
        return true;
    }
}
