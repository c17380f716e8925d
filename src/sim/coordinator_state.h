/* What coordinator.c keeps, for the files of this floor. */
#ifndef SIM_COORDINATOR_STATE_H
#define SIM_COORDINATOR_STATE_H

#include "sim/coordinator.h"
#include "sim/network.h"

/* What a node was handed in the round: it is lost where the node does not finish it. */
struct handed {
    uint64_t id;
    int src;
};

struct handed_list {
    struct handed *items;
    size_t count, capacity;
};

/* What holds a node back. */
struct hold {
    bool is_frozen, is_paused;
};

struct coordinator {
    const struct scenario *scenario;
    struct bus *bus;
    struct network *network;
    bool skip;
    simtime target;
    struct text *ids;              /* of the nodes */
    simtime *next;                 /* of the nodes */
    struct message_list *pending;  /* of the nodes */
    size_t *taken;                 /* by the nodes, in this round */
    struct handed_list *handed;    /* to the nodes, in this round */
    struct hold *holds;            /* of the nodes */
    int paused_count;
    struct coordinator_traffic *traffic;
    uint64_t pending_count, next_id;
    struct coordinator_counts counts;
};

/* Reasons of the record `drop`. */
#define DROP_NODE_FAILED "node failed"
#define DROP_EDITED      "edited"

/* coordinator.c */
void coordinator_publish_drop(struct coordinator *c, uint64_t id, int src, int dst, simtime t, const char *reason);
void coordinator_publish_message(struct coordinator *c, struct message *m, simtime sent, simtime due);
/* Owns m. Of a node that is frozen it is dropped. */
void coordinator_add_pending(struct coordinator *c, struct message *m);
void coordinator_count_in_flight(struct coordinator *c);
/* A copy for node dst. */
struct message *coordinator_copy(const struct message *m, int dst);

#endif
