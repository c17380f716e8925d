/* Rounds and barriers: moves a scenario's nodes through virtual time, quantum by quantum, and carries what they send.
 * Pure: no descriptor, no clock.
 *
 * A round, as its caller drives it:
 *     coordinator_begin → grant every node that coordinator_must_grant names, with what coordinator_take gives
 *     → when all have answered, in node order: coordinator_answered, coordinator_send for each message
 *     → coordinator_end
 * A round that was begun and is not ended leaves no trace in records and counts. */
#ifndef SIM_COORDINATOR_H
#define SIM_COORDINATOR_H

#include "base/message.h"
#include "bus/bus.h"
#include "lockstep/scenario.h"

#define COORDINATOR_IN_FLIGHT_MAX 1000000u /* messages under way or pending; more are dropped, with a record */
#define NEXT_UNKNOWN (-1)                  /* of a node that does not say when its next event is */

struct coordinator;
/* Scenario and bus are borrowed. With skip false every quantum is a round of all nodes. */
struct coordinator *coordinator_new(const struct scenario *s, struct bus *bus, bool skip);
void coordinator_free(struct coordinator *c);

/* Publishes the records `run` and `end`. */
void coordinator_publish_run(struct coordinator *c);
void coordinator_publish_end(struct coordinator *c, const char *outcome, const char *cause);

/* Skips idle quanta, at most up to `limit` (a time on the grid, or the duration); then begins a round and returns true
 * with its end in *target, or returns false when `limit` was reached. */
bool coordinator_begin(struct coordinator *c, simtime limit, simtime *target);
/* Whether node i has to run in this round: it has messages, an event before its end, or says nothing about its next. */
bool coordinator_must_grant(const struct coordinator *c, int i);
/* Whether it has something to do before `until`: messages, or an event, or it does not say. */
bool coordinator_is_due(const struct coordinator *c, int i, simtime until);
/* Swaps the messages for node i, in order of (time, arrival), with the empty list *out. The caller then owns them. */
void coordinator_take(struct coordinator *c, int i, struct message_list *out);
/* Node i has answered; its next own event is at `next` (SIMTIME_NEVER: none, NEXT_UNKNOWN). */
void coordinator_answered(struct coordinator *c, int i, simtime next);
/* Takes a message, or a local event, that m->src sent in this round. */
void coordinator_send(struct coordinator *c, struct message *m);
/* Something that node i said was amended or cut; at a barrier (coordinator_warn_now): something had no effect on it. */
void coordinator_warn(struct coordinator *c, int i, struct text text);
void coordinator_warn_now(struct coordinator *c, int i, struct text text);
/* The barrier: what has arrived becomes pending, and the round's target becomes now. */
void coordinator_end(struct coordinator *c);

/* At a barrier. Node i has failed: what it was handed in the last round is lost. Then either coordinator_freeze: what
 * waits for it and what will come is dropped; or it is started again, and coordinator_answered tells of
 * its next event. */
void coordinator_failed(struct coordinator *c, int i);
void coordinator_freeze(struct coordinator *c, int i);
/* It is to be started again although it was frozen: what comes for it waits. */
void coordinator_thaw(struct coordinator *c, int i);
/* While it is paused node i is granted nothing, and what arrives for it waits. */
void coordinator_pause(struct coordinator *c, int i, bool paused);
bool coordinator_is_paused(const struct coordinator *c, int i);
/* From now on. Publishes the record `link`. */
void coordinator_change_link(struct coordinator *c, int src, int dst, simtime latency, double loss, const char *cause);
/* Publishes the records `node` and `command`; of the latter the number is returned. */
void coordinator_publish_node(struct coordinator *c, int i, const char *state, const char *cause);
uint64_t coordinator_publish_command(struct coordinator *c, const char *text);

/* The end of the next quantum in which a node has something to do, as far as the nodes have said. */
simtime coordinator_next_activity(struct coordinator *c);
/* Whether every node that takes part has said when its next event is. */
bool coordinator_knows_next(const struct coordinator *c);
/* The first barrier at or after t. */
simtime coordinator_barrier_after(const struct coordinator *c, simtime t);

struct coordinator_counts {
    simtime now;
    uint64_t quanta, skipped; /* finished; of these, skipped */
    uint64_t messages, dropped, in_flight;
    uint64_t waiting; /* of those in flight: they have arrived, and their node has not been granted them yet */
    uint64_t warnings;
};
const struct coordinator_counts *coordinator_counts(const struct coordinator *c);

/* Per node: messages delivered to it, sent by it, and lost on their way from it. */
struct coordinator_traffic {
    uint64_t in, out, dropped;
    uint64_t waiting; /* pending for it now */
    simtime next;
};
uint64_t coordinator_waiting(const struct coordinator *c, int i); /* as traffic has it */
void coordinator_traffic(const struct coordinator *c, int i, struct coordinator_traffic *out);

#endif
