/* Memory that is always there: when the system has none left, the program says so and aborts, here and nowhere else. */
#ifndef BASE_MEMORY_H
#define BASE_MEMORY_H

#include <stddef.h>

void *mem_alloc(size_t size);                /* zeroed */
void *mem_array(size_t count, size_t size);  /* zeroed; count * size must not overflow, else it aborts */
void *mem_resize(void *p, size_t size);      /* as realloc */
char *mem_text(const char *s);               /* a copy; NULL gives NULL */
char *mem_text_n(const char *s, size_t len); /* a copy of len bytes, NUL-terminated */

/* For arrays that grow by one: makes room for item `count` in *items, doubling *capacity. */
void *mem_grow(void *items, size_t count, size_t *capacity, size_t item_size);

#endif
