/* Conditions: what breakpoints cost a run, and how soon a filter and a find show something in a long one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/memory.h"
#include "bench.h"
#include "trace/record_line.h"
#include "trace/store_open.h"
#include "ui/filter.h"

#define ROUNDS       21
#define DURATION     "600s" /* beside which the making of a thousand files is little */
#define ROUNDS_SHORT 5
#define BREAKPOINTS  20
#define SCREENFUL    50    /* hits */
#define BAR_ONE      1.03  /* one condition, over none */
#define BAR_TWENTY   1.10  /* BREAKPOINTS of them */
#define BAR_FILTER   0.200 /* s until a screenful is known */
#define BAR_FIND     0.100 /* s until the next hit is */
#define BAR_KIB      (256 * 1024)

/* Conditions that never hold. */
static const struct variant {
    const char *what, *format; /* %d: a sensor */
    int count;
    double bar; /* 0: to be looked at only */
} variants[] = {
    { "none", "", 0, 0 },
    { "none, once more: what is noise", "", 0, 0 },
    { "one, of one node", "type == TRANSMIT && src == s%d && payload.temperature > 100", 1, BAR_ONE },
    { "20, each of another node", "type == TRANSMIT && src == s%d && payload.temperature > 100", BREAKPOINTS,
      BAR_TWENTY },
    { "one that looks into every payload", "payload.temperature > 100%.0d", 1, BAR_ONE },
    { "one for what no payload has", "payload.value > 1000%.0d", 1, BAR_ONE },
    { "20 that look into every payload", "payload.temperature > 1%02d", BREAKPOINTS, 0 },
};
#define VARIANTS ((int)(sizeof variants / sizeof *variants))

static bool run_once(const struct bench *b, const struct variant *v, int round, double *seconds)
{
    char out[PATH_MAX], file[PATH_MAX], conditions[BREAKPOINTS][100];
    char *argv[2 * BREAKPOINTS + 9];
    int argc = 0;
    struct outcome o;
    path_of_run(out, b, "conditions", round);
    path_join(file, b->scenarios, "large.yaml");
    argv[argc++] = (char *)(uintptr_t)b->lockstep;
    argv[argc++] = "--batch";
    argv[argc++] = "--duration";
    argv[argc++] = DURATION;
    argv[argc++] = "--out";
    argv[argc++] = out;
    for (int i = 0; i < v->count; i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        snprintf(conditions[i], sizeof conditions[i], v->format, i + 1);
#pragma GCC diagnostic pop
        argv[argc++] = "--until";
        argv[argc++] = conditions[i];
    }
    argv[argc++] = file;
    argv[argc] = NULL;
    if (!process_run(argv, &o) || !empty_folder(out))
        return false;
    *seconds = o.cpu_seconds;
    return true;
}

/* In turns, so that what else the machine does is the same for all; and of each the fastest, as that only adds. */
static bool bench_cost(const struct bench *b)
{
    int rounds = b->is_short ? ROUNDS_SHORT : ROUNDS;
    double fastest[VARIANTS], seconds;
    printf("  processor time of a run with conditions that never hold, over that of one without (the fastest of %d)\n",
           rounds);
    for (int r = 0; r < rounds; r++)
        for (int i = 0; i < VARIANTS; i++) {
            int v = (i + r) % VARIANTS;
            if (!run_once(b, &variants[v], r * VARIANTS + i, &seconds))
                return false;
            fastest[v] = r && fastest[v] < seconds ? fastest[v] : seconds;
        }
    for (int i = 1; i < VARIANTS; i++) {
        double ratio = fastest[i] / fastest[0];
        printf("    %-36s %6.3f", variants[i].what, ratio);
        if (variants[i].bar > 0)
            printf("  bar %.2f: %s", variants[i].bar, held(ratio <= variants[i].bar));
        puts("");
    }
    return true;
}

/* The offsets of its lines and what is known of strides, as while a run goes on. */
static bool index_lines(FILE *f, struct store_index *x)
{
    char *line = NULL;
    size_t size = 0;
    for (ssize_t n; (n = getline(&line, &size, f)) > 0; x->end += n) {
        struct record r;
        if (!record_from_line(line, (size_t)n, &r))
            break;
        store_index_note(x, x->records++, x->end);
        store_index_zone(x, &r);
    }
    free(line);
    return x->records > 0 && feof(f);
}

static struct filter *make_filter(const char *text)
{
    struct condition_error err;
    struct condition *c = condition_parse(text, &err);
    if (!c) {
        fprintf(stderr, "bench: %s: %s\n", text, err.text);
        abort();
    }
    return filter_new(c);
}

static void time_filter(struct store *store, const char *text)
{
    struct filter *f = make_filter(text);
    bool changed = false, more = true;
    double began = now_seconds(), first = 0;
    filter_go(f, store_count(store) / 2);
    while (more) {
        more = filter_work(f, store, false, &changed);
        if (first == 0 && (filter_count(f) >= SCREENFUL || !more))
            first = now_seconds() - began;
    }
    double all = now_seconds() - began;
    uint64_t hits = filter_count(f), n = 0;
    struct store_query q;
    filter_query(f, &q);
    began = now_seconds();
    enum store_found found = store_find(store, &q, false, UINT64_MAX, &n);
    double next = now_seconds() - began;
    printf("    %-44s %9llu hits; a screenful after %6.1f ms: %s; all after %5.2f s; the first of all after %6.1f ms: "
           "%s\n",
           text, (unsigned long long)hits, first * 1e3, held(first <= BAR_FILTER), all, next * 1e3,
           found == STORE_FOUND ? held(next <= BAR_FIND) : "there is none");
    filter_free(f);
}

static bool bench_filter(const struct bench *b)
{
    static const char *const texts[] = { "type == TRANSMIT && payload.temperature > 25",
                                         "src == s500 && payload.temperature > 24",
                                         "payload.temperature > 28",
                                         "payload.temperature > 100",
                                         "payload.value > 1e9",
                                         "type == AGGREGATE",
                                         "kind == drop" };
    char out[PATH_MAX], file[PATH_MAX], events[PATH_MAX];
    path_of_run(out, b, "filter", 0);
    path_join(file, b->scenarios, "large.yaml");
    path_join(events, out, "events.jsonl");
    char *argv[] = {
        (char *)(uintptr_t)b->lockstep, "--batch", "--duration", b->is_short ? "60s" : "5000s", "--out", out, file, NULL
    };
    struct outcome o;
    struct store_index index = { 0 };
    struct rusage usage;
    FILE *f = process_run(argv, &o) ? fopen(events, "re") : NULL;
    if (!f || !index_lines(f, &index))
        return false;
    struct store *store = store_new(fileno(f), &index);
    printf(
        "  a filter from the middle of %llu records, and the first hit from their beginning; bars %.0f and %.0f ms\n",
        (unsigned long long)index.records, BAR_FILTER * 1e3, BAR_FIND * 1e3);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        time_filter(store, texts[i]);
    getrusage(RUSAGE_SELF, &usage);
    printf("    peak memory %.0f MiB; bar %d MiB: %s\n", (double)usage.ru_maxrss / 1024, BAR_KIB / 1024,
           held(usage.ru_maxrss <= BAR_KIB));
    store_free(store);
    store_index_free(&index);
    fclose(f);
    return empty_folder(out);
}

bool bench_conditions(const struct bench *b)
{
    puts("\nconditions: the large scenario");
    return bench_cost(b) && bench_filter(b);
}
