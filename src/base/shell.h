/* Command lines for people to copy. */
#ifndef BASE_SHELL_H
#define BASE_SHELL_H

#include "base/buffer.h"

/* Appends the text as one word of a POSIX shell, quoted where it must be. */
void shell_word(struct buffer *b, const char *text);

#endif
