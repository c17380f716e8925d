/* A build context: the folder that an image is built from, as a tar archive in memory. Made in steps, so that the
 * screen stays alive. The only user of archive.h.
 *
 * Sent are regular files, folders and symbolic links (as links, whatever they point to) with their permissions and the
 * whole seconds of their mtimes, owned by 0:0, sorted by path: the same folder gives the same bytes. Sockets, devices
 * and FIFOs are left out with a note, and what .dockerignore says (ignore.h) without one. */
#ifndef NODE_CONTEXT_H
#define NODE_CONTEXT_H

#include <stddef.h>
#include <stdint.h>

#include "lockstep/error.h"
#include "lockstep/record.h"

#define CONTEXT_SIZE_MAX    (UINT64_C(1) << 30) /* bytes of all files together */
#define CONTEXT_ENTRIES_MAX 200000
#define CONTEXT_NOTES_MAX   20

struct context;

enum context_state { CONTEXT_MORE, CONTEXT_DONE, CONTEXT_FAILED };

/* `dockerfile` is relative to the folder, or absolute; NULL: "Dockerfile". NULL with *err set where the context cannot
 * be opened, the Dockerfile is not in it, or its ignore file is bad. */
struct context *context_new(const char *folder, const char *dockerfile, struct error *err);
void context_free(struct context *c); /* NULL is fine; between any two steps */

/* Goes on until clock_ns() is past deadline_ns or the archive is whole; some work is done in any case. CONTEXT_FAILED
 * sets *err; it stays failed. */
enum context_state context_step(struct context *c, int64_t deadline_ns, struct error *err);

struct text context_archive(const struct context *c); /* borrowed; whole once CONTEXT_DONE */
const char *context_dockerfile(const struct context *c); /* as the archive calls it: the engine's `dockerfile=` */
size_t context_entries(const struct context *c);         /* files, folders and links that are sent */
/* What was left out, a line each: safe to show. The last of CONTEXT_NOTES_MAX says how many more there were. */
const char *context_note(struct context *c, size_t i); /* NULL: no more */

#endif
