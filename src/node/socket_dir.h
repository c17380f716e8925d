/* The folder of a run for what its nodes need as files while they run: Unix sockets and temporary files. */
#ifndef NODE_SOCKET_DIR_H
#define NODE_SOCKET_DIR_H

#include <stdbool.h>
#include <stddef.h>

#include "lockstep/error.h"

const char *socket_dir_parent(void); /* TMPDIR, or /tmp */
/* The identity in the name of such a folder; NULL where it is none. */
const char *socket_dir_identity(const char *name);
/* The folder for Unix sockets of this process alone: "TMPDIR/lockstep-IDENTITY" (base/procfs.h). Returns its path,
 * which the caller frees, or NULL with *err set. It is made in a second step, so that whoever removes it can be there
 * before it. */
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

#endif
