/* Numbers the records of a run and hands each to every sink, in the sinks' order. */
#ifndef BUS_BUS_H
#define BUS_BUS_H

#include <stdbool.h>

#include "lockstep/record.h"

struct bus;
struct bus *bus_new(void);
void bus_free(struct bus *b);                         /* NULL is fine; sinks are the caller's */
void bus_attach(struct bus *b, struct sink *sink);    /* borrowed */
void bus_publish(struct bus *b, struct record *r);    /* sets r->n */
bool bus_has_news(const struct bus *b);               /* records since the last barrier */
int bus_barrier(struct bus *b, simtime now, struct error *err); /* -1: a sink can take no more */

#endif
