/* What is to be done about a failure, as far as what came shows it. */
#ifndef CHECK_HINTS_H
#define CHECK_HINTS_H

#include "check/talk.h"

/* Appends it for the last exchange of t, which has failed. `todo` is what helps where nothing more is known. */
void hint_add(const struct talk *t, const char *todo, struct buffer *out);
/* Whether the node has said ERROR instead of an answer. */
bool hint_is_error(const struct talk *t);
/* The last lines that it wrote to stderr, where it has ended: they often say why. Good until the talk is closed. */
struct text hint_log(const struct talk *t);

#endif
