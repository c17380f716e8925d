/* What is said about a node: a line for each check, and why where it does not hold. Everything that the node wrote is
 * escaped. */
#ifndef CHECK_REPORT_H
#define CHECK_REPORT_H

#include "base/buffer.h"
#include "lockstep/record.h"

struct report {
    int ok, failed, notes, left_out;
};

void report_ok(struct report *r, const char *name, const char *fmt, ...)
    LOCKSTEP_PRINTF(3, 4); /* "%s", "" says nothing more */
void report_note(struct report *r, const char *name, const char *fmt, ...) LOCKSTEP_PRINTF(3, 4);
/* The parts of a failure: texts of the node (escaped and cut here) and of this program. Empty ones are left out. */
struct failure {
    struct text sent, came, log;
    const char *wrong, *expected, *todo; /* NULL: none */
};
void report_failed(struct report *r, const char *name, const struct failure *f);
void report_log(const struct buffer *log);
void report_end(const struct report *r);
void report_conversation(const char *mark, const char *s, size_t len);

#endif
