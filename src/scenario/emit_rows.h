/* Values and rows of tables as YAML. What is written reads as the same value again. `scratch` is for temporary texts.
 */
#ifndef SCENARIO_EMIT_ROWS_H
#define SCENARIO_EMIT_ROWS_H

#include "scenario/schema.h"

/* Without quotes where the text stays a text so. */
void emit_text(struct arena *scratch, struct buffer *out, const char *s, size_t len);
/* A value of any kind, on one line. */
void emit_tree(struct arena *scratch, struct buffer *out, const struct tree *t);
/* The rows whose values differ from the defaults, a row a line, each behind `indent` blanks; sections nest. Rows
 * without effect under `only` (a set of `1 << implementation`) are left out. */
void emit_rows(struct arena *scratch, struct buffer *out, int indent, const struct table *table, unsigned only,
               const void *values, const void *defaults);
/* The same as one map on a line, with its newline. */
void emit_flow(struct arena *scratch, struct buffer *out, const struct table *table, const void *values,
               const void *defaults);

#endif
