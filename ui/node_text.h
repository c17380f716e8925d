/* A node as its scenario has it, for reading. */
#ifndef UI_NODE_TEXT_H
#define UI_NODE_TEXT_H

#include "base/buffer.h"
#include "lockstep/scenario.h"

/* Appends lines; a tab stands between a label and its value, lines of JSON have none. Defaults that were not written
 * are left out, and what others wrote is safe to show. */
void node_text(const struct scenario_node *n, struct buffer *out);

#endif
