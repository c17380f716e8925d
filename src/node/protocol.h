/* What is said to a node and what it answers: the texts of the node protocol, in both dialects. Pure: lines come from
 * wire.h, what is to be sent goes into a buffer. */
#ifndef NODE_PROTOCOL_H
#define NODE_PROTOCOL_H

#include "node/node.h"

#define PROTOCOL_MESSAGES_MAX 100000 /* in one answer */

/* What the node is to say next. */
enum protocol_expect { EXPECT_NOTHING, EXPECT_READY, EXPECT_DONE, EXPECT_MESSAGES };

/* Zero-initialise. */
struct protocol {
    enum protocol_expect expect;
    simtime from, until; /* of the grant that it answers */
    simtime earliest;    /* that a message may have: from, or before that the least time of a message handed over */
};

/* Each appends what is to be sent and says what is expected then. */
void protocol_init(struct protocol *p, const struct node *n, struct buffer *out);
/* The messages of n->inbox are written, freed and taken out of it. */
void protocol_advance(struct protocol *p, struct node *n, simtime from, simtime until, struct buffer *out);
void protocol_shutdown(struct protocol *p, struct buffer *out);

/* Takes one line that the node said and notes in n->answer what it means: `done` with READY and with the last line of
 * an answer to ADVANCE, `next`, the messages, `warnings`. Returns -1 with *err set where the node has broken the
 * protocol or has answered ERROR: it has then failed. */
int protocol_take(struct protocol *p, struct node *n, struct text line, struct error *err);

#endif
