/* Breakpoints as the session uses them: a sink for the records, and what was reached at a barrier. */
#ifndef SESSION_BREAKPOINTS_H
#define SESSION_BREAKPOINTS_H

#include "lockstep/breakpoint.h"
#include "lockstep/scenario.h"

/* A run begins: counts and hits from 0. All borrowed, until breakpoints_detach. */
void breakpoints_attach(struct breakpoints *b, const struct scenario *s, const struct condition_nodes *nodes);
void breakpoints_detach(struct breakpoints *b);
struct sink *breakpoints_sink(struct breakpoints *b);

/* The time of the next one that is a time, after `now`; SIMTIME_NEVER: there is none. */
simtime breakpoints_next_time(const struct breakpoints *b, simtime now);
/* At a barrier, with the number of records so far: whether one was reached since the last call; breakpoints_hit then
 * tells of it. */
bool breakpoints_take(struct breakpoints *b, simtime now, uint64_t records);

#endif
