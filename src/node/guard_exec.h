/* Runs a node's command. */
#ifndef NODE_GUARD_EXEC_H
#define NODE_GUARD_EXEC_H

#include "node/guard.h"

/* The environment that nodes are started with. */
struct environment;
struct environment *environment_new(const struct guard_setup *setup, pid_t lockstep);

/* Starts the node's command, or its Renode with the monitor on this port, which becomes the leader of a session and a
 * process group of its own and dies with this process. Does not wait: a command that cannot be run ends with exit code
 * 127, and guard_exec_error says why. Returns its pid, or -1 with errno. */
pid_t guard_exec(const struct environment *e, const struct scenario_node *node, int port, const int fds[3]);
/* Why the command that was started last for this node could not be run: errno and, in `what`, what could not be done;
 * 0: it ran. */
int guard_exec_error(const struct environment *e, int node, char *what, size_t size);

#endif
