/* Messages in flight: in the network, or waiting for their node. Looked at at any time, changed at a barrier only.
 *
 * Nothing here draws a random number: what is changed by hand moves no draw of the rest of the run. What is put into
 * the network here passes no link; where times are equal it arrives behind what is there already. */
#ifndef SIM_FLIGHT_H
#define SIM_FLIGHT_H

#include "sim/coordinator.h"

/* How many there are. During a round those that nodes were handed are not among them. */
uint64_t flight_count(const struct coordinator *c);
/* Gives those from the `from`th on, in the order of (time, destination, source, id), `room` at most; returns how many.
 * They are borrowed, and good until the coordinator is called for something else. Takes time in proportion to all. */
size_t flight_list(const struct coordinator *c, uint64_t from, const struct message **out, size_t room);
const struct message *flight_find(const struct coordinator *c, uint64_t id); /* NULL: not in flight */
/* The place of a message in the order of flight_list, or UINT64_MAX. */
uint64_t flight_rank(const struct coordinator *c, uint64_t id);
/* All of them, in no particular order. */
void flight_visit(const struct coordinator *c, void (*visit)(void *data, const struct message *m), void *data);
/* Whether one more has room. */
bool flight_has_room(const struct coordinator *c);

/* What a link has now; false: the network is direct. */
bool flight_link(const struct coordinator *c, int src, int dst, simtime *latency, double *loss);

/* At a barrier. Message `id` must be in flight, and there must be room for what is added. Texts are copied. */

/* It will not arrive: publishes the record `drop`. */
void flight_drop(struct coordinator *c, uint64_t id);
/* It reaches its node at `to`, the present barrier or later; it waits in the network until then. */
void flight_delay(struct coordinator *c, uint64_t id, simtime to);
/* The same message once more, sent and due at the same times, with the next id: publishes the record `message`. */
void flight_copy(struct coordinator *c, uint64_t id);
/* Its payload is another one from now on, as the record of that number says; its size stays what its sender said. */
void flight_edit(struct coordinator *c, uint64_t id, struct text payload, uint64_t record);
/* A message that nobody has sent, stamped with the present barrier, with the next id: publishes the record `message`.
 */
void flight_inject(struct coordinator *c, int src, int dst, struct text type, struct text payload, simtime due);

#endif
