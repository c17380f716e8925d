/* history.bin: how the run and its nodes stood at every barrier at which something had changed, so that a run can be
 * looked at as it was at any of them. With events.jsonl, the metrics and the logs, of which it says how long they were,
 * that is all that the nodes have answered. What depends on the wall clock is not in it.
 *
 * The format. Numbers are varints: 7 bits a byte, the lowest first, the top bit set in all but the last byte. A
 * difference is a varint of 2d, or of -2d - 1 where d is negative.
 *
 *     header (HISTORY_HEADER bytes)   magic "LOCKSTEP-HISTORY1\n" · varints: slot, nodes, skips (1, or 0 with
 *                                     --no-skip); zeros
 *     entry    kind (a byte) · length of the body (varint) · body · kind once more
 *     body     the differences of the run's fields (enum moment_run_field) to the entry before · how many nodes have
 *              changed (varint); for each: its index less that of the one before, less one (a difference) · which
 *              fields have changed (varint, bit k: field k of enum moment_node_field, bit 11: the cause) · their
 *              differences · the length of the cause and its bytes
 *     kinds    'c' a checkpoint: the differences are those to zero and no cause, and it has every node
 *              'd' the differences to the entry before
 *              'e' the same, of a run that is over; behind the nodes: final state (enum session_state), exit code,
 *              failed node + 1, then outcome and cause, each with its length
 *     slots    at each multiple of `slot` begins a checkpoint (in the first, behind the header); the rest of a slot
 *              that the next entry does not fit is zeros. So any time is found by bisection, and from the checkpoint
 *              before it on.
 *
 * An entry is written when the records of its barrier are. What a lockstep that was killed has not written whole is no
 * entry. */
#ifndef TRACE_HISTORY_H
#define TRACE_HISTORY_H

#include <stdbool.h>

#include "base/varint.h"
#include "lockstep/session.h"
#include "trace/folder.h"
#include "trace/moment.h"

#define HISTORY_FILE     "history.bin"
#define HISTORY_MAGIC    "LOCKSTEP-HISTORY1\n"
#define HISTORY_HEADER   64
#define HISTORY_CAUSE    (1 << MOMENT_NODE_FIELDS)
#define HISTORY_SLOT_MIN (256 << 10)
/* A slot has room for the largest checkpoint: all fields of a node as long as they can be, and its cause. */
#define HISTORY_NODE_MAX (VARINT_MAX * (MOMENT_NODE_FIELDS + 3) + MOMENT_CAUSE_MAX)

struct history;
/* Makes the file; folder and scenario are borrowed. NULL with *err set where it cannot be made. */
struct history *history_new(struct folder *f, const struct scenario *s, bool skip, struct error *err);
void history_free(struct history *h); /* NULL is fine */

/* One entry: begin, every node that may have changed, in any order, end. It is left out where nothing has changed. */
void history_begin(struct history *h, const struct moment_run *run);
void history_node(struct history *h, int i, const struct moment_node *n, const char *cause);
void history_end(struct history *h);
/* The same with the run's end. */
void history_end_of_run(struct history *h, enum session_state state, int exit_code, int failed_node,
                        const char *outcome, const char *cause);
/* What was noted is on disk when this returns; -1 with *err set once it cannot be. */
int history_flush(struct history *h, struct error *err);

#endif
