#include "scenario/engine_address.h"

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

bool engine_is_local(const char *address)
{
    return strncmp(address, "unix://", 7) == 0;
}

const char *engine_socket_advice(int error)
{
    switch (error) {
    case ENOENT:
    case ENOTDIR:
        return "there is no such socket; is the engine running? (systemctl start docker, or systemctl --user start "
               "podman.socket) If it listens elsewhere, set DOCKER_HOST or docker.engine";
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
