/* The guard: a small process that is the parent of every process that the run starts. It takes in what those leave
 * behind (PR_SET_CHILD_SUBREAPER, prctl(2)), tells who ended and how, and ends them all when it is told to, or when
 * lockstep is no longer there, whatever killed it; then it also removes what the run has on container engines. Should
 * the guard be killed instead, its children die with it (PR_SET_PDEATHSIG) and lockstep ends what is left.
 *
 * Requests return at once; what comes of them is news. */
#ifndef NODE_GUARD_H
#define NODE_GUARD_H

#include <stdbool.h>
#include <sys/types.h>

#include "lockstep/error.h"
#include "lockstep/scenario.h"

struct guard;

/* What it needs to start nodes; borrowed. */
struct guard_setup {
    const struct scenario *scenario;
    const char *run_dir;    /* absolute; told to the nodes */
    uint64_t open_files;    /* the soft limit of nodes that set none */
    const char *socket_dir; /* where Unix sockets are made; removed with all that is in it; NULL: none */
};

/* Forks the guard. NULL with *err set where the system does not let it. One at a time in a process. */
struct guard *guard_new(const struct guard_setup *setup, struct error *err);
/* Ends everything at once, and waits for that; NULL is fine. */
void guard_free(struct guard *g);

bool guard_is_lost(const struct guard *g); /* it has ended, and starts nothing any more */
int guard_fd(const struct guard *g); /* readable when there is news */

/* Starts node i's command, or its Renode, whose monitor is to listen on this port, in a session and process group of
 * its own, with these as stdin, stdout and stderr: the caller closes its copies. News follows: STARTED, or REFUSED, or
 * the one and then the other. */
void guard_start(struct guard *g, int node, int port, const int fds[3]);
/* To the node's process group. Nothing happens where that is gone. */
void guard_signal(struct guard *g, int node, int signal);
/* Ends with SIGKILL whatever is still there of all nodes, and names those that are in no node's group any more. News
 * follows: ORPHAN for each, then SWEPT. */
void guard_sweep(struct guard *g);

/* What the run has made on container engines is removed already, except for what was noted. Without this the guard
 * removes all of it, once lockstep is gone. */
void guard_spare_engines(struct guard *g);
/* Building for the node has made or found this, a mark and an id (image_output.h), which has neither a name nor a
 * label: the guard removes it at the end, if it still has none then (engine_sweep.h). */
void guard_note_built(struct guard *g, int node, const char *id, size_t len);

/* Ends the guard itself, which does not answer any more, and with it its children. News follows: LOST. */
void guard_give_up(struct guard *g);

enum guard_kind {
    GUARD_NOTHING,
    GUARD_STARTED, /* pid */
    GUARD_REFUSED, /* the command could not be run: error is errno; what: what could not be done */
    GUARD_EXITED,  /* the process itself: status as of waitpid */
    GUARD_GONE,    /* and nobody is left in its group */
    GUARD_ORPHAN,  /* pid, name: a process that its node had left behind; node -1: not known whose. It is ended. */
    GUARD_SWEPT,   /* status: how many processes could not be ended */
    GUARD_LOST     /* the guard itself has ended; nothing else will come */
};
#define GUARD_TEXT 64
struct guard_news {
    enum guard_kind kind;
    int node;
    pid_t pid;
    int status, error;
    char name[GUARD_TEXT];
};
/* What REFUSED means for the node's failure: `what` is its name, `error` its errno. */
void guard_say_refused(const char *what, int error, const char *program, struct error *err);
/* The next news, without waiting; false where there is none. */
bool guard_news(struct guard *g, struct guard_news *out);
bool guard_has_kept(const struct guard *g); /* some came already, while something else was asked for */

/* How a node's process is told apart from others: in its environment. LOCKSTEP_RUN is the lockstep that it belongs to,
 * as PID-STARTTIME (base/procfs.h), LOCKSTEP_NODE the node's id. */
#define GUARD_RUN_VARIABLE  "LOCKSTEP_RUN"
#define GUARD_NODE_VARIABLE "LOCKSTEP_NODE"

#endif
