#include "options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hint.h"
#include "base/memory.h"
#include "lockstep/compare.h"

enum { WITH_REPLAY = 1, WITH_VERIFY = 2, WITH_BOTH = 3 };

/* An option: parser and help at once. One of flag, path and take says what it does. */
struct option_row {
    const char *name;
    char letter;          /* 0: none */
    char with;            /* goes with WITH_REPLAY, WITH_VERIFY */
    const char *argument; /* NULL: takes none */
    const char *help;
    size_t flag;         /* where in struct arguments a bool is set */
    const char *path;    /* the field of the scenario that it overrides, */
    const char *origin;  /* what problems with it name, */
    const char *example; /* and a value of it */
    int (*take)(struct arguments *a, const char *value, struct error *err);
};

static int take_batch(struct arguments *a, const char *value, struct error *err)
{
    (void)value, (void)err;
    a->mode = MODE_BATCH;
    return 0;
}

static int take_dry_run(struct arguments *a, const char *value, struct error *err)
{
    (void)value, (void)err;
    a->mode = MODE_DRY_RUN;
    return 0;
}

static int take_help(struct arguments *a, const char *value, struct error *err)
{
    (void)value, (void)err;
    a->mode = MODE_HELP;
    return 0;
}

static int take_version(struct arguments *a, const char *value, struct error *err)
{
    (void)value, (void)err;
    a->mode = MODE_VERSION;
    return 0;
}

static void add_override(struct arguments *a, char *path, const char *value, const char *origin)
{
    a->overrides = mem_grow(a->overrides, a->override_count, &a->override_capacity, sizeof *a->overrides);
    a->overrides[a->override_count++] = (struct scenario_override){ path, value, origin };
}

static int take_set(struct arguments *a, const char *value, struct error *err)
{
    const char *equals = strchr(value, '=');
    if (!equals || equals == value) {
        error_set(err, EXIT_USAGE, "--set %s: write PATH=VALUE, for example --set network.default_latency=5ms", value);
        return -1;
    }
    add_override(a, mem_text_n(value, (size_t)(equals - value)), equals + 1, "--set");
    return 0;
}

/* A breakpoint, also one that ends the run. */
static int add_breakpoint(struct arguments *a, const char *option, const char *value, enum breakpoint_action action,
                          struct error *err)
{
    struct condition_error bad;
    if (!a->session.breakpoints)
        a->session.breakpoints = breakpoints_new();
    if (breakpoints_add(a->session.breakpoints, value, action, &bad) >= 0)
        return 0;
    error_set(err, EXIT_USAGE, "%s: %s", option, bad.text);
    a->bad_condition = value;
    a->bad_column = bad.column;
    return -1;
}

static int take_break(struct arguments *a, const char *value, struct error *err)
{
    a->pauses = true;
    return add_breakpoint(a, "--break", value, BREAKPOINT_PAUSE, err);
}

static int take_until(struct arguments *a, const char *value, struct error *err)
{
    const char *why;
    bool is_time = simtime_parse(value, 1000000, &a->session.until, &why) == 0;
    if (!is_time && !strchr("+-.0123456789", *value))
        return add_breakpoint(a, "--until", value, BREAKPOINT_END, err);
    if (!is_time)
        error_set(err, EXIT_USAGE, "--until %s: %s", value, why);
    else if (a->session.until == 0)
        error_set(err, EXIT_USAGE, "--until %s: the run is there already; name a later time", value);
    return err->code ? -1 : 0;
}

static int take_at(struct arguments *a, const char *value, struct error *err)
{
    const char *why;
    if (simtime_parse(value, 1000000, &a->at, &why) < 0)
        error_set(err, EXIT_USAGE, "--at %s: %s", value, why);
    return err->code ? -1 : 0;
}

static int take_out(struct arguments *a, const char *value, struct error *err)
{
    if (!*value) {
        error_set(err, EXIT_USAGE, "--out: the name of the run folder is empty");
        return -1;
    }
    a->session.out_dir = value;
    return 0;
}

static int take_runs(struct arguments *a, const char *value, struct error *err)
{
    char *end;
    long runs = strtol(value, &end, 10);
    if (end == value || *end || runs < 2 || runs > VERIFY_RUNS_MAX) {
        error_set(err, EXIT_USAGE, "-n, --runs %s: how many runs, from 2 to %d", value, VERIFY_RUNS_MAX);
        return -1;
    }
    a->runs = (int)runs;
    return 0;
}

static int take_junit(struct arguments *a, const char *value, struct error *err)
{
    if (!*value) {
        error_set(err, EXIT_USAGE, "--junit: the name of the file is empty");
        return -1;
    }
    a->junit = value;
    return 0;
}

static int take_keys(struct arguments *a, const char *value, struct error *err)
{
    (void)err;
    a->keys_file = value;
    return 0;
}

static int take_size(struct arguments *a, const char *value, struct error *err)
{
    char end;
    if (sscanf(value, "%4dx%4d%c", &a->columns, &a->rows, &end) == 2 && a->columns > 0 && a->rows > 0)
        return 0;
    error_set(err, EXIT_USAGE, "--size %s: write COLUMNSxROWS, for example 80x24", value);
    return -1;
}

#define FLAG(member) .flag = offsetof(struct arguments, member)

static const struct option_row options[] = {
    { "batch", 'b', 0, NULL, "no terminal UI: progress on stderr, summary on stdout", .take = take_batch },
    { "dry-run", 'n', 0, NULL, "check the scenario and describe it; start nothing", .take = take_dry_run },
    { "run", 0, 0, NULL, "UI: start running at once, not paused", FLAG(session.start_running) },
    { "seed", 's', WITH_VERIFY, "N", "override simulation.seed", .path = "simulation.seed", .origin = "--seed",
      .example = "42" },
    { "duration", 'd', WITH_VERIFY, "T", "override simulation.duration: 10s, 2.5min, or seconds",
      .path = "simulation.duration", .origin = "--duration", .example = "10s" },
    { "quantum", 0, WITH_VERIFY, "T", "override simulation.quantum: 1ms, 100us, or seconds",
      .path = "simulation.quantum", .origin = "--quantum", .example = "1ms" },
    { "set", 'S', WITH_VERIFY, "PATH=VALUE",
      "override any field: network.default_latency=5ms, nodes.gw.config.forward_to=cloud; may repeat",
      .take = take_set },
    { "until", 'u', WITH_VERIFY, "T|COND", "end there, successfully: 2.5s, or type == ALERT && payload.level > 3",
      .take = take_until },
    { "break", 0, 0, "T|COND", "UI: pause there; may repeat", .take = take_break },
    { "at", 0, WITH_REPLAY, "T", "replay: the moment that is shown first", .take = take_at },
    { "out", 'o', 0, "DIR", "the run folder (default: runs/NAME-seedN-K, K the first free number)", .take = take_out },
    { "pace", 0, WITH_VERIFY, "X", "follow the wall clock at X times real time (default: as fast as it goes)",
      .path = "simulation.pace", .origin = "--pace", .example = "10" },
    { "no-skip", 0, 0, NULL, "step idle quanta too: the same results, the long way", FLAG(session.no_skip) },
    { "json", 'j', 0, NULL, "batch, dry-run: the summary as one JSON object, also of what cannot run", FLAG(json) },
    { "junit", 0, 0, "FILE", "batch: a JUnit report, a test case for each node and one for the run",
      .take = take_junit },
    { "runs", 'n', WITH_VERIFY, "N", "verify: how many runs, at least 2 (default: 3)", .take = take_runs },
    { "verbose", 'v', 0, NULL, "batch: say more: states, and every node in the summary", FLAG(verbose) },
    { "quiet", 'q', WITH_VERIFY, NULL, "batch, verify: only errors, the summary of --json, and where runs part",
      FLAG(quiet) },
    { "no-color", 0, WITH_BOTH, NULL, "no colours; the environment's NO_COLOR does the same", FLAG(no_color) },
    { "ascii", 0, WITH_REPLAY, NULL, "only ASCII characters on the screen", FLAG(ascii) },
    { "keys", 0, WITH_REPLAY, "FILE", "UI without a terminal: take keys and steps from FILE", .take = take_keys },
    { "size", 0, WITH_REPLAY, "COLSxROWS", "with --keys: the size of the screen (default: 80x24)", .take = take_size },
    { "help", 'h', WITH_BOTH, NULL, "this text", .take = take_help },
    { "version", 'V', 0, NULL, "the version", .take = take_version },
};
#define OPTIONS (sizeof options / sizeof options[0])

/* A field of the scenario: what is none of its values is no matter of the scenario's. */
static void take_field(struct arguments *a, const struct option_row *row, const char *value, struct error *err)
{
    add_override(a, mem_text(row->path), value, row->origin);
    struct error why = { 0 };
    if (scenario_check_option(&a->overrides[a->override_count - 1], &why) < 0)
        error_set(err, why.code, "%s; write for example %s %s", why.text, row->origin, row->example);
}

static void take_option(struct arguments *a, const struct option_row *row, const char *value, struct error *err)
{
    if (row->take)
        row->take(a, value, err);
    else if (row->path)
        take_field(a, row, value, err);
    else
        *(bool *)((char *)a + row->flag) = true;
}

/* What is said of a word in its own help. */
struct word_help {
    const char *usage, *what, *ends;
    char with; /* of its options */
};
static const struct word_help replay_help = {
    "lockstep replay RUN [OPTION]...",
    "Shows a recorded run in the terminal UI, at its end, and moves through it, forward and back. RUN is its folder,\n"
    "such as runs/NAME-seed1-1.",
    "Exit codes: 0 it was looked at; 1 a step of --keys did not come about; 2 bad usage, or no terminal; 3 it is no "
    "run\n"
    "folder.",
    WITH_REPLAY
};
static const struct word_help verify_help = {
    "lockstep verify SCENARIO.yaml [OPTION]...",
    "Runs the scenario several times, in batch, and compares each run with the first. What must not matter is changed "
    "from\n"
    "run to run: as it is, with --no-skip, paused and stepped. The first two that differ are kept, and named.",
    "Exit codes: 0 the runs are the same; 1 they differ; 2 bad usage; 3 the scenario is invalid; 4 the launch failed, "
    "or\n"
    "the runs cannot be written; 128+N ended by signal N.",
    WITH_VERIFY
};

static void print_options(const struct word_help *word)
{
    for (size_t i = 0; i < OPTIONS; i++) {
        const struct option_row *row = &options[i];
        char letter[] = { '-', row->letter, ',', '\0' }, name[40];
        const char *help = row->help, *colon = strstr(help, ": ");
        if (word && !(row->with & word->with))
            continue;
        if (word && colon && (!strncmp(help, "replay:", 7) || !strncmp(help, "verify:", 7)))
            help = colon + 2;
        snprintf(name, sizeof name, "--%s%s%s", row->name, row->argument ? " " : "",
                 row->argument ? row->argument : "");
        printf("  %-3s %-18s  %s\n", row->letter ? letter : "", name, help);
    }
}

static void print_word_help(const struct word_help *word)
{
    printf("%s\n\n%s\n\n", word->usage, word->what);
    print_options(word);
    printf("\n%s\n", word->ends);
}

static void print_help(void)
{
    puts("lockstep runs a co-simulation scenario: it moves every node through simulated time in lockstep.\n\n"
         "  lockstep SCENARIO.yaml              the terminal UI; starts paused at t = 0, ? shows the keys\n"
         "  lockstep --batch SCENARIO.yaml      without a screen, for scripts: results in a run folder\n"
         "  lockstep --dry-run SCENARIO.yaml    check the scenario, start nothing\n"
         "  lockstep replay RUN                 look at a recorded run in the terminal UI, forward and back\n"
         "  lockstep diff RUN-A RUN-B           compare two recorded runs: the first record that differs\n"
         "  lockstep verify SCENARIO.yaml -n N  run it N times (default: 3): is each the same, and where do they part\n"
         "  lockstep check-node -- COMMAND      talk the node protocol to a program, say what it does wrong\n"
         "  lockstep clean                      remove what a lockstep that was killed left: processes, containers\n\n"
         "Options, before or behind the scenario; words such as verify stand first, and have a help of their own:");
    print_options(NULL);
    puts("\nExit codes: 0 finished; 1 the run failed; 2 bad usage; 3 the scenario is invalid; "
         "4 the launch failed or the\n"
         "results cannot be written; 128+N ended cleanly by signal N (130 also: aborted at the keys).\n"
         "The scenario format, the keys and the run folder are described in lockstep(1) and the README.");
}

/* For verify -n says how many runs, elsewhere it is --dry-run. */
static char letter_of(const struct option_row *row, bool verify)
{
    return row->take == (verify ? take_dry_run : take_runs) ? '\0' : row->letter;
}

/* getopt's tables, made from ours. A long option's value is its row + 256. */
static void make_tables(struct option longs[OPTIONS + 1], char shorts[2 * OPTIONS + 2], bool verify)
{
    char *s = shorts;
    *s++ = ':';
    for (size_t i = 0; i < OPTIONS; i++) {
        longs[i] = (struct option){ options[i].name, options[i].argument ? required_argument : no_argument, NULL,
                                    (int)i + 256 };
        char letter = letter_of(&options[i], verify);
        if (!letter)
            continue;
        *s++ = letter;
        if (options[i].argument)
            *s++ = ':';
    }
    *s = '\0';
    longs[OPTIONS] = (struct option){ 0 };
}

static const struct option_row *find_option(int c, bool verify)
{
    if (c >= 256)
        return &options[c - 256];
    for (size_t i = 0; i < OPTIONS; i++)
        if (letter_of(&options[i], verify) == c)
            return &options[i];
    return NULL;
}

/* Words that may stand before everything else. */
static const char *const words[] = { "check-node", "clean", "diff", "help", "replay", "verify" };
#define WORDS (sizeof words / sizeof *words)

/* A word that stands too late, as in lockstep -n 3 verify X. */
static bool refuse_late_word(int count, char **operands, struct error *err)
{
    for (int i = 0; i < count; i++)
        for (size_t w = 0; w < WORDS; w++)
            if (!strcmp(operands[i], words[w]) && (count > 1 || access(operands[i], F_OK) < 0)) {
                error_set(err, EXIT_USAGE, "`%s` stands first: lockstep %s …, with its options behind it", words[w],
                          words[w]);
                return true;
            }
    return false;
}

/* What is no file, nor named as one, was meant as such a word. */
static bool refuse_word(const struct arguments *a, const char *operand, const char *next, struct error *err)
{
    struct hint hint = { .word = operand };
    const char *end = strrchr(operand, '.');
    bool is_named_as_file = strchr(operand, '/') || (end && (!strcmp(end, ".yaml") || !strcmp(end, ".yml")));
    for (size_t w = 0; w < WORDS; w++)
        hint_consider(&hint, words[w], words[w]);
    if (a->replay || a->verify || !*operand || access(operand, F_OK) == 0)
        return false;
    if (hint.best && hint.distance)
        error_set(err, EXIT_USAGE, "there is no command '%s', and no file%s", shown(operand).text,
                  hint_text(&hint).text);
    else if (!hint.best && !is_named_as_file)
        error_set(err, EXIT_USAGE,
                  "there is no command '%s', and no file; a scenario is run by its name alone: "
                  "lockstep %s",
                  shown(operand).text, next ? shown(next).text : "SCENARIO.yaml");
    return err->code != 0;
}

/* Whatever is wrong: if --json stands behind it, that is told so too. */
static void look_for_json(struct arguments *a, int argc, char **argv, const char *shorts, const struct option *longs)
{
    for (int c; (c = getopt_long(argc, argv, shorts, longs, NULL)) != -1;) {
        const struct option_row *row = find_option(c, a->verify);
        a->json = a->json || (row && row->flag == offsetof(struct arguments, json));
    }
}

int options_parse(struct arguments *a, int argc, char **argv, struct error *err)
{
    struct option longs[OPTIONS + 1];
    char shorts[2 * OPTIONS + 2];
    make_tables(longs, shorts, a->verify);
    opterr = 0;
    for (int c; (c = getopt_long(argc, argv, shorts, longs, NULL)) != -1;) {
        const struct option_row *row = find_option(c, a->verify);
        if (c == '?' && optopt >= 256)
            error_set(err, EXIT_USAGE, "--%s takes no value", options[optopt - 256].name);
        else if (c == '?' && optopt)
            error_set(err, EXIT_USAGE, "unknown option -%c", optopt);
        else if (c == '?')
            error_set(err, EXIT_USAGE, "unknown option %s%s", argv[optind - 1],
                      hint_option(argv[optind - 1], longs).text);
        else if (c == ':')
            error_set(err, EXIT_USAGE, "%s needs a value", argv[optind - 1]);
        else
            take_option(a, row, optarg, err);
        if (err->code)
            look_for_json(a, argc, argv, shorts, longs);
        if (err->code || a->mode == MODE_HELP || a->mode == MODE_VERSION)
            return err->code ? -1 : 0;
    }
    if (optind == argc)
        error_set(err, EXIT_USAGE, a->replay ? "no run folder is named" : "no scenario is named");
    else if (refuse_late_word(argc - optind, argv + optind, err) || refuse_word(a, argv[optind], argv[optind + 1], err))
        return -1;
    else if (argc - optind > 1)
        error_set(err, EXIT_USAGE, "one %s at a time: what is '%s'?", a->replay ? "run" : "scenario", argv[optind + 1]);
    else
        a->file = argv[optind];
    return err->code ? -1 : 0;
}

int options_check(const struct arguments *a, struct error *err)
{
    if (a->verify && (a->mode != MODE_VERIFY || a->session.out_dir || a->session.start_running || a->session.no_skip ||
                      a->verbose || a->ascii || a->pauses))
        error_set(err, EXIT_USAGE,
                  "verify runs a scenario several times in folders of its own; only -n, --seed, --duration, "
                  "--quantum, --set, --until, --pace, --quiet and --no-color go with it");
    else if (a->runs && !a->verify)
        error_set(err, EXIT_USAGE, "--runs goes with verify");
    else if (a->junit && a->mode != MODE_BATCH)
        error_set(err, EXIT_USAGE, "--junit goes with --batch");
    if (err->code)
        return -1;
    if (a->replay && (a->mode != MODE_UI || a->override_count || a->session.out_dir || a->session.start_running))
        error_set(err, EXIT_USAGE,
                  "replay shows a run as it was recorded; only --at, --keys, --size, --no-color and "
                  "--ascii go with it");
    else if (a->at && !a->replay)
        error_set(err, EXIT_USAGE, "--at goes with replay; --until ends a run at a time");
    else if (a->json && a->mode != MODE_BATCH && a->mode != MODE_DRY_RUN)
        error_set(err, EXIT_USAGE, "--json goes with --batch, --dry-run and diff");
    else if (a->keys_file && a->mode != MODE_UI)
        error_set(err, EXIT_USAGE, "--keys drives the terminal UI; leave --batch and --dry-run out");
    else if (a->mode != MODE_UI && a->pauses)
        error_set(err, EXIT_USAGE, "--break pauses the terminal UI; without it, --until ends the run");
    else if (a->columns && !a->keys_file)
        error_set(err, EXIT_USAGE, "--size goes with --keys");
    return err->code ? -1 : 0;
}

void options_help(const struct arguments *a)
{
    if (a->replay || a->verify)
        print_word_help(a->replay ? &replay_help : &verify_help);
    else
        print_help();
}

void options_free(struct arguments *a)
{
    for (size_t i = 0; i < a->override_count; i++)
        free((char *)(uintptr_t)a->overrides[i].path);
    free(a->overrides);
    breakpoints_free(a->session.breakpoints);
}
