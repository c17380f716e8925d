/* What is said to a node outside the program and what it answers: the node protocol over a pair of pipes or a socket. It
 * never waits; the loop tells when there is more, by node_ready. */
#ifndef NODE_CHANNEL_H
#define NODE_CHANNEL_H

#include "lockstep/loop.h"
#include "node/protocol.h"
#include "node/wire.h"

enum connection { CONNECTION_NONE, CONNECTION_TRYING, CONNECTION_OPEN };

struct channel {
    struct node *node;
    struct protocol protocol;
    struct wire in;
    struct buffer out; /* not sent yet from `sent` on */
    size_t sent;
    int in_fd, out_fd; /* -1: none; of a socket they are the same */
    struct loop_watch *in_watch, *out_watch;
    enum connection connection;
    bool is_socket;
    int64_t retry_ns;   /* until the next try to connect */
    int connect_error;  /* errno of the last */
    int64_t eof_ns;     /* when its output ended; 0: it has not */
    int64_t answered_ns; /* when it answered last */
    unsigned answers;    /* READY is one */
    struct buffer stray; /* the line that it said unasked; "" where it did not */
};

/* INIT is what the node is told as soon as there is a connection. Begin with channel_use or channel_connect. */
void channel_open(struct channel *c, struct node *n);
/* Through these descriptors, not blocking, which it owns from now on. */
void channel_use(struct channel *c, int in_fd, int out_fd);
/* Through a socket: the node listens at its port, or its path, sooner or later. */
void channel_connect(struct channel *c);

void channel_grant(struct channel *c, simtime from, simtime until); /* with the messages of node->inbox */
void channel_shutdown(struct channel *c);
void channel_close_out(struct channel *c); /* its input ends */
void channel_close(struct channel *c);

/* Sends and takes what can be now. What the node has answered is in node->answer; HEARD_ANSWER where that is complete since
 * the last call, HEARD_WRONG with *err set where it has broken the protocol. With `mute` what it says is only read, so that
 * it does not stand in a full pipe. */
enum heard { HEARD_NOTHING, HEARD_ANSWER, HEARD_ANSWER_AND_WRONG, HEARD_WRONG };
enum heard channel_work(struct channel *c, bool mute, struct error *err);

/* Whether a node that owes nothing went wrong right behind its answer, at `when_ns`. Whether that is known before its next
 * grant or after it is the machine's chance: it is to count from that grant on. */
bool channel_is_behind(const struct channel *c, int64_t when_ns);

/* What it said unasked, judged as its answer to the grant that has come since, as it would have been had it come later: the
 * same words each time. False where it would have been a good one. */
bool channel_judge_stray(struct channel *c, struct error *err);

/* Why a node has failed, for messages: what it was doing when it came to its end; it closed its side; nothing came in time. */
void channel_doing(const struct channel *c, char *out, size_t size);
void channel_say_closed(const struct channel *c, struct error *err);
void channel_say_late(const struct channel *c, struct error *err);

#endif
