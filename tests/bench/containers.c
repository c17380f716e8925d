/* Nodes in containers. Their start and end, beside a plain client that has one connection for each container and makes,
 * starts and removes all of them side by side. A quantum over a Unix socket, beside one of the same program in a
 * process. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

#define START_BAR   1.3
#define END_BAR     1.3
#define QUANTUM_BAR 1.5
#define CONTAINERS  20
#define PAIRS       5
#define IMAGE       "lockstep-bench:latest"
#define TAR_MAX     (16 << 20)

static const char host_prefix[] = "unix://";

/* One request on a connection of its own; returns the status of the answer, 0 where there was none. */
static int call(const char *method, const char *path, const char *kind, const void *body, size_t len)
{
    struct sockaddr_un to = { .sun_family = AF_UNIX };
    char text[4096];
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), status = 0;
    snprintf(to.sun_path, sizeof to.sun_path, "%s", getenv("DOCKER_HOST") + sizeof host_prefix - 1);
    int head = snprintf(text, sizeof text,
                        "%s /v1.41%s HTTP/1.1\r\nHost: engine\r\nConnection: close\r\n"
                        "Content-Type: %s\r\nContent-Length: %zu\r\n\r\n",
                        method, path, kind, len);
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) < 0 || write(fd, text, (size_t)head) != head) {
        perror("bench: the engine");
        abort();
    }
    for (size_t done = 0; done < len;) {
        ssize_t n = write(fd, (const char *)body + done, len - done);
        if (n <= 0)
            break; /* the answer says why */
        done += (size_t)n;
    }
    ssize_t got = read(fd, text, sizeof text - 1);
    text[got > 0 ? got : 0] = '\0';
    sscanf(text, "HTTP/%*s %d", &status);
    while (got > 0)
        got = read(fd, text, sizeof text);
    close(fd);
    return status;
}

static int call_json(const char *method, const char *path, const char *body)
{
    return call(method, path, "application/json", body, strlen(body));
}

static bool make_image(const char *folder)
{
    static char archive[TAR_MAX];
    char command[PATH_MAX + 100];
    snprintf(command, sizeof command, "tar -C '%s' -cf - Dockerfile node", folder);
    FILE *tar = popen(command, "r");
    size_t len = tar ? fread(archive, 1, sizeof archive, tar) : 0;
    if (!tar || pclose(tar) != 0 || len == sizeof archive) {
        fprintf(stderr, "bench: no archive of %s\n", folder);
        return false;
    }
    int status = call("POST", "/build?rm=1&forcerm=1&t=" IMAGE, "application/x-tar", archive, len);
    if (status != 200)
        fprintf(stderr, "bench: the image could not be built: status %d\n", status);
    return status == 200;
}

static void make_and_start(int i)
{
    char path[200];
    snprintf(path, sizeof path, "/containers/create?name=lockstep-bench-%d", i);
    if (call_json("POST", path, "{\"Image\": \"" IMAGE "\", \"OpenStdin\": true, \"StdinOnce\": true}") != 201)
        _exit(1);
    snprintf(path, sizeof path, "/containers/lockstep-bench-%d/start", i);
    _exit(call_json("POST", path, "") == 204 ? 0 : 1);
}

static void drop(int i)
{
    char path[200];
    snprintf(path, sizeof path, "/containers/lockstep-bench-%d?force=1", i);
    _exit(call_json("DELETE", path, "") / 100 == 2 ? 0 : 1); /* 204, and of Podman 200 too */
}

/* One process for each container; *seconds until all have done it. */
static bool side_by_side(void (*act)(int i), double *seconds)
{
    bool good = true;
    double began = now_seconds();
    fflush(stdout);
    for (int i = 0; i < CONTAINERS; i++) {
        pid_t pid = fork();
        if (pid < 0) {
            perror("bench");
            abort();
        }
        if (pid == 0)
            act(i);
    }
    for (int i = 0, status; i < CONTAINERS; i++)
        good &= wait(&status) > 0 && status == 0;
    *seconds = now_seconds() - began;
    if (!good)
        fputs("bench: the plain client failed\n", stderr);
    return good;
}

enum place { IN_CONTAINER, IN_PROCESS };

static bool write_scenario(const struct bench *b, enum place place, int nodes, int quanta, char file[PATH_MAX])
{
    path_join(file, b->work, "containers.yaml");
    FILE *f = fopen(file, "w");
    if (!f) {
        perror(file);
        return false;
    }
    fprintf(f, "simulation: { duration: %dms, quantum: 1ms, seed: 1 }\nnodes:\n", quanta);
    for (int i = 0; i < nodes; i++)
        if (place == IN_PROCESS)
            fprintf(f,
                    "  - { id: n%d, type: bench, implementation: process, transport: unix, "
                    "command: [\"%s/containers/echo/node\"] }\n",
                    i, b->scenarios);
        else
            fprintf(f, "  - { id: n%d, type: bench, implementation: docker, docker: { image: \"" IMAGE "\"%s } }\n", i,
                    nodes == 1 ? ", transport: unix" : "");
    return fclose(f) == 0;
}

struct times {
    double start, end, quantum; /* s; of all nodes, of all nodes, of one quantum */
};

static bool with_lockstep(const struct bench *b, enum place place, int nodes, int quanta, int number, struct times *t)
{
    char out[PATH_MAX], file[PATH_MAX];
    struct outcome outcome;
    double starting, running, ended;
    if (!write_scenario(b, place, nodes, quanta, file))
        return false;
    path_of_run(out, b, place == IN_PROCESS ? "process" : "container", number);
    char *argv[] = { (char *)(uintptr_t)b->lockstep, "--batch", "--quiet", "--no-skip", "--out", out, file, NULL };
    if (!process_run(argv, &outcome) || !find_number(out, "wall.jsonl", "\"STARTING\"", "\"wall_us\":", &starting) ||
        !find_number(out, "wall.jsonl", "\"RUNNING\"", "\"wall_us\":", &running) ||
        !find_number(out, "wall.jsonl", "\"end\"", "\"wall_us\":", &ended) ||
        !find_number(out, "summary.json", "wall_time_s", "\"wall_time_s\": ", &t->quantum))
        return false;
    t->start = (running - starting) / 1e6;
    t->end = (ended - running) / 1e6 - t->quantum; /* until the last is removed */
    t->quantum /= quanta;
    return remove_folder(out);
}

static void print_line(const char *what, double *plain, double *lockstep, double *ratio, double scale, double bar)
{
    struct sample x = sample_of(plain, PAIRS), y = sample_of(lockstep, PAIRS), z = sample_of(ratio, PAIRS);
    printf("  %-34s %10.1f %10.1f %8.2f  bar %.2f: %s\n", what, x.median * scale, y.median * scale, z.median, bar,
           held(z.median <= bar));
}

static bool launches(const struct bench *b)
{
    double plain[2][PAIRS], lockstep[2][PAIRS], ratio[2][PAIRS];
    for (int i = 0; i < PAIRS; i++) {
        struct times t;
        if (!side_by_side(make_and_start, &plain[0][i]) || !side_by_side(drop, &plain[1][i]) ||
            !with_lockstep(b, IN_CONTAINER, CONTAINERS, 1, i, &t))
            return false;
        lockstep[0][i] = t.start;
        lockstep[1][i] = t.end;
        for (int k = 0; k < 2; k++)
            ratio[k][i] = lockstep[k][i] / plain[k][i];
    }
    print_line("20 containers: start, ms", plain[0], lockstep[0], ratio[0], 1e3, START_BAR);
    print_line("20 containers: end, ms", plain[1], lockstep[1], ratio[1], 1e3, END_BAR);
    return true;
}

static bool quanta(const struct bench *b)
{
    double process[PAIRS], container[PAIRS], ratio[PAIRS];
    int count = b->is_short ? 2000 : 20000;
    for (int i = 0; i < PAIRS; i++) {
        struct times t;
        if (!with_lockstep(b, IN_PROCESS, 1, count, i, &t))
            return false;
        process[i] = t.quantum;
        if (!with_lockstep(b, IN_CONTAINER, 1, count, i, &t))
            return false;
        container[i] = t.quantum;
        ratio[i] = container[i] / process[i];
    }
    print_line("a quantum over a Unix socket, us", process, container, ratio, 1e6, QUANTUM_BAR);
    return true;
}

bool bench_containers(const struct bench *b)
{
    const char *host = getenv("DOCKER_HOST");
    char folder[PATH_MAX];
    if (!host || strncmp(host, host_prefix, sizeof host_prefix - 1) != 0) {
        puts("\nnodes in containers: not measured; DOCKER_HOST=unix://… says where an engine listens");
        return true;
    }
    path_join(folder, b->scenarios, "containers/echo");
    if (!make_image(folder))
        return false;
    printf("\nnodes in containers of %s; %d pairs\n  %34s %10s %10s %8s\n", host, PAIRS, "", "plain", "lockstep",
           "ratio");
    bool good = launches(b) && quanta(b);
    return call_json("DELETE", "/images/" IMAGE, "") == 200 && good;
}
