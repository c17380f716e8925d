/* Breakpoints: places at which a run pauses, or ends, once it gets there. They belong to a front, which makes them
 * before a run or while it stands, hands them to session_new, and may keep them for the next run. They leave no trace
 * in events.jsonl: a run that was stopped a hundred times is that of a run never stopped.
 *
 * A breakpoint is a time or a condition (condition.h). A condition is asked about every record as it is made; what
 * follows happens at the barrier of the quantum in which the first record matched, a time at the first barrier at or
 * after it. Words before it change what it does:
 *
 *     type == ALERT                pauses each time
 *     once 2.5s                    goes after it was reached
 *     note latency > 10ms          is told, and counted; the run goes on
 *     abort kind == drop           ends the run as a person would: outcome `aborted`
 *     hit 3 src == s1              with the third record that matches, and with each one after that */
#ifndef LOCKSTEP_BREAKPOINT_H
#define LOCKSTEP_BREAKPOINT_H

#include "lockstep/condition.h"

enum breakpoint_action {
    BREAKPOINT_NOTE,
    BREAKPOINT_PAUSE,
    BREAKPOINT_ABORT,
    BREAKPOINT_END /* outcome `until`, as --until has it */
};                 /* where several are reached at one barrier, the last of these counts */

struct breakpoint {
    int id;           /* from 1; stays the same while it exists */
    const char *text; /* as it was written; borrowed, good until it is changed or removed */
    enum breakpoint_action action;
    bool is_time, once, enabled;
    simtime time;    /* where it is one */
    uint64_t to_go;  /* records that must match before it acts: 1: the next one does */
    uint64_t hits;   /* in this run: records that have matched; of a time: 1 once it was reached */
    uint64_t record; /* that matched last; meaningless without hits, and of times */
};

struct breakpoints;
struct breakpoints *breakpoints_new(void);
void breakpoints_free(struct breakpoints *b); /* not while a session has it; NULL is fine */

/* Adds one at the end. `action` is what it does where no word says otherwise; BREAKPOINT_END takes no words, and no
 * condition that depends on the wall clock or on the time a node takes. Returns its id, or -1 with *err set. */
int breakpoints_add(struct breakpoints *b, const char *text, enum breakpoint_action action,
                    struct condition_error *err);
/* Another text in the same place, with hits from 0. False with *err set, and it stays as it was. */
bool breakpoints_change(struct breakpoints *b, int id, const char *text, struct condition_error *err);
bool breakpoints_remove(struct breakpoints *b, int id); /* false: there is none of that id */
bool breakpoints_enable(struct breakpoints *b, int id, bool enabled);

size_t breakpoints_count(const struct breakpoints *b);
bool breakpoints_get(const struct breakpoints *b, size_t i, struct breakpoint *out); /* in the order of their making */

/* The last time that one acted. */
struct breakpoint_hit {
    uint64_t serial; /* counts from 1 over all runs; 0: none yet */
    int id;
    enum breakpoint_action action;
    char text[CONDITION_TEXT_MAX + 1];
    bool is_time;
    simtime now;     /* the barrier */
    uint64_t record; /* the first that matched in that quantum; of a time: the number of the next record */
    int others;      /* so many more were reached at that barrier */
};
const struct breakpoint_hit *breakpoints_hit(const struct breakpoints *b);

#endif
