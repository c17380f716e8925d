/* What session.c keeps, for the files of this floor. */
#ifndef SESSION_SESSION_STATE_H
#define SESSION_SESSION_STATE_H

#include "base/clock.h"
#include "base/histogram.h"
#include "bus/bus.h"
#include "lockstep/session.h"
#include "node/launcher.h"
#include "sim/coordinator.h"
#include "trace/events.h"
#include "trace/latencies.h"
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
    struct wall *wall;
    struct store *store;
    int summary_fd; /* -1: none */
    char sha256[DIGEST_HEX];
    struct buffer summary; /* the text of summary.json, once over */
};

int results_open(struct results *r, const struct scenario *s, const char *out_dir, struct bus *bus, struct error *err);
void results_close(struct results *r);

/* Wall time, of one node. */
struct pace_mark {
    int64_t wall_ns;
    simtime now;
};

struct node_timing {
    int64_t total_ns;
    struct histogram steps; /* ns, of quanta in which it had something to do */
};

#define SPEED_MARKS 5

struct session {
    const struct scenario *scenario;
    struct session_options options;
    enum session_state state;
    struct results results;
    struct bus *bus;
    struct coordinator *coordinator;
    struct launcher *launcher;
    struct message_pool *pool; /* of all messages */

    int started;        /* nodes so far, while STARTING */
    simtime limit;      /* the barrier at which the run pauses or ends */
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

    const char *outcome; /* NULL while not over */
    struct error verdict; /* code: the exit code; text: the cause */
    int failed_node;     /* -1: none */
};

/* session_end.c: ends the run at the last barrier and writes its results. */
void session_end(struct session *s, enum session_state state, const char *outcome, int exit_code, const char *cause);

#endif
