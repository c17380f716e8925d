/* Virtual latencies from a sample to its inference: a sink that counts them exactly. */
#ifndef TRACE_LATENCIES_H
#define TRACE_LATENCIES_H

#include "lockstep/session.h"

struct latencies;
struct latencies *latencies_new(void);
void latencies_free(struct latencies *l); /* NULL is fine */
struct sink *latencies_sink(struct latencies *l);

/* Exact while at most LATENCIES_EXACT different values came; values beyond them are rounded up to three digits. */
void latencies_summarize(struct latencies *l, struct session_inference *out);

/* Whether that is done at once: few different values came. */
bool latencies_are_few(const struct latencies *l);

#define LATENCIES_FEW   256
#define LATENCIES_EXACT 65536

#endif
