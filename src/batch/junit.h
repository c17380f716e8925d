/* The outcome of a run as a JUnit report, for CI systems. */
#ifndef BATCH_JUNIT_H
#define BATCH_JUNIT_H

#include "lockstep/session.h"

/* Whether the file can be written, found out before the run. -1 with *err set (EXIT_LAUNCH). */
int junit_check(const char *path, struct error *err);

/* What is known of a run. */
struct junit {
    const struct scenario *scenario; /* NULL: it is invalid, */
    const struct session *session;   /* NULL: there was none, */
    const char *name, *cause;        /* of which these tell */
};
/* One test case for the run and one for each node. Written whole or not at all. -1 with *err set (EXIT_LAUNCH). */
int junit_write(const char *path, const struct junit *j, struct error *err);

#endif
