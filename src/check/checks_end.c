/* How a process ends, and what it leaves behind. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "check/checks.h"
#include "check/hints.h"

static void fail_end(struct run *r, const char *name, const char *wrong, const char *expected, const char *todo)
{
    struct talk *t = &r->talk;
    struct failure f = { .sent = { t->sent.data, t->sent.len },
                         .came = { t->came.data, t->came.len },
                         .log = hint_log(t),
                         .wrong = wrong,
                         .expected = expected,
                         .todo = todo };
    report_failed(&r->report, name, &f);
    if (t->fault == FAULT_NONE)
        t->fault = FAULT_END; /* its stderr is the one to show */
    talk_close(t);
}

static void say_status(int status, char *out, size_t size)
{
    if (WIFSIGNALED(status))
        snprintf(out, size, "its process was ended by SIG%s",
                 sigabbrev_np(WTERMSIG(status)) ? sigabbrev_np(WTERMSIG(status)) : "?");
    else
        snprintf(out, size, "its process ended with exit code %d", WEXITSTATUS(status));
}

static bool is_good(int status)
{
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void check_shutdown(struct run *r, const struct check *c)
{
    struct talk *t = &r->talk;
    char how[80], expected[100], limit[SIMTIME_TEXT];
    if (!checks_ready(r, c->name))
        return;
    simtime_format(r->subject.stop_ns / 1000, limit);
    snprintf(expected, sizeof expected, "the end of its process, with exit code 0, within %s", limit);
    if (!talk_end(t, GOODBYE_SHUTDOWN)) {
        fail_end(r, c->name, "its process runs on", expected,
                 "leave the loop at the line SHUTDOWN: close files, end threads and children, exit with 0");
        return;
    }
    say_status(t->peer.status, how, sizeof how);
    if (!is_good(t->peer.status)) {
        fail_end(r, c->name, how, expected,
                 "SHUTDOWN is the good end: exit with 0 after it");
        return;
    }
    report_ok(&r->report, c->name, "after %.1f ms", (double)t->took_ns / 1e6);
    if (t->came.len)
        report_note(&r->report, "it answers SHUTDOWN", "nobody reads that; end without an answer");
    talk_close(t);
}

static void check_end_of_input(struct run *r, const struct check *c)
{
    struct talk *t = &r->talk;
    char how[80], expected[100], limit[SIMTIME_TEXT];
    talk_close(t); /* a process that has not seen SHUTDOWN */
    if (!checks_ready(r, c->name))
        return;
    simtime_format(r->subject.stop_ns / 1000, limit);
    snprintf(expected, sizeof expected, "the end of its process within %s", limit);
    if (r->reached >= REACHED_ADVANCE && !talk_advance(t, 1000)) {
        checks_fail(r, c->name, t,
                    "a process of this node answered that before: each start must be as good as the first");
        return;
    }
    if (!talk_end(t, GOODBYE_END_OF_INPUT)) {
        fail_end(r, c->name, "its process runs on", expected,
                 "exit when reading gives the end of the input: lockstep is then no longer there");
        return;
    }
    say_status(t->peer.status, how, sizeof how);
    if (is_good(t->peer.status))
        report_ok(&r->report, c->name, "after %.1f ms", (double)t->took_ns / 1e6);
    else
        report_ok(&r->report, c->name, "after %.1f ms; %s", (double)t->took_ns / 1e6, how);
    talk_close(t);
}

static void check_left(struct run *r, const struct check *c)
{
    const struct finding *f = &r->findings.left;
    if (f->found)
        checks_fail_finding(
            r, c->name, f, "no process of the node half a second after its own end",
            "end and await the children, and theirs, before exiting; start none in a session of its own "
            "(setsid, daemons)");
    else
        report_ok(&r->report, c->name, "%s", "");
}

const struct check checks_end[] = {
    { "SHUTDOWN ends it", REACHED_READY, check_shutdown, false },
    { "the end of input ends it", REACHED_READY, check_end_of_input, false },
    { "no process is left behind", REACHED_READY, check_left, false },
    { 0 },
};
