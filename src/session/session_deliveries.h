/* What was done to messages on their way, by a person or by a fault: the one reader of what commands say of them. */
#ifndef SESSION_SESSION_DELIVERIES_H
#define SESSION_SESSION_DELIVERIES_H

#include "lockstep/session.h"

enum change_kind { CHANGE_NONE, CHANGE_DROP, CHANGE_DELAY, CHANGE_EDIT };

/* What a record `command` does to one message. */
struct message_change {
    enum change_kind kind;
    uint64_t id;
    simtime due;         /* delay: when it arrives then */
    struct text payload; /* edit: points into the command's text */
};

/* By the command's words; CHANGE_NONE: it is about something else. */
enum change_kind message_change_of(struct text command, struct message_change *out);

struct deliveries;
void deliveries_free(struct deliveries *d); /* NULL is fine */

/* Looks through the records that have come since: in a slice, or `to_end`, however long that takes. Returns whether all
 * that is shown of the run is known then. May move what the store has read. */
bool deliveries_catch_up(struct session *s, bool to_end);
/* Whether somebody has asked for more than a slice; session_step then goes on with it. */
bool deliveries_are_reading(const struct session *s);
void deliveries_work(struct session *s, int64_t deadline_ns);
/* As session_read_message, of a record that was read, by what is known since the last time that was caught up with. */
void deliveries_of(const struct session *s, const struct record *r, struct session_delivery *out);

#endif
