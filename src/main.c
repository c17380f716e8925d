/* The choice of the front. */
#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/utf8.h"
#include "batch/batch.h"
#include "lockstep/check.h"
#include "lockstep/clean.h"
#include "lockstep/compare.h"
#include "lockstep/condition_words.h"
#include "options.h"
#include "ui/ui.h"

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
    if (!a->keys_file && !(isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))) {
        fprintf(stderr, "lockstep: there is no terminal here%s; lockstep --help lists what there is\n",
                a->replay
                    ? " to look at a run in; --keys FILE does without one, and the run folder's events.jsonl is text"
                    : "; use --batch (or --keys FILE)");
        return EXIT_USAGE;
    }
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
        fprintf(
            help ? stdout : stderr, "%s",
            help
                ? "lockstep clean\n\n"
                  "Ends the processes, and removes the folders and what is on container engines, that a lockstep left\n"
                  "behind which was killed. It asks the engine of DOCKER_HOST and those at the usual sockets.\n\n"
                  "  -h, --help   this text\n\n"
                  "Exit codes: 0 nothing is left where it looked; 1 something could not be removed, or not be looked\n"
                  "at; 2 bad usage.\n"
                : "lockstep clean: it takes no arguments; lockstep clean --help says more\n");
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

/* What is wrong with the command line. */
static void print_usage_error(const struct arguments *a, const struct error *err)
{
    bool is_question = err->text[strlen(err->text) - 1] == '?';
    if (a->bad_condition)
        print_bad_condition(a, err);
    else
        fprintf(stderr, "lockstep: %s%s\n", err->text, is_question ? "" : "; lockstep --help lists what there is");
}

static int run(int argc, char **argv)
{
    struct arguments a = { .session = { .until = SIMTIME_NEVER } };
    struct error err = { 0 };
    int code = EXIT_FINISHED;
    const char *no_color = getenv("NO_COLOR");
    a.no_color = no_color && *no_color;
    a.replay = argc > 1 && !strcmp(argv[1], "replay");
    a.verify = argc > 1 && !strcmp(argv[1], "verify");
    if (a.verify)
        a.mode = MODE_VERIFY;
    int skipped = a.replay || a.verify;
    if (options_parse(&a, argc - skipped, argv + skipped, &err) == 0 && a.mode == MODE_HELP) {
        options_help(&a);
    } else if (!err.code && a.mode == MODE_VERSION) {
        puts("lockstep " LOCKSTEP_VERSION);
    } else if (err.code || options_check(&a, &err) < 0) {
        print_usage_error(&a, &err);
        code = a.json ? batch_usage(&err) : err.code;
    } else {
        tell_hints(&a);
        if (a.mode == MODE_UI && !a.session.breakpoints)
            a.session.breakpoints = breakpoints_new(); /* for its keys */
        code = a.mode == MODE_UI ? run_ui(&a) : a.mode == MODE_VERIFY ? run_verify(&a) : run_batch(&a);
    }
    options_free(&a);
    return code;
}

int main(int argc, char **argv)
{
    char help[] = "--help";
    char *of_help[] = { argv[0], argc > 2 ? argv[2] : help, help, NULL };
    open_standard();
    if (argc > 1 && !strcmp(argv[1], "help")) { /* `help verify` is `verify --help` */
        argv = of_help;
        argc = argc > 2 ? 3 : 2;
    }
    for (size_t i = 0; argc > 1 && i < sizeof commands / sizeof *commands; i++)
        if (!strcmp(argv[1], commands[i].word))
            return commands[i].run(argc - 1, argv + 1);
    setlocale(LC_CTYPE, "");
    signal(SIGPIPE, SIG_IGN); /* write says so */
    signal(SIGXFSZ, SIG_IGN);
    return run(argc, argv);
}
