/* A recorded run of ten million records, looked at as in the terminal: opened, its end and its begin, filters and
 * finds, each from the key to the screen that shows what was asked for; beside reading its events once. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "bench.h"
#include "ui/filter.h"
#include "ui/screen.h"

#define SPAN       "5000s" /* ten million records */
#define NEXT       50      /* matches that are gone to one after the other */
#define NEXT_NONE  5       /* times that all records are looked through for nothing */
#define BAR_FILTER 0.200   /* s until a screenful of hits is shown */
#define BAR_FIND   0.100   /* s until the next match is */
#define BAR_KIB    (256 * 1024)

static const int no_signals[] = { 0 };

struct screen {
    struct app app;
    struct canvas canvas;
    struct ui_options options;
    struct loop *loop;
};

static void draw(struct screen *s)
{
    app_tally(&s->app);
    screen_draw(&s->app, &s->canvas);
}

/* One round of the front. Returns whether there is more to do. */
static bool turn(struct screen *s)
{
    bool more = app_work(&s->app);
    session_wait(s->app.session, -1, 0);
    session_step(s->app.session);
    app_refresh(&s->app);
    return more || !app_settled(&s->app);
}

static void press(struct screen *s, uint32_t key)
{
    app_input(&s->app, &(struct input){ .key = key });
}

static void answer(struct screen *s, uint32_t key, const char *text)
{
    press(s, key);
    press(s, 'u' & 0x1f); /* Ctrl-U: what stands there */
    for (; *text; text++)
        press(s, (uint32_t)(unsigned char)*text);
}

static double until_quiet(struct screen *s, double began)
{
    while (turn(s))
        ;
    draw(s);
    return now_seconds() - began;
}

static double time_key(struct screen *s, uint32_t key)
{
    double began = now_seconds();
    press(s, key);
    return until_quiet(s, began);
}

/* From Enter until the pane is full of hits, or it is known that there are no more; then all of it. */
static double time_filter(struct screen *s, const char *text, uint64_t *hits, double *all)
{
    answer(s, 'f', text);
    double began = now_seconds(), first = 0;
    press(s, INPUT_ENTER);
    struct filter *f = pane_events_filtered(s->app.panes[PANE_EVENTS]);
    for (bool more = true; more && f;) {
        more = turn(s);
        if (first > 0 || (more && filter_count(f) < (uint64_t)s->app.panes[PANE_EVENTS]->list.rows))
            continue;
        draw(s);
        first = now_seconds() - began;
    }
    *all = now_seconds() - began;
    *hits = f ? filter_count(f) : 0;
    answer(s, 'f', "");
    press(s, INPUT_ENTER);
    until_quiet(s, began);
    return first;
}

/* To the first match from the selected event on, and from each to the next; the longest of them. */
static double time_finds(struct screen *s, const char *text, int count, double *median)
{
    double seconds[NEXT];
    answer(s, '/', text);
    for (int i = 0; i < count; i++)
        seconds[i] = time_key(s, i ? 'n' : INPUT_ENTER);
    press(s, INPUT_ESC);
    *median = sample_of(seconds, (size_t)count).median;
    return seconds[count - 1];
}

/* Without a bar: where only the records themselves tell that no hit is near. */
static const struct {
    const char *text;
    bool is_looked_at_only;
} filters[] = {
    { "type == TRANSMIT && payload.temperature > 25", false },
    { "src == s500", false },
    { "src == s500 && payload.temperature > 24", false },
    { "dst == gw7 && size > 63", false },
    { "type == AGGREGATE", false },
    { "kind == drop", false },
    { "kind == node || kind == link || kind == warning", false },
    { "time < 1s", false },
    { "src == nobody", false },
    { "payload.temperature > 100", false },
    { "payload.value > 1e9", false },
};
/* sample_1 is half the run away: every record between is read for it. */
static const struct {
    const char *text;
    bool is_looked_at_only;
    int count;
} finds[] = {
    { "s500", false, NEXT },
    { "sample_2", false, NEXT },
    { "src == s500", false, NEXT },
    { "payload.temperature > 25", false, NEXT },
    { "type == AGGREGATE", false, NEXT },
    { "kind == drop", false, NEXT },
    { "sample_1", true, NEXT },
    { "payload.temperature > 100", false, NEXT_NONE },
    { "payload.value > 1e9", false, NEXT_NONE },
};

static const char *verdict(bool is_looked_at_only, bool is_held)
{
    return is_looked_at_only && !is_held ? "none" : held(is_held);
}

static void measure_filters(struct screen *s, const char *where)
{
    printf("  filters, %s: until the screen is full of hits or there are no more; until all are known\n", where);
    for (size_t i = 0; i < sizeof filters / sizeof *filters; i++) {
        uint64_t hits;
        double all, first = time_filter(s, filters[i].text, &hits, &all);
        printf("    %-48s %8.1f ms  bar %.0f ms: %-8s  %8.2f s  %10llu hits\n", filters[i].text, first * 1e3,
               BAR_FILTER * 1e3, verdict(filters[i].is_looked_at_only, first <= BAR_FILTER), all,
               (unsigned long long)hits);
    }
}

static void measure_finds(struct screen *s, uint64_t from)
{
    printf("  finds, from the middle on: the next %d matches, the longest way and the median\n", NEXT);
    for (size_t i = 0; i < sizeof finds / sizeof *finds; i++) {
        double median;
        pane_events_go(s->app.panes[PANE_EVENTS], from);
        draw(s);
        double most = time_finds(s, finds[i].text, finds[i].count, &median);
        printf("    %-48s %8.1f ms  bar %.0f ms: %-8s  %8.1f ms\n", finds[i].text, most * 1e3, BAR_FIND * 1e3,
               verdict(finds[i].is_looked_at_only, most <= BAR_FIND), median * 1e3);
    }
}

static void measure_moves(struct screen *s, double began)
{
    double opened = now_seconds() - began, known = until_quiet(s, began);
    double begin = time_key(s, 'C'), end = time_key(s, 'V'), step = time_key(s, 'S'), event = time_key(s, ',');
    printf("  opened, and its first screen, in %.1f ms; all records known after %.2f s, beside other work\n",
           opened * 1e3, known);
    printf("  to the begin %.1f ms, to the end %.1f ms, a quantum back %.1f ms, an event back %.1f ms\n", begin * 1e3,
           end * 1e3, step * 1e3, event * 1e3);
    press(s, 'V');
    until_quiet(s, began);
}

static bool open_screen(struct screen *s, const char *folder)
{
    *s = (struct screen){ .options = { .run_dir = folder, .keys_file = "" }, .loop = loop_new(no_signals) };
    s->options.session.breakpoints = breakpoints_new();
    canvas_resize(&s->canvas, 160, 48);
    app_init(&s->app, &s->options, s->loop);
    draw(s);
    return s->app.session != NULL;
}

static void close_screen(struct screen *s)
{
    app_free(&s->app);
    breakpoints_free(s->options.session.breakpoints);
    canvas_free(&s->canvas);
    loop_free(s->loop);
}

static bool measure(const char *folder)
{
    static struct screen s;
    struct rusage usage;
    double began = now_seconds();
    bool good = open_screen(&s, folder);
    if (!good)
        fprintf(stderr, "bench: the run cannot be looked at: %s\n", s.app.launch.text);
    if (good) {
        measure_moves(&s, began);
        uint64_t count = store_count(session_store(s.app.session));
        measure_filters(&s, "from the end");
        pane_events_go(s.app.panes[PANE_EVENTS], count / 2);
        draw(&s);
        measure_filters(&s, "from the middle");
        measure_finds(&s, count / 2);
    }
    close_screen(&s);
    getrusage(RUSAGE_SELF, &usage);
    printf("  peak memory %.0f MiB; bar %d MiB: %s\n", (double)usage.ru_maxrss / 1024, BAR_KIB / 1024,
           held(usage.ru_maxrss <= BAR_KIB));
    return good;
}

bool bench_recorded(const struct bench *b)
{
    char out[PATH_MAX], file[PATH_MAX], events[PATH_MAX];
    struct outcome batch;
    uint64_t lines, bytes;
    path_of_run(out, b, "recorded", 0);
    path_join(file, b->scenarios, "large.yaml");
    path_join(events, out, "events.jsonl");
    char *argv[] = { (char *)(uintptr_t)b->lockstep,
                     "--batch",
                     "--quiet",
                     "--duration",
                     b->is_short ? "60s" : SPAN,
                     "--out",
                     out,
                     file,
                     NULL };
    printf("\na recorded run: large for %s, 160x48\n", b->is_short ? "60 s" : SPAN);
    if (!process_run(argv, &batch))
        return false;
    double began = now_seconds();
    if (!count_lines(events, &lines, &bytes))
        return false;
    printf("  %llu records, %.0f MB; to read them once and count the lines %.2f s\n", (unsigned long long)lines,
           (double)bytes / 1e6, now_seconds() - began);
    return measure(out) && empty_folder(out);
}
