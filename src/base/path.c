#include "base/path.h"

#include <stddef.h>
#include <string.h>

const char *path_inside(const char *folder, const char *file)
{
    size_t len = strlen(folder);
    if (strcmp(folder, "/") == 0)
        return file + 1;
    return strncmp(folder, file, len) == 0 && file[len] == '/' ? file + len + 1 : NULL;
}
