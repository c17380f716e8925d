/* Firmware in Renode: what lockstep adds to a quantum, beside a plain client that asks the same Renode for the same
 * times, one after the other. The Renode is LOCKSTEP_RENODE, or the scripted one of the tests. */
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

#define ADDED_BAR_US 200.0
#define PAIRS        5
#define START_TRIES  600 /* of 100 ms each */

static const unsigned char run_for_1_ms[] = { 'R', 'E', 1, 8, 0, 0, 0, 0xe8, 3, 0, 0, 0, 0, 0, 0 };

static int connect_to(int port, int tries)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    for (int i = 0; i < tries; i++, usleep(100000)) {
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (connect(fd, (struct sockaddr *)&to, sizeof to) == 0)
            return fd;
        close(fd);
    }
    return -1;
}

static int free_port(void)
{
    struct sockaddr_in at = { .sin_family = AF_INET };
    socklen_t len = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool good = bind(fd, (struct sockaddr *)&at, len) == 0 && getsockname(fd, (struct sockaddr *)&at, &len) == 0;
    close(fd);
    return good ? ntohs(at.sin_port) : 0;
}

/* Sends, and reads until `until` has come. */
static bool ask(int fd, const void *what, size_t len, const char *until)
{
    static char said[1 << 16];
    size_t have = 0;
    if (write(fd, what, len) != (ssize_t)len)
        return false;
    while (have + 1 < sizeof said) {
        ssize_t n = read(fd, said + have, sizeof said - 1 - have);
        if (n <= 0)
            return false;
        have += (size_t)n;
        said[have] = '\0';
        if (memmem(said, have, until, strlen(until)))
            return true;
    }
    return false;
}

static bool read_exactly(int fd, size_t len)
{
    char said[64];
    while (len) {
        ssize_t n = read(fd, said, len);
        if (n <= 0)
            return false;
        len -= (size_t)n;
    }
    return true;
}

/* The plain client: seconds for `quanta` RunFors of 1 ms. */
static bool plain(const struct bench *b, const char *renode, int quanta, double *seconds)
{
    static const unsigned char answer[] = { 0xff, 0xfb, 0, 0xff, 0xfd, 1, 0xff, 0xfd, 3 };
    static const unsigned char handshake[] = { 2, 0, 1, 0, 2, 0 };
    char port[16], text[3 * PATH_MAX];
    int monitor_port = free_port(), control_port = free_port();
    snprintf(port, sizeof port, "%d", monitor_port);
    pid_t pid = fork();
    if (pid == 0) {
        char tmp[PATH_MAX];
        path_join(tmp, b->work, "renode");
        setenv("TMPDIR", b->work, 1);
        if (!freopen(tmp, "w", stdout) || dup2(STDOUT_FILENO, STDERR_FILENO) < 0)
            _exit(126);
        execlp(renode, renode, "--disable-xwt", "--plain", "-P", port, (char *)NULL);
        _exit(127);
    }
    int monitor = connect_to(monitor_port, START_TRIES), control = -1;
    int len = snprintf(text, sizeof text,
                       "mach create \"m\"\nmachine LoadPlatformDescription @%s/firmware/board.repl\n"
                       "sysbus LoadELF @%s/firmware/sensor.elf\nemulation SetGlobalQuantum \"0.001\"\n"
                       "emulation SetGlobalAdvanceImmediately true\nsysbus.uart0 CreateFileBackend @%s/uart true\n"
                       "emulation CreateExternalControlServer \"b\" %d\necho \"ready\"\n",
                       b->scenarios, b->scenarios, b->work, control_port);
    bool good = monitor >= 0 && write(monitor, answer, sizeof answer) == sizeof answer &&
                ask(monitor, text, (size_t)len, "\rready\r") &&
                (control = connect_to(control_port, START_TRIES)) >= 0 &&
                write(control, handshake, sizeof handshake) == sizeof handshake && read_exactly(control, 1);
    double began = now_seconds();
    for (int i = 0; i < quanta && good; i++)
        good = write(control, run_for_1_ms, sizeof run_for_1_ms) == sizeof run_for_1_ms && read_exactly(control, 2);
    *seconds = now_seconds() - began;
    if (control >= 0)
        close(control);
    if (monitor >= 0)
        close(monitor);
    kill(pid, SIGTERM);
    waitpid(pid, NULL, 0);
    if (!good)
        fprintf(stderr, "bench: %s did not do what the plain client asked; see %s/renode\n", renode, b->work);
    return good;
}

static bool with_lockstep(const struct bench *b, const char *renode, int quanta, int number, double *seconds)
{
    char out[PATH_MAX], file[PATH_MAX];
    struct outcome outcome;
    path_join(file, b->work, "renode.yaml");
    FILE *f = fopen(file, "w");
    if (!f) {
        perror(file);
        return false;
    }
    fprintf(f, "simulation: { duration: %dms, quantum: 1ms, seed: 1 }\nnodes:\n"
               "  - { id: gateway, type: gateway }\n"
               "  - { id: m, type: device, implementation: renode, renode: \"%s\",\n"
               "      platform: \"%s/firmware/board.repl\", firmware: \"%s/firmware/sensor.elf\" }\n",
            quanta, renode, b->scenarios, b->scenarios);
    fclose(f);
    path_of_run(out, b, "renode", number);
    char *argv[] = { (char *)(uintptr_t)b->lockstep, "--batch", "--quiet", "--no-skip", "--out", out, file, NULL };
    return process_run(argv, &outcome) &&
           find_number(out, "summary.json", "wall_time_s", "\"wall_time_s\": ", seconds) && remove_folder(out);
}

bool bench_renode(const struct bench *b)
{
    const char *given = getenv("LOCKSTEP_RENODE");
    const char *renode = given ? given : LOCKSTEP_SOURCE_DIR "/tests/support/renode/renode";
    double x[PAIRS], y[PAIRS], added[PAIRS];
    char elf[PATH_MAX];
    int quanta = b->is_short ? 300 : 3000;
    path_join(elf, b->scenarios, "firmware/sensor.elf");
    if (access(elf, R_OK) != 0) {
        puts("\nfirmware in Renode: not measured; arm-none-eabi-gcc was not there to build it");
        return true;
    }
    for (int i = 0; i < PAIRS; i++) {
        if (!plain(b, renode, quanta, &x[i]) || !with_lockstep(b, renode, quanta, i, &y[i]))
            return false;
        added[i] = (y[i] - x[i]) / quanta;
    }
    struct sample a = sample_of(x, PAIRS), c = sample_of(y, PAIRS), d = sample_of(added, PAIRS);
    printf("\nfirmware in Renode (%s), us for a quantum of 1 ms; %d pairs\n"
           "  plain client %.0f, lockstep %.0f, added %.0f  bar %.0f: %s\n",
           renode, PAIRS, a.median / quanta * 1e6, c.median / quanta * 1e6, d.median * 1e6, ADDED_BAR_US,
           held(d.median * 1e6 <= ADDED_BAR_US));
    return true;
}
