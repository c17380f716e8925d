/* logs/NODE.log: what a node outside the program wrote that is no answer, each line with the virtual time at which it
 * came. A file is made with the first line. */
#ifndef TRACE_LOGS_H
#define TRACE_LOGS_H

#include "trace/folder.h"

#define LOGS_MAX (64u << 20) /* bytes of a file; more is cut, and the last line says so */

struct logs;
struct logs *logs_new(struct folder *f, const struct scenario *s); /* both borrowed */
void logs_free(struct logs *l); /* NULL is fine */
/* Bytes that node i wrote, in any pieces. */
void logs_write(struct logs *l, int i, simtime now, const char *data, size_t len);
int logs_result(const struct logs *l, struct error *err); /* -1 with *err set once a file could not be written */
/* The end of node i's file, the last `size`-1 bytes at most, cut to whole lines; NUL-terminated. Returns the length. */
size_t logs_tail(const struct logs *l, int i, char *buf, size_t size);
uint64_t logs_size(const struct logs *l, int i); /* bytes of node i's file */

#endif
