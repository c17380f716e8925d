/* What several conversations say together: the same seed, the same answers; times; next_us. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "check/checks.h"

#define STEP        100000
#define STEPS       60
#define BIG_QUANTUM 5000000
#define AROUND      60 /* bytes that are shown before a difference */

void checks_fail_finding(struct run *r, const char *name, const struct finding *f, const char *expected,
                         const char *todo)
{
    struct buffer what = { 0 };
    buffer_add(&what, f->what.data, f->what.len);
    struct failure shown = { .sent = { f->sent.data, f->sent.len },
                             .came = { f->came.data, f->came.len },
                             .wrong = buffer_string(&what),
                             .expected = expected,
                             .todo = todo };
    report_failed(&r->report, name, &shown);
    buffer_free(&what);
}

static struct text next_line(const struct buffer *b, size_t *at)
{
    const char *newline = *at < b->len ? memchr(b->data + *at, '\n', b->len - *at) : NULL;
    size_t end = newline ? (size_t)(newline - b->data) : b->len;
    struct text line = { b->len ? b->data + *at : "", end - *at };
    *at = newline ? end + 1 : b->len;
    return line;
}

static void add_around(struct buffer *out, const char *which, struct text line, size_t at)
{
    size_t begin = at > AROUND ? at - AROUND : 0;
    while (begin && begin < line.len && ((unsigned char)line.s[begin] & 0xc0) == 0x80)
        begin--;
    buffer_text(out, which);
    if (begin)
        buffer_text(out, "…");
    if (line.len > begin)
        buffer_add(out, line.s + begin, line.len - begin);
    else
        buffer_text(out, begin ? "" : "(nothing)");
    buffer_text(out, "\n");
}

/* The first lines that differ; `sent` becomes the request before them. False: there are none. */
static bool first_difference(const struct buffer *a, const struct buffer *b, const char *const names[2],
                             struct text *sent, struct buffer *out)
{
    *sent = (struct text){ 0 };
    for (size_t i = 0, k = 0; i < a->len || k < b->len;) {
        struct text x = next_line(a, &i), y = next_line(b, &k);
        size_t same = 0;
        while (same < x.len && same < y.len && x.s[same] == y.s[same])
            same++;
        if (same < x.len || same < y.len) {
            add_around(out, names[0], x, same);
            add_around(out, names[1], y, same);
            return true;
        }
        if ((x.len > 8 && !memcmp(x.s, "ADVANCE ", 8)) || (x.len > 5 && !memcmp(x.s, "INIT ", 5)))
            *sent = x;
    }
    return false;
}

static bool talk_through(struct talk *t)
{
    for (int i = 0; i < STEPS / 3; i++) {
        if (i % 5 == 4)
            talk_sample(t, t->now);
        if (!talk_advance(t, STEP))
            return false;
    }
    return talk_advance(t, BIG_QUANTUM);
}

static void check_same(struct run *r, const struct check *c)
{
    static const char *const names[] = { "first:  ", "second: " };
    struct buffer record[2] = { { 0 }, { 0 } }, difference = { 0 };
    struct text sent;
    bool good = true;
    for (int i = 0; i < 2 && good; i++) {
        struct talk t = { .record = &record[i] };
        good = talk_open(&t, &r->subject, &r->findings, HELLO_PLAIN) && talk_through(&t);
        if (!good)
            checks_fail(r, c->name, &t, "answer every ADVANCE alike, in every process");
        talk_close(&t);
    }
    if (good && first_difference(&record[0], &record[1], names, &sent, &difference)) {
        struct failure f = {
            .sent = sent,
            .came = { difference.data, difference.len },
            .wrong = "two processes with the same seed and the same requests do not answer alike",
            .expected = "the same answers, byte for byte",
            .todo = "draw random numbers from one generator seeded with the id and the seed of INIT; use no "
                    "wall clock, pid, address, or order of a set or hash table"
        };
        report_failed(&r->report, c->name, &f);
    } else if (good) {
        report_ok(&r->report, c->name, "%zu bytes compared", record[0].len);
    }
    buffer_free(&record[0]);
    buffer_free(&record[1]);
    buffer_free(&difference);
}

static void add_messages(struct buffer *out, const struct message_list *sent)
{
    for (size_t i = 0; i < sent->count; i++) {
        const struct message *m = sent->items[i];
        buffer_format(out, "at %" PRId64 ": %.*s ", m->time, (int)m->type.len, m->type.s);
        buffer_add(out, m->payload.s, m->payload.len);
        buffer_text(out, "\n");
    }
}

/* Without messages for it, every quantum or only those in which it said that it has something to do. */
static bool collect(struct talk *t, bool skip, struct buffer *out)
{
    for (int i = 0; i < STEPS; i++) {
        if (skip && t->promise >= t->now + STEP) {
            t->now += STEP;
            continue;
        }
        if (!talk_advance(t, STEP))
            return false;
        add_messages(out, &t->node.answer.sent);
    }
    return true;
}

static void check_skipping(struct run *r, const struct check *c)
{
    static const char *const names[] = { "stepped: ", "skipped: " };
    struct buffer sent[2] = { { 0 }, { 0 } }, difference = { 0 };
    struct text none;
    bool good = true;
    if (!r->findings.says_next) {
        report_note(&r->report, "it does not say next_us",
                    "it is asked every quantum; `DONE {\"next_us\": T}` lets lockstep leave out idle ones");
        return;
    }
    for (int i = 0; i < 2 && good; i++) {
        struct talk t = { 0 };
        good = talk_open(&t, &r->subject, &r->findings, HELLO_PLAIN) && collect(&t, i == 1, &sent[i]);
        if (!good)
            checks_fail(r, c->name, &t, "ADVANCE may leap over quanta in which, by next_us, nothing happens");
        talk_close(&t);
        if (r->findings.early.found) /* that it does not keep next_us is told as such */
            goto out;
    }
    if (good && first_difference(&sent[0], &sent[1], names, &none, &difference)) {
        struct failure f = {
            .came = { difference.data, difference.len },
            .wrong = "its messages differ when the quanta before next_us are left out",
            .expected = "the same messages, with the same times",
            .todo = "say the time of the earliest event that is to come, of timers and of messages that wait; "
                    "leave next_us out where the node cannot know"
        };
        report_failed(&r->report, c->name, &f);
    } else if (good) {
        report_ok(&r->report, c->name, "%s", "");
    }
out:
    buffer_free(&sent[0]);
    buffer_free(&sent[1]);
    buffer_free(&difference);
}

static void check_next(struct run *r, const struct check *c)
{
    if (r->findings.past.found)
        checks_fail_finding(r, c->name, &r->findings.past, "a time from the target on, or null",
                            "what is before the target has happened by now: say when the next event after it is");
    else if (r->findings.says_next)
        report_ok(&r->report, c->name, "%s", "");
}

static void check_kept(struct run *r, const struct check *c)
{
    if (r->findings.early.found)
        checks_fail_finding(
            r, c->name, &r->findings.early, "no event of its own before next_us, unless a message comes",
            "say the time of the earliest event that is to come; lockstep leaves out the quanta before it");
    else if (r->findings.says_next)
        report_ok(&r->report, c->name, "%s", "");
}

static void check_times(struct run *r, const struct check *c)
{
    if (r->findings.time.found)
        checks_fail_finding(
            r, c->name, &r->findings.time,
            "times from the end of the quantum before, and before the target of this ADVANCE",
            "stamp a message with the virtual time of the event that caused it; keep for the next ADVANCE what "
            "is at the target or later");
    else
        report_ok(&r->report, c->name, "%s", "");
}

const struct check checks_same[] = {
    { "the same answers from two processes", REACHED_MESSAGE, check_same, true },
    { "the same messages when idle quanta are left out", REACHED_ADVANCE, check_skipping, true },
    { "times of its messages", REACHED_ADVANCE, check_times, false },
    { "next_us is not in the past", REACHED_READY, check_next, false },
    { "next_us is kept", REACHED_ADVANCE, check_kept, false },
    { 0 },
};
