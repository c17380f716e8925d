/* The records of a run, read back from its run folder by number: the file is the store, so that a run of any length
 * can be looked through in little memory. */
#ifndef LOCKSTEP_STORE_H
#define LOCKSTEP_STORE_H

#include <stdbool.h>

#include "lockstep/record.h"

struct store;

/* How many records can be read now. Grows while a run goes on. */
uint64_t store_count(const struct store *s);

/* From now on only the first `limit` records are there, for whoever looks at an earlier moment; UINT64_MAX: all. */
void store_limit(struct store *s, uint64_t limit);

/* Of a run that was recorded: finds out where the next records stand, some `bytes` of the file on. Returns whether there is
 * more to come; store_count grows. */
bool store_catch_up(struct store *s, int64_t bytes);

/* Reads record n. Its texts (src_node and dst_node are not known here: -1) point into the store and are good until
 * the next read. Of kinds without a struct field for something (run), `payload` is the whole line. Returns -1 when n
 * is not there or the line cannot be read. */
int store_read(struct store *s, uint64_t n, struct record *r);

/* The line of record n as it stands in the file, without its newline. Good until the next read. */
int store_line(struct store *s, uint64_t n, struct text *line);

enum store_found { STORE_FOUND, STORE_NOT_FOUND, STORE_MORE };

/* What is looked for. Both may be set; then both must hold. */
struct store_query {
    const char *text;     /* a part of what the record says: kind, time in seconds ("2.750000"), ids, type, payload,
                           * causes; the case of ASCII letters does not count; NULL: any */
    const char *node;     /* id that is source or destination; NULL: any */
};

/* Looks for a match from *n on (forward or backward, *n itself included) through at most `limit` records. Found: *n is
 * the match. STORE_MORE: nothing up to *n, which is where to go on. */
enum store_found store_find(struct store *s, const struct store_query *q, bool backward, uint64_t limit, uint64_t *n);

#endif
