/* The run folder: made, locked against a second run, and its files opened. */
#ifndef TRACE_FOLDER_H
#define TRACE_FOLDER_H

#include "lockstep/error.h"
#include "lockstep/scenario.h"

struct folder;

/* `path` NULL: runs/NAME-seedN-K in the working directory, K the first free number from 1. A folder that holds an
 * earlier run is taken over: the files of that run are removed, others stay. Errors: EXIT_LAUNCH, also where the folder
 * holds other things (but for hidden files) and no run, where a file that the run would write is there and of no run,
 * and where the folder holds the scenario itself. */
struct folder *folder_open(const char *path, const struct scenario *s, struct error *err);
void folder_free(struct folder *f); /* NULL is fine */

bool folder_is_numbered(const struct folder *f); /* made without a `path` */
/* Removes the files that were made there, and the folder where it was made too. */
void folder_discard(const struct folder *f);

const char *folder_path(const struct folder *f);
int folder_events(const struct folder *f); /* events.jsonl, open for reading and writing, locked */
/* A new file for writing; its descriptor, or -1 with *err set. */
int folder_create(struct folder *f, const char *name, struct error *err);
/* One that is there, for writing at its end. */
int folder_append(const struct folder *f, const char *name, struct error *err);
/* Says in *err that the file cannot be written, and why (errno). Always -1. */
int folder_failed(const struct folder *f, const char *name, struct error *err);

#endif
