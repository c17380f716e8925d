/* Writing all of it, or saying why not. */
#ifndef TRACE_WRITE_H
#define TRACE_WRITE_H

#include <stddef.h>

/* Returns how much was written: less than len after an error, with errno set. */
size_t write_all(int fd, const char *data, size_t len);

#endif
