/* Ports of machines that nodes take. */
#ifndef SCENARIO_PORTS_H
#define SCENARIO_PORTS_H

#include "scenario/load.h"

/* The port that entry k of a container's `ports` takes on the machine of its engine; 0: none that is known. */
int ports_host(const struct scenario_node *n, size_t k);
/* "tcp", "udp" or "sctp". */
const char *ports_protocol(const struct scenario_node *n, size_t k);
bool docker_is_on_host_network(const struct scenario_node *n); /* its ports are those of the engine's machine */

#endif
