/* What a failed run tells of itself: the last messages of the node, and how to look at the run there. */
#include <inttypes.h>
#include <string.h>

#include "base/memory.h"
#include "base/shell.h"
#include "session/session_state.h"

#define MESSAGES_TOLD 5
#define LINE_TOLD     1500  /* bytes of a record */
#define RECORDS_READ  20000 /* back from the end, at most */
#define OVERTAKEN     1000  /* records before the last ones: among them those may be that were longer on their way */

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

/* A message of the node: its record, and when the node had it, or sent it. */
struct told {
    uint64_t n;
    simtime at;
};

/* The last of those that were offered, earliest first. */
struct last {
    struct told items[MESSAGES_TOLD];
    int count;
};

static void offer(struct last *l, uint64_t n, simtime at)
{
    int place = l->count;
    for (int i = 0; i < l->count; i++)
        if (l->items[i].n == n)
            return;
    while (place > 0 && (at < l->items[place - 1].at || (at == l->items[place - 1].at && n < l->items[place - 1].n)))
        place--;
    if (l->count == MESSAGES_TOLD && place == 0)
        return;
    if (l->count == MESSAGES_TOLD) { /* the first one goes */
        memmove(l->items, l->items + 1, (size_t)(--place) * sizeof *l->items);
    } else {
        memmove(l->items + place + 1, l->items + place, (size_t)(l->count - place) * sizeof *l->items);
        l->count++;
    }
    l->items[place] = (struct told){ n, at };
}

/* The record with the payload and the time with which it reached its node, and the commands that made them so. */
static void add_delivered(struct buffer *out, struct text line, const struct session_delivery *d)
{
    static const char key[] = ",\"payload\":"; /* it stands in no text: its quotes would be escaped there */
    const char *payload = memmem(line.s, line.len, key, sizeof key - 1);
    if ((!d->delayed && !d->edited) || !payload) {
        buffer_add(out, line.s, line.len);
        return;
    }
    buffer_add(out, line.s, (size_t)(payload - line.s) + sizeof key - 1);
    buffer_add(out, d->payload.s, d->payload.len);
    buffer_format(out, ",\"due\":%" PRId64 ",\"commands\":[", d->due);
    uint64_t first = d->delayed && d->delayed < d->edited ? d->delayed : d->edited ? d->edited : d->delayed;
    uint64_t second = d->delayed + d->edited - first; /* one of them may be 0 */
    buffer_format(out, "%" PRIu64, first);
    if (second)
        buffer_format(out, ",%" PRIu64, second);
    buffer_text(out, "]}");
}

/* Of a long one only where it is to be found. */
static void tell(const struct session *s, const struct last *l, bool is_in, struct buffer *out)
{
    for (int i = 0; i < l->count; i++) {
        struct record r;
        struct session_delivery d;
        struct text line;
        uint64_t n = l->items[i].n;
        if (session_read_message(s, n, &r, &d) < 0 || store_line(s->results.store, n, &line) < 0)
            continue;
        buffer_text(out, out->len ? ",\n    " : "\n    ");
        size_t before = out->len;
        if (is_in)
            add_delivered(out, line, &d);
        else
            buffer_add(out, line.s, line.len);
        if (out->len - before <= LINE_TOLD)
            continue;
        size_t len = out->len - before;
        out->len = before;
        buffer_format(out, "{\"n\":%" PRIu64 ",\"bytes\":%zu}", n, len);
    }
}

/* Record n, where it is a message to the node, or from it. */
static void consider(struct session *s, const char *id, uint64_t n, struct last *in, struct last *out)
{
    struct record r;
    struct session_delivery d;
    if (session_read_message(s, n, &r, &d) < 0 || r.kind != RECORD_MESSAGE)
        return;
    if (text_is(r.dst, id) && d.due != SIMTIME_NEVER && d.due <= now_of(s))
        offer(in, n, d.due);
    if (text_is(r.src, id))
        offer(out, n, (simtime)n); /* in the order in which they were sent */
}

void session_last_messages(struct session *s, int node, struct buffer *in, struct buffer *out)
{
    struct store *store = s->results.store;
    const char *id = s->scenario->nodes[node].id;
    struct store_query q = { .node = id };
    struct last ins = { 0 }, outs = { 0 };
    uint64_t n = store_count(store), left = RECORDS_READ, known = 0;
    deliveries_catch_up(s, true);
    while (n > 0 && left > 0) {
        uint64_t from = --n;
        if (store_find(store, &q, true, left, &n) != STORE_FOUND)
            break;
        left -= from - n + 1 < left ? from - n + 1 : left;
        consider(s, id, n, &ins, &outs);
        if (!known && ins.count == MESSAGES_TOLD && outs.count == MESSAGES_TOLD)
            known = n;
        if (known && known - n > OVERTAKEN)
            break;
    }
    struct session_late late;
    enum store_found found;
    for (size_t at = 0; (found = session_next_late(s, node, &at, &late)) != STORE_NOT_FOUND;)
        if (found == STORE_FOUND && late.due <= now_of(s) && (ins.count < MESSAGES_TOLD || late.due >= ins.items[0].at))
            offer(&ins, late.n, late.due);
    tell(s, &ins, true, in);
    tell(s, &outs, false, out);
}
