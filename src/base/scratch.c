#include "base/scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/procfs.h"
#include "base/remove_tree.h"

#define PREFIX "lockstep-verify-"
#define KEPT   ".kept" /* a file in it: it is not ours any more */

const char *scratch_parent(void)
{
    const char *tmp = getenv("TMPDIR");
    return tmp && *tmp ? tmp : "/tmp";
}

char *scratch_make(struct error *err)
{
    struct buffer path = { 0 };
    char *result = NULL;
    buffer_format(&path, "%s/" PREFIX, scratch_parent());
    procfs_identity(&path, getpid());
    if (mkdir(buffer_string(&path), 0700) == 0)
        result = mem_text(path.data);
    else
        error_set(err, EXIT_LAUNCH, "cannot make the folder %s for the runs: %s; TMPDIR names another place", path.data,
                  strerror(errno));
    buffer_free(&path);
    return result;
}

int scratch_keep(const char *path)
{
    struct buffer mark = { 0 };
    buffer_format(&mark, "%s/" KEPT, path);
    int fd = open(buffer_string(&mark), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    buffer_free(&mark);
    return fd < 0 ? -1 : close(fd);
}

void scratch_remove(const char *path)
{
    remove_tree(AT_FDCWD, path);
}

static bool is_ours(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid() && (st.st_mode & 0777) == 0700;
}

bool scratch_is_left(const char *name)
{
    static const char digits[] = "0123456789";
    struct buffer path = { 0 };
    const char *identity = name + sizeof PREFIX - 1;
    if (strncmp(name, PREFIX, sizeof PREFIX - 1) != 0)
        return false;
    size_t pid = strspn(identity, digits), start = identity[pid] == '-' ? strspn(identity + pid + 1, digits) : 0;
    if (!pid || !start || identity[pid + 1 + start] || procfs_identity_lives(identity))
        return false;
    buffer_format(&path, "%s/%s", scratch_parent(), name);
    bool is_left = is_ours(buffer_string(&path));
    buffer_text(&path, "/" KEPT);
    is_left = is_left && access(buffer_string(&path), F_OK) < 0;
    buffer_free(&path);
    return is_left;
}
