/* libFuzzer entry for what a node says: any bytes are read as answers to INIT, ADVANCE, ADVANCE, …, at once and in
 * pieces, which must come to the same. The first byte picks the dialect ('s': service), the second how the bytes are
 * cut up. What it sent comes back to it with the next ADVANCE. */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_text.h"
#include "base/utf8.h"
#include "node/protocol.h"
#include "node/wire.h"
#include "scenario/loader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define QUANTUM         1000
#define MUST(condition) ((condition) ? (void)0 : give_up(#condition, __LINE__))

static void give_up(const char *what, int line)
{
    fprintf(stderr, "line %d: this does not hold: %s\n", line, what);
    abort();
}

static struct scenario *load(void)
{
    static const char text[] = "simulation: { duration: 1000s, time_quantum: 1ms, seed: 42 }\n"
                               "nodes:\n"
                               "  - { id: n1, type: sensor, config: { interval: 2s } }\n"
                               "  - { id: gateway, type: gateway }\n";
    struct problems problems = { 0 };
    struct scenario_source source = { .file = "fuzz.yaml", .base_dir = "/tmp", .text = text, .len = sizeof text - 1 };
    struct scenario *s = scenario_load_text(&source, &problems);
    problems_print(&problems, stderr);
    problems_clear(&problems);
    MUST(s);
    return s;
}

/* Nothing in it harms a terminal. */
static void check_shown(const char *s, size_t len)
{
    struct buffer safe = { 0 };
    utf8_escape(&safe, s, len);
    MUST(safe.len == len && (!len || memcmp(safe.data, s, len) == 0));
    buffer_free(&safe);
}

static void check_payload(struct text payload)
{
    struct json_text t;
    struct json_span value;
    const char *why;
    if (!payload.len)
        return;
    json_text_begin(&t, payload.s, payload.len);
    MUST(json_text_value(&t, &value) && json_text_end(&t));
    MUST(value.len == payload.len && !value.blanks && value.kind != JSON_NULL);
    MUST(utf8_check(payload.s, payload.len) == payload.len);
    for (size_t i = 0; i < payload.len; i++)
        MUST((unsigned char)payload.s[i] >= 0x20);
    struct json *other = json_parse(payload.s, payload.len, &why);
    MUST(other);
    json_free(other);
}

static void check_message(const struct protocol *p, const struct node *n, const struct message *m)
{
    MUST(m->time >= p->earliest && m->time < p->until && m->origin == m->time);
    MUST(m->src == n->index && m->latency == -1 && !m->reading.known);
    MUST(m->dst >= DESTINATION_UNKNOWN && m->dst < n->scenario->node_count);
    MUST(m->type.len <= 256 && utf8_check(m->type.s, m->type.len) == m->type.len);
    MUST(m->unknown_dst.len <= 256 && utf8_check(m->unknown_dst.s, m->unknown_dst.len) == m->unknown_dst.len);
    MUST(m->dst == DESTINATION_UNKNOWN || !m->unknown_dst.len);
    MUST(n->spec->dialect == DIALECT_NODE || m->size == m->payload.len);
    check_payload(m->payload);
}

/* The messages of an ADVANCE: an array of objects of so many members. */
static void check_given(const char *s, size_t len, size_t messages, size_t members)
{
    struct json_text t;
    struct json_span name, value;
    bool more;
    size_t found = 0;
    json_text_begin(&t, s, len);
    MUST(json_text_open(&t));
    for (;; found++) {
        MUST(json_text_item(&t, NULL, &more));
        if (!more)
            break;
        size_t count = 0;
        MUST(json_text_open(&t));
        for (;; count++) {
            MUST(json_text_item(&t, &name, &more));
            if (!more)
                break;
            MUST(json_text_value(&t, &value));
        }
        MUST(count == members);
    }
    MUST(json_text_end(&t) && found == messages);
}

static void advance(struct protocol *p, struct node *n, struct buffer *told)
{
    struct message_list swap = n->inbox;
    n->inbox = n->answer.sent; /* as if each had come to this node */
    n->answer.sent = swap;
    n->answer.done = false;
    size_t count = n->inbox.count, before = told->len;
    simtime from = p->until;
    protocol_advance(p, n, from, from + QUANTUM, told);
    MUST(n->inbox.count == 0 && p->expect == EXPECT_DONE && p->earliest <= from);
    const char *line = memchr(told->data + before, '\n', told->len - before);
    MUST(line && told->data[told->len - 1] == '\n');
    size_t len = (size_t)(told->data + told->len - 1 - ++line);
    MUST(!memchr(line, '\n', len));
    check_given(line, len, count, n->spec->dialect == DIALECT_NODE ? 6 : 5);
}

/* What has come with an answer goes into the transcript. */
static void note(const struct protocol *p, const struct error *err, struct node *n, struct buffer *told)
{
    size_t lines = 0;
    struct buffer *w = &n->answer.warnings;
    for (size_t at = 0, end; at < w->len; at = end + 1, lines++) {
        const char *newline = memchr(w->data + at, '\n', w->len - at);
        MUST(newline);
        end = (size_t)(newline - w->data);
        check_shown(w->data + at, end - at);
    }
    MUST(lines <= 21);
    buffer_add(told, w->data ? w->data : "", w->len);
    w->len = 0;
    MUST(err->code || n->answer.next == -1 || n->answer.next >= p->until);
    MUST(n->answer.sent.count <= PROTOCOL_MESSAGES_MAX);
    for (size_t i = 0; i < n->answer.sent.count; i++)
        check_message(p, n, n->answer.sent.items[i]);
    buffer_format(told, "next %" PRId64 "\n", n->answer.next);
}

/* Everything said to the node and found in what it says, until it breaks the protocol. */
static void play(const struct scenario *s, const char *data, size_t size, uint64_t cuts, struct buffer *told)
{
    struct node n = { .scenario = s, .spec = &s->nodes[0], .last_active = -1, .pool = message_pool_new() };
    struct protocol p = { 0 };
    struct wire w = { 0 };
    struct text line;
    struct error err = { 0 };
    protocol_init(&p, &n, told);
    while (size && !err.code) {
        size_t room, len = size;
        char *to = wire_room(&w, &room);
        if (cuts) {
            cuts = cuts * UINT64_C(6364136223846793005) + 1;
            len = (size_t)(cuts >> 33) % (cuts >> 63 ? 7 : 300) + 1;
        }
        len = len < size ? len : size;
        len = len < room ? len : room;
        memcpy(to, data, len);
        wire_filled(&w, len);
        data += len;
        size -= len;
        while (!err.code && wire_line(&w, &line, &err) == 1) {
            size_t before = n.answer.sent.count;
            MUST((protocol_take(&p, &n, line, &err) < 0) == (err.code != 0));
            MUST(!err.code || n.answer.sent.count == before);
            note(&p, &err, &n, told);
            if (n.answer.done)
                advance(&p, &n, told);
        }
    }
    if (err.code) {
        MUST(err.code == EXIT_RUN_FAILED && *err.text);
        check_shown(err.text, strlen(err.text));
    } else {
        MUST(wire_rest(&w) == 0 || !memchr(w.data + w.start, '\n', wire_rest(&w)));
        buffer_format(told, "rest %zu\n", wire_rest(&w));
    }
    buffer_format(told, "%s\nevents %" PRIu64 " last %" PRId64 "\n", err.text, n.events, n.last_active);
    wire_free(&w);
    message_list_free(&n.answer.sent);
    message_list_free(&n.inbox);
    buffer_free(&n.answer.warnings);
    message_pool_free(n.pool);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct scenario *s;
    if (!s)
        s = load();
    if (size < 2)
        return 0;
    s->nodes[0].dialect = data[0] == 's' ? DIALECT_SERVICE : DIALECT_NODE;
    struct buffer whole = { 0 }, pieces = { 0 };
    play(s, (const char *)data + 2, size - 2, 0, &whole);
    play(s, (const char *)data + 2, size - 2, data[1] + UINT64_C(1), &pieces);
    MUST(whole.len == pieces.len && memcmp(whole.data, pieces.data, whole.len) == 0);
    if (getenv("SHOW"))
        fwrite(whole.data, 1, whole.len, stdout);
    buffer_free(&whole);
    buffer_free(&pieces);
    return 0;
}
