/* What an engine says of a container (GET /containers/ID/json). Pure. */
#ifndef NODE_CONTAINER_STATE_H
#define NODE_CONTAINER_STATE_H

#include "base/buffer.h"
#include "lockstep/error.h"
#include "lockstep/scenario.h"

#define CONTAINER_OUTPUT 300 /* bytes that are kept of the last health check's output */

struct container_state {
    bool is_running;  /* also while it is being stopped and has not ended yet */
    bool is_paused;   /* whoever has done that */
    bool is_removed;  /* it is being removed */
    bool was_out_of_memory;
    int exit_code;
    int pid;         /* of its first process, where the engine counts; 0: none */
    bool has_health; /* it has a health check */
    bool is_healthy, is_unhealthy;
    size_t health_checks;    /* so far, of which the engine knows the outcome; it forgets old ones */
    int64_t health_interval_ns; /* between two; 0: the engine's default */
    char health_output[CONTAINER_OUTPUT]; /* of the last check, safe to show */
    char why[CONTAINER_OUTPUT];           /* why it could not be run, in the engine's words; "" */
    char ip[64];                          /* its address in the engine's network; "" */
    char gateway[64];                     /* and that of who leads out of it; "" */
};

/* Of what an engine says once a second (GET /containers/ID/stats). */
struct container_usage {
    bool is_known;
    double cpu_s;    /* so far */
    uint64_t memory; /* bytes, without what is only kept of files */
    unsigned processes;
};
void container_usage_read(struct container_usage *u, const char *s, size_t len); /* unchanged where it says nothing */

/* Returns -1 with *err set where the text is not what an engine says of a container. */
int container_state_read(struct container_state *s, const struct buffer *body, struct error *err);
/* The engine's `Id` of a create, into 65 bytes or more. -1: there is none. */
int container_id_read(const struct buffer *body, char *id, size_t size);
/* Where the first of docker.ports, which is one of TCP, can be reached: at `host`, the engine's machine, where it is
 * published or the container has the network of that machine; or else at the container's own address. Returns its port
 * and sets *out to the host, or returns -1 with *err set. */
int container_port(const struct container_state *s, const struct buffer *body, const struct scenario_node *n,
                   const char *host, char *out, size_t size, struct error *err);

/* "starting", "healthy" or "unhealthy"; NULL where it has no health check. */
const char *container_health(const struct container_state *s);

/* The exit code in the answer to GET /exec/ID/json; -1: it has none yet. */
int container_exec_code(const struct buffer *body);
/* Whether its end was not of its own making. */
bool container_was_killed(const struct container_state *s);
/* Who has, as far as its engine has told. */
enum container_killer { KILLER_NOT_KNOWN, KILLER_SOMEONE, KILLER_UNHEARD_OF };
/* Why it ended, for messages: "its container ended with exit code 3 WHEN". */
void container_say_end(const struct container_state *s, const struct scenario_node *n, enum container_killer killer,
                       const char *when, struct error *err);

#endif
