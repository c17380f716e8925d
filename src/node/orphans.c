#include "node/orphans.h"

#include <stdlib.h>

#include "base/memory.h"
#include "base/utf8.h"

#define ORPHANS_NAMED  10

void orphans_add(struct orphans *o, const struct guard_news *news)
{
    o->items = mem_grow(o->items, o->count, &o->capacity, sizeof *o->items);
    o->items[o->count++] = *news;
}

static int compare(const void *a, const void *b)
{
    const struct guard_news *x = a, *y = b;
    return x->node != y->node ? x->node - y->node : strcmp(x->name, y->name);
}

const char *orphans_text(struct orphans *o, const struct scenario *s, unsigned immortal)
{
    struct buffer *b = &o->text;
    b->len = 0;
    if (o->count)
        qsort(o->items, o->count, sizeof *o->items, compare);
    for (size_t i = 0; i < o->count && i < ORPHANS_NAMED; i++) {
        const struct guard_news *x = &o->items[i];
        buffer_text(b, i ? ", " : "");
        utf8_escape(b, x->name, strlen(x->name));
        buffer_format(b, " of %s", x->node >= 0 ? s->nodes[x->node].id : "an unknown node");
    }
    if (o->count > ORPHANS_NAMED)
        buffer_text(b, ", …");
    if (immortal)
        buffer_format(b, "%s%u that SIGKILL does not end", b->len ? ", " : "", immortal);
    return buffer_string(b);
}

void orphans_free(struct orphans *o)
{
    free(o->items);
    buffer_free(&o->text);
}
