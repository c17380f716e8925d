/* For the tests of the node protocol: a node, what is said to it and what it says. */
#ifndef TESTS_UNIT_PROTOCOL_FIXTURE_H
#define TESTS_UNIT_PROTOCOL_FIXTURE_H

#include "check.h"

#include "base/memory.h"
#include "node/protocol.h"
#include "scenario/loader.h"

/* A node n1 beside a node called gateway. */
struct fixture {
    struct scenario *s;
    struct node n;
    struct protocol p;
    struct buffer out;
    struct error err;
};

static inline void set_up(struct fixture *f, enum dialect dialect)
{
    static const char text[] = "simulation: { duration: 1000s, time_quantum: 1ms, seed: 42 }\n"
                               "nodes:\n"
                               "  - { id: n1, type: sensor }\n"
                               "  - { id: gateway, type: gateway }\n";
    struct problems problems = { 0 };
    struct scenario_source source = { .file = "a.yaml", .base_dir = "/tmp", .text = text, .len = sizeof text - 1 };
    *f = (struct fixture){ .s = scenario_load_text(&source, &problems) };
    problems_print(&problems, stderr);
    problems_clear(&problems);
    assert_non_null(f->s);
    f->s->nodes[0].dialect = f->s->nodes[1].dialect = dialect;
    f->n = (struct node){ .scenario = f->s, .spec = &f->s->nodes[0], .last_active = -1 };
}

static inline void tear_down(struct fixture *f)
{
    message_list_free(&f->n.inbox);
    message_list_free(&f->n.answer.sent);
    buffer_free(&f->n.answer.warnings);
    buffer_free(&f->out);
    scenario_free(f->s);
}

static inline int say_bytes(struct fixture *f, const char *s, size_t len)
{
    char *exact = mem_resize(NULL, len + !len); /* at the end of a block, so that a read beyond it is seen */
    memcpy(exact, s, len);
    int result = protocol_take(&f->p, &f->n, (struct text){ exact, len }, &f->err);
    free(exact); /* nothing of the line is kept */
    return result;
}

static inline void say(struct fixture *f, const char *line)
{
    if (say_bytes(f, line, strlen(line)) < 0)
        fail_msg("'%s': %s", line, f->err.text);
}

/* As after READY. */
static inline void advance(struct fixture *f, simtime from, simtime until)
{
    f->n.answer.done = false;
    f->out.len = 0;
    protocol_advance(&f->p, &f->n, from, until, &f->out);
    assert_int_equal(f->p.expect, EXPECT_DONE);
    assert_int_equal(f->n.inbox.count, 0);
}

static inline void answer(struct fixture *f, const char *messages)
{
    say(f, "DONE");
    say(f, messages);
    assert_true(f->n.answer.done);
    assert_int_equal(f->p.expect, EXPECT_NOTHING);
}

static inline void hand_over(struct fixture *f, simtime time, int src, const char *type, const char *payload,
                             uint32_t size)
{
    struct message *m = message_new(NULL, 0);
    m->time = time;
    m->src = src;
    m->size = size;
    m->type = (struct text){ type, strlen(type) };
    m->payload = (struct text){ payload, strlen(payload) };
    message_list_add(&f->n.inbox, m);
}

static inline void out_is(struct fixture *f, const char *want)
{
    assert_string_equal(buffer_string(&f->out), want);
}

static inline void warnings_are(struct fixture *f, const char *want)
{
    assert_string_equal(buffer_string(&f->n.answer.warnings), want);
    f->n.answer.warnings.len = 0;
}

static inline void assert_text(struct text t, const char *want)
{
    if (t.len != strlen(want) || (t.len && memcmp(t.s, want, t.len) != 0))
        fail_msg("'%.*s' is not '%s'", (int)t.len, t.s ? t.s : "", want);
}

static inline const struct message *sent(const struct fixture *f, size_t i)
{
    assert_true(i < f->n.answer.sent.count);
    return f->n.answer.sent.items[i];
}

/* Where a breach comes. */
enum stage { AT_INIT, AT_ADVANCE, AT_MESSAGES, AT_REST };

static inline void reach(struct fixture *f, enum stage stage, enum dialect dialect)
{
    set_up(f, dialect);
    protocol_init(&f->p, &f->n, &f->out);
    if (stage == AT_INIT)
        return;
    say(f, "READY");
    advance(f, 3000000, 4000000);
    if (stage == AT_ADVANCE)
        return;
    say(f, "DONE");
    if (stage == AT_MESSAGES)
        return;
    say(f, "[]");
}

/* A message that comes as it should after AT_ADVANCE. */
#define GOOD "{\"time_us\":3000000,\"type\":\"A\"}"

#endif
