#include "ui/watch.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/memory.h"
#include "ui/filter.h"

#define SLICE_US        8000 /* of looking, before the screen gets its turn */
#define MOVING_SLICE_US 4000 /* while the run goes on */
#define MOVING_STRIDES  16   /* then, of a watch */
#define FORWARD         4096 /* records: so many new ones are looked at each; from more of them, back from the newest */

/* The last stretch of one value in records of a node. */
struct stretch {
    uint64_t hash;        /* of the value */
    uint64_t first, last; /* records that have it */
    simtime since, t;     /* and their times */
    bool is_there;
    bool is_begun; /* there was another value before `first` */
};

struct watched {
    struct stretch value;
    uint64_t round; /* in which it was found: see watch.round */
    bool is_lost;   /* it lies behind the moment that is shown */
    bool had;       /* before the moment was changed … */
    uint64_t was;   /* … this value, as a hash */
    bool is_cut;
    uint8_t len;
    char text[WATCH_TEXT];
};

/* Records from `low` to `head` have been looked at, for nodes of which nothing was known. Where `gap` is not 0, the run
 * went on faster than it was looked at: those from `below` to `gap` were looked at as well, before, and values of
 * rounds before this one are those of then. */
struct watch {
    struct condition *field;
    struct watched *nodes;
    uint64_t head, low, gap, below;
    uint64_t round;
    int open;          /* nodes of which more is to be found out */
    bool again;        /* what is below the gap is to be looked at once more */
    bool was_complete; /* before the moment was changed */
};

struct watches {
    const struct scenario *scenario;
    int count;
    struct watch watch[WATCHES];
    simtime now; /* of the moment */
    bool was_seen;
    struct buffer text;        /* a value */
    struct stretch *found;     /* per node, in the stride that is looked at … */
    int touched[STORE_STRIDE]; /* … for these */
};

struct watches *watches_new(void)
{
    return mem_alloc(sizeof(struct watches));
}

static void free_watch(struct watch *w)
{
    condition_free(w->field);
    free(w->nodes);
}

void watches_free(struct watches *w)
{
    if (!w)
        return;
    for (int i = 0; i < w->count; i++)
        free_watch(&w->watch[i]);
    buffer_free(&w->text);
    free(w->found);
    free(w);
}

static size_t node_count(const struct watches *w)
{
    return w->scenario ? (size_t)w->scenario->node_count : 0;
}

static void begin(struct watches *all, struct watch *w)
{
    struct condition *field = w->field;
    free(w->nodes);
    *w = (struct watch){ .field = field, .open = (int)node_count(all) };
    w->nodes = all->scenario ? mem_array(node_count(all), sizeof *w->nodes) : NULL;
}

void watches_begin(struct watches *w, const struct scenario *s)
{
    w->scenario = s;
    free(w->found);
    w->found = s ? mem_array(node_count(w), sizeof *w->found) : NULL;
    for (int i = 0; i < w->count; i++)
        begin(w, &w->watch[i]);
}

int watches_count(const struct watches *w)
{
    return w->count;
}

const char *watches_text(const struct watches *w, int i)
{
    return condition_text(w->watch[i].field);
}

int watches_add(struct watches *w, const char *text, struct condition_error *err)
{
    struct condition *field = condition_parse_field(text, err);
    if (!field)
        return -1;
    for (int i = 0; i < w->count; i++)
        if (!strcmp(watches_text(w, i), condition_text(field))) {
            condition_free(field);
            return i;
        }
    if (w->count == WATCHES) {
        condition_free(field);
        *err = (struct condition_error){ .column = 1 };
        snprintf(err->text, sizeof err->text, "column 1: %d watches are the most; :unwatch removes one", WATCHES);
        return -1;
    }
    w->watch[w->count] = (struct watch){ .field = field };
    begin(w, &w->watch[w->count]);
    return w->count++;
}

void watches_remove(struct watches *w, int i)
{
    free_watch(&w->watch[i]);
    memmove(&w->watch[i], &w->watch[i + 1], (size_t)(--w->count - i) * sizeof *w->watch);
}

void watches_seen(struct watches *w)
{
    w->was_seen = true;
}

static bool is_complete(const struct watch *w)
{
    return w->low == 0;
}

/* Whether the value is that of all records up to the head. */
static bool is_now(const struct watch *w, const struct watched *n)
{
    return n->value.is_there && !n->is_lost && n->round == w->round;
}

bool watches_looking(const struct watches *w, int i)
{
    return w->watch[i].low > 0 && w->watch[i].open > 0;
}

bool watches_value(const struct watches *w, int i, int node, struct watch_value *out)
{
    const struct watch *watch = &w->watch[i];
    if (!watch->nodes || node < 0 || (size_t)node >= node_count(w) || !watch->nodes[node].value.is_there)
        return false;
    const struct watched *n = &watch->nodes[node];
    bool is_old = !is_now(watch, n);
    bool is_new = n->had ? n->was != n->value.hash : watch->was_complete;
    *out = (struct watch_value){ .text = n->text, .len = n->len, .is_cut = n->is_cut, .n = n->value.last };
    out->t = n->value.t;
    out->since = n->value.since;
    out->since_is_late = is_old || (!n->value.is_begun && !is_complete(watch));
    out->is_changed = !is_old && is_new;
    out->is_old = is_old;
    return true;
}

bool watches_whole(struct watches *w, int i, const struct watch_value *v, struct store *store, struct buffer *out)
{
    struct record r;
    return store && store_read(store, v->n, &r) == 0 && condition_value(w->watch[i].field, &r, out);
}

/* One stride of the store, as far as it lies between two records. */
struct scan {
    struct watches *all;
    struct watch *watch;
    uint64_t from, to;
    bool backward;
    int touched;
};

/* FNV-1a, 64 bits. */
static uint64_t hash(const struct buffer *b)
{
    uint64_t h = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < b->len; i++)
        h = (h ^ (unsigned char)b->data[i]) * UINT64_C(1099511628211);
    return h;
}

static int source_of(const struct watches *w, const struct record *r)
{
    char id[256];
    if (!r->src.len || r->src.len >= sizeof id)
        return -1;
    memcpy(id, r->src.s, r->src.len);
    id[r->src.len] = '\0';
    return scenario_find_node(w->scenario, id);
}

static void keep_text(struct watched *n, const struct buffer *text)
{
    size_t len = text->len < WATCH_TEXT ? text->len : WATCH_TEXT;
    n->is_cut = len < text->len;
    while (n->is_cut && len > 0 && ((unsigned char)text->data[len] & 0xc0) == 0x80)
        len--;
    if (len)
        memcpy(n->text, text->data, len);
    n->len = (uint8_t)len;
}

static bool is_settled(const struct watch *w, const struct watched *n)
{
    return is_now(w, n) && n->value.is_begun;
}

/* Takes the value of a record, where it has one, as the store looks at one after the other. */
static bool take(void *data, const struct record *r)
{
    struct scan *s = data;
    struct watches *all = s->all;
    if (r->n < s->from || r->n >= s->to)
        return false;
    int node = source_of(all, r);
    if (node < 0)
        return false;
    struct watched *n = &s->watch->nodes[node];
    if (s->backward && is_now(s->watch, n) && (n->value.is_begun || r->n >= n->value.first))
        return false;
    all->text.len = 0;
    if (!condition_value(s->watch->field, r, &all->text))
        return false;
    struct stretch *found = &all->found[node];
    uint64_t value = hash(&all->text);
    if (!found->is_there || found->hash != value) {
        if (!found->is_there)
            all->touched[s->touched++] = node;
        *found = (struct stretch){
            .hash = value, .first = r->n, .since = r->t, .is_begun = found->is_there, .is_there = true
        };
        if (!s->backward || !is_now(s->watch, n))
            keep_text(n, &all->text);
    }
    found->last = r->n;
    found->t = r->t;
    return false;
}

/* What was found in newer records, behind what was known. */
static void add_newer(const struct watch *w, struct watched *n, const struct stretch *found)
{
    if (is_now(w, n) && !found->is_begun && found->hash == n->value.hash) {
        n->value.last = found->last;
        n->value.t = found->t;
        return;
    }
    bool had = is_now(w, n);
    n->value = *found;
    n->value.is_begun |= had;
}

static void add_older(const struct watch *w, struct watched *n, const struct stretch *found)
{
    if (!is_now(w, n)) {
        n->value = *found;
    } else if (found->hash == n->value.hash) {
        n->value.first = found->first;
        n->value.since = found->since;
        n->value.is_begun = found->is_begun;
    } else {
        n->value.is_begun = true;
    }
}

static void count_open(const struct watches *all, struct watch *w)
{
    w->open = 0;
    for (size_t i = 0; i < node_count(all); i++)
        w->open += !is_settled(w, &w->nodes[i]);
}

/* Looks at records from `from` to `to`, of one stride. Returns whether there was something. */
static bool look(struct watches *all, struct watch *w, struct store *store, uint64_t from, uint64_t to, bool backward)
{
    struct scan s = { .all = all, .watch = w, .from = from, .to = to, .backward = backward };
    struct store_query q = { .holds = take, .data = &s };
    uint64_t hits[STORE_STRIDE / 64];
    filter_scope(w->field, &q);
    store_scan(store, &q, from - from % STORE_STRIDE, hits);
    for (int i = 0; i < s.touched; i++) {
        struct watched *n = &w->nodes[all->touched[i]];
        struct stretch *found = &all->found[all->touched[i]];
        if (backward)
            add_older(w, n, found);
        else
            add_newer(w, n, found);
        n->round = w->round;
        n->is_lost = false;
        found->is_there = false;
    }
    if (s.touched)
        count_open(all, w);
    return s.touched > 0;
}

/* Forgets values that lie behind the moment. */
static bool lose(const struct watches *all, struct watch *w, uint64_t count)
{
    bool lost = false;
    for (size_t i = 0; i < node_count(all); i++)
        if (w->nodes[i].value.is_there && w->nodes[i].value.last >= count)
            w->nodes[i].is_lost = lost = true;
    return lost;
}

/* What was known below the gap is what counts. */
static void take_old(const struct watches *all, struct watch *w)
{
    for (size_t i = 0; i < node_count(all); i++)
        w->nodes[i].round = w->round;
}

/* An earlier moment is shown. */
static void go_back(const struct watches *all, struct watch *w, uint64_t count)
{
    bool lost = lose(all, w, count);
    if (w->gap && count <= w->gap) {
        w->gap = 0;
        w->low = count;
    }
    w->again |= lost;
    w->head = count;
    w->low = lost || w->low > count ? count : w->low;
}

/* More records came than are looked at each. */
static void leap(struct watch *w, uint64_t count)
{
    if (!w->gap) {
        w->gap = w->head;
        w->below = w->low;
        w->again = false;
    }
    w->round++;
    w->head = w->low = count;
}

static void remember(const struct watches *all, struct watch *w)
{
    w->was_complete = is_complete(w) && w->head > 0;
    for (size_t i = 0; i < node_count(all); i++) {
        struct watched *n = &w->nodes[i];
        n->had = is_now(w, n);
        n->was = n->value.hash;
    }
}

/* Another moment than before is shown, or the run went on. */
static void move(struct watches *all, struct watch *w, struct store *store, uint64_t count)
{
    if (count < w->head) {
        go_back(all, w, count);
    } else if (count - w->head > FORWARD) {
        leap(w, count);
    } else {
        while (w->head < count) {
            uint64_t to = w->head - w->head % STORE_STRIDE + STORE_STRIDE;
            to = to < count ? to : count;
            look(all, w, store, w->head, to, false);
            w->head = to;
        }
    }
    count_open(all, w);
}

/* Over what was looked at before there was a gap. */
static void close_gap(const struct watches *all, struct watch *w)
{
    bool again = w->again;
    for (size_t i = 0; i < node_count(all); i++)
        again |= is_now(w, &w->nodes[i]) && !w->nodes[i].value.is_begun;
    take_old(all, w);
    w->low = again ? w->gap : w->below;
    w->gap = 0;
    w->again = false;
    count_open(all, w);
}

/* All records were looked at: what was not found is not there. */
static bool end(const struct watches *all, struct watch *w)
{
    bool changed = false;
    for (size_t i = 0; i < node_count(all); i++)
        if (w->nodes[i].value.is_there && !is_now(w, &w->nodes[i])) {
            w->nodes[i].value.is_there = w->nodes[i].is_lost = false;
            changed = true;
        }
    return changed;
}

/* One stride further back. Returns whether there is more. */
static bool look_further(struct watches *all, struct watch *w, struct store *store, bool *changed)
{
    if (!w->open || !w->low)
        return false;
    uint64_t to = w->low, from = (to - 1) - (to - 1) % STORE_STRIDE;
    *changed |= look(all, w, store, from, to, true);
    w->low = from;
    if (w->gap && w->low <= w->gap) {
        close_gap(all, w);
        *changed = true;
    }
    if (!w->low)
        *changed |= end(all, w) || w->open > 0; /* what is not known is not looked for any more */
    return w->open && w->low;
}

bool watches_work(struct watches *w, struct store *store, simtime now, bool moving, bool *changed)
{
    int64_t deadline = clock_us() + (moving ? MOVING_SLICE_US : SLICE_US);
    uint64_t count = store ? store_count(store) : 0;
    bool more = w->scenario && store && w->count, moved = now != w->now;
    for (int i = 0; more && i < w->count; i++)
        moved |= w->watch[i].head != count;
    for (int i = 0; more && moved && i < w->count; i++) {
        if (w->was_seen)
            remember(w, &w->watch[i]);
        move(w, &w->watch[i], store, count);
    }
    w->now = now;
    w->was_seen &= !moved;
    *changed |= moved;
    for (int strides = 0; more && (!moving || strides < MOVING_STRIDES); strides++) {
        more = false;
        for (int i = 0; i < w->count; i++)
            more |= look_further(w, &w->watch[i], store, changed);
        if (clock_us() >= deadline)
            break;
    }
    return more;
}
