/* Why messages did not arrive: a sink that counts drops by their reason, and by the unknown names they were sent to,
 * and knows which node has sent to which of these, and which nodes have failed while the run went on. */
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

/* Which nodes have sent to which names of no node, when each did so first, and which have failed: at most
 * SESSION_UNKNOWN_MOST and SESSION_FAILURES_MOST of these, in the order of their records. Of records that are read back,
 * the message and its drop, and all of kind node must be given, with their src_node. */
size_t drops_trouble_count(const struct drops *d);
const struct session_trouble *drops_trouble(const struct drops *d, size_t i);
size_t drops_unknown_count(const struct drops *d); /* how many of them are names */

/* Appends "11 no such node clowd, 3 loss"; nothing where nothing was dropped. Names are as nodes sent them. */
void drops_words(const struct drops *d, struct buffer *out);

#endif
