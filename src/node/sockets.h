/* Connections to nodes that listen: on a port of this machine, or on a Unix socket. */
#ifndef NODE_SOCKETS_H
#define NODE_SOCKETS_H

#include <stdbool.h>
#include <stddef.h>

#include "lockstep/error.h"

const char *socket_dir_parent(void); /* TMPDIR, or /tmp */
/* The identity in the name of such a folder; NULL where it is none. */
const char *socket_dir_identity(const char *name);
/* The folder for Unix sockets of this process alone: "TMPDIR/lockstep-IDENTITY" (base/procfs.h). Returns its path, which the
 * caller frees, or NULL with *err set. It is made in a second step, so that whoever removes it can be there before it. */
char *socket_dir_name(struct error *err);
int socket_dir_make(const char *path, struct error *err); /* -1 with *err set */
/* Whether it is a folder that could be one of those: of this user, and for nobody else. */
bool socket_dir_is_ours(const char *path);
/* Removes the sockets and temporary files in such a folder, and the folder where nothing else is in it. */
void socket_dir_remove(const char *path);
/* A folder in it for node i's socket alone, which may be mounted into a container. -1 with *err set. */
int socket_node_dir(char *out, size_t size, const char *dir, int i, struct error *err);
/* Where node i's socket is, in that folder. */
void socket_path(char *out, size_t size, const char *dir, int i);
/* A folder in it for node i's temporary files, which goes with all that is in it. -1 with *err set. */
int socket_temporary_dir(const char *dir, int i, struct error *err);
void socket_temporary_path(char *out, size_t size, const char *dir, int i); /* where that is */

/* A port of this machine on which nobody listens at the moment; -1 with *err set where there is none. */
int socket_free_port(struct error *err);

/* Begins to connect, without waiting: a descriptor, or -1 with errno. A host is an IPv4 or IPv6 address, without brackets;
 * EADDRNOTAVAIL: it is none that can be reached from here, now or later. */
int socket_connect_port(const char *host, int port);
int socket_connect_path(const char *path);
/* Of a TCP connection, after each read: what came is acknowledged at once. Else a node that answers in two pieces, and
 * has not set TCP_NODELAY, waits for our delayed acknowledgement before the second (RFC 896 meets RFC 1122, 4.2.3.2). */
void socket_hurry(int fd);
bool socket_is_own_address(const char *ip); /* IPv4, of an interface of this machine as we see it */
/* What came of it: 1 connected, 0 not known yet, -1 with errno: it was not accepted; the caller closes it. */
int socket_connected(int fd);

#endif
