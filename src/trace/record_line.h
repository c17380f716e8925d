/* A line of events.jsonl as a record, without anything being built: for looking through many. */
#ifndef TRACE_RECORD_LINE_H
#define TRACE_RECORD_LINE_H

#include <stdbool.h>

#include "lockstep/record.h"

/* Texts point into the line. False where it takes more than that, because a text has escapes, or it is no record. Nodes
 * are not known by index: -1. As in store_read, fields that the line has not are those of a record without them; of
 * `run` there is the kind and the time only. */
bool record_from_line(const char *line, size_t len, struct record *r);

/* From where the payload of a line begins, if that is an object, to the line's end; empty: it is none. False: the line
 * does not tell that at once. */
bool record_line_payload(const char *line, size_t len, struct text *out);

#endif
