/* A run: a scenario's nodes started, moved through virtual time in lockstep, and ended. The fronts (batch, terminal UI)
 * are its clients; it does not know which one it serves.
 *
 *     session_new → while not over: session_wait, session_step, the front's own step → session_free
 *
 * Everything happens on the caller's thread. Records go up to the sinks; commands come down through session_command and
 * act at the next barrier. */
#ifndef LOCKSTEP_SESSION_H
#define LOCKSTEP_SESSION_H

#include <stdbool.h>

#include "lockstep/breakpoint.h"
#include "lockstep/loop.h"
#include "lockstep/record.h"
#include "lockstep/scenario.h"
#include "lockstep/store.h"

struct session;

enum session_state {
    SESSION_LOADED,   /* nothing started yet */
    SESSION_STARTING, /* nodes are being started */
    SESSION_PAUSED,   /* at a barrier, waiting for a command */
    SESSION_RUNNING,
    SESSION_ENDING,   /* over, and nodes are still on their way to their end */
    SESSION_FINISHED, /* this and what follows: over, results written, nothing left running */
    SESSION_FAILED,
    SESSION_ABORTED
};
const char *session_state_name(enum session_state s); /* "LOADED", … */
static inline bool session_state_over(enum session_state s) { return s >= SESSION_FINISHED; }

struct session_options {
    struct loop *loop;    /* what session_wait waits with; borrowed */
    const char *out_dir;  /* the run folder; NULL: runs/NAME-seedN-K, K the first free number */
    bool no_skip;         /* step every quantum, idle ones too */
    simtime until;        /* stop there, successfully (outcome `until`); SIMTIME_NEVER: at the duration */
    bool start_running;   /* RUNNING once the nodes are ready; else PAUSED at t = 0 */
    struct breakpoints *breakpoints; /* borrowed, until session_free; NULL: none */
};

/* Makes the run folder and prepares the nodes; starts nothing. The scenario is borrowed and must outlive the session.
 * Returns NULL with *err set (EXIT_LAUNCH) when the folder cannot be written or a node cannot be launched. */
struct session *session_new(const struct scenario *scenario, const struct session_options *options,
                            struct error *err);
/* A run that was recorded in its run folder, to be looked at: it has no nodes, and commands move what is shown of it.
 * Shown first is its begin. The scenario, loaded with scenario_load_recorded, is borrowed; of the options the loop and
 * the breakpoints count. NULL with *err set (EXIT_INVALID). */
struct session *session_open_run(const struct scenario *scenario, const char *run_dir,
                                 const struct session_options *options, struct error *err);
/* Ends what still runs, at once, as COMMAND_KILL with discard does. NULL is fine. */
void session_free(struct session *s);

/* Waits as loop_wait does, for the nodes too, and returns the same flags: at once while there is work to do. Paused
 * without a timeout, it wakes for input and signals only. */
unsigned session_wait(struct session *s, int input_fd, int timeout_ms);

/* A bounded slice of work, some milliseconds at most: starts nodes, runs quanta, ends nodes. */
void session_step(struct session *s);

enum command_kind {
    COMMAND_RUN,      /* to the end */
    COMMAND_PAUSE,    /* at the next barrier */
    COMMAND_STEP,     /* `count` quanta, then pause */
    COMMAND_NEXT,     /* to the end of the next quantum in which a node has something to do, then pause */
    COMMAND_RUN_TO,   /* pause at the first barrier at or after `time` */
    COMMAND_ABORT,    /* end cleanly at the present barrier; `signal` is what asked for it, 0: a person or front */
    COMMAND_KILL,     /* as abort, without waiting for any node */
    COMMAND_PACE,     /* `pace` times real time from now on; 0: as fast as it goes */
    /* To `node`, at a barrier (paused, or between two quanta); each is a record. */
    COMMAND_NODE_STOP,   /* it is told to end, and the run goes on without it */
    COMMAND_NODE_KILL,   /* SIGKILL: a failure, with what its on_failure says */
    COMMAND_NODE_RESTART, /* it is ended and started anew */
    /* To a message in flight, or to the link from `src` to `dst`: at once, and only while paused; each is a record.
     * None draws a random number. */
    COMMAND_MESSAGE_DROP,   /* message `id` will not arrive */
    COMMAND_MESSAGE_DELAY,  /* it arrives at `time`; `relative`: so much later than it would, or than now */
    COMMAND_MESSAGE_COPY,   /* it arrives once more, as a message of its own */
    COMMAND_MESSAGE_EDIT,   /* its payload becomes `payload`, which is JSON */
    COMMAND_MESSAGE_INJECT, /* a new one of `type` with `payload` (may be empty) arrives at `time`, 0: now; it passes no
                             * link. `relative`: so much later than now */
    COMMAND_LINK,           /* `latency` and `loss` from now on; -1: as it is */
    COMMAND_NODE_TEXT,    /* a line is typed to one of its UARTs; only nodes in Renode take one */
    /* What is shown of the run: an earlier barrier, while its nodes wait at the last one, the head. There the commands
     * above that move the run move what is shown, and go on with the run beyond the head. Nothing of this is a
     * record. */
    COMMAND_BACK,        /* `count` quanta back */
    COMMAND_BACK_NEXT,   /* to the barrier before at which something was recorded */
    COMMAND_BACK_RUN,    /* to the breakpoint before, else to the begin */
    COMMAND_VIEW,        /* to the first barrier at or after `time`, at most the head */
    COMMAND_VIEW_RECORD, /* to the barrier at which record `count` was written */
    COMMAND_VIEW_WHERE,  /* to the first barrier of all with a record that the condition `text` holds for */
    COMMAND_HEAD         /* to the head */
};
#define COMMAND_TEXT_MAX 1000 /* bytes */
struct command {
    enum command_kind kind;
    uint64_t count;
    simtime time;
    double pace;
    int signal;
    int node;
    uint64_t id;
    int src, dst;
    simtime latency;
    double loss;
    struct text type, payload;
    bool relative;
    const char *uart; /* text: whose name in the scenario that is; NULL: the one of messages */
    const char *text; /* one line of UTF-8 without control characters; copied */
    bool discard; /* abort, kill: nothing is to be kept of a run that never moved, unless out_dir was named */
};
/* Acts at the next barrier. Returns false when the present state does not take the command (it is then ignored). */
bool session_command(struct session *s, const struct command *c);
/* Why the last command was not taken: a part of a sentence. "" where it was. Good until the next command. */
const char *session_refusal(const struct session *s);

/* The run as a whole, at this moment. Pointers are borrowed and good until the session is stepped or freed. */
struct session_status {
    enum session_state state;
    simtime now;             /* the last barrier */
    simtime end;             /* the barrier at which it finishes: the duration, or options->until */
    uint64_t quanta;         /* finished, skipped ones included */
    uint64_t quanta_skipped;
    uint64_t records, messages, dropped, in_flight; /* in_flight: in the network or waiting for their node */
    uint64_t warnings;       /* records of that kind: what nodes said was amended, faults without effect, odd ends */
    size_t troubles;         /* what the run went on with besides: session_trouble */
    double wall_s;           /* since the nodes were ready, pauses left out */
    double speed;            /* virtual seconds per wall second, of the last second or so; 0 while paused */
    double pace;
    simtime run_to;          /* where COMMAND_STEP or COMMAND_RUN_TO will pause; SIMTIME_NEVER: nowhere */
    const char *outcome;     /* "finished", "failed", "aborted", "until"; NULL while not over */
    const char *cause;       /* one line; "" where there is none */
    const char *failure;     /* the cause of a run that has failed, whatever moment of it is shown; else NULL */
    int exit_code;           /* once over */
    int failed_node;         /* whose failure ended the run; -1: none */
    const char *run_dir;
    int waiting_for;         /* node that holds the quantum, -1: none */
    double waiting_s;        /* for how long */
    bool is_past;            /* an earlier moment, or of a recorded run: what depends on the wall clock is unknown */
    bool is_recorded;        /* of a run without nodes */
    bool is_searching;       /* what is recorded is looked through for a breakpoint, or for a condition */
    bool is_reading;         /* what was in flight then, or what was done to messages, is still being found out */
    bool is_over;            /* the run itself is, whatever moment of it is shown */
    simtime head;            /* the last barrier of the run */
    const char *missing;     /* what is not there of a recorded run, one line; NULL: nothing */
};
void session_status(const struct session *s, struct session_status *out);

enum node_state {
    NODE_LOADED,
    NODE_STARTING,
    NODE_IDLE,   /* has answered; nothing due now */
    NODE_BUSY,   /* was granted a quantum and has not answered */
    NODE_PAUSED, /* by a fault: it is granted nothing until it is resumed */
    NODE_ENDING, /* was told to end and has not yet */
    NODE_FINISHED,
    NODE_FAILED,
    NODE_FROZEN /* has failed, and the run goes on without it */
};
#define NODE_STATES 9
const char *node_state_name(enum node_state s); /* "loaded", "idle", … */
/* What it is called where a person reads it: of a frozen node "left out", of a finished one "ended". */
const char *node_state_word(enum node_state s);

/* One node, at this moment. */
struct node_status {
    enum node_state state;
    const char *cause;              /* of a failure; "" otherwise. Of a node that is idle or paused: it has ended, or
                                       gone wrong, behind its answer, and fails for this when it is granted next */
    simtime next;                   /* its next own event as far as it has said; SIMTIME_NEVER: none */
    simtime last_active;            /* virtual time of its last event; -1: none yet */
    uint64_t events;                /* handled */
    uint64_t messages_in, messages_out, dropped;
    uint64_t queue;                 /* its own future events, plus messages that wait for it */
    uint64_t wall_ns;               /* spent on it so far */
    unsigned restarts;
    int pid;                        /* of its process; 0: none */
    const char *container;          /* the short id of its container; NULL: none */
    const char *health;             /* of its container's check: "starting", "healthy", "unhealthy"; NULL: none */
    simtime clock;                  /* its own clock, as it said itself or was counted; -1: it has none that is known */
    const char *activity;           /* what its start is busy with: "pulling layers 3 of 7, 41 %"; NULL: nothing */
    double waiting_s;               /* how long it has been asked for what it has not answered; 0: it has answered */
    const char *tail;               /* the last that it wrote to stderr, some lines; "" where it did not */
};
/* `i` is the index in the scenario. */
void session_node(const struct session *s, int i, struct node_status *out);
/* The wall time that a share (0 … 1) of node i's quanta did not exceed, in ns: of those in which it had something to
 * do, or of all where it does not say when it has; 0: none yet. */
uint64_t session_step_ns(const struct session *s, int i, double share);

/* The node's metrics as they stand in its file, the last `size`-1 bytes at most, cut to whole lines; NUL-terminated.
 * Returns the length, 0 where the node has no metrics. */
size_t session_metrics(const struct session *s, int i, char *buf, size_t size);

/* The end of the node's log, the last `size`-1 bytes at most, cut to whole lines; NUL-terminated. Returns the length, 0
 * where it has written nothing. */
size_t session_log(const struct session *s, int i, char *buf, size_t size);

/* What the machine spends on the node's process and on those that it has started: processor time so far, and resident
 * memory. Read from /proc, for all nodes at once, when what is known is a second old, or older than the last pause. Of a
 * process that is gone, what was known last. False where it has none. */
struct session_usage {
    double cpu_s;
    uint64_t memory; /* bytes */
    unsigned processes;
};
bool session_usage(const struct session *s, int i, struct session_usage *out);

/* A message in flight: in the network, or waiting for its node. Of an earlier moment by what was recorded. */
struct session_message {
    uint64_t id;
    int src, dst; /* nodes */
    struct text type, payload; /* payload: empty where it has none, or null */
    uint64_t size, record; /* record: of its sending */
    simtime sent, due; /* due: now or earlier where it waits for its node, which has it with the next quantum */
};
/* Why they are not known of the moment that is shown, a part of a sentence; NULL: they are. */
const char *session_flight_missing(const struct session *s);
/* How many there are; and those from the `from`th on, by (due, destination, source, id), `room` at most. Returns how
 * many it has given. Texts are borrowed, and good until the session is stepped or given a command. */
uint64_t session_flight_count(const struct session *s);
size_t session_flight(const struct session *s, uint64_t from, struct session_message *out, size_t room);
/* Message `id`; false where it is not in flight. */
bool session_flight_find(const struct session *s, uint64_t id, struct session_message *out);
/* Its place in that order, or UINT64_MAX. */
uint64_t session_flight_rank(const struct session *s, uint64_t id);

/* What becomes of a message to a node that is due at some time, as things stand at the moment that is shown. */
enum session_arrival {
    ARRIVAL_DUE,   /* it arrives then, … */
    ARRIVAL_WAITS, /* … or has arrived: its node has it with the next quantum */
    ARRIVAL_HELD,  /* the node is paused: what arrives is kept until it is resumed */
    ARRIVAL_LOST,  /* the node has failed, or was stopped: what arrives is dropped, unless it is started again before */
    ARRIVAL_NEVER  /* the run ends before it arrives, or has */
};
enum session_arrival session_arrival(const struct session *s, int node, simtime due);

/* A message as its node has got it, or will: what it was sent, and what a person or a fault did to that on its way, up
 * to the moment that is shown. */
struct session_delivery {
    simtime due;         /* SIMTIME_NEVER: it does not arrive */
    struct text payload; /* good until the next record is read */
    uint64_t dropped, delayed, edited; /* the records of the commands that did it last; 0: none did */
};
/* Whether all of that is known. It is looked for as the records come; in a run that has very much of it session_step
 * goes on with that (status.is_reading), and until then what is told here is by a part of it. */
bool session_deliveries_known(const struct session *s);
/* Reads record n as store_read does, and of a message how it was delivered; of others due is SIMTIME_NEVER. */
int session_read_message(const struct session *s, uint64_t n, struct record *r, struct session_delivery *out);
/* How many such commands there were. */
uint64_t session_changes(const struct session *s);
/* A message that was delayed, put in or copied by hand: it arrives behind messages that were recorded later. */
struct session_late {
    uint64_t n;  /* its record */
    simtime due; /* as of session_delivery, never SIMTIME_NEVER */
};
/* Those to a node that arrive at some time, in no order, one after the other; one may come twice. *at is 0 at first.
 * STORE_MORE: a slice is over, and *out is none. */
enum store_found session_next_late(const struct session *s, int node, size_t *at, struct session_late *out);

/* What the link between two nodes has now; false: the network is direct, and it has neither. */
bool session_link(const struct session *s, int src, int dst, simtime *latency, double *loss);

/* What a person has done to nodes, messages and links in this run, as a scenario that repeats it in batch: the
 * effective scenario with those acts among its faults. Written whole or not at all; a file that is there is only
 * replaced where it was written so. Returns how many acts it holds, or -1 with *err set. */
int session_save_faults(const struct session *s, const char *path, struct error *err);
/* How many of them are lines that were typed to UARTs: no fault says those, they are comments in the file, which then
 * does not repeat the run. */
int session_saved_lines(const struct session *s);

/* Millions of instructions that node i's processor has lately done in a second of its own time. Where it must be asked
 * for them it is, at most once a second and between two quanta; the answer is there later. False: not known. */
bool session_processor(const struct session *s, int i, double *mips);

/* Results of machine-learning inference so far: how many, and the virtual time from sample to result (nearest rank;
 * 0 while there are none). */
struct session_inference {
    uint64_t count;
    simtime p50, p99, max;
};
void session_inference(const struct session *s, struct session_inference *out);

/* How often something had happened to each node by a time of the run so far, for an overview: out[i] is of node i.
 * Times that grow from call to call are the quickest. False where nothing is known of that time. */
struct session_tally {
    uint64_t events, messages; /* handled; sent and received */
    enum node_state state;
};
bool session_tally(struct session *s, simtime t, struct session_tally *out);

/* The chain of record n, a message, a local event or a failure, one link long: records that it came of, which are the
 * messages that its node was handed last before the step in which it sent it, or failed, the latest first; or, forward,
 * that came of it: what its receiver sent in its first step behind that in which anything was sent, in their order, or
 * its failure in that. At most `most`; returns how many. More than that is not known of a node, so a link is a possible
 * cause. */
size_t session_chain(struct session *s, uint64_t n, bool forward, uint64_t *out, size_t most);
/* Whether it can have one: a failure that was brought about from outside has none. */
bool session_has_chain(const struct record *r);

struct buffer;
/* Appends the command line that shows the run at the moment that is shown of it now. */
void session_replay_command(const struct session *s, struct buffer *out);
/* Appends why messages were dropped, in the run so far: "11 no such node clowd, 3 loss"; nothing where none were, and of
 * a recorded run. What is said comes from nodes. */
void session_drop_reasons(const struct session *s, struct buffer *out);

/* What a run goes on with, and no warning is recorded of: a node that has sent to a name which is no node's, when it
 * did so first; or one that has failed and was left out, or started again. */
struct session_trouble {
    uint64_t record;     /* that says so: the drop, or the failure */
    simtime t;           /* of the message, or of the failure */
    int node;            /* -1: not known */
    const char *unknown; /* the name, as the node sent it; NULL: it has failed */
    bool is_restarted;   /* it was started again; else left out */
};
#define SESSION_UNKNOWN_MOST  100  /* pairs of node and name that are known: the first ones */
#define SESSION_FAILURES_MOST 1000 /* failures that are */
/* Of the first `troubles` of the status, in the order of their records. Good until the session is stepped, or looks for
 * more. */
const struct session_trouble *session_trouble(const struct session *s, size_t i);
/* Of a recorded run: looks for them through some more of the records that are there by the moment that is shown.
 * Returns whether there is more to come; *changed is set where one was found. */
bool session_look_for_troubles(struct session *s, bool *changed);

/* The text of summary.json, once the run is over; else NULL. */
const char *session_summary(const struct session *s);

/* The records so far, up to the last barrier. Owned by the session. */
struct store *session_store(struct session *s);

#endif
