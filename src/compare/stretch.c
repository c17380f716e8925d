#include "compare/stretch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/memory.h"

#define BLOCK      (256 << 10) /* two of them stay in a processor's cache */
#define STOP_EVERY 256         /* blocks */
#define PIECE      (16 << 10)

/* As many bytes as asked for, but at the end of the file. -1 with errno set. */
static ssize_t read_at(int fd, char *out, size_t len, int64_t at)
{
    size_t done = 0;
    while (done < len) {
        ssize_t n = pread(fd, out + done, len - done, (off_t)at + (off_t)done);
        if (n < 0 && errno != EINTR)
            return -1;
        if (n == 0)
            break;
        done += n > 0 ? (size_t)n : 0;
    }
    return (ssize_t)done;
}

static size_t least(int64_t a, int64_t b, size_t c)
{
    int64_t shorter = a < b ? a : b;
    return shorter < (int64_t)c ? (size_t)shorter : c;
}

static size_t same_bytes(const char *a, const char *b, size_t len)
{
    size_t i = 0;
    if (memcmp(a, b, len) == 0)
        return len;
    while (a[i] == b[i])
        i++;
    return i;
}

static enum parting compare_blocks(struct stretch a, struct stretch b, const struct stop *stop, int64_t *same,
                                   char *blocks)
{
    for (uint64_t block = 1;; block++) {
        int64_t left_a = a.end - a.at - *same, left_b = b.end - b.at - *same;
        size_t len = least(left_a, left_b, BLOCK);
        if (!len)
            return left_a == left_b ? PART_SAME : PART_DIFFER;
        ssize_t got_a = read_at(a.fd, blocks, len, a.at + *same),
                got_b = read_at(b.fd, blocks + BLOCK, len, b.at + *same);
        if (got_a < (ssize_t)len || got_b < (ssize_t)len) {
            errno = got_a < 0 || got_b < 0 ? errno : ESTALE; /* it was made shorter meanwhile */
            return PART_FAILED;
        }
        size_t alike = same_bytes(blocks, blocks + BLOCK, len);
        *same += (int64_t)alike;
        if (alike < len)
            return PART_DIFFER;
        if (block % STOP_EVERY == 0 && stop->asked && stop->asked(stop->data))
            return PART_STOPPED;
    }
}

enum parting stretch_compare(struct stretch a, struct stretch b, const struct stop *stop, int64_t *same)
{
    char *blocks = mem_resize(NULL, (size_t)2 * BLOCK);
    *same = 0;
    posix_fadvise(a.fd, (off_t)a.at, 0, POSIX_FADV_SEQUENTIAL);
    posix_fadvise(b.fd, (off_t)b.at, 0, POSIX_FADV_SEQUENTIAL);
    enum parting result = compare_blocks(a, b, stop, same, blocks);
    free(blocks);
    return result;
}

int64_t stretch_line_begin(int fd, int64_t from, int64_t at)
{
    char piece[PIECE];
    while (at > from) {
        size_t len = least(at - from, PIECE, PIECE);
        ssize_t got = read_at(fd, piece, len, at - (int64_t)len);
        for (ssize_t i = got; i > 0; i--)
            if (piece[i - 1] == '\n')
                return at - (int64_t)len + i;
        at -= (int64_t)len;
    }
    return from;
}

bool stretch_line(struct stretch s, size_t most, struct buffer *out)
{
    out->len = 0;
    if (s.at >= s.end)
        return false;
    while (s.at < s.end && out->len < most) {
        size_t len = least(s.end - s.at, (int64_t)(most - out->len), PIECE);
        buffer_grow(out, len);
        ssize_t got = read_at(s.fd, out->data + out->len, len, s.at);
        const char *newline = got > 0 ? memchr(out->data + out->len, '\n', (size_t)got) : NULL;
        if (got <= 0)
            break;
        out->len += newline ? (size_t)(newline - (out->data + out->len)) : (size_t)got;
        if (newline)
            break;
        s.at += got;
    }
    return true;
}

int64_t stretch_lines(struct stretch s)
{
    char *block = mem_resize(NULL, BLOCK);
    int64_t count = 0;
    while (s.at < s.end) {
        ssize_t got = read_at(s.fd, block, least(s.end - s.at, BLOCK, BLOCK), s.at);
        if (got <= 0)
            break;
        for (const char *at = block, *end = block + got; (at = memchr(at, '\n', (size_t)(end - at))); at++)
            count++;
        s.at += got;
    }
    free(block);
    return count;
}
