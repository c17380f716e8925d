/* The end of a text file. */
#ifndef TRACE_TAIL_H
#define TRACE_TAIL_H

#include <stddef.h>
#include <stdint.h>

/* The last `size`-1 bytes at most of the first `end` bytes of the file, cut to whole lines at their front;
 * NUL-terminated. Returns the length; 0 where it cannot be read. */
size_t tail_read(int fd, int64_t end, char *buf, size_t size);

#endif
