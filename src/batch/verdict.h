/* What --json prints where there was no run, and so no summary. */
#ifndef BATCH_VERDICT_H
#define BATCH_VERDICT_H

#include <stdio.h>

#include "lockstep/scenario.h"

/* Of outcome, cause and exit_code as of a summary; the others may be NULL. */
struct verdict {
    const char *outcome; /* "usage", "invalid", "failed": the launch; "valid": nothing was to be started */
    const char *cause;   /* "" where there is none */
    int exit_code;
    const char *file;                /* of the scenario, as it was named */
    const struct scenario *scenario; /* where it is valid */
    const struct problems *problems; /* all that were found in it */
};

/* One JSON object, on lines of its own. */
void verdict_print(FILE *to, const struct verdict *v);

#endif
