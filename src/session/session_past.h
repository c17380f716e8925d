/* Looking at an earlier moment of a run: one that goes on, whose nodes then wait at its last barrier (the head), or one
 * that was recorded, which has no nodes any more. */
#ifndef SESSION_SESSION_PAST_H
#define SESSION_SESSION_PAST_H

#include "base/buffer.h"
#include "lockstep/session.h"
#include "session/session_past_flight.h"
#include "session/session_search.h"
#include "trace/drops.h"
#include "trace/flight_past.h"
#include "trace/past.h"

struct viewing {
    bool is_recorded;     /* there are no nodes */
    bool is_past;         /* what is told of the run is from history.bin; always so of a recorded one */
    simtime at;           /* the barrier that is shown */
    simtime head;         /* of a recorded run: its last one */
    struct past *past;    /* NULL: not opened yet */
    struct past *survey;  /* the same file, read without moving what is shown; NULL: not opened yet */
    int directory;        /* the run folder; -1: not opened yet */
    char *run_dir;        /* of a recorded run */
    struct error missing; /* what is not there of it; no code: nothing */
    struct buffer tail;   /* of a node's log, for node_status */
    struct search search; /* of what a command looks for */
    struct past_flight *flight; /* NULL: not asked for yet */
    struct drops *troubles;     /* of a recorded run; NULL: not looked for yet */
    uint64_t unknown_read, failures_read; /* the records before these were looked through for them */
};

void viewing_free(struct session *s);

/* Takes the commands that move what is shown, and in the past those that would move the run: *taken is set where it
 * did. What is left of the command is for the run itself. Returns false where it cannot be done. */
bool viewing_command(struct session *s, struct command *c, bool *taken);

/* A reader of the history that moves nothing that is shown; NULL: there is none. */
struct past *viewing_survey(struct session *s);

/* One of flight.bin; NULL: there is none, or none yet. */
struct flight_past *viewing_open_flight(const struct session *s);
int viewing_open_log(const struct session *s, int i); /* of node i, for reading; -1: there is none */
/* Record n, as quickly as its line allows; its nodes are not known by index. Good until the next one is read. */
bool viewing_read(struct session *s, uint64_t n, struct record *r);

/* Shows the barrier t; the head where that is at or behind it. False where the history cannot be read. */
bool viewing_show(struct session *s, simtime t);
void viewing_leave(struct session *s); /* back to the head, of a run that goes on */
void viewing_limit_store(struct session *s);                        /* to the records of the moment that is shown */
simtime viewing_head(const struct session *s); /* the last barrier of the run */
int viewing_node_named(const struct session *s, struct text id);    /* index, or -1 */

/* What session_status and its like tell of the moment that is shown. */
void viewing_status(const struct session *s, struct session_status *out);
void viewing_node(struct session *s, int i, struct node_status *out);
bool viewing_state(const struct session *s, int i, enum node_state *out); /* false: it is not known */
size_t viewing_metrics(const struct session *s, int i, char *buf, size_t size);
size_t viewing_log(const struct session *s, int i, char *buf, size_t size);
void viewing_inference(const struct session *s, struct session_inference *out);

#endif
