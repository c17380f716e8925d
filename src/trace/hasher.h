/* SHA-256 of a stream, worked out beside the program: hashing a long run's records takes as long as making them, so a
 * thread of its own does it. It touches nothing but the blocks that it is handed. */
#ifndef TRACE_HASHER_H
#define TRACE_HASHER_H

#include <stddef.h>

#include "base/digest.h"

struct hasher;
struct hasher *hasher_new(void);
void hasher_add(struct hasher *h, const char *data, size_t len); /* copies */
/* Waits for the thread, if there was so much that one was started. Frees h. */
void hasher_end(struct hasher *h, char hex[DIGEST_HEX]);

#endif
