/* The messages that were in flight at the moment that is shown of a run, by what was recorded: those of the last
 * barrier before it that was noted (flight_history.h), and what the records since say. */
#ifndef SESSION_SESSION_PAST_FLIGHT_H
#define SESSION_SESSION_PAST_FLIGHT_H

#include "lockstep/session.h"

struct past_flight;
void past_flight_free(struct past_flight *f); /* NULL is fine */

/* Where many records are to be looked through for that, session_step does it bit by bit; until then it is missing. */
bool past_flight_is_reading(const struct session *s);
void past_flight_work(struct session *s, int64_t deadline_ns); /* while it is */

/* As session_flight and its like: of the moment that is shown, or of the last barrier of a run that is over. */
const char *past_flight_missing(struct session *s);
uint64_t past_flight_count(struct session *s);
size_t past_flight_list(struct session *s, uint64_t from, struct session_message *out, size_t room);
bool past_flight_find(struct session *s, uint64_t id, struct session_message *out);
uint64_t past_flight_rank(struct session *s, uint64_t id);

#endif
