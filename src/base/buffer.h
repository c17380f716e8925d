/* Bytes that grow at their end. Zero-initialise; the owner calls buffer_free. */
#ifndef BASE_BUFFER_H
#define BASE_BUFFER_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "lockstep/error.h"

struct buffer {
    char *data;
    size_t len, capacity;
};

void buffer_grow(struct buffer *b, size_t more); /* room for `more` bytes beyond len */
void buffer_free(struct buffer *b);              /* leaves an empty buffer */
void buffer_format(struct buffer *b, const char *fmt, ...) LOCKSTEP_PRINTF(2, 3);
void buffer_u64(struct buffer *b, uint64_t v); /* decimal */
void buffer_i64(struct buffer *b, int64_t v);
void buffer_double(struct buffer *b, double v); /* as number_format */
const char *buffer_string(struct buffer *b);    /* the bytes, NUL-terminated (the NUL is not counted) */
void buffer_drop(struct buffer *b, size_t n);   /* removes the first n bytes */

/* The text of a number that was added last: for columns whose numbers repeat or count up by one, as times and serials
 * do. Zero-initialise. */
struct buffer_number {
    uint64_t value;
    size_t len; /* 0: none yet */
    char text[24];
};
void buffer_number_set(struct buffer_number *last, uint64_t v); /* for buffer_number */

static inline void buffer_add(struct buffer *b, const char *s, size_t n)
{
    if (b->capacity - b->len < n)
        buffer_grow(b, n);
    if (n)
        memcpy(b->data + b->len, s, n);
    b->len += n;
}

static inline void buffer_text(struct buffer *b, const char *s)
{
    buffer_add(b, s, strlen(s));
}

/* As buffer_u64. */
static inline void buffer_number(struct buffer *b, struct buffer_number *last, uint64_t v)
{
    if (v != last->value || !last->len)
        buffer_number_set(last, v);
    if (b->capacity - b->len < sizeof last->text)
        buffer_grow(b, sizeof last->text);
    memcpy(b->data + b->len, last->text, sizeof last->text); /* of one size, so that it is a few instructions */
    b->len += last->len;
}

#endif
