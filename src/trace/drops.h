/* Why messages did not arrive: a sink that counts drops by their reason, and by the unknown names they were sent to,
 * and knows which node has sent to which of these. */
#ifndef TRACE_DROPS_H
#define TRACE_DROPS_H

#include "base/buffer.h"
#include "lockstep/record.h"
#include "lockstep/session.h"

#define DROP_UNKNOWN "unknown destination" /* the reason of such a drop */

struct drops;
struct drops *drops_new(void);
void drops_free(struct drops *d); /* NULL is fine */
struct sink *drops_sink(struct drops *d);

/* Which nodes have sent to which names of no node, in the order in which each did so first: at most
 * SESSION_UNKNOWN_MOST of these pairs. Of records that are read back, the message and its drop must be given, with
 * their src_node. */
size_t drops_unknown_count(const struct drops *d);
const struct session_unknown *drops_unknown(const struct drops *d, size_t i);

/* Appends "11 no such node clowd, 3 loss"; nothing where nothing was dropped. Names are as nodes sent them. */
void drops_words(const struct drops *d, struct buffer *out);

#endif
