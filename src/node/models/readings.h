/* All readings that a gateway has taken, and their mean.
 *
 * The mean is defined by the order of its additions: sample ids in the order in which they first came, within an id in
 * order of arrival, left to right. A late reading for an old id therefore changes every sum after it, so all readings
 * are kept: the latest in memory, the rest in an unnamed temporary file, so that memory does not grow with the run. */
#ifndef NODE_MODELS_READINGS_H
#define NODE_MODELS_READINGS_H

#include <stddef.h>
#include <stdint.h>

#include "lockstep/error.h"

#define READINGS_WINDOW 16384 /* readings kept in memory */

struct readings;
struct readings *readings_new(size_t window); /* at least 2 */
void readings_free(struct readings *r);       /* NULL is fine */

/* Returns -1 with *err set where the temporary file cannot be written. */
int readings_add(struct readings *r, int64_t sample_id, double value, struct error *err);

struct readings_summary {
    uint64_t count; /* 0: the rest is zero */
    double mean, least, most;
};
int readings_summarize(struct readings *r, struct readings_summary *out, struct error *err);

#endif
