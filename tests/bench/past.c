/* Back in time: how long it takes until any moment of a recorded run is shown, beside reading the history once through.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench.h"
#include "lockstep/session.h"

#define MOMENTS 300
#define SPAN    "500s" /* a million records */
#define BAR_S   0.1

static const int no_signals[] = { 0 };

/* What a screen needs of a moment: the run, every node, a screenful of records, and one of what is in flight. */
static bool look(struct session *s, const struct scenario *scenario, simtime t)
{
    struct session_status status;
    struct node_status node;
    struct record r;
    struct session_message page[50];
    if (!session_command(s, &(struct command){ .kind = COMMAND_VIEW, .time = t }))
        return false;
    session_status(s, &status);
    for (int i = 0; i < scenario->node_count; i++)
        session_node(s, i, &node);
    uint64_t count = store_count(session_store(s));
    for (uint64_t n = count > 50 ? count - 50 : 0; n < count; n++)
        if (store_read(session_store(s), n, &r) < 0)
            return false;
    while (session_flight_missing(s)) {
        session_status(s, &status);
        if (!status.is_reading)
            return false;
        session_step(s);
    }
    uint64_t flying = session_flight_count(s);
    session_flight(s, flying / 2, page, 50);
    return flying == status.in_flight;
}

/* history.bin and flight.bin. */
static bool read_through(const char *folder, double *seconds, uint64_t *bytes)
{
    static const char *const names[] = { "history.bin", "flight.bin" };
    char path[PATH_MAX];
    static char block[1 << 16];
    bool good = true;
    double start = now_seconds();
    *bytes = 0;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        path_join(path, folder, names[i]);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        for (ssize_t n; fd >= 0 && (n = read(fd, block, sizeof block)) > 0;)
            *bytes += (uint64_t)n;
        good &= fd >= 0 && close(fd) == 0;
    }
    *seconds = now_seconds() - start;
    return good;
}

static bool measure(const char *folder, const struct scenario *scenario)
{
    struct error err = { 0 };
    double seconds[MOMENTS], plain;
    uint64_t bytes, seed = 42;
    double start = now_seconds();
    struct loop *loop = loop_new(no_signals);
    struct session *s = session_open_run(scenario, folder, &(struct session_options){ .loop = loop }, &err);
    double open = now_seconds() - start;
    while (s && store_catch_up(session_store(s), INT64_MAX))
        ;
    bool good = s != NULL;
    for (int i = 0; i < MOMENTS && good; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        simtime t = (simtime)((double)(seed >> 11) / 0x1p53 * (double)scenario->duration);
        start = now_seconds();
        good = look(s, scenario, t);
        seconds[i] = now_seconds() - start;
    }
    if (!good || !read_through(folder, &plain, &bytes)) {
        fprintf(stderr, "bench: the run cannot be looked at: %s\n", err.text);
        session_free(s);
        loop_free(loop);
        return false;
    }
    struct session_status status;
    session_command(s, &(struct command){ .kind = COMMAND_HEAD });
    session_status(s, &status);
    struct sample x = sample_of(seconds, MOMENTS);
    printf("  %llu records, %d nodes, %llu in flight at the end, history %.1f MB, %.1f bytes a record; opened in %.1f "
           "ms\n",
           (unsigned long long)status.records, scenario->node_count, (unsigned long long)status.in_flight,
           (double)bytes / 1e6, (double)bytes / (double)status.records, open * 1e3);
    printf("  any moment: best %.2f ms, median %.2f ms, longest of %d %.2f ms; bar %.0f ms: %s\n", x.best * 1e3,
           x.median * 1e3, MOMENTS, seconds[MOMENTS - 1] * 1e3, BAR_S * 1e3, held(seconds[MOMENTS - 1] <= BAR_S));
    printf("  to read the history once: %.2f ms; median / that: %.2f\n", plain * 1e3, x.median / plain);
    session_free(s);
    loop_free(loop);
    return true;
}

/* With a network of this latency: the longer, the more is in flight. */
static bool run_and_measure(const struct bench *b, int number, const char *latency)
{
    char out[PATH_MAX], file[PATH_MAX], recorded[PATH_MAX], setting[80];
    struct outcome batch;
    struct problems problems = { 0 };
    path_of_run(out, b, "past", number);
    path_join(file, b->scenarios, "large.yaml");
    path_join(recorded, out, "scenario.yaml");
    snprintf(setting, sizeof setting, "network.default_latency=%s", latency);
    char *argv[] = { (char *)(uintptr_t)b->lockstep,
                     "--batch",
                     "--quiet",
                     "--duration",
                     b->is_short ? "60s" : SPAN,
                     "--set",
                     "network.model=latency",
                     "--set",
                     setting,
                     "--out",
                     out,
                     file,
                     NULL };
    printf("\nback in time: large for %s, latency %s\n", b->is_short ? "60 s" : SPAN, latency);
    if (!process_run(argv, &batch))
        return false;
    struct scenario *s = scenario_load_recorded(recorded, &problems);
    bool good = s && measure(out, s);
    scenario_free(s);
    problems_print(&problems, stderr);
    problems_clear(&problems);
    return empty_folder(out) && good;
}

bool bench_past(const struct bench *b)
{
    bool good = run_and_measure(b, 0, "10ms");
    return run_and_measure(b, 1, b->is_short ? "40s" : "400s") && good;
}
