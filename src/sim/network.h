/* The network between nodes: which messages are lost, and when the others arrive. */
#ifndef SIM_NETWORK_H
#define SIM_NETWORK_H

#include "base/message.h"
#include "lockstep/scenario.h"

struct network;
struct network *network_new(const struct scenario *s, size_t limit); /* messages it holds at most */
void network_free(struct network *n); /* and the messages in it; NULL is fine */

enum network_fate {
    NETWORK_AT_ONCE, /* the message is the caller's again, for its destination, its time unchanged */
    NETWORK_TAKEN,   /* it arrives later; m->time is when */
    NETWORK_LOST,    /* the caller's again */
    NETWORK_FULL     /* the caller's again */
};
/* Takes a message that was sent at m->time. Every call draws once from the link's random stream (model latency). */
enum network_fate network_send(struct network *n, struct message *m);

/* Changes a link from now on; messages that are under way arrive as they would have. The model `direct` has neither
 * latency nor loss: nothing changes. */
void network_change(struct network *n, int src, int dst, simtime latency, double loss);

/* What the link has now; false: the model is `direct`. */
bool network_link(struct network *n, int src, int dst, simtime *latency, double *loss);

simtime network_next(struct network *n); /* when the first arrives; SIMTIME_NEVER: none is under way */
/* The first message that has arrived by `now`, in order of (time, sending), or NULL. The caller owns it. */
struct message *network_arrived(struct network *n, simtime now);
size_t network_count(const struct network *n);

/* What is under way, in no particular order: `i` counts from 0 to network_count - 1. Good until the next of these
 * verbs. */
const struct message *network_at(const struct network *n, size_t i);
simtime network_due(const struct network *n, size_t i);             /* network_at(n, i)->time, without a look at it */
struct message *network_remove(struct network *n, size_t i);        /* the caller's from now on */
void network_replace(struct network *n, size_t i, struct message *m); /* m takes its place; it is freed */
/* Takes a message that arrives at m->time, whatever its link is like: no draw. Returns -1, and it is the caller's,
 * where there is no room. */
int network_hold(struct network *n, struct message *m);

#endif
