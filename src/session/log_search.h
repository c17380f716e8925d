/* Looking through the logs of a run for the line at which a breakpoint would stop it, forward or backward, a slice at a
 * time. When a line was there is known by history.bin: the first barrier at which the log was that long. */
#ifndef SESSION_LOG_SEARCH_H
#define SESSION_LOG_SEARCH_H

#include "lockstep/session.h"
#include "session/log_probe.h"

struct log_search;
/* From barrier `from` on, up to `target`; NULL where the history cannot be read. */
struct log_search *log_search_new(struct session *s, bool backward, simtime from, simtime target);
void log_search_free(struct log_search *l); /* NULL is fine */
/* Breakpoint `id`, which counts from the `from_hit`th line on that matches. Owns the probe. */
void log_search_add(struct log_search *l, int id, struct log_probe *probe, uint64_t from_hit);
/* Returns whether there is more to look at. */
bool log_search_work(struct log_search *l, int64_t deadline_ns);

/* The nearest: once there is nothing more to look at. False: there is none. */
struct log_found {
    int id;
    simtime t;      /* the barrier */
    char line[200]; /* "NODE: " and the line, which cannot harm a terminal */
};
bool log_search_found(struct log_search *l, struct log_found *out);

#endif
