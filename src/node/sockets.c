#include "node/sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

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
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof none); /* its port is free at once for the next run */
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

/* A connection of a port to itself: what Linux makes when the port is free and happens to be the one that it picks for
 * our end (simultaneous open, RFC 9293). */
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
