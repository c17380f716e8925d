#include "base/procfs.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Reads up to size-1 bytes and ends them with a NUL. Returns how many, or -1. */
static ssize_t read_file(pid_t pid, const char *name, char *out, size_t size)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    size_t len = 0;
    for (ssize_t n; len < size - 1 && (n = read(fd, out + len, size - 1 - len)) > 0;)
        len += (size_t)n;
    close(fd);
    out[len] = '\0';
    return (ssize_t)len;
}

bool procfs_stat(pid_t pid, struct procfs_stat *out)
{
    char text[1024];
    *out = (struct procfs_stat){ 0 };
    if (read_file(pid, "stat", text, sizeof text) <= 0)
        return false;
    char *open = strchr(text, '('), *close = strrchr(text, ')'); /* a name may hold anything */
    if (!open || !close)
        return false;
    snprintf(out->name, sizeof out->name, "%.*s", (int)(close - open - 1), open + 1);
    int parent, group;
    uint64_t user, system;
    int64_t pages;
    if (sscanf(close + 2,
               "%c %d %d %*d %*d %*d %*u %*u %*u %*u %*u %" SCNu64 " %" SCNu64 " %*d %*d %*d %*d %*d %*d %" SCNu64
               " %*u %" SCNd64,
               &out->state, &parent, &group, &user, &system, &out->start, &pages) != 7)
        return false;
    out->parent = parent;
    out->group = group;
    out->cpu_ticks = user + system;
    out->memory = (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
    return true;
}

long procfs_ticks_per_second(void)
{
    return sysconf(_SC_CLK_TCK);
}

bool procfs_variable(pid_t pid, const char *name, char *value, size_t size)
{
    enum { ENVIRONMENT_MAX = 1 << 20 }; /* longer ones are looked at so far */
    static const size_t step = 1 << 16;
    struct buffer text = { 0 };
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/environ", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    while (text.len < ENVIRONMENT_MAX) {
        buffer_grow(&text, step);
        ssize_t n = read(fd, text.data + text.len, step);
        if (n <= 0)
            break;
        text.len += (size_t)n;
    }
    close(fd);
    bool found = false;
    size_t length = strlen(name);
    const char *end = buffer_string(&text) + text.len;
    for (const char *at = text.data; at < end && !found; at += strlen(at) + 1)
        if (!strncmp(at, name, length) && at[length] == '=') {
            snprintf(value, size, "%s", at + length + 1);
            found = true;
        }
    buffer_free(&text);
    return found;
}

void procfs_each(void (*each)(void *data, pid_t pid), void *data)
{
    DIR *folder = opendir("/proc");
    if (!folder)
        return;
    for (const struct dirent *entry; (entry = readdir(folder));)
        if (isdigit((unsigned char)entry->d_name[0]))
            each(data, (pid_t)atoi(entry->d_name));
    closedir(folder);
}

/* The inode of the socket that listens on the port, from /proc/net/tcp or tcp6; 0: none. */
static uint64_t listening_socket(const char *file, int port)
{
    enum { LISTENING = 0x0a };
    char line[512];
    uint64_t inode = 0;
    FILE *f = fopen(file, "re");
    while (f && !inode && fgets(line, sizeof line, f)) {
        unsigned local, state;
        uint64_t found;
        if (sscanf(line, " %*d: %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x %*s %*s %*s %*u %*d %" SCNu64, &local, &state,
                   &found) == 3 &&
            local == (unsigned)port && state == LISTENING)
            inode = found;
    }
    if (f)
        fclose(f);
    return inode;
}

struct holder {
    char link[40]; /* what a descriptor of the socket is shown as */
    pid_t pid;
};

static void look_for_descriptor(void *data, pid_t pid)
{
    struct holder *h = data;
    char path[64], link[64];
    snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
    DIR *folder = h->pid ? NULL : opendir(path);
    if (!folder)
        return;
    for (const struct dirent *entry; !h->pid && (entry = readdir(folder));) {
        ssize_t n = readlinkat(dirfd(folder), entry->d_name, link, sizeof link - 1);
        if (n > 0 && !strncmp(link, h->link, (size_t)n) && !h->link[n])
            h->pid = pid;
    }
    closedir(folder);
}

bool procfs_port_holder(int port, pid_t *pid, char *name, size_t size)
{
    struct holder holder = { 0 };
    struct procfs_stat process;
    uint64_t inode = listening_socket("/proc/net/tcp", port);
    if (!inode)
        inode = listening_socket("/proc/net/tcp6", port);
    snprintf(holder.link, sizeof holder.link, "socket:[%" PRIu64 "]", inode);
    if (inode)
        procfs_each(look_for_descriptor, &holder);
    if (!holder.pid || !procfs_stat(holder.pid, &process))
        return false;
    *pid = holder.pid;
    snprintf(name, size, "%s", process.name);
    return true;
}

void procfs_identity(struct buffer *out, pid_t pid)
{
    struct procfs_stat process;
    procfs_stat(pid, &process);
    buffer_format(out, "%d-%" PRIu64, (int)pid, process.start);
}

bool procfs_identity_lives(const char *identity)
{
    int pid;
    uint64_t start;
    struct procfs_stat process;
    return sscanf(identity, "%d-%" SCNu64, &pid, &start) == 2 && procfs_stat(pid, &process) && process.start == start &&
           process.state != 'Z';
}
