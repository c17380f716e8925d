/* What is good to know, and what a node need not stand. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "check/checks.h"

#define QUANTUM  1000
#define QUANTA   1000
#define MOST_NS  INT64_C(1000000000) /* for all of them */
#define UNBUFFERED_NS INT64_C(1000000000) /* in which a process that was READY before is READY again */
#define SLOW_NS  INT64_C(5000000)    /* an idle quantum that is worth a word */
#define NAGLE_NS INT64_C(30000000)   /* about what a delayed acknowledgement takes */

static void try_hello(struct run *r, const char *name, const struct hello *hello, bool is_must, const char *todo)
{
    struct talk t = { 0 };
    bool good = talk_open(&t, &r->subject, &r->findings, hello) && talk_advance(&t, QUANTUM);
    if (good)
        report_ok(&r->report, name, "%s", "");
    else if (is_must)
        checks_fail(r, name, &t, todo);
    else
        report_note(&r->report, name, "it does not stand that: %s; %s", t.failure.text, todo);
    talk_close(&t);
}

static void check_seed(struct run *r, const struct check *c)
{
    try_hello(r, c->name, &(struct hello){ .seed = INT64_MAX }, true,
              "a seed is a whole number from 0 to 2^63-1: read it as 64 bits, not as a double or an int");
}

/* The config of the user, and one key more. */
static void check_config(struct run *r, const struct check *c)
{
    static const char more[] =
        "\"lockstep.check\": {\"list\": [1, 2.5, null, \"250ms\"], \"text\": \"text\"}}";
    const char *given = r->subject.node->config_json;
    struct buffer config = { 0 };
    buffer_add(&config, given, strlen(given) - 1);
    buffer_text(&config, strcmp(given, "{}") != 0 ? "," : "");
    buffer_text(&config, more);
    try_hello(r, c->name, &(struct hello){ .seed = 42, .config = buffer_string(&config) }, false,
              "unknown keys had better be left alone, so that one scenario serves several versions of a node");
    buffer_free(&config);
}

static void check_ml(struct run *r, const struct check *c)
{
    try_hello(r, c->name,
              &(struct hello){ .seed = 42, .ml = "{\"placement\": \"edge\", \"edge_config\": {\"threshold\": 0.5}}" },
              false, "scenarios with ml_inference say so to every node");
}

/* Python flushes after each line where this is set, as it is in many containers and shells. A run passes it on, too;
 * but somebody else's may not have it. */
static void check_unbuffered(struct run *r, const struct check *c)
{
    static const char name[] = "PYTHONUNBUFFERED";
    const char *value = getenv(name);
    struct talk t = { 0 };
    int64_t limit = r->subject.limit_ns, enough = UNBUFFERED_NS + 20 * r->ready_ns;
    if (!value || !*value || r->subject.node->transport != TRANSPORT_STDIO)
        return;
    char *kept = mem_text(value);
    unsetenv(name);
    r->subject.limit_ns = enough < limit ? enough : limit;
    bool good = talk_open(&t, &r->subject, &r->findings, HELLO_PLAIN) && talk_advance(&t, QUANTUM);
    if (!good && (t.fault == FAULT_HELD || t.fault == FAULT_LATE))
        report_note(&r->report, c->name,
                    "it answers only because %s is set here, which a run passes on to it; flush after every answer "
                    "(print(..., flush=True)), or set it in the node's `environment`",
                    name);
    talk_close(&t);
    r->subject.limit_ns = limit;
    setenv(name, kept, 1);
    free(kept);
}

static int by_size(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static void say_speed(struct run *r, const char *name, const int64_t *took, int count)
{
    int64_t p50 = took[count / 2], p99 = took[count - 1 - count / 100];
    const char *hint = "";
    if (p50 > NAGLE_NS && r->subject.node->transport == TRANSPORT_TCP)
        hint =
            "; set TCP_NODELAY, or send the answer in one write: its second line seems to wait for an acknowledgement";
    else if (p50 > SLOW_NS)
        hint = "; that is slow for a quantum in which nothing happens: does it sleep, or wait for real time?";
    char next[160] = "; it says next_us, so idle quanta are left out";
    if (!r->findings.says_next)
        snprintf(next, sizeof next,
                 "; with next_us idle quanta would be left out: 10 s in steps of 1 ms take it %.1f s as it is",
                 (double)p50 * 10000 / 1e9);
    report_note(&r->report, name, "p50 %.3f ms, p99 %.3f ms over %d empty quanta%s%s", (double)p50 / 1e6,
                (double)p99 / 1e6, count, hint, next);
}

static void check_speed(struct run *r, const struct check *c)
{
    int64_t took[QUANTA];
    int count = 0;
    bool verbose = r->subject.verbose;
    talk_close(&r->talk);
    if (!checks_ready(r, c->name))
        return;
    r->subject.verbose = false; /* a thousand times the same */
    for (int64_t end = clock_ns() + MOST_NS; count < QUANTA && clock_ns() < end;) {
        if (!talk_advance(&r->talk, QUANTUM)) {
            checks_fail(r, c->name, &r->talk, "answer every ADVANCE alike, however many there are");
            r->subject.verbose = verbose;
            return;
        }
        took[count++] = r->talk.took_ns;
    }
    r->subject.verbose = verbose;
    qsort(took, (size_t)count, sizeof *took, by_size);
    say_speed(r, c->name, took, count);
    talk_close(&r->talk);
}

static void check_source(struct run *r, const struct check *c)
{
    struct buffer *what = &r->findings.source.what;
    if (r->findings.source.found)
        report_note(&r->report, c->name, "%s; leave it out, or put the id of INIT there", buffer_string(what));
}

const struct check checks_notes[] = {
    { "the largest seed", REACHED_ADVANCE, check_seed, false },
    { "unknown keys in the config", REACHED_ADVANCE, check_config, false },
    { "ml_inference in INIT", REACHED_ADVANCE, check_ml, false },
    { "it does not flush", REACHED_ADVANCE, check_unbuffered, false },
    { "source of its messages", REACHED_ADVANCE, check_source, false },
    { "speed", REACHED_ADVANCE, check_speed, false },
    { 0 },
};
