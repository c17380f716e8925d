/* Where the processes of a run listen, as /proc tells. */
#ifndef CHECK_PORTS_H
#define CHECK_PORTS_H

#include "base/buffer.h"

/* Appends the addresses, "127.0.0.1:6000, [::1]:7000", on which processes of the run listen that is named so
 * (GUARD_RUN_VARIABLE). *first is the port of the first one, 0 where there is none. */
void ports_find(const char *identity, struct buffer *out, int *first);

#endif
