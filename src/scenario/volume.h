/* Where the host part of a container's volume is: read in one place, for the engine, the checks and
 * the canonical text. */
#ifndef SCENARIO_VOLUME_H
#define SCENARIO_VOLUME_H

#include <stdbool.h>

#include "lockstep/record.h"

/* "HOST:CONTAINER[:MODE]" of docker.volumes. A host part that is no path is the name of a volume. */
struct container_volume {
    struct text host, inside, mode; /* mode is empty where none is given */
    bool is_named;
    bool is_relative; /* a path that starts at base_dir */
};
struct container_volume container_volume(const char *text);

#endif
