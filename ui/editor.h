/* One line of text that is being typed. */
#ifndef UI_EDITOR_H
#define UI_EDITOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EDITOR_TEXT 4096 /* bytes, NUL included */

struct editor {
    char text[EDITOR_TEXT]; /* UTF-8, NUL-terminated */
    size_t len, cursor;
    bool selected; /* all of it, with the cursor at its end: a character takes its place */
};

void editor_set(struct editor *e, const char *text);
/* A text to begin with: the next character or Delete replaces or removes it, other keys that edit keep it. */
void editor_offer(struct editor *e, const char *text);
/* Takes a key: a character or one that moves or deletes. Returns false for other keys. What has no room is left out. */
bool editor_key(struct editor *e, uint32_t key);

#endif
