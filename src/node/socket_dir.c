#include "node/socket_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/procfs.h"
#include "base/remove_tree.h"
#include "base/scratch.h"

#define PREFIX    "lockstep-"
#define NAME_ROOM 16 /* "/100000.sock" and "/100000/node", NUL included */
#define NODE_NAME "node" /* of a socket in a folder of its own */
#define TEMPORARY ".tmp" /* behind a node's number: the folder of its temporary files */

const char *socket_dir_parent(void)
{
    return scratch_parent();
}

const char *socket_dir_identity(const char *name)
{
    static const char digits[] = "0123456789";
    const char *identity = name + sizeof PREFIX - 1;
    if (strncmp(name, PREFIX, sizeof PREFIX - 1) != 0)
        return NULL;
    size_t pid = strspn(identity, digits);
    size_t start = identity[pid] == '-' ? strspn(identity + pid + 1, digits) : 0;
    return pid && start && !identity[pid + 1 + start] ? identity : NULL;
}

char *socket_dir_name(struct error *err)
{
    struct buffer path = { 0 };
    buffer_format(&path, "%s/" PREFIX, socket_dir_parent());
    procfs_identity(&path, getpid());
    const char *name = buffer_string(&path);
    char *result = NULL;
    if (path.len + NAME_ROOM > sizeof((struct sockaddr_un){ 0 }).sun_path)
        error_set(err, EXIT_LAUNCH,
                  "the folder for Unix sockets would be %s: too long a path; set TMPDIR to a shorter one", name);
    else
        result = mem_text(name);
    buffer_free(&path);
    return result;
}

int socket_dir_make(const char *path, struct error *err)
{
    if (mkdir(path, 0700) == 0)
        return 0;
    error_set(err, EXIT_LAUNCH, "cannot make the folder %s for Unix sockets: %s", path, strerror(errno));
    return -1;
}

/* Only what is named and made as ours goes: a folder of somebody else may have such a name. */
static bool is_our_socket(int folder, const char *name)
{
    struct stat st;
    size_t digits = strspn(name, "0123456789");
    return digits && !strcmp(name + digits, ".sock") && fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
           S_ISSOCK(st.st_mode);
}

bool socket_dir_is_ours(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid() && (st.st_mode & 0777) == 0700;
}

static void remove_node_dir(int folder, const char *name)
{
    int fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct stat st;
    if (fd < 0)
        return;
    if (fstatat(fd, NODE_NAME, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISSOCK(st.st_mode))
        unlinkat(fd, NODE_NAME, 0);
    close(fd);
    unlinkat(folder, name, AT_REMOVEDIR);
}

void socket_dir_remove(const char *path)
{
    int fd = socket_dir_is_ours(path) ? open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
    DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
    if (!folder)
        return;
    for (const struct dirent *entry; (entry = readdir(folder));) {
        size_t digits = strspn(entry->d_name, "0123456789");
        if (is_our_socket(fd, entry->d_name))
            unlinkat(fd, entry->d_name, 0);
        else if (digits && !entry->d_name[digits])
            remove_node_dir(fd, entry->d_name);
        else if (digits && !strcmp(entry->d_name + digits, TEMPORARY))
            remove_tree(fd, entry->d_name);
    }
    closedir(folder);
    rmdir(path); /* which fails where something else is in it */
}

void socket_path(char *out, size_t size, const char *dir, int i)
{
    snprintf(out, size, "%s/%d.sock", dir, i);
}

int socket_node_dir(char *out, size_t size, const char *dir, int i, struct error *err)
{
    snprintf(out, size, "%s/%d", dir, i);
    if ((mkdir(out, 0777) == 0 || errno == EEXIST) && chmod(out, 0777) == 0) /* whoever runs in the container */
        return 0;
    error_set(err, EXIT_LAUNCH, "cannot make the folder %s for its socket: %s", out, strerror(errno));
    return -1;
}

void socket_temporary_path(char *out, size_t size, const char *dir, int i)
{
    snprintf(out, size, "%s/%d" TEMPORARY, dir, i);
}

int socket_temporary_dir(const char *dir, int i, struct error *err)
{
    char path[PATH_MAX];
    socket_temporary_path(path, sizeof path, dir, i);
    if (mkdir(path, 0700) == 0 || errno == EEXIST)
        return 0;
    error_set(err, EXIT_LAUNCH, "cannot make the folder %s for its temporary files: %s", path, strerror(errno));
    return -1;
}
