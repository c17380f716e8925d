#include "base/memory.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *checked(void *p, size_t size)
{
    if (!p && size) {
        fprintf(stderr, "lockstep: no memory left (%zu bytes were asked for)\n", size);
        abort();
    }
    return p;
}

void *mem_alloc(size_t size)
{
    return checked(calloc(1, size), size);
}

void *mem_array(size_t count, size_t size)
{
    return checked(calloc(count, size), size && count > SIZE_MAX / size ? SIZE_MAX : count * size);
}

void *mem_resize(void *p, size_t size)
{
    return checked(realloc(p, size), size);
}

char *mem_text(const char *s)
{
    return s ? mem_text_n(s, strlen(s)) : NULL;
}

char *mem_text_n(const char *s, size_t len)
{
    char *copy = mem_alloc(len + 1);
    if (len)
        memcpy(copy, s, len);
    return copy;
}

void *mem_grow(void *items, size_t count, size_t *capacity, size_t item_size)
{
    if (count < *capacity)
        return items;
    size_t more = *capacity ? *capacity * 2 : 8;
    if (more <= count)
        more = count + 1;
    if (more > SIZE_MAX / item_size)
        checked(NULL, SIZE_MAX);
    *capacity = more;
    return mem_resize(items, more * item_size);
}
