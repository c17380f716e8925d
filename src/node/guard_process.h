/* The guard's own side: what runs in its process. */
#ifndef NODE_GUARD_PROCESS_H
#define NODE_GUARD_PROCESS_H

#include "node/guard.h"

enum guard_verb { GUARD_DO_START, GUARD_DO_SIGNAL, GUARD_DO_SWEEP, GUARD_DO_SPARE_ENGINES, GUARD_DO_NOTE_BUILT };

/* One packet; with GUARD_DO_START three descriptors come along. News go back as struct guard_news, a packet each. */
struct guard_request {
    enum guard_verb verb;
    int node, signal, port;
    char built[16]; /* a mark and an id, cut short (engine_sweep.h) */
};

/* Serves requests from a SOCK_SEQPACKET socket until its other end is closed; then ends all and exits. */
_Noreturn void guard_process(const struct guard_setup *setup, int socket);

/* Ends with SIGKILL the processes that this one is the parent or the adopter of, again and again until there is none or
 * `limit_ms` have passed. `wanted` is asked for each before, whether it is to end (NULL: it is); `all`: it never says
 * no. Returns how many are left. */
int guard_end_children(int limit_ms, bool all, bool (*wanted)(void *data, pid_t pid), void *data);

#endif
