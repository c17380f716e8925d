#include "base/program.h"

#include <limits.h>
#include <unistd.h>

void program_search_path(struct buffer *out, const char *path)
{
    char self[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    buffer_text(out, path && *path ? path : "/usr/local/bin:/usr/bin:/bin");
    if (n <= 0)
        return;
    while (n > 1 && self[n - 1] != '/')
        n--;
    buffer_text(out, ":");
    buffer_add(out, self, n > 1 ? (size_t)n - 1 : 1);
}
