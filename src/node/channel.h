/* What is said to a node outside the program and what it answers: the node protocol over a pair of pipes, a socket, or
 * what a driver has of its own. It never waits; the loop tells when there is more, by node_ready. */
#ifndef NODE_CHANNEL_H
#define NODE_CHANNEL_H

#include "lockstep/loop.h"
#include "node/protocol.h"
#include "node/wire.h"

enum connection { CONNECTION_NONE, CONNECTION_TRYING, CONNECTION_OPEN };

/* A connection that is no descriptor, as read(2) and write(2) have them: read gives 0 at the end, and both -1 with
 * EAGAIN where they would wait. The driver calls node_ready when there is more. */
struct channel_io {
    ssize_t (*read)(void *data, char *to, size_t room);
    ssize_t (*write)(void *data, const char *from, size_t len);
    void (*want_room)(void *data, bool wanted);
    void (*end)(void *data); /* nothing more will be written */
};

/* Where a node listens: a path, or a port of a host by its number ("127.0.0.1", "::1"). Copied. */
struct channel_address {
    const char *path, *host;
    int port;
    bool is_relayed; /* somebody accepts in the node's stead, and closes where it does not listen yet */
};

struct channel {
    struct node *node;
    struct protocol protocol;
    struct wire in;
    struct buffer out; /* not sent yet from `sent` on */
    size_t sent;
    int in_fd, out_fd; /* -1: none; of a socket they are the same */
    const struct channel_io *io; /* NULL: the descriptors are used */
    void *data;                  /* its */
    char path[300], host[64];    /* where it connects to; path "": host and port */
    int port;
    bool is_relayed, was_heard; /* what it has said before, it is the node that has said it */
    struct loop_watch *in_watch, *out_watch;
    enum connection connection;
    bool is_socket;
    bool out_ended; /* of an io */
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
/* Through a connection of the driver's, which closes it behind the channel. */
void channel_use_io(struct channel *c, const struct channel_io *io, void *data);
/* Through a socket, on which the node listens sooner or later. */
void channel_connect(struct channel *c, const struct channel_address *to);
bool channel_is_open(const struct channel *c); /* it may say something yet */

void channel_grant(struct channel *c, simtime from, simtime until); /* with the messages of node->inbox */
void channel_shutdown(struct channel *c);
void channel_close_out(struct channel *c); /* its input ends */
void channel_close(struct channel *c);

/* Sends and takes what can be now. What the node has answered is in node->answer; HEARD_ANSWER where that is complete
 * since the last call, HEARD_WRONG with *err set where it has broken the protocol. With `mute` what it says is only
 * read, so that it does not stand in a full pipe. */
enum heard { HEARD_NOTHING, HEARD_ANSWER, HEARD_ANSWER_AND_WRONG, HEARD_WRONG };
enum heard channel_work(struct channel *c, bool mute, struct error *err);

/* Whether a node that owes nothing went wrong right behind its answer, at `when_ns`. Whether that is known before its
 * next grant or after it is the machine's chance: it is to count from that grant on. */
bool channel_is_behind(const struct channel *c, int64_t when_ns);

/* What it said unasked, judged as its answer to the grant that has come since, as it would have been had it come later:
 * the same words each time. False where it would have been a good one. */
bool channel_judge_stray(struct channel *c, struct error *err);

/* Why a node has failed, for messages: what it was doing when it came to its end; it closed its side; nothing came in
 * time. */
void channel_doing(const struct channel *c, char *out, size_t size);
void channel_say_closed(const struct channel *c, struct error *err);
void channel_say_late(const struct channel *c, struct error *err);

#endif
