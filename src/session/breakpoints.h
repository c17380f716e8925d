/* Breakpoints as the session uses them: a sink for the records, and what was reached at a barrier. */
#ifndef SESSION_BREAKPOINTS_H
#define SESSION_BREAKPOINTS_H

#include "lockstep/breakpoint.h"
#include "lockstep/scenario.h"
#include "session/log_probe.h"

/* A run begins: counts and hits from 0. All borrowed, until breakpoints_detach. */
void breakpoints_attach(struct breakpoints *b, const struct scenario *s, const struct condition_nodes *nodes);
void breakpoints_detach(struct breakpoints *b);
struct sink *breakpoints_sink(struct breakpoints *b);

/* The time of the next one that is a time, after `now`; SIMTIME_NEVER: there is none. */
simtime breakpoints_next_time(const struct breakpoints *b, simtime now);
/* Breakpoint `id` was come to in what is recorded of the run, with a record (UINT64_MAX: it is a time, or a
 * log's `line`). It is told as a hit is, and is not counted. Of one that is gone, and with id 0, nothing is told. */
void breakpoints_note_past(struct breakpoints *b, int id, simtime now, uint64_t record, const char *line);
/* The first record of all for which a condition held that is no breakpoint; UINT64_MAX: there was none. A hit with id
 * 0. */
void breakpoints_note_where(struct breakpoints *b, const char *text, simtime now, uint64_t record);
/* What a node wrote to its log, in any pieces, for those that look at lines of it; with the number of records so far.
 */
void breakpoints_log(struct breakpoints *b, int node, const char *data, size_t len, uint64_t records);
/* What is told of such a line: "NODE: " and the line, which cannot harm a terminal. */
void breakpoints_log_line(char *out, size_t size, const char *node, const char *line);
/* What breakpoint `id` looks for in logs, anew; NULL: it does not. */
struct log_probe *breakpoints_log_probe(const struct breakpoints *b, int id);
/* At a barrier, with the number of records so far: whether one was reached since the last call; breakpoints_hit then
 * tells of it. */
bool breakpoints_take(struct breakpoints *b, simtime now, uint64_t records);

#endif
