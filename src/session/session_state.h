/* What session.c keeps, for the files of this floor. */
#ifndef SESSION_SESSION_STATE_H
#define SESSION_SESSION_STATE_H

#include "base/clock.h"
#include "base/histogram.h"
#include "bus/bus.h"
#include "lockstep/session.h"
#include "node/launcher.h"
#include "session/breakpoints.h"
#include "session/session_deliveries.h"
#include "session/session_past.h"
#include "sim/coordinator.h"
#include "trace/drops.h"
#include "trace/events.h"
#include "trace/flight_history.h"
#include "trace/history.h"
#include "trace/latencies.h"
#include "trace/logs.h"
#include "trace/metrics.h"
#include "trace/store_open.h"
#include "trace/summary.h"
#include "trace/wall.h"

/* Everything that writes into the run folder. */
struct results {
    struct folder *folder;
    struct store_index index;
    struct events *events; /* NULL once ended */
    struct metrics *metrics;
    struct latencies *latencies;
    struct drops *drops; /* NULL of a run that was recorded */
    struct logs *logs;
    struct wall *wall;
    struct history *history; /* NULL of a run that was recorded */
    struct flight_history *flight; /* NULL of a run that was recorded */
    struct store *store;
    int summary_fd; /* -1: none */
    char sha256[DIGEST_HEX];
    struct buffer summary; /* the text of summary.json, once over */
};

int results_open(struct results *r, const struct scenario *s, const struct session_options *options, struct bus *bus,
                 struct error *err);
void results_close(struct results *r);

/* Wall time, of one node. */
struct pace_mark {
    int64_t wall_ns;
    simtime now;
};

/* What conditions may ask about nodes. */
struct node_look {
    struct condition_nodes nodes; /* first: condition_nodes are a node_look */
    struct session *session;
};

struct node_timing {
    int64_t total_ns, last_ns;
    struct histogram steps; /* ns, of quanta in which it had something to do, or does not say whether it had */
};

/* What is in hand with a node. */
struct node_care {
    bool outstanding; /* it was granted this round's quantum and has not answered */
    uint64_t events;  /* that it had handled before */
    bool told;       /* its failure is recorded and dealt with */
    bool commanded;  /* it was ended in the midst of a quantum, for this: */
    struct command command;
    unsigned mended; /* restarts because of failures */
    bool restarting; /* it is to be started again, or has not said READY since */
    int64_t since_ns;
};

#define SPEED_MARKS 5
#define SESSION_COMMANDS 16

struct session {
    const struct scenario *scenario;
    struct session_options options;
    enum session_state state;
    struct results results;
    struct bus *bus;
    struct coordinator *coordinator;
    struct launcher *launcher;
    struct message_pool *pool; /* of all messages */

    bool is_open;       /* the launcher is */
    bool is_checked;    /* and all nodes can be started, as far as that is known before any is */
    int started;        /* nodes so far, while STARTING */
    int remote_count;   /* nodes outside the program */
    int *remotes;       /* their indices */
    bool remotes_granted; /* in this round */
    bool starting;      /* all were told to; not all are ready */
    int outstanding;    /* of them, those that have not answered in this round */
    unsigned spins_lost; /* in a row: how often waiting without sleep was in vain */
    unsigned spins_left_out;
    struct command commands[SESSION_COMMANDS]; /* to nodes, for the next barrier */
    char *command_texts[SESSION_COMMANDS]; /* what their `text` is; owned */
    int command_count;
    struct acts *acts;  /* of the scenario's faults, and what a person has done to links */
    struct by_hand *by_hand; /* what a person has done */
    char refusal[400];  /* of the last command; "" where it was taken */
    struct node_care *care; /* of the nodes */
    uint64_t failures_told; /* of the launcher's */
    int64_t first_failure_ns; /* that would end the run, while nodes before the failed one owe an answer; 0: none */
    int restarting;     /* nodes that are */
    enum session_state ending; /* while ENDING: what it will be then */
    simtime limit;      /* the barrier at which the run pauses or ends */
    uint64_t until_record; /* it pauses at the barrier at which there are so many; 0: not */
    simtime stop_at;    /* the barrier at which the run ends: the duration, or until */
    bool ran;           /* it has been RUNNING */
    bool discard;       /* its folder goes, where it never ran */
    bool in_round;
    simtime target;     /* of the round */
    int cursor;         /* the node that the round has come to */
    int *granted;       /* nodes that were granted in this round, in order */
    int granted_count;
    size_t sent;        /* by the nodes that have done this round */
    int64_t granted_ns; /* wall time of the last grant */

    double pace;
    struct pace_mark paced_from; /* where wall clock and virtual time agreed last */
    int64_t running_since_ns;    /* while RUNNING */
    int64_t wall_ns;             /* spent RUNNING before that */
    struct pace_mark marks[SPEED_MARKS]; /* of the last second or so, oldest first */
    int mark_count;
    struct node_timing *timing; /* of the nodes */
    struct node_look look;      /* for conditions */

    uint64_t noted_turns, noted_dropped; /* of the launcher and the coordinator, in the moment that was noted last */
    struct viewing viewing; /* of an earlier moment */
    struct deliveries *deliveries; /* NULL: not asked for yet */

    const char *outcome; /* NULL while not over */
    struct error verdict; /* code: the exit code; text: the cause */
    int failed_node;     /* -1: none */
};

/* session_end.c: the run is over at the last barrier, whatever was the reason. Its nodes are told to end; once they
 * have, which may take a while (ENDING), session_conclude writes the results. */
void session_finish(struct session *s, enum session_state state, const char *outcome, int exit_code, const char *cause);
void session_conclude(struct session *s);

/* session_failure.c: the last messages that the node was sent and has sent, as records, earliest first: JSON values
 * with commas between them. Read back from the end of the run, as far as that is quick. */
void session_last_messages(struct session *s, int node, struct buffer *in, struct buffer *out);

/* session.c */
static inline simtime now_of(const struct session *s)
{
    return coordinator_counts(s->coordinator)->now;
}
void session_keep_log(struct session *s, struct node *n); /* what it wrote goes to its log, with the present time */
void session_fail(struct session *s, const struct error *err); /* the run ends here, for a reason that is of no node */
/* What was recorded up to now is on disk when this returns; false where it cannot be, and the run is over by that. */
bool session_keep_results(struct session *s);

/* session_moment.c: how the run and its nodes stand now goes to the history, to be written with the next results. */
void session_note_moment(struct session *s);
/* From time to time, what is in flight now goes to disk; -1 with *err set once it cannot. */
int session_note_flight(struct session *s, struct error *err);

/* session_view.c: why the run has failed, also while an earlier moment of it is shown; NULL: it has not. */
const char *failure_of(const struct session *s);

/* session_troubles.c: how many there are by the moment that is shown. */
size_t troubles_count(const struct session *s);

/* session_stops.c */
void stops_open(struct session *s);
void stops_close(struct session *s);
/* At a barrier: does what a breakpoint that was reached says. */
void stops_heed(struct session *s);
simtime stops_next(const struct session *s); /* the next barrier that one waits for; SIMTIME_NEVER: none does */

/* session_round.c */
void round_begin(struct session *s); /* towards s->target */
/* Goes on with it, from `now` on the wall clock until the deadline; at its end s->in_round is false. */
void round_go_on(struct session *s, int64_t now, int64_t deadline);

/* session_nodes.c */
static inline struct node *node_of(const struct session *s, int i)
{
    return launcher_node(s->launcher, i);
}
/* Deals with the nodes that have failed, in their order. False where the run is over by that. */
bool nodes_handle_failures(struct session *s);
/* Of those only that stand before every node whose clock is awaited: that may be found to be wrong at the same barrier,
 * and which of them is the first in the records, or the cause of the run's end, must not go by the wall clock. */
bool nodes_handle_first_failures(struct session *s);
void nodes_note_started(struct session *s); /* in wall.jsonl */
/* Whether no node is on its way to be started again; else goes on with that. */
bool nodes_are_settled(struct session *s);
/* At a barrier: one that is gone, and for long has not been granted what it fails at, has failed. */
void nodes_note_gone(struct session *s);
/* Whether one has come to its end, which will show with the next quantum: that must not wait for the wall clock. */
bool nodes_hurry(const struct session *s);
/* What is to be done at this barrier before a person may act at it: faults, commands to nodes, what comes of both.
 * False where the run does not stand there any more, or a node is on its way to be started again. */
bool nodes_act_first(struct session *s);
/* The node is ended from outside, as if it had failed: killed, or told to end. It may have failed already. */
void nodes_end(struct session *s, int i, const char *cause, bool is_asked);
void nodes_restart(struct session *s, int i, const char *cause); /* it is ended, and started anew */
void nodes_stop(struct session *s, int i, const char *cause);    /* it is told to end; the run goes on without it */
/* A fault or a command had no effect, on node i (-1: none in particular). */
void nodes_warn(struct session *s, int i, const char *fmt, ...) LOCKSTEP_PRINTF(3, 4);

/* session_faults.c */
void faults_open(struct session *s);
void faults_close(struct session *s);
simtime faults_next(const struct session *s); /* the barrier at which one acts next; SIMTIME_NEVER: none does */
void faults_act(struct session *s);           /* those of this barrier */
/* A link was changed by what is kept as a fault: that acts from now on, on top of others. Publishes the record. */
void faults_change_link(struct session *s, const struct scenario_fault *f);

/* session_commands.c: to nodes. */
void commands_close(struct session *s);
const char *commands_word(enum command_kind kind);
/* It acts with commands_obey, at a barrier. False where it cannot be taken. */
bool commands_take(struct session *s, const struct command *c);
void commands_obey(struct session *s);
/* At a barrier: does it now. False where that cannot be: the node has failed since. */
bool commands_act(struct session *s, const struct command *c);
void commands_publish(struct session *s, const struct command *c); /* as a record */

/* session_flight.c */
bool flight_take_command(struct session *s, const struct command *c); /* to a message or link */
void flight_act(struct session *s, const struct scenario_fault *f);   /* a message's fault, or a person's of a link */

/* session_saved.c: what a person has done, kept as faults. */
void saved_open(struct session *s);
void saved_close(struct session *s);
/* Keeps a copy, and returns it. `is_exact` is false where a repetition may differ. */
const struct scenario_fault *saved_add(struct session *s, const struct scenario_fault *f, bool is_exact);
/* The command to a node, done at this barrier. */
void saved_add_node(struct session *s, const struct command *c, bool is_exact);

#endif
