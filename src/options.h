/* The command line: a table that is parser and help at once. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "lockstep/session.h"

enum mode { MODE_UI, MODE_BATCH, MODE_DRY_RUN, MODE_VERIFY, MODE_HELP, MODE_VERSION };

struct arguments {
    enum mode mode;
    const char *file;
    bool replay;                         /* the file is a run folder */
    bool verify;                         /* the command: the mode too, unless an option asks for help */
    int runs;                            /* of verify; 0: not given */
    struct scenario_override *overrides; /* their paths are owned; values and origins are not */
    size_t override_count, override_capacity;
    struct session_options session;
    bool json, quiet, verbose, no_color, ascii, pauses;
    simtime at; /* replay: the moment that is shown first */
    const char *keys_file, *junit;
    int columns, rows;         /* 0: not given */
    const char *bad_condition; /* that was refused; NULL: none was */
    size_t bad_column;
};

/* Reads it into *a, which the caller has zeroed but for what stands in the first word: replay, verify and mode. -1 with
 * *err set (EXIT_USAGE) where it is wrong. options_free in any case. */
int options_parse(struct arguments *a, int argc, char **argv, struct error *err);
int options_check(const struct arguments *a, struct error *err); /* whether what is given goes together */
/* On stdout: all options, or those of replay or verify. */
void options_help(const struct arguments *a);
void options_free(struct arguments *a);

#endif
