#include "batch/batch.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "batch/junit.h"
#include "batch/progress.h"
#include "batch/report.h"

static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, 0 };

/* The report for CI, where one is asked for. Returns the exit code that counts. */
static int write_junit(const struct batch_options *o, const struct junit *j, int code)
{
    struct error err = { 0 };
    if (!o->junit || junit_write(o->junit, j, &err) == 0)
        return code;
    fprintf(stderr, "lockstep: %s\n", err.text);
    return code ? code : err.code;
}

static void report_invalid(const struct batch_options *o, const struct problems *problems)
{
    struct buffer cause = { 0 };
    for (size_t i = 0; i < problems->count; i++) {
        char line[2000];
        problem_format(&problems->items[i], line, sizeof line);
        buffer_format(&cause, "%s%s", i ? "\n" : "", line);
    }
    write_junit(o, &(struct junit){ .name = o->file, .cause = buffer_string(&cause) }, EXIT_INVALID);
    buffer_free(&cause);
}

static struct scenario *load(const struct batch_options *o)
{
    struct problems problems = { 0 };
    struct scenario *s = scenario_load(o->file, o->overrides, o->override_count, &problems);
    if (!s || !o->quiet)
        problems_print(&problems, stderr);
    if (!s && o->junit)
        report_invalid(o, &problems);
    problems_clear(&problems);
    return s;
}

/* Standard output may be a full disk too. */
static int finish_output(int code)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return code;
    fprintf(stderr, "lockstep: cannot write to standard output: %s\n", strerror(errno));
    return code ? code : EXIT_LAUNCH;
}

int batch_dry_run(const struct batch_options *o)
{
    struct scenario *s = load(o);
    if (!s)
        return EXIT_INVALID;
    if (!o->quiet)
        report_scenario(stdout, s);
    scenario_free(s);
    return finish_output(EXIT_FINISHED);
}

/* The first signal ends the run cleanly, the second one at once. */
static void obey_signals(struct session *s, struct loop *loop, int *first, struct progress *progress, bool quiet)
{
    for (int signal; (signal = loop_signal(loop));) {
        struct command c = { .kind = *first ? COMMAND_KILL : COMMAND_ABORT, .signal = *first ? *first : signal };
        progress_clear(progress);
        if (!*first && !quiet)
            fprintf(stderr, "lockstep: ending the run cleanly; once more ends it at once\n");
        if (!*first)
            *first = signal;
        session_command(s, &c);
    }
}

/* A condition that is spelt wrong never holds, and nothing else would tell. */
static void tell_unreached(const struct batch_options *o, const struct session_status *status)
{
    struct breakpoint b;
    bool finished = status->outcome && !strcmp(status->outcome, "finished");
    for (size_t i = 0; finished && o->session.breakpoints && breakpoints_get(o->session.breakpoints, i, &b); i++)
        if (b.action == BREAKPOINT_END && !b.is_time && !b.hits)
            fprintf(stderr, "lockstep: --until %s held for no record: the run went on to its end\n", b.text);
}

static int conclude(const struct batch_options *o, const struct session *s, const struct scenario *scenario)
{
    struct session_status status;
    session_status(s, &status);
    if (status.exit_code != EXIT_FINISHED)
        fprintf(stderr, "lockstep: %s: %s\n", status.outcome, status.cause);
    if (!o->quiet)
        tell_unreached(o, &status);
    if (status.failed_node >= 0)
        report_stderr(stderr, s, scenario, status.failed_node);
    if (o->json)
        fputs(session_summary(s), stdout);
    else if (!o->quiet)
        report_run(stdout, s, scenario, o->color, o->verbose);
    return finish_output(status.exit_code);
}

static int run(const struct batch_options *o, const struct scenario *scenario, struct loop *loop)
{
    struct error err = { 0 };
    struct session_options options = o->session;
    options.loop = loop;
    options.start_running = true;
    struct session *s = session_new(scenario, &options, &err);
    if (!s) {
        fprintf(stderr, "lockstep: %s\n", err.text);
        return write_junit(o, &(struct junit){ .scenario = scenario, .cause = err.text }, err.code);
    }
    struct progress progress;
    struct session_status status;
    int signal = 0;
    enum session_state shown = SESSION_LOADED;
    progress_begin(&progress, o->color, o->ascii);
    for (session_status(s, &status); !session_state_over(status.state); session_status(s, &status)) {
        session_wait(s, -1, -1);
        obey_signals(s, loop, &signal, &progress, o->quiet);
        session_step(s);
        if (!o->quiet)
            progress_show(&progress, s);
        if (o->verbose && status.state != shown)
            fprintf(stderr, "lockstep: %s\n", session_state_name(shown = status.state));
    }
    progress_clear(&progress);
    int code = write_junit(o, &(struct junit){ .scenario = scenario, .session = s }, conclude(o, s, scenario));
    session_free(s);
    return code;
}

int batch_run(const struct batch_options *o)
{
    struct error err = { 0 };
    if (o->junit && junit_check(o->junit, &err) < 0) {
        fprintf(stderr, "lockstep: %s\n", err.text);
        return err.code;
    }
    struct scenario *scenario = load(o);
    if (!scenario)
        return EXIT_INVALID;
    struct loop *loop = loop_new(signals);
    int code = run(o, scenario, loop);
    loop_free(loop);
    scenario_free(scenario);
    return code;
}
