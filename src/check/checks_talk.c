/* One conversation: what is asked in a run, plain and odd. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check/checks.h"
#include "check/hints.h"
#include "node/protocol_messages.h"

#define QUIET_NS    INT64_C(100000000) /* in which nothing may come that was not asked for */
#define OTHER_NS    INT64_C(3000000000) /* for a look whether the node speaks the other dialect */
#define QUANTUM     1000
#define BIG_QUANTUM 5000000
#define QUANTA      100
#define MANY        1000
#define LATER       100000 /* in which a node may answer a message that the user gave */
#define TYPES_SHOWN 6      /* of messages that it sends then */
#define TYPE_SHOWN  40     /* characters of each */

/* Where the cause is known, it is told as it is; else what came may say more. */
static void fail(struct run *r, const char *name, struct talk *t, const char *todo, bool is_cause)
{
    char expected[120], limit[SIMTIME_TEXT];
    bool is_init = t->protocol.expect == EXPECT_READY;
    simtime_format(t->subject->limit_ns / 1000, limit);
    if (is_init)
        snprintf(expected, sizeof expected, "a line READY within %s", limit);
    else
        snprintf(expected, sizeof expected,
                 "a line DONE and a line with its messages, [] where there are none, within %s", limit);
    struct buffer hint = { 0 };
    if (is_cause)
        buffer_text(&hint, todo);
    else
        hint_add(t, todo, &hint);
    struct failure f = { .sent = { t->sent.data, t->sent.len },
                         .came = { t->came.data, t->came.len },
                         .wrong = t->failure.text,
                         .expected = t->fault == FAULT_START ? "a process that can be spoken to" : expected,
                         .todo = buffer_string(&hint) };
    if (t->fault == FAULT_START)
        f.sent.len = 0;
    if (t->fault == FAULT_START || t->fault == FAULT_END)
        f.log = hint_log(t);
    report_failed(&r->report, name, &f);
    buffer_free(&hint);
    talk_close(t);
}

/* Whether it failed at messages after it had answered others, and yet a new process answers these: then it is not these
 * messages that are too much for it. */
static bool is_stuck(struct run *r, struct talk *t)
{
    bool is_silent = t->fault == FAULT_LATE && !t->came.len;
    if (!(is_silent || t->fault == FAULT_END || hint_is_error(t)) || !t->given || !t->messages)
        return false;
    struct findings ignored = { 0 };
    struct talk alone = { 0 };
    peer_close(&t->peer);
    bool is = talk_open(&alone, &r->subject, &ignored, HELLO_PLAIN) && (!t->now || talk_advance(&alone, t->now)) &&
              talk_repeat(&alone, t);
    talk_close(&alone);
    findings_free(&ignored);
    return is;
}

void checks_fail(struct run *r, const char *name, struct talk *t, const char *todo)
{
    char stuck_todo[200];
    if (!is_stuck(r, t)) {
        fail(r, name, t, todo, false);
        return;
    }
    size_t len = strlen(t->failure.text);
    bool is_silent = t->fault == FAULT_LATE;
    snprintf(t->failure.text + len, sizeof t->failure.text - len, ", after %zu message%s that it answered", t->messages,
             t->messages == 1 ? "" : "s");
    snprintf(stuck_todo, sizeof stuck_todo,
             "a new process answers this request: look what the node %s, or has used up, after %zu message%s",
             is_silent ? "waits for" : "has kept", t->messages, t->messages == 1 ? "" : "s");
    if (is_silent) { /* each further one would take as long */
        r->is_stuck = true;
        r->reached = r->reached > REACHED_ADVANCE ? REACHED_ADVANCE : r->reached;
    }
    fail(r, name, t, stuck_todo, is_silent);
}

bool checks_ready(struct run *r, const char *name)
{
    if (r->talk.is_open)
        return true;
    if (talk_open(&r->talk, &r->subject, &r->findings, HELLO_PLAIN))
        return true;
    checks_fail(
        r, name, &r->talk,
        "a process of this node was READY before, and this one was not: each start must be as good as the first");
    return false;
}

/* Whether the node does better in the other dialect. */
static bool speaks_other(struct run *r, bool with_message)
{
    struct scenario_node *node = r->subject.node;
    struct findings ignored = { 0 };
    struct talk t = { 0 };
    int64_t limit = r->subject.limit_ns;
    r->subject.limit_ns = limit < OTHER_NS ? limit : OTHER_NS;
    node->dialect = node->dialect == DIALECT_NODE ? DIALECT_SERVICE : DIALECT_NODE;
    bool good = talk_open(&t, &r->subject, &ignored, HELLO_PLAIN);
    if (good && with_message && (good = talk_advance(&t, QUANTUM))) { /* as far as it came in its own */
        talk_message(&t, t.now, r->subject.type, "{\"value\":1}");
        good = talk_advance(&t, QUANTUM);
    }
    talk_close(&t);
    findings_free(&ignored);
    r->subject.limit_ns = limit;
    node->dialect = node->dialect == DIALECT_NODE ? DIALECT_SERVICE : DIALECT_NODE;
    return good;
}

static const char *dialect_todo(const struct run *r)
{
    return r->subject.node->dialect == DIALECT_NODE ? "it speaks dialect service, and does better there: check it with "
                                                      "--dialect service, and set `dialect: service` "
                                                      "in the scenario"
                                                    : "it speaks dialect node, and does better there: check it with "
                                                      "--dialect node, and set `dialect: node` in the "
                                                      "scenario";
}

/* A failure that the other dialect may explain. */
static void fail_or_other(struct run *r, const char *name, bool other, const char *todo)
{
    fail(r, name, &r->talk, other ? dialect_todo(r) : todo, other);
}

static void check_init(struct run *r, const struct check *c)
{
    struct talk *t = &r->talk;
    if (talk_open(t, &r->subject, &r->findings, HELLO_PLAIN)) {
        report_ok(&r->report, c->name, "after %.1f ms", (double)t->took_ns / 1e6);
        r->reached = REACHED_READY;
        r->ready_ns = t->took_ns;
        return;
    }
    bool other = (t->fault == FAULT_LATE || t->fault == FAULT_END || t->fault == FAULT_WRONG);
    if (other) {
        peer_close(&t->peer);
        other = speaks_other(r, false);
    }
    fail_or_other(r, c->name, other, "answer a line that begins with INIT with the line READY, and flush it");
}

static void check_quiet(struct run *r, const struct check *c)
{
    struct talk *t = &r->talk;
    if (!checks_ready(r, c->name))
        return;
    t->came.len = 0;
    if (talk_is_quiet(t, QUIET_NS)) {
        report_ok(&r->report, c->name, "%s", "");
        return;
    }
    struct buffer hint = { 0 };
    hint_add(t, "answer each request once, in lines that end in \\n, and print everything else to stderr", &hint);
    struct failure f = { .sent = { t->sent.data, t->sent.len },
                         .came = { t->came.data, t->came.len },
                         .wrong = t->failure.text,
                         .expected = "nothing behind the answer, until the next request",
                         .todo = buffer_string(&hint) };
    report_failed(&r->report, c->name, &f);
    buffer_free(&hint);
    talk_close(t);
}

static void check_advance(struct run *r, const struct check *c)
{
    if (!checks_ready(r, c->name))
        return;
    if (!talk_advance(&r->talk, QUANTUM)) {
        checks_fail(
            r, c->name, &r->talk,
            "read two lines for ADVANCE, of which the second may be []; handle what comes before the target; then "
            "answer with two lines, without waiting for real time");
        return;
    }
    report_ok(&r->report, c->name, "%s", "");
    r->reached = REACHED_ADVANCE;
}

static void check_message(struct run *r, const struct check *c)
{
    struct talk *t = &r->talk;
    if (!checks_ready(r, c->name))
        return;
    talk_message(t, t->now, r->subject.type, "{\"value\":1}");
    if (talk_advance(t, QUANTUM)) {
        report_ok(&r->report, c->name, "%s", "");
        r->reached = REACHED_MESSAGE;
        return;
    }
    bool other = t->fault != FAULT_HELD && t->fault != FAULT_HALF;
    if (other) {
        peer_close(&t->peer);
        other = speaks_other(r, true);
    }
    fail_or_other(r, c->name, other,
                  strcmp(r->subject.type, TYPE_OF_CHECK) != 0
                      ? "a payload may be any JSON value: look at it before using it"
                      : "leave alone messages whose type the node does not know, whatever their payload");
}

/* What the node sent: "ACK to peer, NOTED, and 3 more". */
static void add_types(const struct run *r, const struct message_list *sent, struct buffer *out, size_t *count)
{
    for (size_t i = 0; i < sent->count; i++, ++*count) {
        const struct message *m = sent->items[i];
        if (*count >= TYPES_SHOWN)
            continue;
        buffer_format(out, "%s%s", *count ? ", " : "", excerpt_of(m->type, 0, TYPE_SHOWN).text);
        if (m->dst == DESTINATION_UNKNOWN)
            buffer_format(out, " to %s", excerpt_of(m->unknown_dst, 0, TYPE_SHOWN).text);
        else if (m->dst != DESTINATION_NONE)
            buffer_format(out, " to %s", m->dst >= 0 ? r->subject.scenario->nodes[m->dst].id : "*");
    }
}

/* Each message of the user alone, and what comes of it at once and a little later. */
static bool check_sample(struct run *r, const char *name, const struct sample *sample)
{
    struct talk *t = &r->talk;
    struct buffer types = { 0 };
    size_t count = 0;
    talk_message(t, t->now, sample->type, sample->payload);
    bool good = talk_advance(t, QUANTUM);
    add_types(r, &t->node.answer.sent, &types, &count);
    if (good && (good = talk_advance(t, LATER)))
        add_types(r, &t->node.answer.sent, &types, &count);
    if (!good)
        checks_fail(r, name, t,
                    "it is a message that --message gives: see that it is as the node wants it; a node had better "
                    "leave alone what it cannot use");
    else if (!count)
        report_ok(&r->report, name, "it sends nothing within 100 ms of virtual time");
    else
        report_ok(&r->report, name, "it sends %s%s", buffer_string(&types), count > TYPES_SHOWN ? ", …" : "");
    buffer_free(&types);
    return good;
}

static void check_samples(struct run *r, const struct check *c)
{
    const struct samples *s = &r->subject.samples;
    char name[80 + sizeof(struct excerpt)];
    r->is_stuck = false; /* a new process begins anew */
    for (size_t i = 0; i < s->count; i++) {
        if (r->is_stuck) {
            r->report.left_out++;
            continue;
        }
        snprintf(name, sizeof name, "%s%zu (%s)", c->name, i + 1,
                 excerpt_of((struct text){ s->items[i].type, strlen(s->items[i].type) }, 0, TYPE_SHOWN).text);
        if (!checks_ready(r, name))
            return;
        check_sample(r, name, &s->items[i]);
    }
}

static void check_payloads(struct run *r, const struct check *c)
{
    static const struct {
        const char *name, *payload;
    } rows[] = {
        { "an object", "{\"value\":21.5,\"unit\":\"C\",\"good\":true}" },
        { "an empty object", "{}" },
        { "a string", "\"text\"" },
        { "a number", "-12.5e-3" },
        { "a number of many digits", "12345678901234567890.125" },
        { "true", "true" },
        { "null", "null" },
        { "nested arrays and objects", "[1,[2,[3,{\"four\":[]}]],{\"five\":{\"six\":null}}]" },
        { "text outside ASCII", "{\"Zürich\":\"☃ 𝄞\"}" },
        { "escapes", "{\"text\":\"quote \\\" backslash \\\\ newline \\n \\u0001 \\ud834\\udd1e\"}" },
    };
    char name[80];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (r->is_stuck) {
            r->report.left_out++;
            continue;
        }
        snprintf(name, sizeof name, "%s%s", c->name, rows[i].name);
        if (!checks_ready(r, name))
            return;
        talk_message(&r->talk, r->talk.now, r->subject.type, rows[i].payload);
        if (talk_advance(&r->talk, QUANTUM))
            report_ok(&r->report, name, "%s", "");
        else
            checks_fail(
                r, name, &r->talk,
                "a payload may be any JSON value; look at its kind before using it, and leave alone types that the "
                "node does not know");
    }
}

static void check_odd_messages(struct run *r, const struct check *c)
{
    struct talk *t = &r->talk;
    if (!checks_ready(r, c->name) || (t->now < QUANTUM && !talk_advance(t, QUANTUM)))
        return;
    talk_message(t, t->now, "a type with \"quotes\" and a \\", "1");
    talk_message(t, t->now, r->subject.type, "2");
    talk_message(t, t->now, r->subject.type, "2");
    if (talk_advance(t, QUANTUM))
        report_ok(&r->report, c->name, "%s", "");
    else
        checks_fail(
            r, c->name, t,
            "several messages may have one time and one content: they are handled in the order in which they come, "
            "and a type is any text");
}

static void check_early_message(struct run *r, const struct check *c)
{
    struct talk *t = &r->talk;
    if (!checks_ready(r, c->name) || (t->now < QUANTUM && !talk_advance(t, QUANTUM)))
        return;
    talk_message(t, t->now - QUANTUM / 2, r->subject.type, "{\"value\":1}");
    if (talk_advance(t, QUANTUM))
        report_ok(&r->report, c->name, "%s", "");
    else
        checks_fail(r, c->name, t,
                    "without a network model a message comes with a time in the quantum before: handle it at once");
}

static void check_pieces(struct run *r, const struct check *c)
{
    if (!checks_ready(r, c->name))
        return;
    talk_message(&r->talk, r->talk.now, r->subject.type, "{\"value\":1}");
    if (talk_advance_in_pieces(&r->talk, QUANTUM))
        report_ok(&r->report, c->name, "%s", "");
    else
        checks_fail(
            r, c->name, &r->talk,
            "read up to the line end, whatever the pieces: one read may give a part of a line, or several lines");
}

static void check_quanta(struct run *r, const struct check *c)
{
    struct talk *t = &r->talk;
    if (!checks_ready(r, c->name))
        return;
    for (int i = 0; i < QUANTA; i++) {
        if (i % 10 == 5)
            talk_sample(t, t->now);
        if (!talk_advance(t, QUANTUM)) {
            checks_fail(r, c->name, t, "answer every ADVANCE alike, however many there are");
            return;
        }
    }
    report_ok(&r->report, c->name, "%s", "");
}

static void check_big_quantum(struct run *r, const struct check *c)
{
    if (!checks_ready(r, c->name))
        return;
    if (talk_advance(&r->talk, BIG_QUANTUM)) {
        report_ok(&r->report, c->name, "%zu messages in its answer, %.1f ms", r->talk.node.answer.sent.count,
                  (double)r->talk.took_ns / 1e6);
        return;
    }
    r->is_slow = r->talk.fault == FAULT_LATE;
    checks_fail(r, c->name, &r->talk,
                "a quantum may have any length: handle all events before the target, without waiting for real time");
}

static void check_many(struct run *r, const struct check *c)
{
    struct talk *t = &r->talk;
    if (!checks_ready(r, c->name))
        return;
    for (int i = 0; i < MANY; i++)
        talk_message(t, t->now, r->subject.type, "{\"value\":1,\"text\":\"0123456789012345678901234567890123456789\"}");
    if (talk_advance(t, QUANTUM))
        report_ok(&r->report, c->name, "%.1f ms for a line of %zu KiB", (double)t->took_ns / 1e6, t->sent.len / 1024);
    else
        checks_fail(
            r, c->name, t,
            "read lines of any length, up to 16 MiB, and the whole of it before answering: this one is longer than "
            "a pipe holds");
}

const struct check checks_talk[] = {
    { "READY to INIT", REACHED_NOTHING, check_init, false },
    { "nothing behind READY", REACHED_READY, check_quiet, false },
    { "ADVANCE without messages", REACHED_READY, check_advance, false },
    { "nothing behind the answer", REACHED_ADVANCE, check_quiet, false },
    { "ADVANCE with a message", REACHED_ADVANCE, check_message, false },
    { "payload: ", REACHED_MESSAGE, check_payloads, false },
    { "your message ", REACHED_ADVANCE, check_samples, false },
    { "messages of one time, and an odd type", REACHED_MESSAGE, check_odd_messages, false },
    { "a message from before the quantum", REACHED_MESSAGE, check_early_message, false },
    { "a request that comes in pieces", REACHED_MESSAGE, check_pieces, false },
    { "100 quanta in a row", REACHED_MESSAGE, check_quanta, false },
    { "a quantum of 5 s", REACHED_ADVANCE, check_big_quantum, false },
    { "1,000 messages in one quantum", REACHED_MESSAGE, check_many, false },
    { 0 },
};
