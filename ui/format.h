/* Numbers and times as people read them. Every function writes at most FORMAT_TEXT bytes, NUL included. */
#ifndef UI_FORMAT_H
#define UI_FORMAT_H

#include <stdint.h>

#include "lockstep/simtime.h"

#define FORMAT_TEXT 48

const char *format_count(uint64_t v, char buf[FORMAT_TEXT]);            /* "1,284" */
const char *format_brief(uint64_t v, int width, char buf[FORMAT_TEXT]); /* as format_count; "3.60M" where it is wider */
const char *format_duration(simtime t, char buf[FORMAT_TEXT]);          /* "2.5 s", "100 us", "1 ms" */
const char *format_clock(simtime t, char buf[FORMAT_TEXT]);             /* "3.412 000 s" */
const char *format_stamp(simtime t, char buf[FORMAT_TEXT]);             /* "3.412000" */
const char *format_ns(uint64_t ns, char buf[FORMAT_TEXT]);              /* "850 ns", "12.3 us" */
const char *format_wall(double seconds, char buf[FORMAT_TEXT]);         /* "1.2 s", "3:04 min" */
const char *format_speed(double factor, char buf[FORMAT_TEXT]);         /* "12.3x" */
const char *format_load(double share, char buf[FORMAT_TEXT]);           /* 0.5: "50 %", 0.034: "3.4 %" */
const char *format_bytes(uint64_t bytes, char buf[FORMAT_TEXT]);        /* "12.3 MiB" */
const char *format_percent(double part, char buf[FORMAT_TEXT]);         /* 0.5: "50.0 %" */

#endif
