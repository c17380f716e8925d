/* Starts, watches and ends the nodes of a scenario, all at once, by one lifecycle table. */
#ifndef NODE_LAUNCHER_H
#define NODE_LAUNCHER_H

#include "node/node.h"

#define LAUNCHER_GRACE_NS INT64_C(4000000000) /* beyond timeouts.stop, until what has not ended is given up */

struct launcher;

/* Picks a driver for every node. */
struct launcher *launcher_new(const struct scenario *s);
void launcher_free(struct launcher *l); /* ends at once what still runs, and closes every node; NULL is fine */

/* Prepares what nodes outside the program need, where there are any. The loop is borrowed; run_dir is told to the
 * nodes. Returns -1 with *err set (EXIT_LAUNCH). */
int launcher_open(struct launcher *l, struct loop *loop, const char *run_dir, struct error *err);

/* Whether all nodes can be started, as far as that is known before any is: 1 they can, 0 not known yet
 * (launcher_collect, and once more), -1 with *err set (EXIT_LAUNCH) and *node the index of the first that cannot. */
int launcher_check(struct launcher *l, int *node, struct error *err);

struct node *launcher_node(struct launcher *l, int i);
bool launcher_has_remote(const struct launcher *l);

/* What happens to a node; the table in launcher.c says what comes of it. */
enum node_event {
    NODE_EVENT_START,
    NODE_EVENT_READY,
    NODE_EVENT_GRANT,
    NODE_EVENT_DONE,
    NODE_EVENT_FAIL,
    NODE_EVENT_FREEZE, /* it has failed and is left out from now on */
    NODE_EVENT_PAUSE,
    NODE_EVENT_RESUME,
    NODE_EVENT_STOP,  /* it is told to end */
    NODE_EVENT_ENDED
};
#define NODE_EVENTS 10

/* Each returns -1 with *err set, and the node's id in it, when the node has failed. */
int launcher_start(struct node *n, struct error *err);
int launcher_grant(struct node *n, simtime from, simtime until, struct error *err);
int launcher_work(struct node *n, struct error *err); /* until n->answer.done */

/* Takes what has come for nodes outside the program, without waiting: their answers, their ends, what is too late by
 * now. Those that have failed have their phase NODE_FAILED then; so nothing is lost, whoever failed. Returns whether
 * anything came. */
bool launcher_collect(struct launcher *l);
/* Asks a node for its answer, whether or not the loop has told of one. */
void launcher_poll(struct node *n);
/* When launcher_collect is to be called although nothing came, on clock_ns; INT64_MAX: never. */
int64_t launcher_next_ns(const struct launcher *l);

/* How often a node's state has changed so far, be it not by a quantum that it was granted and has done. */
uint64_t launcher_turns(const struct launcher *l);
/* How many failures there were so far, of all nodes. */
uint64_t launcher_failures(const struct launcher *l);
/* The node fails for a reason that comes from outside it: what it runs is killed, or told to end as at the end of a
 * run. */
void launcher_fail(struct node *n, const struct error *why);
void launcher_stop(struct node *n, const struct error *why);
/* Why the guard, and with it every process, has ended before its time; NULL: it has not. */
const char *launcher_guard_loss(const struct launcher *l);
void launcher_freeze(struct node *n);
void launcher_pause(struct node *n, bool paused);
/* The run stands still, at a barrier, or goes on: what must hold of nodes is looked at, and those that need not run for
 * that are frozen once it has rested for a second. */
void launcher_rest(struct launcher *l, bool rests);
/* At a barrier at which one has failed, and the run goes on: what must hold of the others is looked at. */
void launcher_look(struct launcher *l);
/* Whether what was looked at is not known yet, of any. Such a node must not be granted a quantum: what is wrong belongs
 * to the barrier at which it was asked. Each has timeouts.step to answer. */
bool launcher_is_looking(const struct launcher *l);
/* Whether a node that has failed can be started again: nothing of it is left. */
bool launcher_is_over(const struct node *n);

/* What is spent on the processes of node i's group: processor time so far, resident bytes, how many they are. Read from
 * /proc, for all nodes at once, when what is known is a second old, or older than the last pause. Of a process
 * that is gone, what was known last. False where there is none. */
bool launcher_usage(struct launcher *l, int i, double *cpu_s, uint64_t *memory, unsigned *processes);

/* Tells every node to end; launcher_collect goes on with it, up to SIGKILL. `how`: where to begin. */
void launcher_end(struct launcher *l, enum ending how);
/* Whether all have; then also nothing that they left behind runs on. */
bool launcher_has_ended(struct launcher *l);
/* What engines were not rid of within its time, one line; "": nothing. */
const char *launcher_left(const struct launcher *l);
/* How many processes were left behind, and what they were, one line: "sleep of gw, …". */
unsigned launcher_orphans(struct launcher *l, const char **text);

#endif
