/* A connection to a port of this machine that a node's process opens sooner or later. It never waits: node_ready is
 * called for the node when there is more. */
#ifndef NODE_TCP_CLIENT_H
#define NODE_TCP_CLIENT_H

#include <sys/types.h>

#include "base/buffer.h"
#include "lockstep/loop.h"
#include "node/node.h"

struct tcp_client {
    struct node *node;
    int port, fd; /* -1: none */
    struct loop_watch *watch;
    bool is_open;      /* it was accepted, and the other side has not closed it */
    bool has_ended;    /* it was open, and the other side has closed it */
    int connect_error; /* errno of the last try */
    int64_t next_ns;   /* before then it is not tried again */
    struct buffer out; /* not sent yet from `sent` on; add to it, and call tcp_client_send */
    size_t sent;
};

/* Begins to connect; what was open is closed. Zero-initialise before the first time. */
void tcp_client_open(struct tcp_client *c, struct node *n, int port);
/* Whoever has accepted is not who was meant: connects again after a while. */
void tcp_client_again(struct tcp_client *c);
/* To be called in the node's work: goes on to connect (again after a while, as long as nobody listens) and to send. */
void tcp_client_work(struct tcp_client *c);
void tcp_client_send(struct tcp_client *c);
/* Bytes read, 0 where there are none now, -1 where none will come any more. */
ssize_t tcp_client_read(struct tcp_client *c, char *to, size_t room);
void tcp_client_close(struct tcp_client *c);

#endif
