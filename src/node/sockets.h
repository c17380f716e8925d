/* Connections to nodes that listen: on a port of this machine, or on a Unix socket. */
#ifndef NODE_SOCKETS_H
#define NODE_SOCKETS_H

#include "lockstep/error.h"

/* A port of this machine on which nobody listens at the moment; -1 with *err set where there is none. */
int socket_free_port(struct error *err);

/* Begins to connect, without waiting: a descriptor, or -1 with errno. A host is an IPv4 or IPv6 address, without
 * brackets; EADDRNOTAVAIL: it is none that can be reached from here, now or later. */
int socket_connect_port(const char *host, int port);
int socket_connect_path(const char *path);
/* Of a TCP connection, after each read: what came is acknowledged at once. Else a node that answers in two pieces, and
 * has not set TCP_NODELAY, waits for our delayed acknowledgement before the second (RFC 896 meets
 * RFC 1122, 4.2.3.2). */
void socket_hurry(int fd);
bool socket_is_own_address(const char *ip); /* IPv4, of an interface of this machine as we see it */
/* What came of it: 1 connected, 0 not known yet, -1 with errno: it was not accepted; the caller closes it. */
int socket_connected(int fd);

#endif
