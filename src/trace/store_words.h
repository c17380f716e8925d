/* A text as words with one blank between them: what a screen draws of a record and what its line has then are alike.
 * What stands between words there is left out: blanks, arrows, quotes, the signs of JSON, and what tells that more is
 * cut off. */
#ifndef TRACE_STORE_WORDS_H
#define TRACE_STORE_WORDS_H

#include "base/buffer.h"
#include "lockstep/record.h"

void store_words_add(struct buffer *out, const char *s, size_t len); /* behind a blank, where something is there */

#endif
