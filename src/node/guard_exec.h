/* Runs a node's command. */
#ifndef NODE_GUARD_EXEC_H
#define NODE_GUARD_EXEC_H

#include "node/guard.h"

/* The environment that nodes are started with. */
struct environment;
struct environment *environment_new(const struct guard_setup *setup, pid_t lockstep);

/* Starts the node's command, which becomes the leader of a session and a process group of its own and dies with this
 * process. Returns its pid; -1 with errno and, in `what`, what could not be done. */
pid_t guard_exec(const struct environment *e, const struct scenario_node *node, const int fds[3], char *what, size_t size);

#endif
