/* Where two recorded runs part. */
#ifndef COMPARE_DIFFERENCE_H
#define COMPARE_DIFFERENCE_H

#include "compare/recorded.h"

#define DIFFERENCE_CONTEXT 3          /* records before the first that differs */
#define DIFFERENCE_FILES   8          /* metrics files that are told of; others are counted */
#define DIFFERENCE_LINE    (1u << 20) /* bytes of a line that are read */

/* A line in which two files differ first; it may be missing at the end of one. */
struct differing_line {
    struct buffer text[2];
    bool there[2];
    size_t same; /* bytes at the begin of both */
};

struct differing_file {
    char *name;
    bool there[2]; /* only in one folder: there is no line then */
    int64_t row;   /* from 1 */
    struct differing_line line;
};

struct difference {
    const struct recorded *run[2];
    bool same_run_line;
    bool same_events; /* behind the first line */
    /* Of events.jsonl, where it differs: */
    struct differing_line record;
    struct buffer before[DIFFERENCE_CONTEXT];
    int before_count;
    /* Of the metrics files: */
    uint64_t files, files_differ; /* compared; not the same */
    struct differing_file file[DIFFERENCE_FILES];
};

static inline bool difference_none(const struct difference *d)
{
    return d->same_events && !d->files_differ;
}

/* Compares two runs, which are borrowed until difference_free. PART_FAILED: *err is set. */
enum parting difference_find(struct difference *d, const struct recorded *a, const struct recorded *b,
                             const struct stop *stop, struct error *err);
void difference_free(struct difference *d);

/* Where the first difference is: when, whether at a barrier, and in which record (-1: not known). `side` 0 or 1; false:
 * that run has nothing there. */
bool difference_place(const struct difference *d, int side, simtime *t, bool *at_barrier, int64_t *n);

#endif
