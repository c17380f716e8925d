/* A node in a container: what driver_docker.c, docker_start.c and docker_stream.c share. */
#ifndef NODE_DOCKER_H
#define NODE_DOCKER_H

#include "node/assets.h"
#include "node/channel.h"
#include "node/container_state.h"
#include "node/frames.h"

/* One connection to what runs in the container: its outputs, and, where the protocol goes over it, its input. */
struct stream {
    struct docker *docker;
    struct http_stream *http; /* NULL: none */
    struct frames frames;
    struct buffer path, body;
    struct buffer in;    /* what came for the channel and is not taken, from `taken` on */
    size_t taken;
    bool talks;          /* its output is the node's answers; else all goes to the log */
    bool is_over;        /* the channel does not read it any more: answers are of no use */
    bool ended;
    struct error broken; /* code is set: why it is of no use any more */
};

enum docker_step {
    DOCKER_PREPARE, /* image, network and volumes are looked for, or made */
    DOCKER_CREATE,
    DOCKER_ATTACH, /* before it is started, so that nothing it says is lost */
    DOCKER_START,
    DOCKER_REPLACE, /* removed, to be created in another way */
    DOCKER_LOOK,
    DOCKER_EXEC,
    DOCKER_EXEC_START,
    DOCKER_RUN,
    DOCKER_REMOVE,
    DOCKER_GONE
};

struct docker {
    struct node *node;
    struct engine *engine;
    struct channel channel;
    enum docker_step step;
    struct exchange exchange; /* of the step */
    const char *what;         /* it asks for, for messages */
    struct exchange look;     /* what has become of it */
    struct asset *image, *network, **volumes;
    size_t volume_count, volume_capacity;
    char id[80], short_id[16]; /* "" while there is none */
    char name[200];          /* as it was asked to be created with */
    bool is_in_doubt;        /* it may have been created, but the engine did not say so */
    char socket_dir[300];
    struct stream output, exec;
    struct container_state state;
    bool is_paused;          /* by a fault */
    bool is_frozen;          /* while the run rests */
    bool stands_still;       /* what the engine was asked for last */
    struct exchange still;
    bool is_pause_refused;   /* it runs on, although it should not */
    struct error stuck;      /* code is set: it does not go on, as the engine has said */
    struct exchange check;   /* a health check that the engine is asked to make */
    bool checks_itself;      /* the engine makes them */
    bool was_checked, is_asked_for_checks; /* … which was looked after once; … and does not */
    int64_t check_ns;        /* when the next is due; 0: not known yet */
    struct exchange stats;   /* a stream, while somebody looks */
    struct wire stats_lines;
    bool is_stats_wrong;     /* what comes has no end of a line: no more of it is taken */
    int64_t stats_again_ns;  /* not before then, after that */
    struct container_usage usage;
    char exec_id[80];        /* what runs by transport exec; "" while there is none */
    char exec_said[600];     /* its first words, before READY: they may be the engine's */
    struct exchange exec_look;
    struct error held;       /* code is set: its failure, if that tells nothing better */
    int64_t deaf_ns;         /* the engine tells nothing by itself: when it is to be looked at; 0: it tells */
    int64_t asked_ns;        /* when somebody asked for it last */
    bool with_init;          /* it was created with an init of the engine's */
    bool was_removed;        /* by someone else */
    int64_t look_ns;         /* its output has ended: when it is to be looked at again */
    int exec_code;           /* once it has ended, behind READY; -1: it has not, or that is not known */
    bool is_ready;           /* it has said READY */
    bool is_wrong;           /* gone is of what it said, not of its end */
    struct error gone;       /* node->gone is this, or NULL */
    int64_t seen_ns;         /* when it was first seen to have ended; 0: it was not */
    int64_t end_ns;          /* the same, once that is its failure */
    int64_t again_ns;        /* when its removal is to be asked for again */
    unsigned removals;       /* that were asked for */
    int64_t removed_ns;      /* when it was; 0: it was not */
    char refusal[1000];       /* why the last did not come about; "" */
};

#define DOCKER_SHORT_ID  12    /* characters of an id that people are shown */
#define DOCKER_ENDS_NS                                                                                                 \
    INT64_C(500000000)         /* an engine may notice the end of a container so long after that of its output */
#define DOCKER_ANSWER_MS 30000 /* for a request that takes no time by itself */

/* docker_start.c: from nothing to DOCKER_RUN. As the driver's verb; and what its `work` does until then. */
int docker_start(struct node *n, struct error *err);
int docker_start_step(struct docker *d, struct error *err);
/* After s seconds something is not there that is needed before the container: *err says what. */
void docker_say_unprepared(const struct docker *d, double s, struct error *err);
/* Asks the engine, for d->exchange: `what`, static text, is for messages. */
void docker_request(struct docker *d, const char *method, const char *what, const char *fmt, ...) LOCKSTEP_PRINTF(4, 5);
/* docker_words.c: the container has ended, and how. What its start has failed by, explained where it is known; of a
 * text of which that is not known to be is asked whether it says that the program could not be run, `said` is shown
 * then. */
int64_t docker_settled_ns(const struct docker *d); /* since d->seen_ns: when that can be told */
void docker_say_end(const struct docker *d, struct error *err);
void docker_explain(const struct docker *d, struct error *err);
bool docker_say_unrun(const struct docker *d, const char *text, const char *said, struct error *err);
/* docker_exec.c: what runs by transport exec has failed with *err before it said READY. What the engine knows of that
 * is asked for; true: docker_exec_judge says what comes of it. */
bool docker_exec_hold(struct docker *d, const struct error *err);
int docker_exec_judge(struct docker *d, struct error *err); /* 0: not known yet; else -1 with *err set */
/* The same behind READY, once it has closed its output: the engine is asked for its exit code. Whether it is known that
 * it has ended, of itself or, where that is `late`, in whatever way; then *err is set. */
void docker_exec_ask(struct docker *d);
bool docker_exec_end(struct docker *d, bool late, struct error *err);
void docker_exec_say_end(const struct docker *d, struct error *err);
void docker_forget(struct docker *d); /* frees all but d itself */

/* Opens it: an engine's path, behind the version of the API; body: "" or JSON. */
void stream_open(struct stream *s, struct docker *d, bool talks, const char *path, const char *body);
/* 1: it is open; 0: not yet; -1 with *err set: it was refused, or is broken. `what` was asked for. */
int stream_is_open(struct stream *s, const char *what, struct error *err);
void stream_talk(struct stream *s);  /* the channel goes over it from now on */
void stream_drain(struct stream *s); /* takes what it says to the log, where the channel does not read it */
void stream_hear_out(struct stream *s); /* the same once the channel is closed: what it says yet to the log */
bool stream_is_silent(const struct stream *s);  /* nothing comes any more */
void stream_close(struct stream *s);

#endif
