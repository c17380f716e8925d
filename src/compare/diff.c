#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hint.h"
#include "base/utf8.h"
#include "compare/words.h"
#include "lockstep/compare.h"

static const char usage[] =
    "lockstep diff [OPTION]... RUN-A RUN-B\n\n"
    "Compares two recorded runs: events.jsonl record by record, and the metrics files. Shows the first record that\n"
    "differs, those before it, what of it differs, and how to look at both runs there. What differs in the first line\n"
    "(seed, digest, duration, …) is told, and is no difference by itself.\n\n"
    "  -j, --json   one JSON object\n"
    "  --no-color   no colours\n"
    "  -h, --help   this text\n\n"
    "Exit codes: 0 the runs are the same; 1 they differ; 2 bad usage; 3 one is no run folder, or was cut off.\n";

struct diff_words {
    const char *run[2];
    bool json, no_color, help;
};

static int parse(struct diff_words *w, int argc, char **argv, struct error *err)
{
    static const struct option longs[] = { { "json", no_argument, NULL, 'j' },
                                           { "no-color", no_argument, NULL, 'c' },
                                           { "help", no_argument, NULL, 'h' },
                                           { 0 } };
    opterr = 0;
    for (int c; (c = getopt_long(argc, argv, ":jh", longs, NULL)) != -1;) {
        w->json |= c == 'j';
        w->no_color |= c == 'c';
        w->help |= c == 'h';
        if (c == '?' && optopt && strchr("jch", optopt))
            error_set(err, EXIT_USAGE, "%s: it takes no value", argv[optind - 1]);
        else if (c == '?' && optopt)
            error_set(err, EXIT_USAGE, "unknown option -%c", optopt);
        else if (c == '?')
            error_set(err, EXIT_USAGE, "unknown option %s%s", argv[optind - 1],
                      hint_option(argv[optind - 1], longs).text);
        if (err->code || w->help)
            return err->code ? -1 : 0;
    }
    if (argc - optind != 2)
        error_set(err, EXIT_USAGE, "it takes two run folders, and %d %s named", argc - optind,
                  argc - optind == 1 ? "is" : "are");
    else
        memcpy(w->run, (const char *[]){ argv[optind], argv[optind + 1] }, sizeof w->run);
    return err->code ? -1 : 0;
}

static int compare(const struct diff_words *w, struct error *err)
{
    struct recorded run[2] = { { .folder = -1, .events.fd = -1 }, { .folder = -1, .events.fd = -1 } };
    struct difference d = { 0 };
    const char *no_color = getenv("NO_COLOR");
    bool color = !w->no_color && isatty(STDOUT_FILENO) && !(no_color && *no_color);
    int code = EXIT_INVALID;
    if (recorded_open(&run[0], w->run[0], err) == 0 && recorded_open(&run[1], w->run[1], err) == 0) {
        enum parting result = difference_find(&d, &run[0], &run[1], &(struct stop){ 0 }, err);
        code = result == PART_SAME ? EXIT_FINISHED : result == PART_DIFFER ? EXIT_RUN_FAILED : err->code;
        if (result != PART_FAILED && w->json)
            words_json(stdout, &d);
        else if (result != PART_FAILED)
            words_print(stdout, &d, color);
    }
    difference_free(&d);
    recorded_close(&run[0]);
    recorded_close(&run[1]);
    return code;
}

int compare_diff(int argc, char **argv)
{
    struct diff_words w = { 0 };
    struct error err = { 0 };
    int code;
    signal(SIGPIPE, SIG_IGN); /* write says so */
    if (parse(&w, argc, argv, &err) < 0) {
        fprintf(stderr, "lockstep diff: %s; lockstep diff --help says more\n", err.text);
        return EXIT_USAGE;
    }
    if (w.help) {
        fputs(usage, stdout);
        return EXIT_FINISHED;
    }
    code = compare(&w, &err);
    if (err.code) {
        struct buffer safe = { 0 };
        utf8_escape(&safe, err.text, strlen(err.text));
        fprintf(stderr, "lockstep diff: %s\n", buffer_string(&safe));
        buffer_free(&safe);
    }
    if (fflush(stdout) == 0 && !ferror(stdout))
        return code;
    fprintf(stderr, "lockstep diff: cannot write to standard output: %s\n", strerror(errno));
    return EXIT_LAUNCH;
}
