/* wall.jsonl: what depends on the wall clock or on the person at the keys. One JSON object a line:
 * {"wall_us":…,"t":…,"event":…, and the event's own keys}; wall_us counts from the start of the run. */
#ifndef TRACE_WALL_H
#define TRACE_WALL_H

#include "trace/folder.h"

struct wall;
struct wall *wall_new(struct folder *f, struct error *err); /* folder borrowed */
void wall_free(struct wall *w); /* NULL is fine */
/* `keys` is ready-made JSON, such as "\"node\":\"a\"", or "". Written at once; a failure is told by wall_result. */
void wall_note(struct wall *w, simtime now, const char *event, const char *keys);
int wall_result(const struct wall *w, struct error *err); /* -1 with *err set once a line could not be written */

#endif
