#include "trace/drops.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#define REASONS_MOST 8  /* different ones; there are fewer */
#define NAMES_MOST   3  /* of unknown nodes, that are told apart: the first ones */
#define NAME_MOST    64 /* bytes of each; longer ones are among the others */

struct tally {
    char text[NAME_MOST + 1];
    uint64_t count;
};

struct drops {
    struct sink sink; /* first: a sink is a drops */
    struct tally reasons[REASONS_MOST], names[NAMES_MOST];
    uint64_t other_names;
    struct session_trouble *troubles; /* their names are owned */
    size_t trouble_count, trouble_capacity, unknown_count;
    struct session_trouble failed; /* the node that has failed last: nothing was said yet of what comes of it */
    uint64_t message;              /* the last one to no node: its id, */
    int src;                       /* and from where */
    struct buffer dst;
};

/* False where it is not among them and there is no room for it. */
static bool count_in(struct tally *tallies, size_t most, struct text text)
{
    if (!text.len || text.len > NAME_MOST)
        return false;
    for (size_t i = 0; i < most; i++) {
        struct tally *t = &tallies[i];
        if (t->count && !text_is(text, t->text))
            continue;
        memcpy(t->text, text.s, text.len);
        t->count++;
        return true;
    }
    return false;
}

static void take_unknown(struct drops *d, const struct record *r)
{
    if (!count_in(d->names, NAMES_MOST, r->dst))
        d->other_names++;
    d->message = r->id;
    d->src = r->src_node;
    d->dst.len = 0;
    buffer_add(&d->dst, r->dst.s, r->dst.len);
}

/* Both kinds are in order; what is read back has one of them a while before the other. */
static void add_trouble(struct drops *d, struct session_trouble trouble)
{
    d->troubles = mem_grow(d->troubles, d->trouble_count, &d->trouble_capacity, sizeof *d->troubles);
    size_t at = d->trouble_count++;
    for (; at && d->troubles[at - 1].record > trouble.record; at--)
        d->troubles[at] = d->troubles[at - 1];
    d->troubles[at] = trouble;
}

static void add_pair(struct drops *d, const struct record *drop)
{
    const char *dst = buffer_string(&d->dst);
    if (d->message != drop->id || d->unknown_count == SESSION_UNKNOWN_MOST)
        return;
    for (size_t i = 0; i < d->trouble_count; i++)
        if (d->troubles[i].unknown && d->troubles[i].node == d->src && !strcmp(d->troubles[i].unknown, dst))
            return;
    d->unknown_count++;
    add_trouble(d, (struct session_trouble){ drop->n, drop->t, d->src, mem_text(dst), false });
}

/* A failure that the run goes on with is followed by what becomes of its node; one that ends the run is not. */
static void take_state(struct drops *d, const struct record *r)
{
    bool is_restarted = text_is(r->state, "restarted");
    if (text_is(r->state, "failed")) {
        d->failed = (struct session_trouble){ .record = r->n, .t = r->t, .node = r->src_node };
    } else if (d->failed.node == r->src_node && (is_restarted || text_is(r->state, "frozen"))) {
        d->failed.is_restarted = is_restarted;
        if (d->trouble_count - d->unknown_count < SESSION_FAILURES_MOST)
            add_trouble(d, d->failed);
        d->failed.node = -1;
    }
}

/* The drop of a message to a node that is not there does not say where it went: the message before it does. */
static void take_record(struct sink *sink, const struct record *r)
{
    struct drops *d = (struct drops *)sink;
    if (r->kind == RECORD_MESSAGE && r->due == SIMTIME_NEVER && r->dst_node < 0)
        take_unknown(d, r);
    else if (r->kind == RECORD_DROP && text_is(r->cause, DROP_UNKNOWN))
        add_pair(d, r);
    else if (r->kind == RECORD_DROP)
        count_in(d->reasons, REASONS_MOST, r->cause);
    else if (r->kind == RECORD_NODE)
        take_state(d, r);
}

struct drops *drops_new(void)
{
    struct drops *d = mem_alloc(sizeof *d);
    d->sink.record = take_record;
    d->message = UINT64_MAX;
    d->failed.node = -1;
    return d;
}

void drops_free(struct drops *d)
{
    for (size_t i = 0; d && i < d->trouble_count; i++)
        free((char *)(uintptr_t)d->troubles[i].unknown);
    if (d) {
        free(d->troubles);
        buffer_free(&d->dst);
    }
    free(d);
}

size_t drops_trouble_count(const struct drops *d)
{
    return d->trouble_count;
}

const struct session_trouble *drops_trouble(const struct drops *d, size_t i)
{
    return &d->troubles[i];
}

size_t drops_unknown_count(const struct drops *d)
{
    return d->unknown_count;
}

struct sink *drops_sink(struct drops *d)
{
    return &d->sink;
}

static void add(struct buffer *out, size_t *parts, uint64_t count, const char *what, const char *name)
{
    if (count)
        buffer_format(out, "%s%" PRIu64 " %s%s", (*parts)++ ? ", " : "", count, what, name);
}

void drops_words(const struct drops *d, struct buffer *out)
{
    size_t parts = 0;
    for (size_t i = 0; i < NAMES_MOST; i++)
        add(out, &parts, d->names[i].count, "no such node ", d->names[i].text);
    add(out, &parts, d->other_names, "to other unknown nodes", "");
    for (size_t i = 0; i < REASONS_MOST; i++)
        add(out, &parts, d->reasons[i].count, d->reasons[i].text, "");
}
