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

/* Its `engine`, DOCKER_HOST, or the first socket that is there of Docker and Podman. Only such a socket is in `room`;
 * else the text is the scenario's or the environment's. */
const char *engine_address(const struct scenario_node *n, char *room, size_t size);
/* Who says that it is there: "docker.engine", "DOCKER_HOST", or ENGINE_USUAL. Static. */
#define ENGINE_USUAL "where engines usually listen"
const char *engine_address_origin(const struct scenario_node *n);
/* Whether the engine there is on this machine. */
bool engine_is_local(const char *address);
/* Whose machine it is on, whatever the port is that it listens on: "" for this one. */
void engine_machine(const char *address, char *out, size_t size);
/* What it means that no connection to an engine's Unix socket came about for this errno, and what to do; NULL where
 * there is nothing to be said. `origin` of the address; NULL: not known. */
const char *engine_socket_advice(int error, const char *origin);

#endif
