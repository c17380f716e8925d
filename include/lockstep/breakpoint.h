/* Breakpoints: places at which a run pauses, or ends, once it gets there. They belong to a front, which makes them
 * before a run or while it stands, hands them to session_new, and may keep them for the next run. They leave no trace
 * in events.jsonl: a run that was stopped a hundred times is that of a run never stopped.
 *
 * A breakpoint is a time, a condition (condition.h), or a line of a log: `log =~ REGEX`, of one node `log NODE =~
 * REGEX`. A condition is asked about every record as it is made; what follows happens at the barrier of the quantum in
 * which the first record matched, a time at the first barrier at or after it; a line that a node wrote at the next
 * barrier, which is that of its quantum where the node wrote it before it answered. In what is recorded of a run, logs
 * included, they are found at the same barriers. Words before it change what it does:
 *
 *     type == ALERT                pauses each time
 *     once 2.5s                    goes after it was reached
 *     note latency > 10ms          is told, and counted; the run goes on
 *     abort kind == drop           ends the run as a person would: outcome `aborted`
 *     hit 3 src == s1              with the third record that matches, and with each one after that
 *     do "link a b loss 1" 2.5s    at that barrier the front does what its command line does with the text; the run
 * goes on */
#ifndef LOCKSTEP_BREAKPOINT_H
#define LOCKSTEP_BREAKPOINT_H

#include "lockstep/condition.h"

enum breakpoint_action {
    BREAKPOINT_NOTE,
    BREAKPOINT_COMMAND, /* the front is given the command; it lets the run go on */
    BREAKPOINT_PAUSE,
    BREAKPOINT_ABORT,
    BREAKPOINT_END /* outcome `until`, as --until has it */
};                 /* where several are reached at one barrier, the last of these counts */

struct breakpoint {
    int id;                /* from 1; stays the same while it exists */
    const char *text;      /* as it was written; borrowed, good until it is changed or removed */
    const char *condition; /* of it, the words before it left out; NULL: it is none */
    enum breakpoint_action action;
    bool is_time, is_log, once, enabled;
    simtime time;      /* where it is one */
    uint64_t from_hit; /* it acts from this match on: 1, or what `hit` says */
    uint64_t to_go;    /* records that must match before it acts: 1: the next one does */
    uint64_t hits;     /* in this run: records that have matched; of a time: 1 once it was reached */
    uint64_t record;   /* that matched last; meaningless without hits, and of times */
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
#define BREAKPOINT_COMMANDS_MAX 4000
struct breakpoint_hit {
    uint64_t serial; /* counts from 1 over all runs; 0: none yet */
    int id;          /* 0: no breakpoint, but where COMMAND_VIEW_WHERE led to; is_time: it led nowhere */
    enum breakpoint_action action;
    char text[CONDITION_TEXT_MAX + 1];
    bool is_time, is_log;
    simtime now;     /* the barrier */
    uint64_t record; /* the first that matched in that quantum; of a time: the number of the next record */
    int others;      /* so many more were reached at that barrier */
    char line[200];  /* is_log: "NODE: " and the line */
    char
        commands[BREAKPOINT_COMMANDS_MAX]; /* of all that were reached there, each with a \n; "" where there are none */
};
const struct breakpoint_hit *breakpoints_hit(const struct breakpoints *b);

/* The words that may stand before a condition, and `log`, which stands in place of one; NULL behind the last. Whether
 * such words are all there is up to byte `len`, so that one more may stand there. For who completes what is typed. */
const char *breakpoint_word(int i);
bool breakpoint_takes_word(const char *text, size_t len);

#endif
