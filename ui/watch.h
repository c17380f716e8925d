/* What is watched: fields of records, and per node the value that its last record with the field has, at the moment
 * that is shown. Found out from the newest record backwards, a stride of the store at a time, and no further than it
 * takes. */
#ifndef UI_WATCH_H
#define UI_WATCH_H

#include "lockstep/condition.h"
#include "lockstep/scenario.h"
#include "lockstep/store.h"

#define WATCHES    8  /* at most */
#define WATCH_TEXT 64 /* bytes of a value that are kept */

struct watches;
struct watches *watches_new(void);
void watches_free(struct watches *w); /* NULL is fine */
/* From now on those of a run of this scenario, which is borrowed; nothing is known of it yet. NULL: there is no run. */
void watches_begin(struct watches *w, const struct scenario *s);

int watches_count(const struct watches *w);
/* As condition_parse_field. Returns the watch's place, from 0, also where it is there already; -1 with *err set. */
int watches_add(struct watches *w, const char *text, struct condition_error *err);
void watches_remove(struct watches *w, int i);
const char *watches_text(const struct watches *w, int i);

struct watch_value {
    const char *text; /* its first WATCH_TEXT bytes; good until the next work */
    size_t len;
    bool is_cut;
    uint64_t n;         /* the record that has it */
    simtime t;          /* when that was */
    simtime since;      /* since when the value has been so; … */
    bool since_is_late; /* … it may have been so before */
    bool is_changed;    /* it was another one in the moment that was shown before, or there was none */
    bool is_old;        /* newer records have not been looked at yet */
};
/* False: none is known. */
bool watches_value(const struct watches *w, int i, int node, struct watch_value *out);
bool watches_looking(const struct watches *w, int i); /* for values in older records */
/* The whole value. Returns false where the record cannot be read. */
bool watches_whole(struct watches *w, int i, const struct watch_value *v, struct store *store, struct buffer *out);

/* Goes on for some milliseconds, at the moment `now`; `moving`: the run goes on, which comes first. Returns whether
 * there is more to look at; *changed is set when there is something new. */
bool watches_work(struct watches *w, struct store *store, simtime now, bool moving, bool *changed);
void watches_seen(struct watches *w); /* they were drawn: what changes from now on is marked */

#endif
