/* What makes a file no YAML at all, in words for whoever wrote the file. */
#ifndef SCENARIO_SYNTAX_H
#define SCENARIO_SYNTAX_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "lockstep/error.h"

/* UTF-8, no control characters, at most `tag_lines` lines that begin with %TAG. False with the problem told. */
bool syntax_check_bytes(const char *text, size_t len, const char *file, size_t tag_lines, struct problems *problems);

/* A parser's complaint: what is wrong; what to do. `at` is the text from the place on, `context_line` where the thing
 * around it began. */
struct complaint {
    const char *problem, *context;
    const char *at;
    int line, context_line;
};
/* Whether the place of a problem is where the thing around it began. */
bool syntax_is_of_context(const char *problem);
void syntax_explain(struct buffer *out, const struct complaint *c);

#endif
