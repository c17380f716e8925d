/* What a lockstep that was killed, together with its guard process, may have left behind. */
#ifndef LOCKSTEP_CLEAN_H
#define LOCKSTEP_CLEAN_H

#include <stdio.h>

/* Ends with SIGKILL every process that this user may look at and that carries the mark of a lockstep which is no longer
 * there (LOCKSTEP_RUN in its environment), and removes the folders of such ones in TMPDIR and what they have on
 * container engines: containers, networks, volumes and images with the label lockstep.run. It asks the engine of
 * DOCKER_HOST and those at the usual sockets of Docker and Podman, where they are there; one of DOCKER_HOST that is not
 * there, and one that cannot be asked, count as something that could not be removed. What belongs to a lockstep that is
 * there, or to another machine's, stays. A line on `to` for each, and one that says what was looked at and what came of
 * it. Returns how many could not be ended, removed or looked at. */
int clean_leftovers(FILE *to);

#endif
