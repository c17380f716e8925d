/* Numbers and times as people read them. Every function writes at most FORMAT_TEXT bytes, NUL included.
 *
 * Virtual times have the form that can be typed back, without a blank, except in columns of moments and in the header.
 * Elsewhere a blank before the unit is the mark of the wall clock. */
#ifndef UI_FORMAT_H
#define UI_FORMAT_H

#include <stdint.h>

#include "lockstep/simtime.h"

#define FORMAT_TEXT 48

const char *format_count(uint64_t v, char buf[FORMAT_TEXT]);            /* "1,284" */
const char *format_brief(uint64_t v, int width, char buf[FORMAT_TEXT]); /* as format_count; "3.60M" where it is wider */
const char *format_typed(simtime t, char buf[FORMAT_TEXT]);             /* "2.5s", "100us": can be typed back */
const char *format_stamp(simtime t, char buf[FORMAT_TEXT]);             /* "3.412000": in a column */
const char *format_clock(simtime t, char buf[FORMAT_TEXT]);             /* "3.412 000 s": the header's */
const char *format_spaced(simtime t, char buf[FORMAT_TEXT]);            /* "2.5 s": the header's, and limits */
const char *format_ns(uint64_t ns, char buf[FORMAT_TEXT]);              /* "850 ns", "12.3 us": wall time */
const char *format_wall(double seconds, char buf[FORMAT_TEXT]);         /* "1.2 s", "3:04 min": wall time */
const char *format_speed(double factor, char buf[FORMAT_TEXT]);         /* "12.3x" */
const char *format_load(double share, char buf[FORMAT_TEXT]);           /* 0.5: "50 %", 0.034: "3.4 %" */
const char *format_bytes(uint64_t bytes, char buf[FORMAT_TEXT]);        /* "12.3 MiB" */
const char *format_percent(double part, char buf[FORMAT_TEXT]);         /* 0.5: "50.0 %" */

#endif
