#include "scenario/engine_address.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char docker_socket[] = ENGINE_DOCKER_SOCKET, podman_socket[] = ENGINE_PODMAN_SOCKET;

const char *engine_address(const struct scenario_node *n, char *room, size_t size)
{
    const char *given = getenv("DOCKER_HOST"), *runtime = getenv("XDG_RUNTIME_DIR");
    if (n->docker.engine)
        return n->docker.engine;
    if (given && *given)
        return given;
    if (access(docker_socket, F_OK) != 0 && runtime && *runtime) {
        snprintf(room, size, "unix://%s/" ENGINE_PODMAN_USER_SOCKET, runtime);
        if (access(room + strlen("unix://"), F_OK) == 0)
            return room;
    }
    snprintf(room, size, "unix://%s",
             access(docker_socket, F_OK) != 0 && access(podman_socket, F_OK) == 0 ? podman_socket : docker_socket);
    return room;
}

const char *engine_address_origin(const struct scenario_node *n)
{
    const char *given = getenv("DOCKER_HOST");
    return n->docker.engine ? "docker.engine" : given && *given ? "DOCKER_HOST" : ENGINE_USUAL;
}

bool engine_is_local(const char *address)
{
    return strncmp(address, "unix://", 7) == 0;
}

void engine_machine(const char *address, char *out, size_t size)
{
    const char *host = strncmp(address, "tcp://", 6) == 0 ? address + 6 : address;
    const char *bracket = *host == '[' ? strchr(host, ']') : NULL; /* of an IPv6 address */
    size_t len = bracket ? (size_t)(bracket - host) + 1 : strcspn(host, ":/");
    snprintf(out, size, "%.*s", engine_is_local(address) ? 0 : (int)len, host);
    for (char *c = out; *c; c++)
        *c = (char)tolower((unsigned char)*c);
}

#define NO_SOCKET                                                                                                      \
    "there is no such socket; is the engine running? (systemctl start docker, or systemctl --user start "              \
    "podman.socket) If it "                                                                                            \
    "listens elsewhere, "

static const char *say_no_socket(const char *origin)
{
    if (origin && !strcmp(origin, "docker.engine"))
        return NO_SOCKET "correct docker.engine";
    if (origin && !strcmp(origin, "DOCKER_HOST"))
        return NO_SOCKET "correct DOCKER_HOST, or set docker.engine";
    return NO_SOCKET "set DOCKER_HOST or docker.engine";
}

const char *engine_socket_advice(int error, const char *origin)
{
    switch (error) {
    case ENOENT:
    case ENOTDIR:
        return say_no_socket(origin);
    case EACCES:
    case EPERM:
        return "permission denied on the socket; become a member of its group (for Docker: sudo usermod -aG docker "
               "\"$USER\", then log in again), or use an engine of your own (rootless Docker or Podman)";
    case ECONNREFUSED:
        return "nobody listens on the socket; the engine has ended: start it again";
    case EAGAIN:
    case ENOTCONN:
        return "too many callers wait at the socket; the engine does not accept them";
    default:
        return NULL;
    }
}
