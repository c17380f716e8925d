/* The large scenario: records a second and memory, beside a plain loop that writes the same bytes. */
#include <stdio.h>

#include "bench.h"

#define RUNS     3
#define BAR_RATE 1e6 /* records/s */
#define BAR_KIB  (64 * 1024)

struct measure {
    double rate[RUNS], cpu_rate[RUNS]; /* records a second, of wall time and of processor time */
    double copy_ratio[RUNS];           /* wall time over that of the plain loop */
    uint64_t records, bytes;
    long rss_kib; /* the largest */
};

static bool run_once(const struct bench *b, const char *duration, struct measure *m, int i)
{
    char out[PATH_MAX], copy[PATH_MAX], file[PATH_MAX], events[PATH_MAX], name[40];
    path_of_run(out, b, duration, i);
    snprintf(name, sizeof name, "copy-of-%s", duration);
    path_of_run(copy, b, name, i);
    path_join(file, b->scenarios, "large.yaml");
    path_join(events, out, "events.jsonl");
    char *argv[] = {
        (char *)(uintptr_t)b->lockstep, "--batch", "--duration", (char *)(uintptr_t)duration, "--out", out, file, NULL
    };
    struct outcome o;
    uint64_t bytes;
    double seconds = 0;
    bool good = process_run(argv, &o) && count_lines(events, &m->records, &bytes) &&
                copy_folder(out, copy, &m->bytes, &seconds) && empty_folder(out) && empty_folder(copy);
    if (!good)
        return false;
    m->rate[i] = (double)m->records / o.seconds;
    m->cpu_rate[i] = (double)m->records / o.cpu_seconds;
    m->copy_ratio[i] = o.seconds / seconds;
    m->rss_kib = o.rss_kib > m->rss_kib ? o.rss_kib : m->rss_kib;
    return true;
}

static bool run_duration(const struct bench *b, const char *duration, struct measure *m)
{
    for (int i = 0; i < RUNS; i++)
        if (!run_once(b, duration, m, i))
            return false;
    struct sample rate = sample_of(m->rate, RUNS), cpu = sample_of(m->cpu_rate, RUNS);
    struct sample ratio = sample_of(m->copy_ratio, RUNS);
    double best = m->rate[RUNS - 1]; /* sorted; the highest rate is the best */
    printf("  %-6s %10llu %7.0f %11.0f %12.0f %13.0f %13.2f %9.1f  bar 1,000,000/s: %s\n", duration,
           (unsigned long long)m->records, (double)m->bytes / 1e6, best, rate.median, cpu.median, ratio.median,
           (double)m->rss_kib / 1024, held(rate.median >= BAR_RATE));
    return true;
}

bool bench_large(const struct bench *b)
{
    static const char *const durations[][2] = { { "600s", "3600s" }, { "10s", "60s" } };
    struct measure m[2] = { 0 };
    printf("\nlarge: 1,000 sensors, 10 gateways; whole process, 1,024 open files allowed; %d runs each\n", RUNS);
    printf("  %-6s %10s %7s %11s %12s %13s %13s %9s\n", "time", "records", "MB", "best rec/s", "median rec/s",
           "median/CPU s", "x plain loop", "peak MiB");
    for (int i = 0; i < 2; i++)
        if (!run_duration(b, durations[b->is_short][i], &m[i]))
            return false;
    double growth = (double)m[1].rss_kib / (double)m[0].rss_kib;
    printf("  memory at %s over memory at %s: %.2f; bar 64 MiB: %s\n", durations[b->is_short][1],
           durations[b->is_short][0], growth, held(m[1].rss_kib <= BAR_KIB));
    puts("  (median/CPU s: records a second of processor time, both threads together)");
    puts("  (plain loop: one thread reads the same files and writes them with write(2), and takes events.jsonl's "
         "SHA-256)");
    return true;
}
