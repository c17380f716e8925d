/* A run folder, as far as comparing it takes. */
#ifndef COMPARE_RECORDED_H
#define COMPARE_RECORDED_H

#include "base/json_text.h"
#include "compare/stretch.h"
#include "lockstep/error.h"
#include "lockstep/record.h"

struct recorded {
    const char *path; /* borrowed */
    int folder;
    struct buffer run;     /* the first line, without its newline */
    struct buffer end;     /* the last one */
    struct stretch events; /* events.jsonl behind its first line */
    uint64_t records;
    simtime quantum, over; /* over: when it ended */
};

/* Returns -1 with *err set (EXIT_INVALID) where it is no run folder, or its run was cut off. recorded_close in any
 * case; zero-initialise it. */
int recorded_open(struct recorded *r, const char *path, struct error *err);
void recorded_close(struct recorded *r);

/* A member of a line that is a JSON object; *out is empty (s NULL) where there is none. */
struct json_span recorded_member(const struct buffer *line, const char *key);
int64_t recorded_number(const struct buffer *line, const char *key, int64_t otherwise);

/* A file of the folder, whole; *there: false where there is none. -1 with *err set where it cannot be read. The caller
 * closes its descriptor. */
int recorded_file(const struct recorded *r, const char *name, struct stretch *out, bool *there, struct error *err);

/* Calls `told` for each node's id that the name of a file can be made of. */
void recorded_nodes(const struct recorded *r, void (*told)(void *data, const char *id), void *data);

/* Appends the command line that shows the run at the first barrier at which what happened at `t` is recorded, be it in
 * the quantum from there on or (`at_barrier`) in the one that ends there. */
void recorded_look(const struct recorded *r, simtime t, bool at_barrier, struct buffer *out);

#endif
