/* Nodes in processes of their own, beside a plain loop that writes the same bytes to the same programs over socketpairs
 * and reads their answers, blocking, one after another. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

#define SPEED_BAR 1.25
#define START_BAR 1.5
#define SKIP_BAR  50.0
#define PAIRS     5
#define NODES_MAX 1000

void bench_node(void)
{
    char in[65536], *at = in;
    bool granted = false; /* the next line holds messages */
    for (;;) {
        char *end = memchr(in, '\n', (size_t)(at - in));
        if (!end) {
            ssize_t n = read(STDIN_FILENO, at, sizeof in - (size_t)(at - in));
            if (n <= 0)
                exit(0);
            at += n;
            continue;
        }
        const char *answer = granted ? "DONE\n[]\n" : *in == 'I' ? "READY\n" : "";
        granted = !granted && *in == 'A';
        if (*in == 'S')
            exit(0);
        if (write(STDOUT_FILENO, answer, strlen(answer)) < 0)
            exit(1);
        memmove(in, end + 1, (size_t)(at - end - 1));
        at -= end + 1 - in;
    }
}

struct child {
    pid_t pid;
    int fd;
};

static void write_to(const struct child *c, const char *text, size_t len)
{
    if (write(c->fd, text, len) != (ssize_t)len)
        abort();
}

static void read_lines(const struct child *c, int lines)
{
    char text[4096];
    while (lines > 0) {
        ssize_t n = read(c->fd, text, sizeof text);
        if (n <= 0)
            abort();
        for (ssize_t i = 0; i < n; i++)
            lines -= text[i] == '\n';
    }
}

static struct child start_child(const char *program)
{
    int ends[2];
    struct child c = { 0 };
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0 || (c.pid = fork()) < 0) {
        perror("bench");
        abort();
    }
    if (c.pid == 0) {
        dup2(ends[1], STDIN_FILENO);
        dup2(ends[1], STDOUT_FILENO);
        execl(program, program, "--node", (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    c.fd = ends[0];
    return c;
}

/* The plain loop: *start until all are ready; *quanta for all quanta of all nodes. */
static void bare(const char *program, int nodes, int quanta, double *start, double *steps)
{
    static struct child children[NODES_MAX];
    char line[100];
    double began = now_seconds();
    for (int i = 0; i < nodes; i++) {
        children[i] = start_child(program);
        int len = snprintf(line, sizeof line, "INIT n%d {\"seed\": 1}\n", i);
        write_to(&children[i], line, (size_t)len);
    }
    for (int i = 0; i < nodes; i++)
        read_lines(&children[i], 1);
    double ready = now_seconds();
    for (int q = 1; q <= quanta; q++) {
        int len = snprintf(line, sizeof line, "ADVANCE %d\n[]\n", q * 1000);
        for (int i = 0; i < nodes; i++)
            write_to(&children[i], line, (size_t)len);
        for (int i = 0; i < nodes; i++)
            read_lines(&children[i], 2);
    }
    *steps = now_seconds() - ready;
    *start = ready - began;
    for (int i = 0; i < nodes; i++)
        close(children[i].fd);
    for (int i = 0; i < nodes; i++)
        waitpid(children[i].pid, NULL, 0);
}

/* The same with lockstep. */
static bool with_lockstep(const struct bench *b, const char *program, int nodes, int quanta, int number, double *start,
                          double *steps)
{
    char out[PATH_MAX], file[PATH_MAX], name[40];
    struct outcome outcome;
    snprintf(name, sizeof name, "nodes%d", nodes);
    path_of_run(out, b, name, number);
    snprintf(name, sizeof name, "nodes%d.yaml", nodes);
    path_join(file, b->work, name);
    FILE *f = fopen(file, "w");
    if (!f) {
        perror(file);
        return false;
    }
    fprintf(f, "simulation: { duration: %dms, quantum: 1ms, seed: 1 }\nnodes:\n", quanta);
    for (int i = 0; i < nodes; i++)
        fprintf(f, "  - { id: n%d, type: bench, implementation: process, command: [\"%s\", --node] }\n", i, program);
    fclose(f);
    char *argv[] = { (char *)(uintptr_t)b->lockstep, "--batch", "--quiet", "--out", out, file, NULL };
    if (!process_run(argv, &outcome))
        return false;
    double starting = 0, running = 0;
    bool good = find_number(out, "wall.jsonl", "\"STARTING\"", "\"wall_us\":", &starting) &&
                find_number(out, "wall.jsonl", "\"RUNNING\"", "\"wall_us\":", &running) &&
                find_number(out, "summary.json", "wall_time_s", "\"wall_time_s\": ", steps);
    *start = (running - starting) / 1e6;
    return good && remove_folder(out);
}

static bool compare(const struct bench *b, const char *program, int nodes, int quanta)
{
    double bare_start[PAIRS], bare_steps[PAIRS], start[PAIRS], steps[PAIRS], step_ratio[PAIRS], start_ratio[PAIRS];
    for (int i = 0; i < PAIRS; i++) {
        bare(program, nodes, quanta, &bare_start[i], &bare_steps[i]);
        if (!with_lockstep(b, program, nodes, quanta, i, &start[i], &steps[i]))
            return false;
        step_ratio[i] = steps[i] / bare_steps[i];
        start_ratio[i] = start[i] / bare_start[i];
    }
    struct sample x = sample_of(bare_steps, PAIRS), y = sample_of(steps, PAIRS), z = sample_of(step_ratio, PAIRS);
    double each = 1e6 / nodes / quanta;
    printf("  %5d %12.2f %12.2f %9.2f  bar %.2f: %-9s", nodes, x.median * each, y.median * each, z.median, SPEED_BAR,
           held(z.median <= SPEED_BAR));
    x = sample_of(bare_start, PAIRS), y = sample_of(start, PAIRS), z = sample_of(start_ratio, PAIRS);
    printf(" %9.1f %9.1f %8.2f", x.median * 1e3, y.median * 1e3, z.median);
    if (nodes == 100)
        printf("  bar %.2f: %s", START_BAR, held(z.median <= START_BAR));
    puts("");
    return true;
}

/* The baseline with its four nodes as processes: told of their next events, and not. */
static bool skipping(const struct bench *b)
{
    char out[PATH_MAX], file[PATH_MAX];
    double wall[2];
    path_join(file, b->scenarios, "process_c.yaml");
    for (int i = 0; i < 2; i++) {
        struct outcome outcome;
        path_of_run(out, b, i ? "noskip" : "skip", 0);
        char *argv[] = { (char *)(uintptr_t)b->lockstep, "--batch", "--quiet", "--out", out, file,
                         i ? "--no-skip" : NULL, NULL };
        if (!process_run(argv, &outcome) ||
            !find_number(out, "summary.json", "wall_time_s", "\"wall_time_s\": ", &wall[i]) || !remove_folder(out))
            return false;
    }
    printf(
        "\nthe baseline with four processes, 10 s in 10,000 quanta: with next_us %.1f ms, without %.1f ms: %.0f times; "
        "bar %.0f: %s\n",
        wall[0] * 1e3, wall[1] * 1e3, wall[1] / wall[0], SKIP_BAR, held(wall[1] / wall[0] >= SKIP_BAR));
    return true;
}

bool bench_nodes(const struct bench *b)
{
    static const struct {
        int nodes, quanta;
    } sizes[] = { { 1, 10000 }, { 4, 5000 }, { 100, 300 }, { 500, 80 }, { 1000, 40 } };
    char self[PATH_MAX];
    struct rlimit r;
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    self[n > 0 ? n : 0] = '\0';
    getrlimit(RLIMIT_NOFILE, &r);
    struct rlimit before = r;
    r.rlim_cur = r.rlim_max; /* for the plain loop */
    setrlimit(RLIMIT_NOFILE, &r);
    printf("\nnodes in processes: each answers at once; us per node and quantum, and ms until all are ready; %d pairs\n"
           "  nodes   plain loop     lockstep     ratio                      plain ms  lockstep    ratio\n",
           PAIRS);
    bool good = true;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes && good; i++)
        good = compare(b, self, sizes[i].nodes, b->is_short ? sizes[i].quanta / 10 : sizes[i].quanta);
    setrlimit(RLIMIT_NOFILE, &before);
    return good && skipping(b);
}
