/* The full-screen front: a scenario's problems, its nodes, its messages, and the keys that move it through time. */
#ifndef UI_UI_H
#define UI_UI_H

#include "lockstep/session.h"

struct ui_options {
    const char *file;    /* the scenario; read again for a rerun */
    const char *run_dir; /* instead of it: a run folder, whose run is looked at; NULL: none */
    simtime at;          /* the moment of it that is shown first */
    const struct scenario_override *overrides;
    size_t override_count;
    struct session_options session; /* out_dir, pace, … for every run that is started; breakpoints are there */
    const char *keys_file;          /* steps from a file instead of a terminal; NULL: the terminal */
    int columns, rows;              /* with keys_file: the screen's size */
    bool color;
    bool ascii; /* no characters beyond ASCII */
};

/* Returns the exit code of the program: of the last run, EXIT_INVALID where there was none to start, EXIT_FINISHED
 * where the user left before anything ran. */
int ui_run(const struct ui_options *options);

#endif
