/* Which records a condition holds for, found out bit by bit from a place outwards: a bit per record, a stride of the
 * store at a time, so that a run of ten million records takes little more than a megabyte. What is known of is one
 * piece without gaps around that place; hits count from its first. */
#ifndef UI_FILTER_H
#define UI_FILTER_H

#include "lockstep/condition.h"
#include "lockstep/store.h"
#include "ui/keymap.h"

struct filter;
/* Takes the condition, which must need nothing besides the record. */
struct filter *filter_new(struct condition *c);
void filter_free(struct filter *f); /* NULL is fine */
/* Why a condition is none for filter and find, perhaps in `buf`; NULL: it is one. */
const char *filter_refuses(const struct condition *c, const struct keymap *keys, char buf[KEYMAP_TEXT]);
const char *filter_text(const struct filter *f);
void filter_query(struct filter *f, struct store_query *q); /* for store_find; nothing in *q is left as it was */
/* What of a query follows from a condition's scope, for one with `holds`. */
void filter_scope(const struct condition *c, struct store_query *q);

/* Goes on from here: where nothing is known of record n yet, what is known of elsewhere is out of sight for now. */
void filter_go(struct filter *f, uint64_t n);
/* Looks on for some milliseconds, in both directions; `tail`: from the newest record backwards. Returns whether there
 * is more to look at; *changed is set when a hit was found. */
bool filter_work(struct filter *f, struct store *store, bool tail, bool *changed);
bool filter_complete(const struct filter *f,
                     uint64_t records); /* all of so many records were looked at, and are in sight */

/* There are so many records now: fewer than before, where an earlier moment of the run is shown. */
void filter_fit(struct filter *f, uint64_t records);
uint64_t filter_count(const struct filter *f);                        /* hits in sight */
uint64_t filter_rank(const struct filter *f, uint64_t n);             /* hits in sight before record n */
bool filter_select(const struct filter *f, uint64_t k, uint64_t *n);  /* the k-th hit in sight, from 0 */
bool filter_holds(struct filter *f, struct store *store, uint64_t n); /* for record n, wherever it is */

#endif
