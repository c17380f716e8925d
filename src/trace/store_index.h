/* Where the records of an events.jsonl stand: the offset of every STRIDE-th line, and how far the file is whole. */
#ifndef TRACE_STORE_INDEX_H
#define TRACE_STORE_INDEX_H

#include <stddef.h>
#include <stdint.h>

#include "lockstep/store.h"


struct store_index {
    int64_t *offsets; /* of records 0, STRIDE, 2 * STRIDE, … */
    size_t count, capacity;
    uint64_t records; /* that can be read */
    int64_t end;      /* offset behind the last of them */
};

/* A record at this offset; called in order, for every one. */
void store_index_note(struct store_index *x, uint64_t n, int64_t offset);
void store_index_free(struct store_index *x);

#endif
