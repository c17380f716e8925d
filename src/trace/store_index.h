/* Where the records of an events.jsonl stand: the offset of every STRIDE-th line, and how far the file is whole. */
#ifndef TRACE_STORE_INDEX_H
#define TRACE_STORE_INDEX_H

#include <stddef.h>
#include <stdint.h>

#include "lockstep/store.h"
#include "trace/store_ranges.h"

/* What there is in STORE_STRIDE records: by that most need not be read that do not matter. */
struct store_zone {
    uint64_t nodes[STORE_NODE_SLOTS / 64]; /* store_node_slot of those that are the source or the destination of one */
    simtime from, to;
    unsigned kinds; /* bit k: one is of kind k */
    struct store_ranges payloads;
};

struct store_index {
    int64_t *offsets; /* of records 0, STRIDE, 2 * STRIDE, … */
    size_t count, capacity;
    uint64_t records; /* that can be read */
    int64_t end;      /* offset behind the last of them */
    struct store_zone
        *zones; /* as many as `zone_count`, of the first strides; where there are none everything is read */
    size_t zone_count, zone_capacity;
};

/* A record at this offset; called in order, for every one. */
void store_index_note(struct store_index *x, uint64_t n, int64_t offset);
void store_index_zone(struct store_index *x, const struct record *r); /* as well, where the record is at hand */
/* Of record n, by its line; NULL: that is not at hand, and the record may be any. */
void store_index_line(struct store_index *x, uint64_t n, const char *line, size_t len);
void store_index_free(struct store_index *x);

#endif
