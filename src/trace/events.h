/* events.jsonl: every record of a run as a line of JSON, on disk at every barrier. */
#ifndef TRACE_EVENTS_H
#define TRACE_EVENTS_H

#include "base/digest.h"
#include "lockstep/record.h"
#include "trace/folder.h"
#include "trace/store_index.h"

struct events;
/* Folder, scenario and index are borrowed; the index learns where the records stand. */
struct events *events_new(const struct folder *f, const struct scenario *s, struct store_index *index);
struct sink *events_sink(struct events *e);
/* The digest of what stands in the file. Frees e. Call after the last barrier. */
void events_end(struct events *e, char hex[DIGEST_HEX]);

#endif
