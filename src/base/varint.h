/* Numbers in as few bytes as they need: 7 bits a byte, the lowest first (LEB128). */
#ifndef BASE_VARINT_H
#define BASE_VARINT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"

#define VARINT_MAX 10 /* bytes */

/* Returns what is behind it. */
static inline char *varint_put(char *to, uint64_t v)
{
    for (; v >= 0x80; v >>= 7)
        *to++ = (char)(v | 0x80);
    *to++ = (char)v;
    return to;
}

/* Small numbers of either sign are short ("zigzag"). */
static inline char *varint_put_signed(char *to, int64_t v)
{
    return varint_put(to, ((uint64_t)v << 1) ^ (v < 0 ? UINT64_MAX : 0));
}

static inline void varint_add(struct buffer *b, uint64_t v)
{
    char bytes[VARINT_MAX];
    buffer_add(b, bytes, (size_t)(varint_put(bytes, v) - bytes));
}

static inline void varint_add_signed(struct buffer *b, int64_t v)
{
    char bytes[VARINT_MAX];
    buffer_add(b, bytes, (size_t)(varint_put_signed(bytes, v) - bytes));
}

/* Takes one off the front of *at, which does not go beyond `end`. False where there is no whole one. */
static inline bool varint_take(const char **at, const char *end, uint64_t *v)
{
    *v = 0;
    for (unsigned shift = 0; *at < end && shift < 64; shift += 7) {
        unsigned char byte = (unsigned char)*(*at)++;
        *v |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return true;
    }
    return false;
}

static inline bool varint_take_signed(const char **at, const char *end, int64_t *v)
{
    uint64_t u;
    if (!varint_take(at, end, &u))
        return false;
    *v = (int64_t)(u >> 1) ^ -(int64_t)(u & 1);
    return true;
}

#endif
