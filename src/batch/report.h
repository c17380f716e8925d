/* What a front without a screen says of scenarios and runs, as text for people. */
#ifndef BATCH_REPORT_H
#define BATCH_REPORT_H

#include <stdio.h>

#include "lockstep/session.h"

void report_scenario(FILE *to, const struct scenario *s);
void report_run(FILE *to, struct session *s, const struct scenario *scenario, bool color, bool nodes);

/* The last lines that node i wrote to stderr, if any, and where the others are. */
void report_stderr(FILE *to, const struct session *s, const struct scenario *scenario, int i);

#endif
