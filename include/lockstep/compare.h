/* `lockstep diff` and `lockstep verify`: whether runs are the same, and where they part. */
#ifndef LOCKSTEP_COMPARE_H
#define LOCKSTEP_COMPARE_H

#include "lockstep/session.h"

/* Takes the words of the command line from "diff" on. Returns the exit code: EXIT_FINISHED where events.jsonl (but for
 * its first line) and the metrics files of two run folders are the same, EXIT_RUN_FAILED where they are not,
 * EXIT_INVALID where one is no run folder or its run was cut off, EXIT_USAGE for words that make no sense. */
int compare_diff(int argc, char **argv);

#define VERIFY_RUNS     3
#define VERIFY_RUNS_MAX 1000
struct verify_options {
    const char *file; /* the scenario */
    const struct scenario_override *overrides;
    size_t override_count;
    struct session_options session; /* loop, out_dir and start_running are set here */
    int runs;
    bool quiet; /* only errors, and where runs part */
    bool color;
};
/* Runs the scenario several times and compares each run with the first. Returns the exit code: EXIT_FINISHED where all
 * are the same, EXIT_RUN_FAILED where they are not, else that of a batch run that could not be launched or was ended.
 */
int compare_verify(const struct verify_options *o);

#endif
