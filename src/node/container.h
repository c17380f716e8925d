/* What a container engine is asked for to make the container of a node (Docker Engine API v1.41, POST
 * /containers/create). Pure: texts only. */
#ifndef NODE_CONTAINER_H
#define NODE_CONTAINER_H

#include "base/buffer.h"
#include "lockstep/record.h"
#include "lockstep/scenario.h"
#include "scenario/volume.h"

/* By these labels what belongs to a run is told apart from everything else that the engine has. */
#define CONTAINER_LABEL_RUN  "lockstep.run"  /* the lockstep that it is of: PID-STARTTIME, as LOCKSTEP_RUN (guard.h) */
#define CONTAINER_LABEL_HOST "lockstep.host" /* and the machine on which that runs */
#define CONTAINER_LABEL_NODE "lockstep.node" /* the node's id */

#define CONTAINER_SOCKET_DIR "/run/lockstep" /* inside: where the folder of a node's Unix socket is mounted */
#define CONTAINER_SOCKET     CONTAINER_SOCKET_DIR "/node"

/* What the scenario does not say. All borrowed. */
struct container_place {
    const char *run, *host;  /* for the labels */
    const char *image;       /* its id, or name */
    const char *network;     /* as the engine knows it; NULL: the engine's own choice */
    const char *socket_dir;  /* transport unix: the node's folder on the engine's machine; NULL: none */
    bool local;              /* the engine is on this machine: published ports are for it alone */
    bool init;               /* a small init inside, which passes signals on and reaps */
    const char *(*volume)(void *data, const char *name); /* a named volume, as the engine knows it */
    void *data;
};

/* "lockstep-RUN-NODE". */
void container_name(char *out, size_t size, const char *run, const char *node);
/* Appends the body of the request. Relative paths begin at the scenario's folder. */
void container_body(struct buffer *out, const struct scenario *s, const struct scenario_node *n,
                    const struct container_place *place);
/* Appends the body of POST /containers/ID/exec, for transport exec. */
void container_exec_body(struct buffer *out, const struct scenario_node *n);
/* Appends `{"lockstep.run":…}`; node NULL: of the run as a whole. */
void container_labels(struct buffer *out, const struct container_place *place, const char *node);

/* Appends the path of the request that builds `image` of a context with this Dockerfile; `marks_steps`: the engine is
 * Docker, whose containers of a build's steps have neither labels nor a name that could be chosen. They know an extra
 * host instead, container_build_mark, which nothing that runs in them can change and no image keeps. */
void container_build_path(struct buffer *out, const struct container_place *place, const char *image,
                          const char *dockerfile, bool marks_steps);
/* "lockstep.RUN.HOST", of letters, digits, '.' and '-'. */
void container_build_mark(struct buffer *out, const char *run, const char *host);

#endif
