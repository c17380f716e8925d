/* The terminal UI beside batch, both in a terminal that is read to the last byte. */
#include <stdio.h>

#include "bench.h"

#define RUNS 5
#define BAR  1.05

static bool run_front(const struct bench *b, bool is_ui, int number, double *seconds)
{
    char out[PATH_MAX], file[PATH_MAX], events[PATH_MAX];
    path_of_run(out, b, is_ui ? "ui" : "batch", number);
    path_join(file, b->scenarios, "large.yaml");
    path_join(events, out, "events.jsonl");
    char *argv[] = { (char *)(uintptr_t)b->lockstep,
                     is_ui ? "--run" : "--batch",
                     "--duration",
                     b->is_short ? "60s" : "600s",
                     "--out",
                     out,
                     file,
                     NULL };
    return process_until_end(argv, events, is_ui, seconds) && empty_folder(out);
}

bool bench_ui(const struct bench *b)
{
    double batch[RUNS], ui[RUNS];
    for (int i = 0; i < RUNS; i++)
        if (!run_front(b, false, i, &batch[i]) || !run_front(b, true, i, &ui[i]))
            return false;
    struct sample x = sample_of(batch, RUNS), y = sample_of(ui, RUNS);
    printf("\nterminal UI beside batch: large for %s, 120x36, process start to end record; %d runs each, in turn\n",
           b->is_short ? "60 s" : "600 s", RUNS);
    printf("  %-8s %9s %9s\n  %-8s %9.3f %9.3f\n  %-8s %9.3f %9.3f\n", "", "best s", "median s", "batch", x.best,
           x.median, "UI", y.best, y.median);
    printf("  UI / batch: best %.3f, median %.3f; bar %.2f: %s\n", y.best / x.best, y.median / x.median, BAR,
           held(y.median / x.median <= BAR));
    return true;
}
