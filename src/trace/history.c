#include "trace/history.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/varint.h"
#include "trace/write.h"

struct history {
    const struct folder *folder;
    int fd, node_count;
    int64_t slot, written;
    bool has_entries;
    struct moment_run run, next_run; /* of the last entry; of the one that is being noted */
    struct moment_node *nodes;
    char **causes;         /* of the nodes, as in the last entry; NULL: none */
    struct buffer changed; /* the nodes' part of the entry that is being noted */
    int changed_count, changed_last;
    struct buffer body, pending; /* an entry's; what is not written yet */
    struct error failure;
};

static int64_t slot_size(int node_count)
{
    int64_t least = 2 * (int64_t)HISTORY_NODE_MAX * node_count, slot = HISTORY_SLOT_MIN;
    while (slot < least)
        slot *= 2;
    return slot;
}

struct history *history_new(struct folder *f, const struct scenario *s, bool skip, struct error *err)
{
    int fd = folder_create(f, HISTORY_FILE, err);
    if (fd < 0)
        return NULL;
    struct history *h = mem_alloc(sizeof *h);
    h->folder = f;
    h->fd = fd;
    h->node_count = s->node_count;
    h->slot = slot_size(s->node_count);
    h->nodes = mem_array((size_t)s->node_count, sizeof *h->nodes);
    h->causes = mem_array((size_t)s->node_count, sizeof *h->causes);
    buffer_text(&h->pending, HISTORY_MAGIC);
    varint_add(&h->pending, (uint64_t)h->slot);
    varint_add(&h->pending, (uint64_t)h->node_count);
    varint_add(&h->pending, skip);
    static const char zeros[HISTORY_HEADER] = { 0 };
    buffer_add(&h->pending, zeros, HISTORY_HEADER - h->pending.len);
    return h;
}

void history_free(struct history *h)
{
    if (!h)
        return;
    close(h->fd);
    for (int i = 0; i < h->node_count; i++)
        free(h->causes[i]);
    free(h->causes);
    free(h->nodes);
    buffer_free(&h->changed);
    buffer_free(&h->body);
    buffer_free(&h->pending);
    free(h);
}

static int64_t difference(int64_t a, int64_t b) /* it may wrap around: reading wraps back */
{
    return (int64_t)((uint64_t)a - (uint64_t)b);
}

/* Of a node, by its difference to `before`; nothing where there is none and the node need not be there. */
static void add_node(struct history *h, int i, const struct moment_node *before, const struct moment_node *n,
                     const char *cause, bool must)
{
    unsigned mask = cause ? HISTORY_CAUSE : 0;
    for (int k = 0; k < MOMENT_NODE_FIELDS; k++)
        mask |= (unsigned)(n->v[k] != before->v[k]) << k;
    if (!mask && !must)
        return;
    if (h->changed.capacity - h->changed.len < HISTORY_NODE_MAX)
        buffer_grow(&h->changed, HISTORY_NODE_MAX);
    char *to = varint_put(varint_put_signed(h->changed.data + h->changed.len, i - h->changed_last - 1), mask);
    for (int k = 0; k < MOMENT_NODE_FIELDS; k++)
        if (mask & (1u << k))
            to = varint_put_signed(to, difference(n->v[k], before->v[k]));
    if (cause) {
        size_t len = strlen(cause);
        to = varint_put(to, len);
        memcpy(to, cause, len);
        to += len;
    }
    h->changed.len = (size_t)(to - h->changed.data);
    h->changed_count++;
    h->changed_last = i;
}

static void begin_nodes(struct history *h)
{
    h->changed.len = 0;
    h->changed_count = 0;
    h->changed_last = -1;
}

void history_begin(struct history *h, const struct moment_run *run)
{
    h->next_run = *run;
    begin_nodes(h);
}

void history_node(struct history *h, int i, const struct moment_node *n, const char *cause)
{
    size_t len = strnlen(cause, MOMENT_CAUSE_MAX);
    const char *old = h->causes[i] ? h->causes[i] : "";
    bool is_new = strlen(old) != len || memcmp(old, cause, len) != 0;
    if (!is_new && memcmp(n, &h->nodes[i], sizeof *n) == 0)
        return;
    if (is_new) {
        free(h->causes[i]);
        h->causes[i] = mem_text_n(cause, len);
    }
    add_node(h, i, &h->nodes[i], n, is_new ? h->causes[i] : NULL, false);
    h->nodes[i] = *n;
}

static void make_body(struct history *h, const struct moment_run *before)
{
    h->body.len = 0;
    for (int k = 0; k < MOMENT_RUN_FIELDS; k++)
        varint_add_signed(&h->body, difference(h->next_run.v[k], before->v[k]));
    varint_add(&h->body, (uint64_t)h->changed_count);
    buffer_add(&h->body, h->changed.data, h->changed.len);
}

static void add_entry(struct history *h, char kind)
{
    buffer_add(&h->pending, &kind, 1);
    varint_add(&h->pending, h->body.len);
    buffer_add(&h->pending, h->body.data, h->body.len);
    buffer_add(&h->pending, &kind, 1);
    h->has_entries = true;
}

/* Every node, whatever it was before. */
static void add_checkpoint(struct history *h)
{
    static const struct moment_node no_node;
    static const struct moment_run no_run;
    begin_nodes(h);
    for (int i = 0; i < h->node_count; i++)
        add_node(h, i, &no_node, &h->nodes[i], h->causes[i] && *h->causes[i] ? h->causes[i] : NULL, true);
    make_body(h, &no_run);
    add_entry(h, 'c');
}

/* Where the next entry does not fit the slot it is a checkpoint, in the next one. */
static void add_fitting(struct history *h, char kind)
{
    int64_t at = h->written + (int64_t)h->pending.len, left = h->slot - at % h->slot;
    bool fits = at % h->slot != 0 && (int64_t)h->body.len + 12 <= left;
    if (h->has_entries && fits) {
        add_entry(h, kind);
        return;
    }
    if (h->has_entries && left < h->slot) {
        buffer_grow(&h->pending, (size_t)left);
        memset(h->pending.data + h->pending.len, 0, (size_t)left);
        h->pending.len += (size_t)left;
    }
    add_checkpoint(h);
}

void history_end(struct history *h)
{
    if (h->failure.code || (!h->changed_count && memcmp(&h->next_run, &h->run, sizeof h->run) == 0))
        return;
    make_body(h, &h->run);
    add_fitting(h, 'd');
    h->run = h->next_run;
    begin_nodes(h);
}

static void add_text(struct buffer *b, const char *text)
{
    varint_add(b, strlen(text));
    buffer_text(b, text);
}

void history_end_of_run(struct history *h, enum session_state state, int exit_code, int failed_node,
                        const char *outcome, const char *cause)
{
    history_end(h);
    if (h->failure.code)
        return;
    begin_nodes(h);
    make_body(h, &h->run); /* no difference any more */
    varint_add(&h->body, (uint64_t)state);
    varint_add(&h->body, (uint64_t)exit_code);
    varint_add(&h->body, (uint64_t)(failed_node + 1));
    add_text(&h->body, outcome);
    add_text(&h->body, cause);
    int64_t at = h->written + (int64_t)h->pending.len, left = h->slot - at % h->slot;
    if (at % h->slot == 0 || (int64_t)h->body.len + 12 > left) { /* a checkpoint goes before it */
        struct buffer end = h->body;
        h->body = (struct buffer){ 0 };
        add_fitting(h, 'd');
        buffer_free(&h->body);
        h->body = end;
    }
    add_entry(h, 'e');
}

int history_flush(struct history *h, struct error *err)
{
    if (!h->failure.code && h->pending.len) {
        size_t done = write_all(h->fd, h->pending.data, h->pending.len);
        if (done < h->pending.len)
            folder_failed(h->folder, HISTORY_FILE, &h->failure);
        h->written += (int64_t)done;
        h->pending.len = 0;
    }
    if (!h->failure.code)
        return 0;
    error_set(err, h->failure.code, "%s", h->failure.text);
    return -1;
}
