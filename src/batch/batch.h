/* The front for scripts: progress on stderr, the summary on stdout, an exit code to trust. */
#ifndef BATCH_BATCH_H
#define BATCH_BATCH_H

#include "lockstep/session.h"

struct batch_options {
    const char *file; /* the scenario */
    const struct scenario_override *overrides;
    size_t override_count;
    struct session_options session; /* loop and start_running are set here */
    const char *junit;              /* a file for a JUnit report; NULL: none */
    bool json;                      /* the summary as JSON, or what has kept a run from being */
    bool quiet;                     /* errors and, with json, the summary; nothing else */
    bool verbose;                   /* state changes, and every node in the summary */
    bool color, ascii;
};

/* Both return the exit code of the program. */
int batch_run(const struct batch_options *o);
int batch_dry_run(const struct batch_options *o); /* loads and checks; starts nothing */

/* Of words that make no sense, with --json among them: on stdout, for scripts. Returns the exit code. */
int batch_usage(const struct error *err);

#endif
