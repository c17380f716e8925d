#include "trace/drops.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#define UNKNOWN      "unknown destination"
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

/* The drop of a message to a node that is not there does not say where it went: the message does. */
static void take_record(struct sink *sink, const struct record *r)
{
    struct drops *d = (struct drops *)sink;
    if (r->kind == RECORD_MESSAGE && r->due == SIMTIME_NEVER && r->dst_node < 0) {
        if (!count_in(d->names, NAMES_MOST, r->dst))
            d->other_names++;
    } else if (r->kind == RECORD_DROP && !text_is(r->cause, UNKNOWN)) {
        count_in(d->reasons, REASONS_MOST, r->cause);
    }
}

struct drops *drops_new(void)
{
    struct drops *d = mem_alloc(sizeof *d);
    d->sink.record = take_record;
    return d;
}

void drops_free(struct drops *d)
{
    free(d);
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
