/* The benchmark: what lockstep takes, each figure beside something measured in the same run. A program to be looked at,
 * not a test: machines differ. */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Those that measure a child's memory come before those that need some of their own: a child begins with ours. */
static const struct section {
    const char *name, *help;
    bool (*run)(const struct bench *b);
} sections[] = {
    { "baseline", "the baseline in batch, beside /bin/true", bench_baseline },
    { "large", "the large scenario: records/s and memory, beside a plain write loop", bench_large },
    { "ui", "the terminal UI beside batch", bench_ui },
    { "conditions", "a run with breakpoints beside one without; filter and find in ten million records",
      bench_conditions },
    { "nodes", "nodes in processes of their own, beside a plain loop over socketpairs", bench_nodes },
    { "containers", "nodes in containers, beside a plain client and a process; DOCKER_HOST says where",
      bench_containers },
    { "renode", "firmware in Renode, beside a plain client of the same Renode", bench_renode },
    { "past", "any moment of a recorded run, beside reading its history once", bench_past },
    { "recorded", "ten million records opened, filtered and looked through, beside reading them once", bench_recorded },
    { "queue", "the event queue beside a plain binary heap", bench_queue },
};
#define SECTIONS (sizeof sections / sizeof sections[0])

static void print_help(void)
{
    puts("bench measures lockstep, each figure beside something in the same run.\n\n"
         "  bench [--short] [--lockstep FILE] [--scenarios DIR] [SECTION...]\n\n"
         "  --short           a minute of the large scenario instead of an hour\n"
         "  --lockstep FILE   the program to measure (default: ../lockstep, seen from where bench is)\n"
         "  --scenarios DIR   the examples (default: those of the sources that bench was built from)\n"
         "  --help            this text\n\nSections (default: all):");
    for (size_t i = 0; i < SECTIONS; i++)
        printf("  %-17s %s\n", sections[i].name, sections[i].help);
    puts("\nThe run folders go to $TMPDIR (default: /tmp) and are removed; an hour of the large scenario needs 3.5 GB "
         "there.");
}

static int usage(const char *what, const char *word)
{
    fprintf(stderr, "bench: %s '%s'; bench --help lists what there is\n", what, word);
    return 2;
}

static void find_lockstep(char out[PATH_MAX])
{
    char self[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    self[n > 0 ? n : 0] = '\0';
    char *slash = strrchr(self, '/');
    if (slash)
        *slash = '\0';
    path_join(out, self, "../lockstep");
}

static bool make_work(struct bench *b)
{
    const char *tmp = getenv("TMPDIR");
    path_join(b->work, tmp && *tmp ? tmp : "/tmp", "lockstep-bench-XXXXXX");
    if (mkdtemp(b->work))
        return true;
    perror("bench: no folder for the runs");
    return false;
}

static int section_named(const char *name)
{
    for (size_t i = 0; i < SECTIONS; i++)
        if (strcmp(sections[i].name, name) == 0)
            return (int)i;
    return -1;
}

/* Returns -1 to go on, else the exit code. */
static int parse(struct bench *b, unsigned *chosen, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        char *into = strcmp(argv[i], "--lockstep") == 0    ? b->lockstep
                     : strcmp(argv[i], "--scenarios") == 0 ? b->scenarios
                                                           : NULL;
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            print_help();
            return 0;
        }
        if (into && i + 1 == argc)
            return usage("a value is missing after", argv[i]);
        if (into)
            snprintf(into, PATH_MAX, "%s", argv[++i]);
        else if (strcmp(argv[i], "--short") == 0)
            b->is_short = true;
        else if (section_named(argv[i]) < 0)
            return usage(*argv[i] == '-' ? "unknown option" : "unknown section", argv[i]);
        else
            *chosen |= 1u << section_named(argv[i]);
    }
    return -1;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--node") == 0)
        bench_node();
    struct bench b = { .scenarios = LOCKSTEP_SOURCE_DIR "/scenarios" };
    unsigned chosen = 0;
    bool good = true;
    find_lockstep(b.lockstep);
    int code = parse(&b, &chosen, argc, argv);
    if (code >= 0)
        return code;
    if (access(b.lockstep, X_OK) != 0) {
        fprintf(stderr, "bench: %s cannot be run; name it with --lockstep\n", b.lockstep);
        return 2;
    }
    if (!make_work(&b))
        return 1;
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("lockstep: %s; %ld processors\n", b.lockstep, sysconf(_SC_NPROCESSORS_ONLN));
    for (size_t i = 0; i < SECTIONS; i++)
        if (!chosen || chosen & 1u << i)
            good = sections[i].run(&b) && good;
    good = remove_folder(b.work) && good;
    return good ? 0 : 1;
}
