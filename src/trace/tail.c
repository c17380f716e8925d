#include "trace/tail.h"

#include <string.h>
#include <unistd.h>

size_t tail_read(int fd, int64_t end, char *buf, size_t size)
{
    int64_t from = end > (int64_t)size - 1 ? end - (int64_t)(size - 1) : 0;
    ssize_t n = end > from ? pread(fd, buf, (size_t)(end - from), from) : 0;
    size_t len = n > 0 ? (size_t)n : 0, cut = 0;
    if (from > 0) {
        const char *line = memchr(buf, '\n', len);
        cut = line ? (size_t)(line - buf) + 1 : len;
    }
    memmove(buf, buf + cut, len - cut);
    buf[len - cut] = '\0';
    return len - cut;
}
