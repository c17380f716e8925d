/* The baseline in batch, process start to process end, beside a program that does nothing. */
#include <stdio.h>

#include "bench.h"

#define RUNS        20
#define QUANTA      10000.0 /* of the baseline */
#define BAR_SKIP    15.0    /* ms */
#define BAR_NO_SKIP 80.0    /* ms */
#define PYTHON_S    4.4     /* the reference implementation's time; told to us, not measured here */

enum variant { TRUE_ALONE, SKIPPING, NO_SKIP, VARIANTS };

static bool run_variant(const struct bench *b, enum variant v, int number, double *ms)
{
    char out[PATH_MAX], file[PATH_MAX];
    path_of_run(out, b, v == NO_SKIP ? "no-skip" : "baseline", number);
    path_join(file, b->scenarios, "m0_baseline.yaml");
    char *commands[VARIANTS][7] = {
        [TRUE_ALONE] = { "/bin/true", NULL },
        [SKIPPING] = { (char *)(uintptr_t)b->lockstep, "--batch", "--out", out, file, NULL },
        [NO_SKIP] = { (char *)(uintptr_t)b->lockstep, "--batch", "--no-skip", "--out", out, file, NULL },
    };
    struct outcome o;
    if (!process_run(commands[v], &o))
        return false;
    *ms = o.seconds * 1e3;
    return true;
}

bool bench_baseline(const struct bench *b)
{
    static const char *const names[] = { "/bin/true", "lockstep --batch", "lockstep --batch --no-skip" };
    static const double bars[] = { 0, BAR_SKIP, BAR_NO_SKIP };
    double ms[VARIANTS][RUNS];
    for (int i = 0; i < RUNS; i++)
        for (enum variant v = 0; v < VARIANTS; v++) /* side by side: what disturbs one disturbs the others */
            if (!run_variant(b, v, i, &ms[v][i]))
                return false;
    struct sample times[VARIANTS];
    printf("\nbaseline: 10 s, 10,000 quanta, 4 nodes; process start to end, run folder included; %d runs, in turn\n",
           RUNS);
    printf("  %-28s %9s %9s %12s %12s %14s\n", "", "best ms", "median ms", "x /bin/true", "quanta/s", "Python 4.4 s /");
    for (enum variant v = 0; v < VARIANTS; v++) {
        struct sample s = times[v] = sample_of(ms[v], RUNS);
        printf("  %-28s %9.2f %9.2f %12.1f", names[v], s.best, s.median, s.median / times[TRUE_ALONE].median);
        if (v != TRUE_ALONE)
            printf(" %12.0f %14.0f  bar %2.0f ms: %s", QUANTA / s.median * 1e3, PYTHON_S * 1e3 / s.median, bars[v],
                   held(s.median <= bars[v]));
        puts("");
    }
    puts("  (the 4.4 s of the Python reference are a figure from outside, measured on another machine)");
    return true;
}
