/* What a breakpoint on lines of logs looks for: `log =~ REGEX` in every node's, `log NODE =~ REGEX` in that of one. */
#ifndef SESSION_LOG_PROBE_H
#define SESSION_LOG_PROBE_H

#include <stdbool.h>

#include "base/buffer.h"
#include "lockstep/condition.h"

#define LOG_LINE_MAX 4096 /* bytes of a line that are looked at together */

struct log_probe;
/* Whether a text is one, be it a good one. */
bool log_probe_is_meant(const char *text);
/* `regex` is a POSIX extended regular expression, quoted or not. NULL with *err set; columns count from `text`. */
struct log_probe *log_probe_parse(const char *text, struct condition_error *err);
void log_probe_free(struct log_probe *p); /* NULL is fine */
bool log_probe_matches(const struct log_probe *p, const char *node, const char *line);

/* Cuts what a node wrote into lines: takes one off the front of *data, into `line` behind what was kept there of an
 * earlier piece. Returns false where the rest is no whole line; it is kept then. */
bool log_probe_line(struct buffer *line, const char **data, size_t *len);

#endif
