/* Files compared and read in pieces of bounded size, whatever their length. */
#ifndef COMPARE_STRETCH_H
#define COMPARE_STRETCH_H

#include <stdbool.h>

#include "base/buffer.h"

/* A part of an open file, from `at` to `end`. */
struct stretch {
    int fd;
    int64_t at, end;
};

/* Asked now and then; true ends what is being done. */
struct stop {
    bool (*asked)(void *data); /* NULL: never */
    void *data;
};

enum parting { PART_SAME, PART_DIFFER, PART_STOPPED, PART_FAILED /* to be read: errno is set */ };
/* *same is how many bytes are the same at the begin of both. They differ also where one is longer. */
enum parting stretch_compare(struct stretch a, struct stretch b, const struct stop *stop, int64_t *same);

/* Where the line begins that holds the byte at `at`, or ends there; `from` at least. */
int64_t stretch_line_begin(int fd, int64_t from, int64_t at);
/* The line that begins at s.at, without its newline, `most` bytes of it at most. False where there is none. */
bool stretch_line(struct stretch s, size_t most, struct buffer *out);
int64_t stretch_lines(struct stretch s); /* how many newlines are in it */

#endif
