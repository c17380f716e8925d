/* The container engines that a run uses, one for each address: requests to them, and what they tell by themselves. */
#ifndef NODE_ENGINE_H
#define NODE_ENGINE_H

#include "node/container.h"
#include "node/http.h"
#include "node/node.h"
#include "node/wire.h"
#include "scenario/engine_address.h"

/* Docker 20.10, Podman 4; all that is used is the same in 1.44, which Docker 29 wants at least. */
#define ENGINE_API_OWN           "1.41"
#define ENGINE_API_TEXT          16
#define ENGINE_ARCHITECTURE_TEXT 24
#define ENGINE_KERNEL_TEXT       65

/* This machine, as CONTAINER_LABEL_HOST names it: where the pids of a run's identity mean something. */
#define ENGINE_HOST_TEXT 300
void engine_host(char *out, size_t size);

/* One request and what comes of it, for a node. Zero-initialise; one at a time. */
struct exchange {
    struct node *node;      /* whose work is called when it is done; NULL: nobody's */
    struct engine *engine;  /* that was asked last */
    struct http_call *call; /* NULL: none is under way */
    struct buffer path, body;
    void (*piece)(void *data, const char *s, size_t len); /* of exchange_stream */
    void *data;
    bool done;
    struct http_answer answer; /* once done */
};

/* The stream of what happens to the run's containers. */
struct engine_events {
    struct http_call *call; /* NULL: there is none */
    struct buffer path;
    struct wire lines; /* what came of it */
    bool is_wrong;     /* a line has no end: no more of it is taken */
    bool is_again;     /* it was begun again, and may have missed something */
    bool is_refused;   /* for good */
    int64_t since_ns;  /* when it was begun */
    int64_t again_ns;  /* there is none: when it is to be begun */
    int64_t pause_ns;  /* before that; 0: it was never begun */
};

struct engine {
    struct engines *all;
    struct http_peer peer;
    char api[ENGINE_API_TEXT];                   /* what all paths begin with, as "/v1.41"; "" until it has been met */
    struct http_call *meeting;                   /* it is asked what it is */
    bool is_podman;
    bool is_machine_known;                       /* the two that follow: it was asked */
    char architecture[ENGINE_ARCHITECTURE_TEXT]; /* of its machine, as images name it: "amd64"; "": it does not say */
    char kernel[ENGINE_KERNEL_TEXT];
    int64_t heard_ns;   /* when it answered last */
    struct error unfit; /* code is set: it is of no use, or did not answer */
    bool is_local;      /* it is on this machine */
    bool has_init;      /* it can give containers a small init of its own */
    struct engine_events events;
    struct assets *assets; /* images, networks and volumes */
};

/* For all nodes of the scenario that are containers. NULL with *err set (EXIT_LAUNCH) where an address is none. `nodes`
 * are all of the scenario's, by index, and called (node_ready) when an engine tells something of them. `run` is the
 * identity of this lockstep. All borrowed. */
struct engines *engines_new(struct loop *l, const struct scenario *s, struct node *nodes, const char *run,
                            struct error *err);
void engines_free(struct engines *e); /* NULL is fine */
struct http *engines_http(struct engines *e);
/* How containers are marked, and where the engine finds what it needs. */
void engine_place(const struct engine *e, struct container_place *out);
/* Which one node i uses. */
struct engine *engines_of(struct engines *e, int i);

/* engine_version.c: which version of the API is to be spoken with who has answered so to GET /_ping, of whose answer
 * ENGINE_PING_HEADER is wanted. 1: api says it; 0: GET /version is to tell; -1 with *err set (EXIT_LAUNCH): it is too
 * old. Podman tells here, and takes seconds for /version, as it asks the system for the packages of its programs;
 * Docker does not tell here what it speaks at least. */
#define ENGINE_PING_HEADER "Libpod-Api-Version"
int engine_ping_read(const struct http_answer *a, char api[ENGINE_API_TEXT], struct error *err);
/* The same for GET /version; who does not say is spoken to in our own: 0, or -1. */
int engine_version_read(const struct http_answer *a, char api[ENGINE_API_TEXT], struct error *err);
/* Asks an engine that has not been met yet, also once more where it did not answer; before anything else is asked of
 * it. */
void engine_meet(struct engine *e);
/* 1: it has been met; 0: not yet, its nodes will be ready then; -1 with *err set: it is of no use. */
int engine_is_met(const struct engine *e, struct error *err);
/* Whether it is known what machine it is on, as far as it says; else it is asked, and its nodes will be ready then. */
bool engine_knows_machine(struct engine *e);

/* engine_platform.c: a JSON value as the name of an architecture; "": it is none. */
struct json;
void engine_architecture(char out[ENGINE_ARCHITECTURE_TEXT], const struct json *value);
/* Whether the engine's machine runs such programs by itself, as far as that is known. */
bool engine_may_run(const struct engine *e, const char *architecture);
/* Whether it is root's, and the process `pid` that it has told to be container `id` is one of ours, too, and so not in
 * a virtual machine or without root: its networks may be ours. */
bool engine_is_beside(const struct engine *e, const char *id, int pid);
/* 1: containers of the image may run there; -1 with *err set (EXIT_LAUNCH): it is certain that they do not; 0: its
 * machine is asked for first (engine_knows_machine). */
int engine_check_image(struct engine *e, const char *name, const char *architecture, struct error *err);

/* Sends; x->path begins behind the version of the API, and x->body is JSON where it is not empty. */
void exchange_send(struct exchange *x, struct engine *e, const char *method, int limit_ms);
/* For an answer that comes over time, without a limit: `piece` gets it and only notes it. The body is a tar archive,
 * where it is not empty, and borrowed. */
void exchange_stream(struct exchange *x, struct engine *e, const char *method, struct text body,
                     void (*piece)(void *data, const char *s, size_t len), void *data);
void exchange_drop(struct exchange *x); /* forgets it, also while it is under way; x can be used again */
/* Whether it was answered with a 2xx or 304. Else *err says what was asked (`what`) and, in the engine's words, why
 * not. */
bool exchange_ok(const struct exchange *x, const char *what, struct error *err);
/* The same for a DELETE: engines answer that with 204, or, to say what has gone with an image, with a list. Another 2xx
 * is no proof, and worth another try. */
bool exchange_removed(const struct exchange *x, const char *what, struct error *err);
/* In the engine's words: "MESSAGE (STATUS)". */
void engine_words(const struct http_answer *a, char *out, size_t size);
/* The answer to GET /images/json: 1: one of them is used by a container, by Podman's count, and *id is how it begins;
 * 0: none is; -1: it is no such answer. Docker does not count. */
int engine_used_image(const struct http_answer *a, char *id, size_t size);
/* Something could not be made: adds what can be done, where the engine's words say why. */
void engine_advise(struct error *err);

/* All its nodes are ready: something that they may wait for has happened. */
void engine_wake(struct engine *e);

/* The user wants to go at once: an engine that answers nothing more for two seconds is not waited for. */
void engines_hurry(struct engines *e);
int64_t engine_limit_ns(const struct engine *e); /* when that is (clock_ns); INT64_MAX: there is no hurry */

/* Something could not be removed ("container 0123456789ab of gw"): told at the end of the run. */
void engine_leave(struct engine *e, const char *what, const char *why);
/* Once all containers are gone: what was made for them goes, too. True when that is done, or with `give_up` tried; then
 * *text says what is left behind, "" where nothing is. */
bool engines_end(struct engines *e, bool give_up, const char **text);

/* Its node of that id, or NULL; and all of them. */
struct node *engine_node(struct engine *e, const char *id);
void engine_each(struct engine *e, void (*call)(struct node *n, void *data), void *data);

/* engine_events.c: listens to what happens to containers of the run; with each event its node is ready, with must_look
 * set. Each step of each of its nodes calls it, as a stream that has ended is begun again; all nodes are to look, then.
 * Returns when it is to be called again; INT64_MAX: by the way. */
int64_t engine_listen(struct engine *e);
bool engine_is_heard(const struct engine *e); /* else nodes are to look by themselves, every few seconds */
void engine_listen_end(struct engine *e);

#endif
