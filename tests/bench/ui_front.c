/* The terminal UI beside batch, both in a terminal that is read to the last byte. */
#include <stdio.h>

#include "bench.h"

#define RUNS 15
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
    double batch[RUNS], ui[RUNS], ratio[RUNS];
    for (int i = 0; i < RUNS; i++) { /* which one goes first changes: a disk may be slower for the second */
        bool ui_first = i % 2;
        if (!run_front(b, ui_first, i, ui_first ? &ui[i] : &batch[i]) ||
            !run_front(b, !ui_first, i, ui_first ? &batch[i] : &ui[i]))
            return false;
        ratio[i] = ui[i] / batch[i];
    }
    struct sample x = sample_of(batch, RUNS), y = sample_of(ui, RUNS), z = sample_of(ratio, RUNS);
    printf("\nterminal UI beside batch: large for %s, 120x36, process start to end record; %d pairs\n",
           b->is_short ? "60 s" : "600 s", RUNS);
    printf("  %-8s %9s %9s\n  %-8s %9.3f %9.3f\n  %-8s %9.3f %9.3f\n", "", "best s", "median s", "batch", x.best,
           x.median, "UI", y.best, y.median);
    printf("  UI / batch: best %.3f, median of the pairs %.3f (%.3f to %.3f); bar %.2f: %s\n", y.best / x.best,
           z.median, ratio[0], ratio[RUNS - 1], BAR, held(z.median <= BAR));
    return true;
}
