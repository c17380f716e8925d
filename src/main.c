/* The option table, and the choice of the front. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/hint.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "batch/batch.h"
#include "lockstep/check.h"
#include "lockstep/clean.h"
#include "lockstep/compare.h"
#include "lockstep/condition_words.h"
#include "ui/ui.h"

enum mode { MODE_UI, MODE_BATCH, MODE_DRY_RUN, MODE_VERIFY, MODE_HELP, MODE_VERSION };

struct arguments {
    enum mode mode;
    const char *file;
    bool replay;                         /* the file is a run folder */
    bool verify;                         /* the command: the mode too, unless an option asks for help */
    int runs;                            /* of verify; 0: not given */
    struct scenario_override *overrides; /* their paths are owned; values and origins are not */
    size_t override_count, override_capacity;
    struct session_options session;
    bool json, quiet, verbose, no_color, ascii, pauses;
    simtime at; /* replay: the moment that is shown first */
    const char *keys_file, *junit;
    int columns, rows;         /* 0: not given */
    const char *bad_condition; /* that was refused; NULL: none was */
    size_t bad_column;
};

/* An option: parser and help at once. One of flag, path and take says what it does. */
struct option_row {
    const char *name;
    char letter;          /* 0: none */
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
    { "batch", 'b', NULL, "no terminal UI: progress on stderr, summary on stdout", .take = take_batch },
    { "dry-run", 'n', NULL, "check the scenario and describe it; start nothing", .take = take_dry_run },
    { "run", 0, NULL, "UI: start running at once, not paused", FLAG(session.start_running) },
    { "seed", 's', "N", "override simulation.seed", .path = "simulation.seed", .origin = "--seed", .example = "42" },
    { "duration", 'd', "T", "override simulation.duration: 10s, 2.5min, or seconds", .path = "simulation.duration",
      .origin = "--duration", .example = "10s" },
    { "quantum", 0, "T", "override simulation.quantum: 1ms, 100us, or seconds", .path = "simulation.quantum",
      .origin = "--quantum", .example = "1ms" },
    { "set", 'S', "PATH=VALUE",
      "override any field: network.default_latency=5ms, nodes.gw.config.forward_to=cloud; may repeat",
      .take = take_set },
    { "until", 'u', "T|COND", "end there, successfully: 2.5s, or type == ALERT && payload.level > 3",
      .take = take_until },
    { "break", 0, "T|COND", "UI: pause there; may repeat", .take = take_break },
    { "at", 0, "T", "replay: the moment that is shown first", .take = take_at },
    { "out", 'o', "DIR", "the run folder (default: runs/NAME-seedN-K, K the first free number)", .take = take_out },
    { "pace", 0, "X", "follow the wall clock at X times real time (default: as fast as it goes)",
      .path = "simulation.pace", .origin = "--pace", .example = "10" },
    { "no-skip", 0, NULL, "step idle quanta too: the same results, the long way", FLAG(session.no_skip) },
    { "json", 'j', NULL, "batch, dry-run: the summary as one JSON object, also of what cannot run", FLAG(json) },
    { "junit", 0, "FILE", "batch: a JUnit report, a test case for each node and one for the run", .take = take_junit },
    { "runs", 'n', "N", "verify: how many runs, at least 2 (default: 3)", .take = take_runs },
    { "verbose", 'v', NULL, "batch: say more: states, and every node in the summary", FLAG(verbose) },
    { "quiet", 'q', NULL, "batch, verify: only errors, the summary of --json, and where runs part", FLAG(quiet) },
    { "no-color", 0, NULL, "no colours; the environment's NO_COLOR does the same", FLAG(no_color) },
    { "ascii", 0, NULL, "only ASCII characters on the screen", FLAG(ascii) },
    { "keys", 0, "FILE", "UI without a terminal: take keys and steps from FILE", .take = take_keys },
    { "size", 0, "COLSxROWS", "with --keys: the size of the screen (default: 80x24)", .take = take_size },
    { "help", 'h', NULL, "this text", .take = take_help },
    { "version", 'V', NULL, "the version", .take = take_version },
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
         "Options, before or behind the scenario; words such as verify stand first:");
    for (size_t i = 0; i < OPTIONS; i++) {
        char letter[] = { '-', options[i].letter, ',', '\0' }, name[40];
        snprintf(name, sizeof name, "--%s%s%s", options[i].name, options[i].argument ? " " : "",
                 options[i].argument ? options[i].argument : "");
        printf("  %-3s %-18s  %s\n", options[i].letter ? letter : "", name, options[i].help);
    }
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
static const char *const words[] = { "check-node", "clean", "diff", "replay", "verify" };
#define WORDS (sizeof words / sizeof *words)

/* What is more than one scenario, or one run: most often a word that stands too late, as in lockstep -n 3 verify X. */
static void refuse_operands(const struct arguments *a, int count, char **operands, struct error *err)
{
    for (int i = 0; i < count; i++)
        for (size_t w = 0; w < WORDS; w++)
            if (!strcmp(operands[i], words[w])) {
                error_set(err, EXIT_USAGE, "`%s` stands first: lockstep %s …, with its options behind it", words[w],
                          words[w]);
                return;
            }
    error_set(err, EXIT_USAGE, "one %s at a time: what is '%s'?", a->replay ? "run" : "scenario", operands[1]);
}

/* What is no file may be such a word, spelt wrong. */
static bool refuse_word(const struct arguments *a, const char *operand, struct error *err)
{
    struct hint hint = { .word = operand };
    for (size_t w = 0; w < WORDS; w++)
        hint_consider(&hint, words[w], words[w]);
    if (!hint.best || !hint.distance || a->replay || a->verify || access(operand, F_OK) == 0)
        return false;
    error_set(err, EXIT_USAGE, "there is no file '%s'%s", shown(operand).text, hint_text(&hint).text);
    return true;
}

/* Whatever is wrong: if --json stands behind it, that is told so too. */
static void look_for_json(struct arguments *a, int argc, char **argv, const char *shorts, const struct option *longs)
{
    for (int c; (c = getopt_long(argc, argv, shorts, longs, NULL)) != -1;) {
        const struct option_row *row = find_option(c, a->verify);
        a->json = a->json || (row && row->flag == offsetof(struct arguments, json));
    }
}

static int parse(struct arguments *a, int argc, char **argv, struct error *err)
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
            error_set(err, EXIT_USAGE, "unknown option %s", argv[optind - 1]);
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
    else if (refuse_word(a, argv[optind], err))
        return -1;
    else if (argc - optind > 1)
        refuse_operands(a, argc - optind, argv + optind, err);
    else
        a->file = argv[optind];
    return err->code ? -1 : 0;
}

static int check_front(const struct arguments *a, struct error *err)
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
    else if (a->mode == MODE_UI && !a->keys_file && !(isatty(STDIN_FILENO) && isatty(STDOUT_FILENO)))
        error_set(err, EXIT_USAGE,
                  a->replay
                      ? "there is no terminal here to look at a run in; --keys FILE does without one, and the run "
                        "folder's events.jsonl is text"
                      : "there is no terminal here; use --batch (or --keys FILE)");
    return err->code ? -1 : 0;
}

/* The message, the condition, and a mark below the place; without these two where characters would not stand in
 * columns. */
static void print_bad_condition(const struct arguments *a, const struct error *err)
{
    struct buffer shown = { 0 };
    utf8_escape(&shown, a->bad_condition, strlen(a->bad_condition));
    fprintf(stderr, "lockstep: %s; lockstep(1) tells what conditions are\n", err->text);
    if (!strcmp(buffer_string(&shown), a->bad_condition))
        fprintf(stderr, "  %s\n  %*s\n", a->bad_condition, (int)a->bad_column, "^");
    buffer_free(&shown);
}

static bool is_utf8(void)
{
    return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

static int run_batch(const struct arguments *a)
{
    struct batch_options o = { .file = a->file,
                               .overrides = a->overrides,
                               .override_count = a->override_count,
                               .session = a->session,
                               .junit = a->junit,
                               .json = a->json,
                               .quiet = a->quiet,
                               .verbose = a->verbose,
                               .color = !a->no_color && isatty(STDOUT_FILENO) && isatty(STDERR_FILENO),
                               .ascii = a->ascii || !is_utf8() };
    return a->mode == MODE_BATCH ? batch_run(&o) : batch_dry_run(&o);
}

static int run_verify(const struct arguments *a)
{
    struct verify_options o = { .file = a->file,
                                .overrides = a->overrides,
                                .override_count = a->override_count,
                                .session = a->session,
                                .runs = a->runs ? a->runs : VERIFY_RUNS,
                                .quiet = a->quiet,
                                .color = !a->no_color && isatty(STDOUT_FILENO) };
    return compare_verify(&o);
}

/* Said without a screen, as a wrong name is. */
static bool is_run_folder(const char *path)
{
    struct buffer file = { 0 };
    buffer_format(&file, "%s/events.jsonl", path);
    bool is = access(buffer_string(&file), R_OK) == 0;
    if (!is)
        fprintf(stderr, "lockstep: %s: %s; name the folder of a run, such as runs/NAME-seed1-1\n", file.data,
                strerror(errno));
    buffer_free(&file);
    return is;
}

static int run_ui(const struct arguments *a)
{
    if (a->replay && !is_run_folder(a->file))
        return EXIT_INVALID;
    struct ui_options o = { .file = a->replay ? NULL : a->file,
                            .run_dir = a->replay ? a->file : NULL,
                            .at = a->at,
                            .overrides = a->overrides,
                            .override_count = a->override_count,
                            .session = a->session,
                            .keys_file = a->keys_file,
                            .columns = a->columns ? a->columns : 80,
                            .rows = a->rows ? a->rows : 24,
                            .color = !a->no_color,
                            .ascii = a->ascii || (!a->keys_file && !is_utf8()) };
    return ui_run(&o);
}

static int run_clean(int argc, char **argv)
{
    if (argc > 1) {
        bool help = !strcmp(argv[1], "--help") || !strcmp(argv[1], "-h");
        fprintf(help ? stdout : stderr, "lockstep clean: ends processes, and removes folders and what is on container "
                                        "engines, that a killed lockstep left behind; it takes no arguments\n");
        return help ? EXIT_FINISHED : EXIT_USAGE;
    }
    return clean_leftovers(stdout) ? EXIT_RUN_FAILED : EXIT_FINISHED;
}

/* A condition that is taken, and is perhaps not what was meant. */
static void tell_hints(const struct arguments *a)
{
    char hint[CONDITION_HINT];
    struct breakpoint b;
    for (size_t i = 0; !a->quiet && a->session.breakpoints && breakpoints_get(a->session.breakpoints, i, &b); i++)
        if (condition_text_hint(b.condition, hint))
            fprintf(stderr, "lockstep: --%s %s: %s\n", b.action == BREAKPOINT_END ? "until" : "break", b.text, hint);
}

/* Words instead of a scenario. */
static const struct {
    const char *word;
    int (*run)(int argc, char **argv);
} commands[] = {
    { "clean", run_clean },
    { "check-node", check_node },
    { "diff", compare_diff },
};

/* Whoever started the program may have closed some of these: no other file may get their numbers. */
static void open_standard(void)
{
    int fd;
    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
}

int main(int argc, char **argv)
{
    open_standard();
    for (size_t i = 0; argc > 1 && i < sizeof commands / sizeof *commands; i++)
        if (!strcmp(argv[1], commands[i].word))
            return commands[i].run(argc - 1, argv + 1);
    struct arguments a = { .session = { .until = SIMTIME_NEVER } };
    struct error err = { 0 };
    int code;
    setlocale(LC_CTYPE, "");
    signal(SIGPIPE, SIG_IGN); /* write says so */
    signal(SIGXFSZ, SIG_IGN);
    const char *no_color = getenv("NO_COLOR");
    a.no_color = no_color && *no_color;
    a.replay = argc > 1 && !strcmp(argv[1], "replay");
    a.verify = argc > 1 && !strcmp(argv[1], "verify");
    if (a.verify)
        a.mode = MODE_VERIFY;
    int skipped = a.replay || a.verify;
    if (parse(&a, argc - skipped, argv + skipped, &err) == 0 && a.mode == MODE_HELP) {
        print_help();
        code = EXIT_FINISHED;
    } else if (!err.code && a.mode == MODE_VERSION) {
        puts("lockstep " LOCKSTEP_VERSION);
        code = EXIT_FINISHED;
    } else if (err.code || check_front(&a, &err) < 0) {
        if (a.bad_condition)
            print_bad_condition(&a, &err);
        else
            fprintf(stderr, "lockstep: %s; lockstep --help lists what there is\n", err.text);
        code = a.json ? batch_usage(&err) : err.code;
    } else {
        tell_hints(&a);
        if (a.mode == MODE_UI && !a.session.breakpoints)
            a.session.breakpoints = breakpoints_new(); /* for its keys */
        code = a.mode == MODE_UI ? run_ui(&a) : a.mode == MODE_VERIFY ? run_verify(&a) : run_batch(&a);
    }
    for (size_t i = 0; i < a.override_count; i++)
        free((char *)(uintptr_t)a.overrides[i].path);
    free(a.overrides);
    breakpoints_free(a.session.breakpoints);
    return code;
}
