#include "base/remove_tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define DEPTH_MAX 40 /* of folders in it */

static void remove_folder(int folder, const char *name, int depth)
{
    int fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *in = fd >= 0 ? fdopendir(fd) : NULL;
    if (!in)
        return;
    for (const struct dirent *entry; (entry = readdir(in));) {
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..") || unlinkat(fd, entry->d_name, 0) == 0)
            continue;
        if (depth < DEPTH_MAX)
            remove_folder(fd, entry->d_name, depth + 1);
    }
    closedir(in);
    unlinkat(folder, name, AT_REMOVEDIR);
}

void remove_tree(int folder, const char *name)
{
    remove_folder(folder, name, 0);
}
