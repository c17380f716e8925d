#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

#define LIMIT_S 300 /* a program that takes longer is ended */
#define LOOK_MS 2   /* between two looks for the end record */

double now_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* What a shell gives: 1,024, and leave to raise it. */
static void limit_files(void)
{
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = 1024;
    setrlimit(RLIMIT_NOFILE, &limit);
}

static bool good_end(const char *program, int status)
{
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return true;
    if (WIFEXITED(status))
        fprintf(stderr, "bench: %s ended with exit code %d\n", program, WEXITSTATUS(status));
    else
        fprintf(stderr, "bench: %s was ended by signal %d\n", program, WTERMSIG(status));
    return false;
}

static double seconds_of(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

bool process_run(char *const argv[], struct outcome *out)
{
    struct rusage usage;
    double start = now_seconds();
    pid_t pid = fork();
    if (pid == 0) {
        int null = open("/dev/null", O_RDWR);
        dup2(null, STDOUT_FILENO);
        dup2(null, STDERR_FILENO);
        limit_files();
        execv(argv[0], argv);
        _exit(127);
    }
    if (pid < 0 || wait4(pid, &out->status, 0, &usage) < 0) {
        fprintf(stderr, "bench: %s: %s\n", argv[0], strerror(errno));
        return false;
    }
    out->seconds = now_seconds() - start;
    out->cpu_seconds = seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
    out->rss_kib = usage.ru_maxrss;
    return good_end(argv[0], out->status);
}

/* Whether the file's last line is the end record. */
static bool has_ended(const char *events)
{
    char tail[512];
    int fd = open(events, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    off_t size = lseek(fd, 0, SEEK_END);
    ssize_t n = pread(fd, tail, sizeof tail - 1, size > 511 ? size - 511 : 0);
    close(fd);
    tail[n > 0 ? n : 0] = '\0';
    return strstr(tail, "\"kind\":\"end\"") != NULL;
}

/* Takes what the program draws; false once it has closed its side. */
static bool drain(int terminal)
{
    static char text[65536]; /* thrown away */
    struct pollfd p = { .fd = terminal, .events = POLLIN };
    if (poll(&p, 1, LOOK_MS) <= 0)
        return true;
    return read(terminal, text, sizeof text) > 0;
}

bool process_until_end(char *const argv[], const char *events, bool is_ui, double *seconds)
{
    struct winsize size = { .ws_row = 36, .ws_col = 120 };
    int terminal, status;
    bool ended = false, open = true;
    double start = now_seconds();
    pid_t pid = forkpty(&terminal, NULL, NULL, &size);
    if (pid < 0) {
        fprintf(stderr, "bench: no terminal: %s\n", strerror(errno));
        return false;
    }
    if (pid == 0) {
        setenv("TERM", "xterm-256color", 1);
        limit_files();
        execv(argv[0], argv);
        _exit(127);
    }
    double looked = start;
    while (open && now_seconds() - start < LIMIT_S) {
        open = drain(terminal);
        if (ended || now_seconds() - looked < LOOK_MS / 1e3)
            continue;
        looked = now_seconds();
        ended = has_ended(events);
        *seconds = now_seconds() - start;
        if (ended && is_ui && write(terminal, "Q", 1) != 1)
            break;
    }
    if (open)
        kill(pid, SIGKILL);
    close(terminal);
    if (waitpid(pid, &status, 0) < 0 || !good_end(argv[0], status))
        return false;
    if (!ended)
        ended = has_ended(events);
    if (!ended)
        fprintf(stderr, "bench: %s has no end record\n", events);
    return ended;
}
