/* Reads history.bin (history.h): the moment of any time of a run, also of one that goes on, in a few milliseconds.
 * Nothing that stands in the file is trusted: what is no whole entry ends it. */
#ifndef TRACE_PAST_H
#define TRACE_PAST_H

#include <stdbool.h>

#include "lockstep/error.h"
#include "lockstep/simtime.h"
#include "trace/moment.h"

/* How the run ended, where that is recorded. Texts are NUL-terminated and good until the next call. */
struct past_end {
    int state, exit_code, failed_node; /* enum session_state; -1: no node failed */
    const char *outcome, *cause;
};

struct past;
/* `fd` reads the file and is the past's from now on. Returns NULL with *err set where it is none, or not of so many
 * nodes. */
struct past *past_open(int fd, int node_count, struct error *err);
void past_free(struct past *p); /* NULL is fine */

bool past_skips(const struct past *p); /* idle quanta were skipped */

/* Goes to the last entry at or before t. False where there is none. */
bool past_seek(struct past *p, simtime t);
/* Goes to the first entry with more than n records, which is the barrier at which record n was written. */
bool past_seek_record(struct past *p, uint64_t n);
/* Goes to the last entry of all. */
bool past_seek_end(struct past *p);

/* Of the entry that it has come to. */
const struct moment_run *past_run(const struct past *p);
const struct moment_node *past_node(const struct past *p, int i);
const char *past_cause(const struct past *p, int i); /* "": none */
/* How the run ended: NULL where the entry is not its end. */
const struct past_end *past_end(const struct past *p);
/* The same wherever it stands, once it has stood at the end; else NULL. */
const struct past_end *past_known_end(const struct past *p);

#endif
