/* A node at run time, and the verbs by which every kind of node is driven. */
#ifndef NODE_NODE_H
#define NODE_NODE_H

#include "base/buffer.h"
#include "base/message.h"
#include "lockstep/scenario.h"
#include "lockstep/session.h"

struct driver;

/* What a node has said in this round, as facts. */
struct answer {
    bool done;                /* it has finished the quantum */
    simtime next;             /* its next own event; SIMTIME_NEVER: none, -1: it does not say */
    struct message_list sent; /* in sending order */
};

struct node {
    const struct scenario *scenario;
    const struct scenario_node *spec;
    int index;
    const struct driver *driver;
    void *state;               /* the driver's */
    enum node_state phase;     /* changed by the launcher's lifecycle table alone */
    struct message_list inbox; /* what came with the grant; the driver takes the messages out */
    struct answer answer;
    struct message_pool *pool; /* for what it sends, borrowed; NULL: none */
    struct buffer *metrics;    /* where its rows go, borrowed; NULL: it writes none */
    uint64_t events;           /* that it has handled */
    simtime last_active;       /* time of the last of them; -1: none yet */
    struct error failure;      /* code is set once it has failed */
};

/* A kind of node. Requests return at once; what comes of them is noted in node->answer. A verb that fails sets *err
 * and returns -1: the node has then failed. */
struct driver {
    const char *name; /* as written in the scenario */
    int (*start)(struct node *n, struct error *err);
    int (*grant)(struct node *n, simtime until, struct error *err); /* with node->inbox */
    /* Goes on with the quantum, for nodes that run inside the program: until it is done, or some events were handled. */
    int (*work)(struct node *n, struct error *err);
    uint64_t (*queue)(const struct node *n); /* its own future events */
    void (*stop)(struct node *n);
    void (*close)(struct node *n); /* frees node->state */
};

extern const struct driver driver_model;

#endif
