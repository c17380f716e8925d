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

/* Of a run that was recorded: finds out where the next records stand, some `bytes` of the file on. Returns whether
 * there is more to come; store_count grows. */
bool store_catch_up(struct store *s, int64_t bytes);

/* Reads record n. Its texts (src_node and dst_node are not known here: -1) point into the store and are good until
 * the next read. Of kinds without a struct field for something (run), `payload` is the whole line. Returns -1 when n
 * is not there or the line cannot be read. */
int store_read(struct store *s, uint64_t n, struct record *r);

/* The line of record n as it stands in the file, without its newline. Good until the next read. */
int store_line(struct store *s, uint64_t n, struct text *line);

enum store_found { STORE_FOUND, STORE_NOT_FOUND, STORE_MORE };

/* What is looked for. Where several are set, all must hold. */
struct store_query {
    const char *text; /* a part of what the record says: kind, time in seconds ("2.750000"), ids, type, payload,
                       * causes; the case of ASCII letters does not count; NULL: any. Or the same as words, whatever
                       * stands between them, in the order in which a screen shows them: time, source, destination,
                       * type, payload, state, cause */
    const char *node; /* id that is source or destination; NULL: any */
    /* Whether it is one; NULL: any. The record is as store_read gives it, but for `loss`, the counts of the last one,
     * and `run`, which has no payload. */
    bool (*holds)(void *data, const struct record *r);
    void *data; /* for `holds` and `excludes` */
    /* With `holds`: whether that is false of every record whose payload is an object that begins with this text, which
     * goes on to the end of the line; or, where the text is empty, of every one whose payload is no object. May be
     * NULL. */
    bool (*excludes)(void *data, struct text payload);
    /* With `holds`, so that it need not be asked about most: what must be so of a record that it is true of. Zero:
     * nothing is known. */
    const char *values[4];        /* texts that are each some value in it */
    unsigned kinds;               /* a set of which its kind is one */
    unsigned nodes[2];            /* store_node_slot of nodes that are its source or destination */
    simtime from, until;          /* its time; until 0: any */
    struct payload_member member; /* of its payload, where that is an object; else it need not match */
};

#define STORE_NODE_SLOTS 1024

/* What stands for the node with this id in a set of nodes; others may share it. 0: the id is empty. */
unsigned store_node_slot(struct text id);

/* Looks for a match from *n on (forward or backward, *n itself included) through at most `limit` records. Found: *n is
 * the match. STORE_MORE: nothing up to *n, which is where to go on. */
enum store_found store_find(struct store *s, const struct store_query *q, bool backward, uint64_t limit, uint64_t *n);

#define STORE_STRIDE 256 /* records that are looked at together at least cost */

/* Looks at records `first`, a multiple of STORE_STRIDE, and the STORE_STRIDE - 1 behind it, as many as there are. Bit
 * i % 64 of hits[i / 64] says whether record first + i matches. Returns how many there were; one that cannot be read
 * does not match. */
unsigned store_scan(struct store *s, const struct store_query *q, uint64_t first, uint64_t hits[STORE_STRIDE / 64]);

#endif
