/* Reads flight.bin (flight_history.h), also of a run that goes on. Nothing that stands in the file is trusted: what is
 * no whole entry ends it. */
#ifndef TRACE_FLIGHT_PAST_H
#define TRACE_FLIGHT_PAST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lockstep/simtime.h"

/* A message that was in flight at the barrier. */
struct flight_noted {
    uint64_t record, id;
    uint64_t edit; /* the record `command` that has its payload; 0: its own has */
    simtime due;
    int src, dst;
};

/* A barrier that was noted. Owned by the reader, good until the next call. */
struct flight_moment {
    simtime now;
    uint64_t records;
    const int *paused; /* nodes */
    size_t paused_count;
    const struct flight_noted *messages;
    size_t count;
};

struct flight_past;
struct flight_past *flight_past_open(int fd, int node_count); /* fd is the reader's from now on */
void flight_past_free(struct flight_past *p);                 /* NULL is fine */

/* The last barrier noted at or before t that had no more than so many records. False where there is none. */
bool flight_past_seek(struct flight_past *p, simtime t, uint64_t records, struct flight_moment *out);

#endif
