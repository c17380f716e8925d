/* Files that are written whole or not at all. */
#ifndef BASE_WHOLE_FILE_H
#define BASE_WHOLE_FILE_H

#include <stddef.h>

/* Written beside it under another name first, so that what is at `path` is whole at any time. Returns 0, or -1 with
 * errno set and `path` as it was. */
int whole_file_write(const char *path, const char *data, size_t len);

#endif
