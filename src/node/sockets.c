#include "node/sockets.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/procfs.h"

#define PREFIX    "lockstep-"
#define NAME_ROOM 16 /* "/100000.sock" and "/100000/node", NUL included */
#define NODE_NAME "node" /* of a socket in a folder of its own */
#define TEMPORARY ".tmp" /* behind a node's number: the folder of its temporary files */
#define DEPTH_MAX 40     /* of folders in that */

const char *socket_dir_parent(void)
{
    const char *tmp = getenv("TMPDIR");
    return tmp && *tmp ? tmp : "/tmp";
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
        error_set(err, EXIT_LAUNCH, "the folder for Unix sockets would be %s: too long a path; set TMPDIR to a shorter one",
                  name);
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

/* Whatever is in it, without following a link out of it. */
static void remove_tree(int folder, const char *name, int depth)
{
    int fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *in = fd >= 0 ? fdopendir(fd) : NULL;
    if (!in)
        return;
    for (const struct dirent *entry; (entry = readdir(in));) {
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..") || unlinkat(fd, entry->d_name, 0) == 0)
            continue;
        if (depth < DEPTH_MAX)
            remove_tree(fd, entry->d_name, depth + 1);
    }
    closedir(in);
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
            remove_tree(fd, entry->d_name, 0);
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
    if ((mkdir(out, 0777) == 0 || errno == EEXIST) && chmod(out, 0777) == 0) /* whoever it is that runs in the container */
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

int socket_free_port(struct error *err)
{
    struct sockaddr_in at = { .sin_family = AF_INET };
    socklen_t len = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), port = -1;
    if (fd >= 0 && bind(fd, (struct sockaddr *)&at, len) == 0 && getsockname(fd, (struct sockaddr *)&at, &len) == 0)
        port = ntohs(at.sin_port);
    else
        error_set(err, EXIT_LAUNCH, "there is no free port: %s", strerror(errno));
    if (fd >= 0)
        close(fd);
    return port;
}

static int begin(int family, const struct sockaddr *address, socklen_t len)
{
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    int on = 1;
    struct linger none = { .l_onoff = 1 };
    if (family != AF_UNIX) { /* a request is two lines and waits for its answer: nothing is gained by gathering bytes */
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof none); /* the node's port is free at once for the next run */
    }
    if (connect(fd, address, len) == 0 || errno == EINPROGRESS)
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}

int socket_connect_port(const char *host, int port)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    struct sockaddr_in6 at6 = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port) };
    if (inet_pton(AF_INET, host, &at.sin_addr) == 1)
        return begin(AF_INET, (const struct sockaddr *)&at, sizeof at);
    if (inet_pton(AF_INET6, host, &at6.sin6_addr) == 1)
        return begin(AF_INET6, (const struct sockaddr *)&at6, sizeof at6);
    errno = EADDRNOTAVAIL;
    return -1;
}

int socket_connect_path(const char *path)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    snprintf(at.sun_path, sizeof at.sun_path, "%s", path);
    return begin(AF_UNIX, (const struct sockaddr *)&at, sizeof at);
}

void socket_hurry(int fd)
{
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on); /* tcp(7): not permanent */
}

bool socket_is_own_address(const char *ip)
{
    struct sockaddr_in at = { .sin_family = AF_INET };
    int fd = inet_pton(AF_INET, ip, &at.sin_addr) == 1 ? socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0) : -1;
    bool is_own =
        fd >= 0 && at.sin_addr.s_addr != htonl(INADDR_ANY) && bind(fd, (const struct sockaddr *)&at, sizeof at) == 0;
    if (fd >= 0)
        close(fd);
    return is_own;
}

/* A connection of a port to itself: what Linux makes when the port is free and happens to be the one that it picks for our
 * end (simultaneous open, RFC 9293). */
static int is_own(int fd)
{
    struct sockaddr_storage here = { 0 }, there = { 0 };
    socklen_t a = sizeof here, b = sizeof there;
    return getsockname(fd, (struct sockaddr *)&here, &a) == 0 && getpeername(fd, (struct sockaddr *)&there, &b) == 0 &&
           here.ss_family != AF_UNIX && a == b && memcmp(&here, &there, a) == 0;
}

int socket_connected(int fd)
{
    struct pollfd p = { .fd = fd, .events = POLLOUT };
    int error = 0;
    socklen_t len = sizeof error;
    if (poll(&p, 1, 0) <= 0)
        return 0;
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
    if (!error && is_own(fd))
        error = ECONNREFUSED;
    errno = error;
    return error ? -1 : 1;
}
