/* Why messages did not arrive: a sink that counts drops by their reason, and by the unknown names they were sent to. */
#ifndef TRACE_DROPS_H
#define TRACE_DROPS_H

#include "base/buffer.h"
#include "lockstep/record.h"

struct drops;
struct drops *drops_new(void);
void drops_free(struct drops *d); /* NULL is fine */
struct sink *drops_sink(struct drops *d);

/* Appends "11 no such node clowd, 3 loss"; nothing where nothing was dropped. Names are as nodes sent them. */
void drops_words(const struct drops *d, struct buffer *out);

#endif
