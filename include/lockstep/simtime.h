/* Virtual time: whole microseconds since the start of the run, and its text forms. */
#ifndef LOCKSTEP_SIMTIME_H
#define LOCKSTEP_SIMTIME_H

#include <stddef.h>
#include <stdint.h>

typedef int64_t simtime; /* microseconds */

#define SIMTIME_NEVER INT64_MAX             /* later than every event */
#define SIMTIME_MAX INT64_C(9007199254740991) /* the latest time a scenario can name: 2^53-1 us (about 285 years),
                                               * so that every JSON reader sees it exactly (RFC 8259, section 6) */
#define SIMTIME_TEXT 40                     /* bytes that hold any text made here, with its NUL */

/* Reads "10ms", "2.5s", "100us", "1min", "1h", or a plain number counted in `unit` microseconds (1000000: seconds).
 * Blanks between number and unit are allowed. Returns 0, or -1 with a reason in *why (static text), for what is no
 * time, is negative, finer than a microsecond or beyond SIMTIME_MAX. */
int simtime_parse(const char *text, simtime unit, simtime *out, const char **why);

/* The shortest exact text with a unit: "10s", "2.5s", "1ms", "100us"; "never" for SIMTIME_NEVER. Returns its length. */
size_t simtime_format(simtime t, char buf[SIMTIME_TEXT]);

/* Seconds with six decimals, for columns: "3.412000". Returns its length. */
size_t simtime_format_seconds(simtime t, char buf[SIMTIME_TEXT]);

#endif
