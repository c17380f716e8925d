/* Which of the things that a container engine lists are a run's own, and nobody else's. Pure.
 *
 * Labels tell, but what others make of an image has the image's labels: a container of theirs, and every step of a
 * build of theirs that begins with it (seen of Docker 20.10 and Podman 4.3). */
#ifndef NODE_ENGINE_OWN_H
#define NODE_ENGINE_OWN_H

#include "base/buffer.h"
#include "base/json.h"
#include "node/engine_sweep.h"

#define ENGINE_SHORT_ID 12 /* characters of an id that people see */

/* What is known of one engine. Zero-initialise the buffers. */
struct engine_own {
    const struct engine_sweep *sweep; /* borrowed, as is: */
    const char *host;                 /* this machine (engine_host) */
    struct buffer named;              /* ids of images of runs that have, or had, a name, each with its \n */
    struct buffer in_use;             /* the beginnings of ids of images that could not be removed, each with its \n */
    struct buffer others;             /* ids of containers that were asked for, and are of no build of a run */
};
void engine_own_free(struct engine_own *o);

/* An id without "sha256:". */
const char *engine_plain_id(const char *id);

/* By the labels alone: of networks and volumes. The filter of a list has one label, and there may be engines that do
 * not know it. */
bool engine_own_thing(const struct engine_own *o, const struct json *item);
bool engine_own_container(const struct engine_own *o, const struct json *item);
/* Or, of a volume that has no labels, by its name (container_name): where lockstep is killed while an engine makes a
 * container, that may make the container's volume anew after it was removed. */
bool engine_own_volume(const struct engine_own *o, const struct json *item);

/* Before images of a list are judged. */
void engine_own_note_names(struct engine_own *o, const struct json *images);
/* With a name: one of its names may be (engine_own_name). */
bool engine_own_image(const struct engine_own *o, const struct json *images, const struct json *item);
bool engine_has_name(const struct json *image);
/* Whether its run, or Podman for a step of a build, gave it that name. */
bool engine_own_name(const struct json *image, const char *name);

/* Without a name or a label: the last image of a build of the run that was broken off; those that it was made of go
 * with it, or in the next round. */
bool engine_own_leftover(const struct engine_own *o, const struct json *images, const struct json *item);
/* The container in which a step of a build of a run runs, in Docker, or ran, where that was killed in the middle of it:
 * 1: what the list tells is not against it, and it is to be asked for; 0: it is none. */
bool engine_own_may_be_builder(const struct engine_own *o, const struct json *item);
/* … by what it tells itself (GET /containers/ID/json). One that is none is not asked for again. */
bool engine_own_builder(struct engine_own *o, const struct json *container);
/* The same in Podman, of whose containers it is none: it keeps an image of the run from being removed. */
bool engine_own_step(const struct engine_own *o, const struct json *item);

#endif
