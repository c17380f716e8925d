/* What a failed run tells of itself: the last messages of the node, and how to look at the run there. */
#include <inttypes.h>
#include <string.h>

#include "base/memory.h"
#include "base/shell.h"
#include "session/session_state.h"

#define MESSAGES_TOLD 5
#define LINE_TOLD     1500  /* bytes of a record */
#define RECORDS_READ  20000 /* back from the end, at most */

void session_replay_command(const struct session *s, struct buffer *out)
{
    struct session_status status;
    session_status(s, &status);
    buffer_text(out, "lockstep replay ");
    shell_word(out, status.run_dir);
    char time[SIMTIME_TEXT];
    simtime_format(status.now, time);
    buffer_format(out, " --at %s", time);
}

/* Puts a record before those that are there: it is an earlier one. Of a long one only where it is to be found. */
static void add_before(struct buffer *list, uint64_t n, struct text line)
{
    struct buffer all = { 0 };
    buffer_text(&all, "\n    ");
    if (line.len <= LINE_TOLD)
        buffer_add(&all, line.s, line.len);
    else
        buffer_format(&all, "{\"n\":%" PRIu64 ",\"bytes\":%zu}", n, line.len);
    buffer_text(&all, list->len ? "," : "");
    buffer_add(&all, list->data ? list->data : "", list->len);
    buffer_free(list);
    *list = all;
}

void session_last_messages(struct session *s, int node, struct buffer *in, struct buffer *out)
{
    struct store *store = s->results.store;
    const char *id = s->scenario->nodes[node].id;
    struct store_query q = { .node = id };
    uint64_t n = store_count(store), left = RECORDS_READ;
    int ins = 0, outs = 0;
    while (n > 0 && left > 0 && (ins < MESSAGES_TOLD || outs < MESSAGES_TOLD)) {
        struct record r;
        struct text line;
        uint64_t from = --n;
        if (store_find(store, &q, true, left, &n) != STORE_FOUND || store_read(store, n, &r) < 0)
            break;
        left -= from - n + 1 < left ? from - n + 1 : left;
        if (r.kind != RECORD_MESSAGE || store_line(store, n, &line) < 0)
            continue;
        if (text_is(r.dst, id) && r.due != SIMTIME_NEVER && r.due <= now_of(s) && ins < MESSAGES_TOLD && ++ins)
            add_before(in, n, line);
        if (text_is(r.src, id) && outs < MESSAGES_TOLD && ++outs)
            add_before(out, n, line);
    }
}
