/* The nodes' metrics files, NODE_metrics.csv: many files through few descriptors. */
#ifndef TRACE_METRICS_H
#define TRACE_METRICS_H

#include <stdbool.h>

#include "base/buffer.h"
#include "trace/folder.h"

struct metrics;
/* Makes the files; folder and scenario are borrowed. NULL with *err set where one cannot be made. */
struct metrics *metrics_new(struct folder *f, const struct scenario *s, struct error *err);
void metrics_free(struct metrics *m);                                          /* NULL is fine */

/* The rows of node i: its driver appends whole rows. What was appended since the last barrier is not part of the
 * results yet. */
struct buffer *metrics_buffer(struct metrics *m, int i);

/* The rows so far are part of the results. They are on disk when this returns, unless more than METRICS_AT_ONCE files
 * have new rows: then a file's rows follow once they fill METRICS_HELD bytes or METRICS_DELAY_MS have passed. */
int metrics_barrier(struct metrics *m, struct error *err);
/* Everything up to the last barrier is on disk when this returns. */
int metrics_flush(struct metrics *m, struct error *err);

/* The end of node i's rows up to the last barrier, cut to whole rows. As session_metrics. */
size_t metrics_tail(struct metrics *m, int i, char *buf, size_t size);
uint64_t metrics_size(const struct metrics *m, int i); /* bytes of node i's rows up to the last barrier */

#define METRICS_AT_ONCE  64
#define METRICS_HELD     8192 /* bytes */
#define METRICS_DELAY_MS 500

#endif
