#include "check/talk.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/utf8.h"
#include "check/report.h"

#define CAME_KEPT 2000 /* bytes of an answer that are kept to be shown */
#define LAST_WORDS_NS                                                                                                  \
    INT64_C(300000000)              /* for the exit of a node that has closed its output, and the other way round */
#define HELD_NS  INT64_C(500000000) /* in which a node gives what it held back, once its input has ended */
#define PIECE_NS INT64_C(10000000)

static void finding_free(struct finding *f)
{
    buffer_free(&f->sent);
    buffer_free(&f->came);
    buffer_free(&f->what);
}

void findings_free(struct findings *f)
{
    finding_free(&f->time);
    finding_free(&f->source);
    finding_free(&f->past);
    finding_free(&f->early);
    finding_free(&f->left);
    buffer_free(&f->log);
}

/* Whether it is the first of its kind: the caller then says what it is. */
static bool find(const struct talk *t, struct finding *f)
{
    if (f->found)
        return false;
    f->found = true;
    buffer_add(&f->sent, t->sent.data, t->sent.len);
    buffer_add(&f->came, t->came.data, t->came.len);
    return true;
}

static bool fail(struct talk *t, enum fault fault)
{
    t->fault = fault;
    return false;
}

static const char *request_name(const struct talk *t, char out[64])
{
    if (t->protocol.expect == EXPECT_READY)
        snprintf(out, 64, "INIT");
    else
        snprintf(out, 64, "ADVANCE %" PRId64, t->protocol.until);
    return out;
}

static void note_line(struct talk *t, struct text line)
{
    size_t room = t->came.len < CAME_KEPT ? CAME_KEPT - t->came.len : 0;
    buffer_add(&t->came, line.s, line.len < room ? line.len : room);
    if (room)
        buffer_text(&t->came, "\n");
    if (t->record) {
        buffer_add(t->record, line.s, line.len);
        buffer_text(t->record, "\n");
    }
    if (t->subject->verbose)
        report_conversation("<", line.s, line.len);
}

/* next_us as the node wrote it: what stands behind READY or DONE. */
static void note_next(struct talk *t, struct text line)
{
    const char *why, *brace = memchr(line.s, '{', line.len);
    struct json *options = brace ? json_parse(brace, line.len - (size_t)(brace - line.s), &why) : NULL;
    const struct json *next = json_get(options, "next_us");
    t->promise = t->node.answer.next;
    if (next && json_kind(next) == JSON_NUMBER)
        t->promise = (simtime)json_double(next, 0); /* 1e6 too; up to 2^53 it is exact */
    t->findings->says_next |= t->promise >= 0;
    if (t->promise >= 0 && t->promise < t->protocol.until && find(t, &t->findings->past))
        buffer_format(&t->findings->past.what, "next_us %" PRId64 " lies before %" PRId64 ", the end of the quantum",
                      t->promise, t->protocol.until);
    json_free(options);
}

static void note_warnings(struct talk *t)
{
    struct buffer *w = &t->node.answer.warnings;
    for (size_t at = 0, end; at < w->len; at = end + 1) {
        end = at + (size_t)((char *)memchr(w->data + at, '\n', w->len - at) - (w->data + at));
        static const char source[] = "is not this node; taken as its own";
        bool is_source =
            end - at >= sizeof source && !memcmp(w->data + end - (sizeof source - 1), source, sizeof source - 1);
        bool is_time = !is_source && memmem(w->data + at, end - at, "; taken as ", 11);
        struct finding *f = is_source ? &t->findings->source : &t->findings->time;
        if ((is_source || is_time) && find(t, f))
            buffer_add(&f->what, w->data + at, end - at);
    }
    w->len = 0;
}

/* The last words of a node that has ended or is silent say why. */
static void keep_log(struct talk *t)
{
    struct findings *f = t->findings;
    if (f->log_of_failure || !t->peer.log.len)
        return;
    f->log.len = 0;
    buffer_add(&f->log, t->peer.log.data, t->peer.log.len);
    f->log_of_failure = t->fault != FAULT_NONE;
}

/* What has come of a line that has no end. */
static void add_rest(struct talk *t)
{
    const struct wire *w = &t->peer.in;
    size_t rest = wire_rest(w);
    if (rest)
        buffer_add(&t->came, w->data + w->start, rest < CAME_KEPT ? rest : CAME_KEPT);
}

static bool fail_ended(struct talk *t)
{
    const struct peer *p = &t->peer;
    char request[64];
    request_name(t, request);
    add_rest(t);
    if (p->refusal.code) {
        t->failure = p->refusal;
        return fail(t, FAULT_START);
    }
    if (!p->has_exited)
        error_set(&t->failure, EXIT_RUN_FAILED, "it closed its output before it had answered %s", request);
    else if (WIFSIGNALED(p->status))
        error_set(&t->failure, EXIT_RUN_FAILED, "its process was ended by SIG%s before it had answered %s",
                  sigabbrev_np(WTERMSIG(p->status)) ? sigabbrev_np(WTERMSIG(p->status)) : "?", request);
    else
        error_set(&t->failure, EXIT_RUN_FAILED, "its process ended with exit code %d before it had answered %s",
                  WEXITSTATUS(p->status), request);
    return fail(t, FAULT_END);
}

/* No answer in time. Why is often seen when its input ends: a node that has its answer in a buffer gives it then. */
static bool fail_late(struct talk *t)
{
    struct peer *p = &t->peer;
    char request[64], limit[SIMTIME_TEXT];
    size_t had = t->came.len;
    simtime_format(t->subject->limit_ns / 1000, limit);
    error_set(&t->failure, EXIT_RUN_FAILED, "no whole answer to %s within %s", request_name(t, request), limit);
    if (wire_rest(&p->in)) {
        add_rest(t);
        return fail(t, FAULT_HALF);
    }
    peer_close_input(p);
    struct text line;
    struct error err = { 0 };
    for (int64_t end = clock_ns() + HELD_NS; !p->is_closed && peer_wait(p, end);)
        ;
    bool held = wire_line(&p->in, &line, &err) > 0;
    if (held)
        note_line(t, line);
    while (held && wire_line(&p->in, &line, &err) > 0 && t->came.len < CAME_KEPT)
        note_line(t, line);
    bool is_answer = held && (!memcmp(t->came.data + had, "READY", 5) || !memcmp(t->came.data + had, "DONE", 4) ||
                              t->protocol.expect == EXPECT_MESSAGES);
    return fail(t, is_answer ? FAULT_HELD : FAULT_LATE);
}

/* As protocol_take; a line that is wrong is kept, for the hint. */
static bool take(struct talk *t, struct text line)
{
    t->lines++;
    if (protocol_take(&t->protocol, &t->node, line, &t->failure) == 0)
        return true;
    t->has_wrong = true;
    buffer_add(&t->wrong, line.s, line.len);
    return fail(t, FAULT_WRONG);
}

/* Takes lines until the answer is whole. */
static bool hear(struct talk *t)
{
    struct peer *p = &t->peer;
    int64_t end = t->asked_ns + t->subject->limit_ns, last_words = 0;
    while (!t->node.answer.done) {
        struct text line;
        int got = wire_line(&p->in, &line, &t->failure);
        if (got < 0)
            return fail(t, FAULT_WRONG);
        if (got > 0) {
            bool may_say_next = t->protocol.expect != EXPECT_MESSAGES;
            note_line(t, line);
            if (!take(t, line))
                return false;
            if (may_say_next)
                note_next(t, line);
            continue;
        }
        if ((p->is_closed || p->has_exited) && !last_words)
            last_words = clock_ns() + LAST_WORDS_NS;
        bool waited = last_words && clock_ns() >= last_words;
        if ((p->is_closed && p->has_exited) || waited)
            return fail_ended(t);
        if (!peer_wait(p, last_words && last_words < end ? last_words : end) && clock_ns() >= end)
            return fail_late(t);
    }
    t->took_ns = clock_ns() - t->asked_ns;
    t->answers++;
    return true;
}

/* What it writes to stderr when it goes wrong is often on its way. */
static void wait_for_log(struct talk *t)
{
    struct peer *p = &t->peer;
    for (int64_t end = clock_ns() + LAST_WORDS_NS / 6; p->guard && p->log_fd >= 0 && peer_wait(p, end);)
        ;
}

/* Sends t->sent, `pieces` at a time, and takes the answer. */
static bool ask(struct talk *t, bool in_pieces)
{
    struct answer *a = &t->node.answer;
    message_list_free(&a->sent);
    a->done = false;
    a->next = -1;
    t->came.len = t->wrong.len = t->lines = 0;
    t->has_wrong = false;
    t->in_pieces = in_pieces;
    t->asked_ns = clock_ns();
    if (t->record)
        buffer_add(t->record, t->sent.data, t->sent.len);
    if (t->subject->verbose)
        report_conversation(">", t->sent.data, t->sent.len);
    size_t piece = in_pieces ? t->sent.len / 5 + 1 : t->sent.len;
    for (size_t at = 0; at < t->sent.len; at += piece) {
        if (at)
            for (int64_t next = clock_ns() + PIECE_NS; peer_wait(&t->peer, next);)
                ;
        peer_say(&t->peer, t->sent.data + at, piece < t->sent.len - at ? piece : t->sent.len - at);
    }
    bool good = hear(t);
    note_warnings(t);
    if (!good)
        wait_for_log(t);
    return good;
}

bool talk_open(struct talk *t, struct subject *s, struct findings *f, const struct hello *hello)
{
    struct scenario *scenario = s->scenario;
    *t = (struct talk){ .subject = s, .findings = f, .promise = -1, .is_open = true, .record = t->record };
    t->node = (struct node){ .scenario = scenario, .spec = s->node, .answer = { .next = -1 }, .last_active = -1 };
    char *plain = s->node->config_json, *no_ml = scenario->ml.json;
    scenario->seed = hello->seed;
    s->node->config_json = hello->config ? (char *)(uintptr_t)hello->config : plain;
    scenario->ml.json = (char *)(uintptr_t)hello->ml;
    scenario->ml.placement = hello->ml ? PLACEMENT_EDGE : PLACEMENT_NONE;
    protocol_init(&t->protocol, &t->node, &t->sent);
    s->node->config_json = plain;
    scenario->ml.json = no_ml;
    scenario->ml.placement = PLACEMENT_NONE;
    int64_t began = clock_ns();
    if (s->verbose)
        report_conversation("*", "a new process", 13);
    if (peer_open(&t->peer, s, &t->failure) < 0) {
        wait_for_log(t);
        return fail(t, FAULT_START);
    }
    bool good = ask(t, false);
    t->took_ns = clock_ns() - began; /* with the start of its process */
    return good;
}

void talk_close(struct talk *t)
{
    if (!t->is_open)
        return;
    peer_close(&t->peer);
    keep_log(t);
    peer_free(&t->peer);
    message_list_free(&t->node.inbox);
    message_list_free(&t->node.answer.sent);
    buffer_free(&t->node.answer.warnings);
    buffer_free(&t->sent);
    buffer_free(&t->came);
    buffer_free(&t->wrong);
    t->is_open = false;
}

void talk_message(struct talk *t, simtime time, const char *type, const char *payload)
{
    struct message *m = message_new(NULL, 0);
    m->time = time;
    m->src = 1;
    m->type = (struct text){ type, strlen(type) };
    m->payload = (struct text){ payload, strlen(payload) };
    m->size = (uint32_t)strlen(payload);
    message_list_add(&t->node.inbox, m);
}

void talk_sample(struct talk *t, simtime time)
{
    const struct samples *s = &t->subject->samples;
    const struct sample *next = s->count ? &s->items[t->samples++ % s->count] : NULL;
    talk_message(t, time, next ? next->type : t->subject->type, next ? next->payload : "{\"value\":1}");
}

static bool advance(struct talk *t, simtime quantum, bool in_pieces)
{
    simtime promise = t->promise, until = t->now + quantum;
    t->sent.len = 0;
    t->given = t->node.inbox.count;
    protocol_advance(&t->protocol, &t->node, t->now, until, &t->sent);
    if (!ask(t, in_pieces))
        return false;
    t->now = until;
    t->messages += t->given;
    const struct message_list *sent = &t->node.answer.sent;
    for (size_t i = 0; i < sent->count && promise >= 0 && !t->given; i++)
        if (sent->items[i]->time < promise && find(t, &t->findings->early)) {
            char next[32] = "null";
            if (promise != SIMTIME_NEVER)
                snprintf(next, sizeof next, "%" PRId64, promise);
            buffer_format(&t->findings->early.what,
                          "next_us was %s, no message came, and yet there is a message of its own at %" PRId64, next,
                          sent->items[i]->time);
        }
    return true;
}

bool talk_advance(struct talk *t, simtime quantum)
{
    return advance(t, quantum, false);
}

bool talk_advance_in_pieces(struct talk *t, simtime quantum)
{
    return advance(t, quantum, true);
}

bool talk_repeat(struct talk *t, const struct talk *other)
{
    t->sent.len = 0;
    protocol_advance(&t->protocol, &t->node, t->now, other->protocol.until, &t->sent);
    t->sent.len = 0;
    buffer_add(&t->sent, other->sent.data, other->sent.len);
    return ask(t, other->in_pieces);
}

bool talk_is_quiet(struct talk *t, int64_t ns)
{
    struct text line;
    for (int64_t end = clock_ns() + ns; !wire_rest(&t->peer.in) && peer_wait(&t->peer, end);)
        ;
    int got = wire_line(&t->peer.in, &line, &t->failure);
    if (got > 0) {
        note_line(t, line);
        t->lines = 0;
        take(t, line); /* which is wrong, as nothing is expected */
        return false;
    }
    if (got < 0 || !wire_rest(&t->peer.in))
        return got == 0 || fail(t, FAULT_WRONG);
    add_rest(t);
    error_set(&t->failure, EXIT_RUN_FAILED, "more than the answer came, without a line end");
    return fail(t, FAULT_WRONG);
}

bool talk_end(struct talk *t, enum goodbye how)
{
    struct peer *p = &t->peer;
    struct text line;
    struct error err = { 0 };
    t->sent.len = t->came.len = 0;
    t->asked_ns = clock_ns();
    if (how == GOODBYE_SHUTDOWN) {
        protocol_shutdown(&t->protocol, &t->sent);
        if (t->subject->verbose)
            report_conversation(">", t->sent.data, t->sent.len);
        peer_say(p, t->sent.data, t->sent.len);
    } else {
        buffer_text(&t->sent, "end of input");
        if (t->subject->verbose)
            report_conversation("*", t->sent.data, t->sent.len);
        peer_close_input(p);
    }
    bool ended = peer_wait_exit(p, t->asked_ns + t->subject->stop_ns);
    t->took_ns = clock_ns() - t->asked_ns;
    while (ended && !p->is_closed && p->in_fd >= 0 && peer_wait(p, clock_ns() + PIECE_NS / 5))
        if (wire_rest(&p->in) > CAME_KEPT || clock_ns() > t->asked_ns + t->took_ns + LAST_WORDS_NS)
            break;
    while (wire_line(&p->in, &line, &err) > 0)
        note_line(t, line);
    if (!ended)
        return fail(t, FAULT_LATE);
    peer_find_left(p);
    if (p->left && find(t, &t->findings->left))
        buffer_format(&t->findings->left.what, "%d process%s still there half a second after the node: %s", p->left,
                      p->left == 1 ? " was" : "es were", buffer_string(&p->left_names));
    return true;
}
