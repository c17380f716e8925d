/* Starts, watches and ends the nodes of a scenario, all at once, by one lifecycle table. */
#ifndef NODE_LAUNCHER_H
#define NODE_LAUNCHER_H

#include "node/node.h"

struct launcher;

/* Picks a driver for every node. Returns NULL with *err set (EXIT_LAUNCH) where there is none for a node, or the
 * scenario asks for what no driver can do. */
struct launcher *launcher_new(const struct scenario *s, struct error *err);
void launcher_free(struct launcher *l); /* closes every node; NULL is fine */

struct node *launcher_node(struct launcher *l, int i);

/* What happens to a node; the table in launcher.c says what comes of it. */
enum node_event { NODE_EVENT_START, NODE_EVENT_READY, NODE_EVENT_GRANT, NODE_EVENT_DONE, NODE_EVENT_FAIL, NODE_EVENT_STOP };
#define NODE_EVENTS 6

/* Each returns -1 with *err set, and the node's id in it, when the node has failed. */
int launcher_start(struct node *n, struct error *err);
int launcher_grant(struct node *n, simtime until, struct error *err);
int launcher_work(struct node *n, struct error *err); /* until n->answer.done */
void launcher_stop(struct launcher *l); /* every node */

#endif
