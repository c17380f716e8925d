/* Looking through what is recorded of a run for the place where a breakpoint would stop it, forward or backward, or
 * where a condition held first: a slice at a time. */
#ifndef SESSION_SESSION_SEARCH_H
#define SESSION_SESSION_SEARCH_H

#include "lockstep/session.h"

struct log_search;
struct probe;

struct search {
    bool is_active, backward;
    struct probe *probes; /* what is looked for */
    size_t count;
    bool from_begin;      /* one of them goes by all records before */
    uint64_t at;          /* the next record; backward: the one behind it */
    uint64_t first, end;  /* records that count: first … end - 1 */
    uint64_t found;       /* backward: the match so far; UINT64_MAX: none */
    int found_id;
    simtime found_at;     /* its barrier */
    struct log_search *logs; /* which are looked through first; NULL: they were, or nobody asks for them */
    simtime from;         /* the moment that was shown */
    simtime stop;         /* a breakpoint that is a time or a line of a log; SIMTIME_NEVER, or backward -1: none */
    int stop_id;
    char stop_line[200];  /* of a log; "": it is a time */
    simtime target;       /* what is shown where nothing is found */
    struct command rest;  /* what the run itself does then; of kind COMMAND_HEAD: nothing */
};

/* Towards `target` from the moment that is shown, for the breakpoints that pause. Returns whether there are any: else
 * nothing is looked for. */
bool search_breakpoints(struct session *s, bool backward, simtime target, const struct command *rest);
/* For the first record of all for which a condition holds. False where it is none. */
bool search_condition(struct session *s, const char *text);
void search_work(struct session *s, int64_t deadline_ns);
void search_end(struct session *s); /* gives up, or is done */

#endif
