/* A node at run time, and the verbs by which every kind of node is driven. */
#ifndef NODE_NODE_H
#define NODE_NODE_H

#include <sys/types.h>

#include "base/buffer.h"
#include "base/message.h"
#include "lockstep/scenario.h"
#include "lockstep/session.h"

struct driver;
struct engines;
struct guard;
struct guard_news;
struct node;

/* What a node has said in this round, as facts. */
struct answer {
    bool done;                /* it has finished the quantum; while it starts: it is ready */
    simtime next;             /* its next own event; SIMTIME_NEVER: none, -1: it does not say */
    struct message_list sent; /* in sending order */
    struct buffer warnings;   /* lines, each with its \n: what was amended or cut of what the node said */
};

/* How a node is told to end, each harder than the one before. */
enum ending {
    END_NOT,
    END_ASK,   /* it is told that the run is over */
    END_INPUT, /* its input ends */
    END_TERM,  /* SIGTERM */
    END_KILL   /* SIGKILL */
};

/* What drivers use besides the node; the launcher's. */
struct node_host {
    const struct scenario *scenario;
    struct loop *loop;
    struct guard *guard;     /* NULL: the scenario starts no process */
    struct engines *engines; /* NULL: no node is a container */
    char *socket_dir;        /* NULL: no node has a Unix socket */
    struct node **ready;     /* nodes whose work is to be called: something came for them */
    int ready_count;
    uint64_t failures; /* of nodes, so far */
    uint64_t turns;    /* changes of nodes' states so far, but for those of a quantum */
    int64_t look_ns;   /* on clock_ns: before then time brings nothing for any node */
};
void node_ready(struct node *n);            /* puts it there, once */
void node_look(struct node *n, int64_t ns); /* something of the node is to be looked at then */

#define NODE_TAIL 600 /* bytes that are kept of the end of what it wrote to stderr */

struct node {
    const struct scenario *scenario;
    const struct scenario_node *spec;
    int index;
    const struct driver *driver;
    struct node_host *host;
    void *state;               /* the driver's */
    enum node_state phase;     /* changed by the launcher's lifecycle table alone */
    struct message_list inbox; /* what came with the grant; the driver takes the messages out */
    struct answer answer;
    struct message_pool *pool; /* for what it sends, borrowed; NULL: none */
    struct buffer *metrics;    /* where its rows go, borrowed; NULL: it writes none */
    simtime start_time;        /* virtual time of its start; above 0 where it was started again */
    uint64_t events;           /* that it has handled */
    simtime last_active;       /* time of the last of them; -1: none yet */
    simtime clock;             /* the driver's: as node_status has it */
    struct error failure;      /* code is set once it has failed, until it is started again */
    struct error breach;       /* code is set: what must not be was found of it as it was told to end */
    unsigned restarts;
    const struct error *gone; /* the driver's; not NULL: it went wrong behind its answer, and fails at its next grant */
    int64_t gone_ns;          /* since when */

    /* Of nodes that run outside the program. */
    struct buffer log;     /* what it wrote that is no answer; the session takes it out */
    struct buffer tail;    /* the end of that: node_keep_tail */
    pid_t pid;             /* of its process; 0: none */
    bool is_ready;         /* it is among the ready ones */
    bool is_checked;       /* the driver's: what must hold of it at a barrier was asked for, and has not come */
    int64_t asked_ns;      /* when it was asked for what it has not answered */
    int64_t deadline_ns;   /* when that must have come; 0: nothing is awaited */
    int64_t again_ns;      /* when its work wants to be called in any case; 0: not */
    enum ending ending;    /* how it was last told to end */
    int64_t ending_ns;     /* when it was told first */
    bool must_look;        /* something has happened to its container; the driver looks what */
    bool was_killed;       /* somebody has asked the engine to end its container */
    const char *container; /* the driver's: the id of its container; NULL: none */
    const char *health;    /* the driver's: as node_status has it */
    const char *activity;  /* the driver's: what its start is busy with, safe to show; NULL: nothing of note */
};

void node_keep_tail(struct node *n, const char *text, size_t len); /* what it wrote, behind what is kept */
/* The last that it wrote, NODE_TAIL bytes at most: from the begin of a line, where one begins in it. Good until more is
 * kept. */
const char *node_tail(struct node *n);
/* What was looked at of it is not known yet (launcher_look). */
bool node_is_looked_at(const struct node *n);

/* A kind of node. Requests return at once; what comes of them is noted in node->answer. A verb that fails sets *err
 * and returns -1: the node has then failed. */
struct driver {
    const char *name; /* as written in the scenario */
    bool is_remote;   /* its nodes run outside the program: their answers take time, which others can use */
    int (*start)(struct node *n, struct error *err); /* also once more, after a failure, when it has ended */
    /* With node->inbox; `from` is the barrier before, the end of the quantum that was. */
    int (*grant)(struct node *n, simtime from, simtime until, struct error *err);
    /* Goes on, without waiting. Inside the program: with the quantum, until it is done, or some events were handled.
     * Remote: takes what has come. */
    int (*work)(struct node *n, struct error *err);
    /* Remote: what the guard tells of its process; nothing of what it awaits came in time: why, in *err. */
    void (*news)(struct node *n, const struct guard_news *news);
    void (*late)(struct node *n, struct error *err);
    void (*end)(struct node *n, enum ending how); /* NULL: it has nothing of its own that runs on */
    void (*pause)(struct node *n, bool paused);   /* it stands still, or goes on; NULL: nothing to do */
    void (*freeze)(struct node *n, bool frozen); /* the same, while the run rests; NULL: it may do what it likes then */
    /* A person types a line to one of its UARTs (NULL: the first): it gets that with its next grant. Text NULL: could
     * it? False: it cannot be had. NULL: nothing can be typed to nodes of this kind. */
    bool (*type)(struct node *n, const char *uart, const char *text);
    /* It stands at a barrier at which the run pauses, or something has gone wrong elsewhere: what must hold of it is
     * asked for (is_checked until that is there, or it is paused). NULL: nothing. */
    void (*check)(struct node *n);
    /* What is spent on it, as launcher_usage; NULL: /proc tells. */
    bool (*usage)(struct node *n, double *cpu_s, uint64_t *memory, unsigned *processes);
    bool (*processor)(struct node *n, double *mips); /* as session_processor; NULL: it is not known */
    bool (*ended)(const struct node *n);             /* nothing of it runs any more */
    /* Once ended: whether that was not as it should be, and how it was. NULL: it never is. */
    bool (*last_word)(const struct node *n, struct error *out);
    uint64_t (*queue)(const struct node *n); /* its own future events */
    void (*close)(struct node *n);           /* frees node->state */
};

/* docker_check.c: whether those that are containers can be started, as far as their engines know before anything is
 * made: 1 they can, 0 that is not known yet (a node is ready then), -1 with *err set, and the index of the first that
 * cannot in *failed. `since_ns`: when that was asked first. */
int docker_check(struct node *const *nodes, int count, int64_t since_ns, int *failed, struct error *err);

extern const struct driver driver_model, driver_process, driver_docker, driver_renode;

#endif
