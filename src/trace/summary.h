/* summary.json: the outcome of a run. Written when the run begins (as unfinished), with room kept on the disk, and
 * anew when it ends, so that it is true after a kill and can be written on a full disk. */
#ifndef TRACE_SUMMARY_H
#define TRACE_SUMMARY_H

#include "base/buffer.h"
#include "trace/folder.h"
#include "trace/latencies.h"

struct summary_node {
    const char *id, *kind, *state, *cause;
    uint64_t messages_in, messages_out;
    unsigned restarts;
    uint64_t step_p50_ns, step_p99_ns;
};

struct summary {
    const char *outcome, *cause; /* cause may be "" */
    int exit_code;
    const struct scenario *scenario;
    const char *failed_node;   /* id; NULL: none */
    const char *failed_stderr; /* the last that it wrote there, some lines */
    const char *last_in, *last_out; /* messages of it: JSON values with commas between them */
    const char *replay;             /* the command line that shows the run there */
    simtime now;
    double wall_s;
    uint64_t quanta, quanta_skipped, records, messages, dropped, in_flight, warnings;
    const char *events_sha256;
    struct session_inference inference;
    const struct summary_node *nodes; /* one per node of the scenario */
};

/* One JSON object, on lines of its own. */
void summary_format(struct buffer *out, const struct summary *s);

/* Makes the file, with outcome "unfinished". Its descriptor, or -1 with *err set. */
int summary_begin(struct folder *f, const struct scenario *s, struct error *err);
int summary_finish(int fd, struct folder *f, const char *text, size_t len, struct error *err);

#endif
