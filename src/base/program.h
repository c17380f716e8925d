/* Where programs are looked for. */
#ifndef BASE_PROGRAM_H
#define BASE_PROGRAM_H

#include "base/buffer.h"

/* Appends what nodes have as PATH: `path` (NULL: the usual folders) and behind it the folder of this very program, so
 * that programs which are built or installed along with it are found. */
void program_search_path(struct buffer *out, const char *path);

#endif
