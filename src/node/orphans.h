/* Processes that nodes have left behind, outside of their groups: what the guard found of them when all had ended. */
#ifndef NODE_ORPHANS_H
#define NODE_ORPHANS_H

#include "base/buffer.h"
#include "node/guard.h"

/* Zero-initialise; the owner calls orphans_free. */
struct orphans {
    struct guard_news *items;
    size_t count, capacity;
    struct buffer text;
};

void orphans_add(struct orphans *o, const struct guard_news *news); /* a GUARD_ORPHAN */
/* "sleep of gw, sh of gw": the same each time, by node and name, whatever their pids; the first ones, where there are
 * many. `immortal`: how many SIGKILL does not end. Good until the next call. */
const char *orphans_text(struct orphans *o, const struct scenario *s, unsigned immortal);
void orphans_free(struct orphans *o);

#endif
