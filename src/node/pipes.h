/* The stdin, stdout and stderr of a node's process. */
#ifndef NODE_PIPES_H
#define NODE_PIPES_H

#include <stdbool.h>

/* By descriptor, 0 … 2: `theirs` are the process's, `ours` the other ends, not blocking. Of a node that is not spoken
 * to over them ours[0] and ours[1] are -1: its stdin is empty and its stdout goes with stderr. The caller closes them
 * all. -1 with errno, and none is open. */
int pipes_open(int ours[3], int theirs[3], bool is_spoken_to);

/* Those that are not -1; they are, then. */
void pipes_close(int *fds, int count);

#endif
