/* Removes what is marked as a run's own from container engines: containers, then networks, volumes and images, on all
 * engines at once. It waits, on a loop and connections of its own: for those who have nothing else to do, as the guard
 * whose lockstep is gone, and `lockstep clean`. */
#ifndef NODE_ENGINE_SWEEP_H
#define NODE_ENGINE_SWEEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lockstep/scenario.h"

/* Something that was found. All borrowed. */
struct swept {
    const char *engine; /* its address */
    const char *kind;   /* "container", "network", "volume", "image"; NULL: the engine itself */
    const char *name;   /* a container's or image's id, cut short, where there is nothing better */
    const char *node;   /* of a container; else NULL */
    const char *why;    /* it could not be removed; NULL: it was */
};

struct engine_sweep {
    const char *run;  /* the identity of the lockstep that it belongs to; NULL: of any of this machine that is gone */
    bool with_builds; /* the containers of steps of builds, too, which have no label */
    /* And the images without a name or a label that builds leave, by the beginnings of ids behind a mark
     * (image_output.h): those that their steps made or found. Those made go and, unless it is older than `since_s`,
     * what is made of an image of either kind: a build that is broken off does not tell of its last steps any more.
     * NULL: none. */
#define ENGINE_SWEEP_ID 16
    const char (*built)[ENGINE_SWEEP_ID];
    size_t built_count;
    int64_t since_s;  /* when the run began, as time(2) tells it; 0: it is not known */
    bool only_builds; /* these, and images of the run: nothing else */
    int limit_ms;     /* for all of it */
    /* What is not there yet may appear within this time, as of a request that was under way when lockstep was killed:
     * it is looked after again and again. An engine that does not answer may come back, then. 0: one look is enough. */
    int late_ms;
    int in_use_ms; /* how long at least an image is tried that somebody uses: a step of a build may go on */
    void (*told)(void *data, const struct swept *s); /* NULL: nobody is told */
    void *data;
};
/* What is refused is tried again; an image that somebody uses for two seconds at most, or late_ms. Returns how many
 * things could not be removed, and engines not be asked. An address that is none counts, too. */
int engine_sweep(const struct engine_sweep *sweep, const char *const *addresses, size_t count);

/* The engines of a scenario's containers, each once. The caller frees it with engine_addresses_free. */
char **engine_addresses(const struct scenario *s, size_t *count);
void engine_addresses_free(char **addresses, size_t count);

#endif
