/* What .dockerignore leaves out of a build context, as Docker documents it: one pattern a line, # for comments, ! for
 * exceptions, the last that matches counts. A pattern is one of Go's filepath.Match (* ? [a-z] [^a-z] \x), and ** for
 * any number of folders; it begins at the context's folder, whether with a leading / or not. What is in a folder that
 * is left out is left out with it, but for exceptions. The Dockerfile and the ignore file are always sent. */
#ifndef NODE_IGNORE_H
#define NODE_IGNORE_H

#include <stdbool.h>
#include <stddef.h>

#include "lockstep/error.h"

#define IGNORE_FILE_MAX     (1u << 20) /* bytes of the file */
#define IGNORE_PATTERNS_MAX 10000
#define IGNORE_PATTERN_MAX  1000 /* bytes of one */

struct ignore;

/* Reads FOLDER/DOCKERFILE.dockerignore, or else FOLDER/.dockerignore; without either nothing is left out. NULL with
 * *err set: "FILE:LINE: what is wrong; what to do". */
struct ignore *ignore_load(const char *folder, const char *dockerfile, struct error *err);
/* As that, from text; `file` is what errors call it, `kept` the paths that are always sent, up to a NULL. */
struct ignore *ignore_parse(const char *file, const char *text, size_t len, const char *const *kept, struct error *err);
void ignore_free(struct ignore *g); /* NULL is fine */

/* The path is relative to the context, its names joined by single slashes. */
bool ignore_leaves_out(const struct ignore *g, const char *path);
/* For a folder that is left out: may an exception hold for something in it? */
bool ignore_must_enter(const struct ignore *g, const char *folder);

#endif
