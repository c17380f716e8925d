/* Where in a scenario a value stands, for problems: nodes[1].config.interval. A place lives on the stack of whoever
 * walks the tree, and borrows from the places above it. */
#ifndef SCENARIO_PLACE_H
#define SCENARIO_PLACE_H

#include "base/buffer.h"
#include "lockstep/error.h"

struct place {
    const struct place *up; /* NULL: the top of the file */
    const char *key;        /* NULL: an item of a list */
    size_t index;
};

void place_write(struct buffer *out, const struct place *p);
void place_tell(struct problems *problems, enum severity severity, struct mark mark, const struct place *place,
                const char *fmt, ...) LOCKSTEP_PRINTF(5, 6);

#endif
