/* Where the container engine of a node listens, and what it means that it does not. */
#ifndef SCENARIO_ENGINE_ADDRESS_H
#define SCENARIO_ENGINE_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

#include "lockstep/scenario.h"

/* Where engines usually listen; Podman without root in XDG_RUNTIME_DIR. */
#define ENGINE_DOCKER_SOCKET      "/var/run/docker.sock"
#define ENGINE_PODMAN_SOCKET      "/run/podman/podman.sock"
#define ENGINE_PODMAN_USER_SOCKET "podman/podman.sock"

/* Its `engine`, DOCKER_HOST, or the first socket that is there of Docker and Podman. Only such a socket is in `room`; else
 * the text is the scenario's or the environment's. */
const char *engine_address(const struct scenario_node *n, char *room, size_t size);
/* Whether the engine there is on this machine. */
bool engine_is_local(const char *address);
/* What it means that no connection to an engine's Unix socket came about for this errno, and what to do; NULL where there
 * is nothing to be said. */
const char *engine_socket_advice(int error);

#endif
