/* `lockstep check-node`: talks the node protocol to a node and reports what the node does wrong. */
#ifndef LOCKSTEP_CHECK_H
#define LOCKSTEP_CHECK_H

/* Takes the words of the command line from "check-node" on. Returns the exit code: EXIT_FINISHED where all that a node
 * must do holds, EXIT_RUN_FAILED where something does not, EXIT_USAGE for words that make no sense. */
int check_node(int argc, char **argv);

#endif
