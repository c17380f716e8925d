/* The checks, and what they share. */
#ifndef CHECK_CHECKS_H
#define CHECK_CHECKS_H

#include "check/report.h"
#include "check/talk.h"

/* How far a node has come: a check that needs more is left out. */
enum reached { REACHED_NOTHING, REACHED_READY, REACHED_ADVANCE, REACHED_MESSAGE };

struct run {
    struct subject subject;
    struct findings findings;
    struct report report;
    struct talk talk; /* goes on from check to check, until something is wrong */
    enum reached reached;
    bool is_slow;     /* it takes real time for virtual time: what needs much of that is left out */
    int64_t ready_ns; /* what it took to READY */
    bool is_stuck;    /* it has fallen silent after some messages, whatever they are: more need not be tried */
};

struct check {
    const char *name;
    enum reached needs;
    void (*run)(struct run *r, const struct check *c);
    bool is_long; /* it needs seconds of virtual time */
};
/* In the order in which they are made. checks_talk.c: one conversation · checks_end.c: how a process ends ·
 * checks_same.c: what several conversations say · checks_notes.c: what is good to know */
extern const struct check checks_talk[], checks_end[], checks_same[], checks_notes[]; /* each ends without a name */

/* A conversation that is at READY or behind it; a new process where the one before has ended. false: it is told. */
bool checks_ready(struct run *r, const char *name);
/* Tells what went wrong in the last exchange of t, and ends that. `todo` is what helps where nothing else is known.
 * Where it was stuck, what needs messages is left out from then on. */
void checks_fail(struct run *r, const char *name, struct talk *t, const char *todo);
void checks_fail_finding(struct run *r, const char *name, const struct finding *f, const char *expected,
                         const char *todo);

#define TYPE_OF_CHECK "lockstep.check" /* of messages: one that no node knows */

#endif
