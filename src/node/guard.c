#include "node/guard.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/procfs.h"
#include "node/guard_process.h"

#define WAKE_MS      100  /* a guard that takes no requests may have been stopped again */
#define SHORT_MS     1    /* until a request is tried again that the system had no memory for */
#define END_LIMIT_MS 5000 /* for processes that do not end by SIGKILL either */

struct guard {
    pid_t pid;
    char identity[GUARD_TEXT]; /* of this process */
    int socket;
    bool lost;
    struct guard_news *waiting; /* news that came while a request waited for its turn; from `first` on */
    size_t first, count, capacity;
};

/* Children that this program was started with are none of a run's. */
static bool is_ours(void *data, pid_t pid)
{
    const struct guard *g = data;
    char run[GUARD_TEXT];
    return procfs_variable(pid, GUARD_RUN_VARIABLE, run, sizeof run) && !strcmp(run, g->identity);
}

struct guard *guard_new(const struct guard_setup *setup, struct error *err)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) {
        error_set(err, EXIT_LAUNCH, "cannot make a socket for the guard process: %s", strerror(errno));
        return NULL;
    }
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); /* should the guard be killed, its children come here */
    sigset_t all, before;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &before); /* a signal for the guard must not reach our handlers in it */
    pid_t pid = fork();
    if (pid == 0) {
        close(ends[0]);
        guard_process(setup, ends[1]);
    }
    int problem = errno;
    sigprocmask(SIG_SETMASK, &before, NULL);
    close(ends[1]);
    if (pid < 0) {
        close(ends[0]);
        error_set(err, EXIT_LAUNCH, "cannot start the guard process: %s", strerror(problem));
        return NULL;
    }
    struct guard *g = mem_alloc(sizeof *g);
    g->pid = pid;
    g->socket = ends[0];
    struct buffer identity = { 0 };
    procfs_identity(&identity, getpid());
    snprintf(g->identity, sizeof g->identity, "%s", buffer_string(&identity));
    buffer_free(&identity);
    return g;
}

bool guard_is_lost(const struct guard *g)
{
    return g->lost;
}

int guard_fd(const struct guard *g)
{
    return g->socket;
}

/* Takes a packet; false where there is none now. The end of the guard is news, once. */
static bool receive(struct guard *g, struct guard_news *out)
{
    if (g->lost)
        return false;
    ssize_t n = recv(g->socket, out, sizeof *out, MSG_DONTWAIT);
    if (n == (ssize_t)sizeof *out)
        return true;
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    g->lost = true;
    guard_end_children(END_LIMIT_MS, false, is_ours, g);
    *out = (struct guard_news){ .kind = GUARD_LOST, .node = -1 };
    return true;
}

static void keep(struct guard *g, const struct guard_news *news)
{
    if (g->count == g->capacity) {
        g->capacity = g->capacity ? 2 * g->capacity : 64;
        g->waiting = mem_resize(g->waiting, g->capacity * sizeof *g->waiting);
    }
    g->waiting[g->count++] = *news;
}

/* A node may have stopped its parent (SIGSTOP). */
static void wake(const struct guard *g)
{
    if (!g->lost)
        kill(g->pid, SIGCONT);
}

/* News are taken in while the guard has no room for a request: else both could wait for each other. */
static void request(struct guard *g, const struct guard_request *r, const int *fds, size_t fd_count)
{
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(3 * sizeof(int))];
    } control = { 0 };
    struct iovec part = { .iov_base = (void *)(uintptr_t)r, .iov_len = sizeof *r };
    struct msghdr packet = { .msg_iov = &part, .msg_iovlen = 1 };
    if (fd_count) {
        packet.msg_control = &control;
        packet.msg_controllen = CMSG_SPACE(fd_count * sizeof(int));
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN(fd_count * sizeof(int));
        memcpy(CMSG_DATA(&control.header), fds, fd_count * sizeof(int));
    }
    while (!g->lost && sendmsg(g->socket, &packet, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
        struct guard_news news;
        struct pollfd p = { .fd = g->socket, .events = POLLIN | POLLOUT };
        int why = errno;
        if (why == EPIPE || why == ECONNRESET || why == ENOTCONN)
            break; /* the guard is gone: receive() finds out */
        wake(g);
        if (why == EAGAIN || why == EINTR)
            poll(&p, 1, WAKE_MS);
        else
            poll(NULL, 0, SHORT_MS); /* the system is short of something, for a moment */
        while (receive(g, &news))
            keep(g, &news);
    }
}

void guard_say_refused(const char *what, int error, const char *program, struct error *err)
{
    error_set(err, EXIT_RUN_FAILED, "cannot %s '%s': %s%s", what, program, strerror(error),
              error == ENOEXEC ? "; a script needs a first line such as #!/bin/sh" : "");
}

void guard_start(struct guard *g, int node, int port, const int fds[3])
{
    request(g, &(struct guard_request){ .verb = GUARD_DO_START, .node = node, .port = port }, fds, 3);
}

void guard_signal(struct guard *g, int node, int signal)
{
    wake(g);
    request(g, &(struct guard_request){ .verb = GUARD_DO_SIGNAL, .node = node, .signal = signal }, NULL, 0);
}

void guard_sweep(struct guard *g)
{
    wake(g);
    request(g, &(struct guard_request){ .verb = GUARD_DO_SWEEP, .node = -1 }, NULL, 0);
}

void guard_spare_engines(struct guard *g)
{
    request(g, &(struct guard_request){ .verb = GUARD_DO_SPARE_ENGINES, .node = -1 }, NULL, 0);
}

void guard_note_built(struct guard *g, int node, const char *id, size_t len)
{
    struct guard_request r = { .verb = GUARD_DO_NOTE_BUILT, .node = node };
    snprintf(r.built, sizeof r.built, "%.*s", (int)len, id);
    request(g, &r, NULL, 0);
}

void guard_give_up(struct guard *g)
{
    if (!g->lost)
        kill(g->pid, SIGKILL);
}

bool guard_has_kept(const struct guard *g)
{
    return g->first < g->count;
}

bool guard_news(struct guard *g, struct guard_news *out)
{
    if (g->first == g->count)
        return receive(g, out);
    *out = g->waiting[g->first++];
    if (g->first == g->count)
        g->first = g->count = 0;
    return true;
}

void guard_free(struct guard *g)
{
    if (!g)
        return;
    close(g->socket); /* it ends all, and then itself */
    kill(g->pid, SIGCONT);
    int64_t limit = clock_ms() + END_LIMIT_MS;
    while (waitpid(g->pid, NULL, WNOHANG) == 0) {
        if (clock_ms() >= limit)
            kill(g->pid, SIGKILL);
        poll(NULL, 0, 1);
    }
    guard_end_children(END_LIMIT_MS, false, is_ours, g);
    prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0);
    free(g->waiting);
    free(g);
}
