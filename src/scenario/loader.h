/* Loading a scenario from bytes that are there already. */
#ifndef SCENARIO_LOADER_H
#define SCENARIO_LOADER_H

#include "lockstep/scenario.h"

struct scenario_source {
    const char *file;     /* its name, for messages and for the scenario's name */
    const char *base_dir; /* absolute */
    const char *text;     /* text[len] must be NUL */
    size_t len;
    const struct scenario_override *overrides;
    size_t override_count;
    bool environment; /* check files, programs, ports and engines of this machine */
};

/* As scenario_load. */
struct scenario *scenario_load_text(const struct scenario_source *source, struct problems *problems);

#endif
