#include "base/buffer.h"

#include <stdarg.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/number.h"

void buffer_grow(struct buffer *b, size_t more)
{
    size_t need = b->len + more, capacity = b->capacity ? b->capacity : 256;
    if (need <= b->capacity)
        return;
    while (capacity < need)
        capacity *= 2;
    b->data = mem_resize(b->data, capacity);
    b->capacity = capacity;
}

void buffer_free(struct buffer *b)
{
    free(b->data);
    *b = (struct buffer){ 0 };
}

void buffer_format(struct buffer *b, const char *fmt, ...)
{
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    if (len > 0) {
        buffer_grow(b, (size_t)len + 1);
        vsnprintf(b->data + b->len, (size_t)len + 1, fmt, again);
        b->len += (size_t)len;
    }
    va_end(again);
}

void buffer_u64(struct buffer *b, uint64_t v)
{
    if (b->capacity - b->len < 20)
        buffer_grow(b, 20);
    b->len += number_digits(v, b->data + b->len);
}

void buffer_number_set(struct buffer_number *last, uint64_t v)
{
    char *digit = last->text + last->len - 1;
    if (v == last->value + 1 && last->len && *digit < '9') {
        ++*digit;
    } else {
        last->len = number_digits(v, last->text);
    }
    last->value = v;
}

void buffer_i64(struct buffer *b, int64_t v)
{
    if (v < 0)
        buffer_add(b, "-", 1);
    buffer_u64(b, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

void buffer_double(struct buffer *b, double v)
{
    buffer_grow(b, NUMBER_TEXT);
    b->len += number_format(v, b->data + b->len);
}

const char *buffer_string(struct buffer *b)
{
    buffer_grow(b, 1);
    b->data[b->len] = '\0';
    return b->data;
}

void buffer_drop(struct buffer *b, size_t n)
{
    if (n)
        memmove(b->data, b->data + n, b->len - n);
    b->len -= n;
}
