/* Opening a store: over the events of a run that is going on, or of one that was recorded. */
#ifndef TRACE_STORE_OPEN_H
#define TRACE_STORE_OPEN_H

#include "lockstep/store.h"
#include "trace/store_index.h"

/* Both are borrowed: a descriptor of events.jsonl that can be read, and its index. */
struct store *store_new(int fd, const struct store_index *index);
/* Over one that was recorded; store_catch_up finds its records. The descriptor is the store's from now on. */
struct store *store_open(int fd);
void store_free(struct store *s); /* NULL is fine */

#endif
