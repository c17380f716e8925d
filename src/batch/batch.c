#include "batch/batch.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "batch/junit.h"
#include "batch/progress.h"
#include "batch/report.h"
#include "batch/verdict.h"

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

/* Standard output may be a full disk too. */
static int finish_output(int code)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return code;
    fprintf(stderr, "lockstep: cannot write to standard output: %s\n", strerror(errno));
    return code ? code : EXIT_LAUNCH;
}

/* What comes to nothing before there is a run: on stderr it is told already. */
static int refuse(const struct batch_options *o, const struct verdict *v)
{
    if (o->json)
        verdict_print(stdout, v);
    return finish_output(v->exit_code);
}

/* The lines of all errors, or of the first. */
static void error_lines(const struct problems *problems, bool all, struct buffer *out)
{
    for (size_t i = 0; i < problems->count; i++) {
        char line[2000];
        if (!all && (problems->items[i].severity != SEVERITY_ERROR || out->len))
            continue;
        problem_format(&problems->items[i], line, sizeof line);
        buffer_format(out, "%s%s", i && all ? "\n" : "", line);
    }
}

static int report_invalid(const struct batch_options *o, const struct problems *problems)
{
    struct buffer all = { 0 }, first = { 0 };
    error_lines(problems, true, &all);
    error_lines(problems, false, &first);
    write_junit(o, &(struct junit){ .name = o->file, .cause = buffer_string(&all) }, EXIT_INVALID);
    int code = refuse(o, &(struct verdict){ .outcome = "invalid",
                                            .cause = buffer_string(&first),
                                            .exit_code = EXIT_INVALID,
                                            .file = o->file,
                                            .problems = problems });
    buffer_free(&all);
    buffer_free(&first);
    return code;
}

/* The problems are the caller's to clear. */
static struct scenario *load(const struct batch_options *o, struct problems *problems)
{
    struct scenario *s = scenario_load(o->file, o->overrides, o->override_count, problems);
    if (!s || !o->quiet)
        problems_print(problems, stderr);
    return s;
}

int batch_dry_run(const struct batch_options *o)
{
    struct problems problems = { 0 };
    struct scenario *s = load(o, &problems);
    int code = s ? EXIT_FINISHED : report_invalid(o, &problems);
    if (s && o->json)
        verdict_print(stdout,
                      &(struct verdict){
                          .outcome = "valid", .cause = "", .file = o->file, .problems = &problems, .scenario = s });
    else if (s && !o->quiet)
        report_scenario(stdout, s);
    problems_clear(&problems);
    scenario_free(s);
    return finish_output(code);
}

int batch_usage(const struct error *err)
{
    verdict_print(stdout, &(struct verdict){ .outcome = "usage", .cause = err->text, .exit_code = err->code });
    return finish_output(err->code);
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

static int conclude(const struct batch_options *o, struct session *s, const struct scenario *scenario)
{
    struct session_status status;
    session_status(s, &status);
    bool is_summarized = !o->json && !o->quiet; /* which says it too, and nobody reads it twice on one terminal */
    bool is_seen = is_summarized && isatty(STDOUT_FILENO) && isatty(STDERR_FILENO);
    if (status.exit_code != EXIT_FINISHED && !is_seen)
        fprintf(stderr, "lockstep: %s: %s\n", status.outcome, status.cause);
    if (!o->quiet)
        tell_unreached(o, &status);
    if (status.failed_node >= 0)
        report_stderr(stderr, s, scenario, status.failed_node);
    if (o->json)
        fputs(session_summary(s), stdout);
    else if (is_summarized)
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
        write_junit(o, &(struct junit){ .scenario = scenario, .cause = err.text }, err.code);
        return refuse(
            o,
            &(struct verdict){
                .outcome = "failed", .cause = err.text, .exit_code = err.code, .file = o->file, .scenario = scenario });
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
        return refuse(
            o, &(struct verdict){ .outcome = "failed", .cause = err.text, .exit_code = err.code, .file = o->file });
    }
    struct problems problems = { 0 };
    struct scenario *scenario = load(o, &problems);
    int invalid = scenario ? EXIT_FINISHED : report_invalid(o, &problems);
    problems_clear(&problems);
    if (!scenario)
        return invalid;
    struct loop *loop = loop_new(signals);
    int code = run(o, scenario, loop);
    loop_free(loop);
    scenario_free(scenario);
    return code;
}
