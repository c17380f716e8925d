#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/scratch.h"
#include "base/utf8.h"
#include "compare/words.h"
#include "lockstep/compare.h"

#define PROGRESS_MS 100

static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, 0 };

/* What is changed from run to run, and must not matter. */
enum way { AS_IT_IS, NO_SKIP, STEPPED };
#define WAYS 3
static const char *const way_words[WAYS] = { "as it is", "with --no-skip", "paused and stepped" };

struct verify {
    const struct verify_options *options;
    struct scenario *scenario;
    struct loop *loop;
    char *folder;          /* of the runs */
    struct buffer path[2]; /* of the first run's folder, and of the one that is compared with it */
    int signal;            /* that came first; 0: none */
    bool is_progress, is_drawn;
    int64_t shown_ms;
    uint64_t steps;     /* stepped: of the next step */
    int differ;         /* runs that are not as the first */
    bool is_kept;       /* the two folders */
    char outcome[1100]; /* of the first run */
    char digest[80];
};

static void clear_progress(struct verify *v)
{
    if (v->is_drawn)
        fputs("\r\033[K", stderr);
    v->is_drawn = false;
}

static void show_progress(struct verify *v, const struct session *s, int i)
{
    struct session_status status;
    int64_t now = clock_ms();
    if (!v->is_progress || now - v->shown_ms < PROGRESS_MS)
        return;
    v->shown_ms = now;
    session_status(s, &status);
    fprintf(stderr, "\r\033[Krun %d of %d, %s: %.0f %%", i + 1, v->options->runs, way_words[i % WAYS],
            status.end > 0 ? 100.0 * (double)status.now / (double)status.end : 100.0);
    fflush(stderr);
    v->is_drawn = true;
}

static void complain(struct verify *v, const char *text)
{
    struct buffer safe = { 0 };
    clear_progress(v);
    utf8_escape(&safe, text, strlen(text));
    fprintf(stderr, "lockstep verify: %s\n", buffer_string(&safe));
    buffer_free(&safe);
}

/* The first signal ends the run cleanly, the second one at once. */
static void obey_signals(struct verify *v, struct session *s)
{
    for (int signal; (signal = loop_signal(v->loop));) {
        struct command c = { .kind = v->signal ? COMMAND_KILL : COMMAND_ABORT,
                             .signal = v->signal ? v->signal : signal };
        if (!v->signal)
            v->signal = signal;
        if (s)
            session_command(s, &c);
    }
}

/* Between runs. */
static bool is_stopped(void *data)
{
    struct verify *v = data;
    loop_wait(v->loop, -1, 0);
    obey_signals(v, NULL);
    return v->signal != 0;
}

/* Of what stands between two runs: the exit code, or 0. */
static int stopped_between(struct verify *v)
{
    if (!is_stopped(v))
        return 0;
    complain(v, "ended by a signal, between two runs");
    return 128 + v->signal;
}

/* Longer steps each time, so that a run of any length has some pauses, not many. */
static void step_on(struct verify *v, struct session *s)
{
    struct command c = { .kind = COMMAND_STEP, .count = v->steps };
    if (session_command(s, &c))
        v->steps *= 2;
}

/* To its end. Its exit code. */
static int carry_out(struct verify *v, struct session *s, int i)
{
    struct session_status status;
    v->steps = 1;
    for (session_status(s, &status); !session_state_over(status.state); session_status(s, &status)) {
        if (status.state == SESSION_PAUSED && !v->signal)
            step_on(v, s);
        session_wait(s, -1, -1);
        obey_signals(v, s);
        session_step(s);
        show_progress(v, s, i);
    }
    return status.exit_code;
}

static void note_first(struct verify *v, const struct session *s)
{
    struct session_status status;
    char time[SIMTIME_TEXT];
    struct buffer summary = { 0 };
    session_status(s, &status);
    simtime_format(status.now, time);
    snprintf(v->outcome, sizeof v->outcome, "%s at %s%s%s", status.outcome, time, *status.cause ? ": " : "",
             status.cause);
    buffer_text(&summary, session_summary(s));
    struct json_span digest = recorded_member(&summary, "events_sha256");
    if (digest.s && digest.kind == JSON_STRING)
        snprintf(v->digest, sizeof v->digest, "%.*s", (int)digest.len - 2, digest.s + 1);
    buffer_free(&summary);
}

/* Returns the exit code that ends all of it, or 0. A run that has failed in the middle can be compared as well. */
static int run_once(struct verify *v, int i)
{
    struct error err = { 0 };
    struct buffer *path = &v->path[i > 0];
    struct session_options options = v->options->session;
    path->len = 0;
    buffer_format(path, "%s/run%d", v->folder, i + 1);
    options.loop = v->loop;
    options.out_dir = buffer_string(path);
    options.no_skip |= i % WAYS == NO_SKIP;
    options.start_running = i % WAYS != STEPPED;
    struct session *s = session_new(v->scenario, &options, &err);
    if (!s) {
        complain(v, err.text);
        return err.code;
    }
    int code = carry_out(v, s, i);
    if (code == EXIT_RUN_FAILED)
        code = 0;
    if (!code && i == 0)
        note_first(v, s);
    if (code) {
        struct session_status status;
        session_status(s, &status);
        error_set(&err, code, "run %d of %d: %s: %s", i + 1, v->options->runs, status.outcome, status.cause);
        complain(v, err.text);
    }
    session_free(s);
    return code;
}

static void say(struct verify *v, int i, const char *result)
{
    clear_progress(v);
    if (v->options->quiet)
        return;
    printf("run %d of %d, %s: ", i + 1, v->options->runs, way_words[i % WAYS]);
    struct buffer safe = { 0 };
    utf8_escape(&safe, result, strlen(result));
    puts(buffer_string(&safe));
    fflush(stdout);
    buffer_free(&safe);
}

/* Where run i is another than the first. The first such one is shown and kept. */
static void tell_difference(struct verify *v, int i, const struct difference *d)
{
    say(v, i, "it differs from run 1");
    if (!v->differ++) {
        v->is_kept = true;
        printf("Run 1 (A) and run %d (B) differ:\n", i + 1);
        words_print(stdout, d, v->options->color);
        fflush(stdout);
    } else {
        scratch_remove(v->path[1].data);
    }
}

static int compare_with_first(struct verify *v, int i)
{
    struct recorded run[2] = { { .folder = -1, .events.fd = -1 }, { .folder = -1, .events.fd = -1 } };
    struct difference d = { 0 };
    struct error err = { 0 };
    enum parting result = PART_FAILED;
    if (recorded_open(&run[0], v->path[0].data, &err) == 0 && recorded_open(&run[1], v->path[1].data, &err) == 0)
        result = difference_find(&d, &run[0], &run[1], &(struct stop){ is_stopped, v }, &err);
    if (result == PART_SAME) {
        scratch_remove(v->path[1].data);
        say(v, i, "the same");
    } else if (result == PART_DIFFER) {
        tell_difference(v, i, &d);
    } else if (result == PART_FAILED) {
        complain(v, err.text);
    }
    difference_free(&d);
    recorded_close(&run[0]);
    recorded_close(&run[1]);
    return result == PART_FAILED ? EXIT_LAUNCH : stopped_between(v);
}

static int run_all(struct verify *v)
{
    int code = 0;
    for (int i = 0; i < v->options->runs && !code; i++) {
        code = stopped_between(v);
        if (!code)
            code = run_once(v, i);
        if (!code && i == 0)
            say(v, i, v->outcome);
        else if (!code)
            code = compare_with_first(v, i);
    }
    clear_progress(v);
    return code;
}

/* The folders of runs that differ are for who wants to look at them, all else goes. */
static int conclude(struct verify *v, int code)
{
    if (!code && !v->differ) {
        if (!v->options->quiet)
            printf("Identical: %d runs, events.jsonl has SHA-256 %s\n", v->options->runs, v->digest);
    } else if (!code) {
        printf("%d of %d runs %s not as the first; the two that are shown are kept in %s\n", v->differ,
               v->options->runs, v->differ == 1 ? "is" : "are", v->folder);
        code = EXIT_RUN_FAILED;
    }
    if (code != EXIT_RUN_FAILED || scratch_keep(v->folder) < 0)
        scratch_remove(v->folder);
    if (fflush(stdout) == 0 && !ferror(stdout))
        return code;
    fprintf(stderr, "lockstep verify: cannot write to standard output: %s\n", strerror(errno));
    return code ? code : EXIT_LAUNCH;
}

static struct scenario *load(const struct verify_options *o)
{
    struct problems problems = { 0 };
    struct scenario *s = scenario_load(o->file, o->overrides, o->override_count, &problems);
    if (!s || !o->quiet)
        problems_print(&problems, stderr);
    problems_clear(&problems);
    return s;
}

int compare_verify(const struct verify_options *o)
{
    struct error err = { 0 };
    struct verify v = { .options = o, .is_progress = !o->quiet && isatty(STDERR_FILENO) };
    v.scenario = load(o);
    if (!v.scenario)
        return EXIT_INVALID;
    v.loop = loop_new(signals);
    v.folder = scratch_make(&err);
    if (!v.folder)
        complain(&v, err.text);
    int code = v.folder ? conclude(&v, run_all(&v)) : err.code;
    buffer_free(&v.path[0]);
    buffer_free(&v.path[1]);
    free(v.folder);
    loop_free(v.loop);
    scenario_free(v.scenario);
    return code;
}
