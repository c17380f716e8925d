/* flight.bin: the messages that were in flight at some barriers of a run, so that for any other one only the records
 * since need be looked through: events.jsonl says what was sent, dropped and changed by hand, and so what is in flight.
 *
 * The format. Numbers and differences are those of history.h.
 *
 *     file     magic "LOCKSTEP-FLIGHT1\n", then entries, one for each barrier that was noted
 *     entry    'f' · length of the body (varint) · body · 'f'
 *     body     time of the barrier · how many records there were · how many nodes were paused, and their indices ·
 *              how many messages were in flight, and those
 *     message  differences to the one before (of the first: to 0) of its record's number, of that less its id, and of
 *              when it is due · source · destination (indices) · the number of the record `command` that has its
 *              payload, 0 where its own has
 *
 * A barrier is noted when there are FLIGHT_RECORDS records more than at the one before, and a quarter as many as
 * messages in flight, but not where these are more than FLIGHT_MESSAGES_MAX: what is read for any time is bounded, and
 * the file stays small. There is no file before that. An entry is written when the records of its barrier are. What a
 * lockstep that was killed has not written whole is no entry. */
#ifndef TRACE_FLIGHT_HISTORY_H
#define TRACE_FLIGHT_HISTORY_H

#include "base/message.h"
#include "trace/folder.h"

#define FLIGHT_FILE         "flight.bin"
#define FLIGHT_MAGIC        "LOCKSTEP-FLIGHT1\n"
#define FLIGHT_RECORDS      16384
#define FLIGHT_MESSAGES_MAX 1000000u /* in an entry: its reader has them in memory */

struct flight_history;
struct flight_history *flight_history_new(struct folder *f); /* borrowed; makes no file yet */
void flight_history_free(struct flight_history *h);          /* NULL is fine */

/* Whether this barrier is to be noted. */
bool flight_history_is_due(const struct flight_history *h, uint64_t records, uint64_t in_flight);
/* One entry: begin, the paused nodes in the order of their indices, the messages in any order, end. */
void flight_history_begin(struct flight_history *h, simtime now, uint64_t records);
void flight_history_paused(struct flight_history *h, int node);
void flight_history_message(struct flight_history *h, const struct message *m);
/* It is on disk when this returns; -1 with *err set once it cannot be. */
int flight_history_end(struct flight_history *h, struct error *err);

#endif
