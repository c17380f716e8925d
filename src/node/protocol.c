#include "node/protocol.h"

#include <inttypes.h>

#include "base/json.h"
#include "base/utf8.h"
#include "node/protocol_messages.h"

#define REASON_MAX 400 /* bytes that are kept of the text of an ERROR */

#define LITERAL(b, s) buffer_add(b, s, sizeof s - 1)

static void add_text(struct buffer *b, struct text t)
{
    buffer_add(b, t.s, t.len);
}

void protocol_init(struct protocol *p, const struct node *n, struct buffer *out)
{
    const struct scenario *s = n->scenario;
    LITERAL(out, "INIT ");
    if (n->spec->dialect == DIALECT_NODE) {
        buffer_text(out, n->spec->id);
        LITERAL(out, " ");
    }
    LITERAL(out, "{\"seed\": ");
    buffer_u64(out, s->seed);
    if (strcmp(n->spec->config_json, "{}") != 0) {
        LITERAL(out, ", \"config\": ");
        buffer_text(out, n->spec->config_json);
    }
    if (s->ml.placement != PLACEMENT_NONE) {
        LITERAL(out, ", \"ml_inference\": ");
        buffer_text(out, s->ml.json);
    }
    if (n->start_time > 0) {
        LITERAL(out, ", \"now_us\": ");
        buffer_i64(out, n->start_time);
    }
    LITERAL(out, "}\n");
    p->expect = EXPECT_READY;
}

static void add_payload(struct buffer *b, struct text payload)
{
    if (payload.len)
        add_text(b, payload);
    else
        LITERAL(b, "null");
}

/* Ids need no escapes. */
static void add_message(struct buffer *b, enum dialect dialect, const char *src, const char *dst,
                        const struct message *m)
{
    bool node = dialect == DIALECT_NODE;
    if (node)
        LITERAL(b, "{\"time_us\":");
    else
        LITERAL(b, "{\"timestamp_us\":");
    buffer_i64(b, m->time);
    if (node)
        LITERAL(b, ",\"type\":");
    else
        LITERAL(b, ",\"event_type\":");
    json_quote(b, m->type.s, m->type.len);
    if (node)
        LITERAL(b, ",\"src\":\"");
    else
        LITERAL(b, ",\"source\":\"");
    buffer_text(b, src);
    if (node)
        LITERAL(b, "\",\"dst\":\"");
    else
        LITERAL(b, "\",\"destination\":\"");
    buffer_text(b, dst);
    LITERAL(b, "\",\"payload\":");
    add_payload(b, m->payload);
    if (node) {
        LITERAL(b, ",\"size_bytes\":");
        buffer_u64(b, m->size);
    }
    LITERAL(b, "}");
}

void protocol_advance(struct protocol *p, struct node *n, simtime from, simtime until, struct buffer *out)
{
    const struct scenario_node *nodes = n->scenario->nodes;
    struct message_list *inbox = &n->inbox;
    *p = (struct protocol){ .expect = EXPECT_DONE, .from = from, .until = until, .earliest = from };
    LITERAL(out, "ADVANCE ");
    buffer_i64(out, until);
    LITERAL(out, "\n[");
    for (size_t i = 0; i < inbox->count; i++) {
        struct message *m = inbox->items[i];
        if (i)
            LITERAL(out, ",");
        add_message(out, n->spec->dialect, nodes[m->src].id, n->spec->id, m);
        if (m->time < p->earliest)
            p->earliest = m->time;
        if (m->time > n->last_active)
            n->last_active = m->time;
        message_free(m);
    }
    n->events += inbox->count;
    inbox->count = 0;
    LITERAL(out, "]\n");
}

void protocol_shutdown(struct protocol *p, struct buffer *out)
{
    LITERAL(out, "SHUTDOWN\n");
    p->expect = EXPECT_NOTHING;
}

/* Does the line begin with that word? *rest is then what follows it, without blanks around. */
static bool begins_with(struct text line, const char *word, struct text *rest)
{
    size_t len = strlen(word);
    if (line.len < len || memcmp(line.s, word, len) != 0 || (line.len > len && !memchr(" \t{", line.s[len], 3)))
        return false;
    *rest = (struct text){ line.s + len, line.len - len };
    while (rest->len && (*rest->s == ' ' || *rest->s == '\t'))
        *rest = (struct text){ rest->s + 1, rest->len - 1 };
    while (rest->len && (rest->s[rest->len - 1] == ' ' || rest->s[rest->len - 1] == '\t'))
        rest->len--;
    return true;
}

/* What else helps whoever reads that a line is none of the protocol. */
static const char *hint(const struct node *n, struct text line)
{
    struct text rest;
    if (n->spec->transport == TRANSPORT_TCP || n->spec->transport == TRANSPORT_UNIX ||
        begins_with(line, "READY", &rest) || begins_with(line, "DONE", &rest))
        return "";
    return ": its stdout is for the protocol alone, what it prints belongs on stderr";
}

static int fail_out_of_turn(const struct protocol *p, const struct node *n, struct text line, struct error *err)
{
    struct excerpt said = excerpt_of(line, 0, EXCERPT_MOST);
    const char *quote = line.len ? "\"" : "", *what = line.len ? said.text : "an empty line";
    if (p->expect == EXPECT_NOTHING)
        error_set(err, EXIT_RUN_FAILED, "said %s%s%s unasked%s", quote, what, quote, hint(n, line));
    else if (p->expect == EXPECT_READY)
        error_set(err, EXIT_RUN_FAILED, "answered %s%s%s to INIT; READY was expected%s", quote, what, quote,
                  hint(n, line));
    else
        error_set(err, EXIT_RUN_FAILED, "answered %s%s%s to ADVANCE %" PRId64 "; DONE was expected%s", quote, what,
                  quote, p->until, hint(n, line));
    return -1;
}

/* That it has failed is said by whoever tells the cause. */
static int fail_as_told(struct text reason, struct error *err)
{
    struct buffer safe = { 0 };
    size_t len = reason.len;
    if (len > REASON_MAX)
        for (len = REASON_MAX; ((unsigned char)reason.s[len] & 0xc0) == 0x80 && len > REASON_MAX - 3;)
            len--;
    utf8_escape(&safe, reason.s, len);
    if (!len)
        error_set(err, EXIT_RUN_FAILED, "it gave no reason");
    else
        error_set(err, EXIT_RUN_FAILED, "%s%s", buffer_string(&safe), len < reason.len ? "…" : "");
    buffer_free(&safe);
    return -1;
}

static int take_next(const struct protocol *p, struct node *n, const struct json_span *given, struct error *err)
{
    simtime next;
    if (given->kind == JSON_NULL) {
        n->answer.next = SIMTIME_NEVER;
        return 0;
    }
    if (given->kind != JSON_NUMBER || json_span_whole(given, &next) < 0 || next < 0 || next > SIMTIME_MAX) {
        error_set(err, EXIT_RUN_FAILED,
                  "next_us is %s; it is a whole number from 0 to %" PRId64 ", or null where it has no event of its own",
                  excerpt_of((struct text){ given->s, given->len }, 0, EXCERPT_MOST).text, SIMTIME_MAX);
        return -1;
    }
    n->answer.next = next < p->until ? p->until : next;
    return 0;
}

/* Finds next_us in the object that comes next; the last one counts. False: it is no JSON. */
static bool find_next(struct json_text *t, struct json_span *next)
{
    struct json_span name, value;
    bool more = json_text_open(t);
    if (!more)
        return false;
    for (;;) {
        if (!json_text_item(t, &name, &more))
            return false;
        if (!more)
            return json_text_end(t);
        if (!json_text_value(t, &value))
            return false;
        if (json_span_is(&name, "next_us", 7))
            *next = value;
    }
}

/* What stands behind READY or DONE. */
static int take_options(const struct protocol *p, struct node *n, struct text line, struct text rest, struct error *err)
{
    const char *word = p->expect == EXPECT_READY ? "READY" : "DONE";
    struct json_span next = { 0 };
    struct json_text t;
    n->answer.next = -1;
    if (!rest.len)
        return 0;
    if (*rest.s != '{') {
        error_set(err, EXIT_RUN_FAILED, "said \"%s\"; behind %s nothing but a JSON object may stand",
                  excerpt_of(line, 0, EXCERPT_MOST).text, word);
        return -1;
    }
    json_text_begin(&t, line.s, line.len);
    t.at = rest.s;
    if (!find_next(&t, &next)) {
        error_set(err, EXIT_RUN_FAILED, "what stands behind %s is not JSON: %s, at column %zu: \"%s\"", word, t.why,
                  json_text_column(&t), excerpt_of(line, (size_t)(t.at - t.begin), EXCERPT_MOST).text);
        return -1;
    }
    return next.len ? take_next(p, n, &next, err) : 0;
}

static int take_messages(struct protocol *p, struct node *n, struct text line, struct error *err)
{
    size_t before = n->answer.sent.count;
    if (protocol_take_messages(p, n, line, err) < 0)
        return -1;
    for (size_t i = before; i < n->answer.sent.count; i++)
        if (n->answer.sent.items[i]->time > n->last_active)
            n->last_active = n->answer.sent.items[i]->time;
    n->events += n->answer.sent.count - before;
    p->expect = EXPECT_NOTHING;
    n->answer.done = true;
    return 0;
}

int protocol_take(struct protocol *p, struct node *n, struct text line, struct error *err)
{
    struct text rest;
    if (begins_with(line, "ERROR", &rest))
        return fail_as_told(rest, err);
    switch (p->expect) {
    case EXPECT_READY:
        if (!begins_with(line, "READY", &rest))
            break;
        if (take_options(p, n, line, rest, err) < 0)
            return -1;
        p->expect = EXPECT_NOTHING;
        n->answer.done = true;
        return 0;
    case EXPECT_DONE:
        if (!begins_with(line, "DONE", &rest))
            break;
        if (take_options(p, n, line, rest, err) < 0)
            return -1;
        p->expect = EXPECT_MESSAGES;
        return 0;
    case EXPECT_MESSAGES:
        return take_messages(p, n, line, err);
    case EXPECT_NOTHING:
        break;
    }
    return fail_out_of_turn(p, n, line, err);
}
