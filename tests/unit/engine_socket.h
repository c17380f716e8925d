/* For scenarios that are loaded: a socket where an engine could listen, so that the tests need none. */
#ifndef TESTS_UNIT_ENGINE_SOCKET_H
#define TESTS_UNIT_ENGINE_SOCKET_H

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define ENGINE_SOCKET_TEXT 100

struct engine_socket {
    char folder[40], path[ENGINE_SOCKET_TEXT];
    int fd;
};

/* DOCKER_HOST names it from now on. */
static inline int engine_socket_open(struct engine_socket *e)
{
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    char address[ENGINE_SOCKET_TEXT + 8];
    snprintf(e->folder, sizeof e->folder, "/tmp/lockstep-engine-test-XXXXXX");
    if (!mkdtemp(e->folder))
        return -1;
    snprintf(e->path, sizeof e->path, "%s/socket", e->folder);
    snprintf(at.sun_path, sizeof at.sun_path, "%s", e->path);
    snprintf(address, sizeof address, "unix://%s", e->path);
    e->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return bind(e->fd, (struct sockaddr *)&at, sizeof at) || listen(e->fd, 100) || setenv("DOCKER_HOST", address, 1);
}

static inline int engine_socket_close(struct engine_socket *e)
{
    close(e->fd);
    unsetenv("DOCKER_HOST");
    return unlink(e->path) || rmdir(e->folder);
}

/* For a group of tests that needs no more than that. */
static inline int engine_socket_set_up(void **state)
{
    struct engine_socket *e = calloc(1, sizeof *e);
    *state = e;
    return e ? engine_socket_open(e) : -1;
}

static inline int engine_socket_tear_down(void **state)
{
    int result = engine_socket_close(*state);
    free(*state);
    return result;
}

#endif
