#include "check/peer.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/procfs.h"
#include "check/ports.h"
#include "node/pipes.h"
#include "node/socket_dir.h"
#include "node/sockets.h"

#define LOG_KEPT 4096                         /* bytes of the end of its stderr */
#define UNREAD   (WIRE_LINE_MAX + (1u << 20)) /* bytes that are taken in of what nobody has asked for */
#define RETRY_NS INT64_C(5000000)             /* between two tries to connect */
#define GRACE_NS INT64_C(500000000)           /* in which what the node started may end after it */
#define LOOK_NS  INT64_C(20000000)
#define SWEEP_NS INT64_C(10000000000)

/* What the node wrote into its run folder, which is one that we have made. */
static void remove_results(const char *path)
{
    DIR *folder = opendir(path);
    if (!folder)
        return;
    for (const struct dirent *entry; (entry = readdir(folder));)
        unlinkat(dirfd(folder), entry->d_name, 0); /* no folders */
    closedir(folder);
}

static bool is_socket(const struct peer *p)
{
    return p->subject->node->transport != TRANSPORT_STDIO;
}

static void add_left(struct peer *p, const char *name, pid_t pid)
{
    if (p->left++)
        buffer_text(&p->left_names, ", ");
    buffer_format(&p->left_names, "%s (%d)", name, (int)pid);
}

/* Whether there were any. */
static bool take_news(struct peer *p)
{
    bool any = false;
    for (struct guard_news news; guard_news(p->guard, &news); any = true)
        switch (news.kind) {
        case GUARD_STARTED:
            p->pid = news.pid;
            p->is_answered = true;
            break;
        case GUARD_REFUSED:
            p->is_answered = p->has_exited = p->is_gone = true;
            p->trouble = TROUBLE_COMMAND;
            guard_say_refused(news.name, news.error, p->subject->node->command[0], &p->refusal);
            break;
        case GUARD_EXITED:
            p->has_exited = true;
            p->status = news.status;
            break;
        case GUARD_GONE:
            p->is_gone = true;
            break;
        case GUARD_ORPHAN:
            add_left(p, news.name, news.pid);
            break;
        case GUARD_SWEPT:
            p->is_swept = true;
            break;
        case GUARD_LOST:
            p->is_answered = p->has_exited = p->is_gone = p->is_swept = true;
            break;
        case GUARD_NOTHING:
            break;
        }
    return any;
}

/* Sends what there is room for. That nobody reads any more is found out by reading. */
static void send_out(struct peer *p)
{
    while (p->out_fd >= 0 && p->sent < p->out.len) {
        ssize_t n = write(p->out_fd, p->out.data + p->sent, p->out.len - p->sent);
        if (n >= 0)
            p->sent += (size_t)n;
        else if (errno == EAGAIN)
            return;
        else if (errno != EINTR)
            break;
    }
    p->sent = p->out.len = 0;
}

static void read_in(struct peer *p)
{
    size_t room;
    char *at = wire_room(&p->in, &room);
    ssize_t got = read(p->in_fd, at, room);
    if (got > 0) {
        wire_filled(&p->in, (size_t)got);
        if (p->subject->node->transport == TRANSPORT_TCP)
            socket_hurry(p->in_fd);
    }
    if (got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR)))
        return;
    p->is_closed = true;
    if (p->out_fd == p->in_fd)
        p->out_fd = -1;
    pipes_close(&p->in_fd, 1);
}

static void read_log(struct peer *p)
{
    buffer_grow(&p->log, LOG_KEPT);
    ssize_t got = read(p->log_fd, p->log.data + p->log.len, LOG_KEPT);
    if (got > 0)
        p->log.len += (size_t)got;
    else if (got == 0 || (errno != EAGAIN && errno != EINTR))
        pipes_close(&p->log_fd, 1);
    if (p->log.len > LOG_KEPT)
        buffer_drop(&p->log, p->log.len - LOG_KEPT);
}

bool peer_wait(struct peer *p, int64_t until_ns)
{
    bool any = take_news(p); /* what the caller waits for may be among it */
    int64_t left = until_ns - clock_ns();
    if (left <= 0)
        return false;
    if (any)
        return true;
    bool full = wire_rest(&p->in) > UNREAD;
    struct pollfd fds[] = {
        { .fd = guard_fd(p->guard), .events = POLLIN },
        { .fd = full ? -1 : p->in_fd, .events = POLLIN },
        { .fd = p->log_fd, .events = POLLIN },
        { .fd = p->sent < p->out.len ? p->out_fd : -1, .events = POLLOUT },
    };
    if (poll(fds, 4, (int)((left + 999999) / 1000000)) <= 0)
        return true;
    if (fds[3].revents)
        send_out(p);
    if (fds[2].revents)
        read_log(p);
    if (fds[1].revents)
        read_in(p);
    if (fds[0].revents)
        take_news(p);
    return true;
}

bool peer_wait_exit(struct peer *p, int64_t until_ns)
{
    while (!p->has_exited)
        if (!peer_wait(p, until_ns))
            return p->has_exited;
    return true;
}

void peer_say(struct peer *p, const char *s, size_t len)
{
    buffer_add(&p->out, s, len);
    send_out(p);
}

void peer_close_input(struct peer *p)
{
    if (p->out_fd < 0)
        return;
    if (is_socket(p))
        shutdown(p->out_fd, SHUT_WR);
    else
        close(p->out_fd);
    p->out_fd = -1;
}

/* What the processes that this one starts are marked with. */
static void identity_of(char out[GUARD_TEXT])
{
    struct buffer identity = { 0 };
    procfs_identity(&identity, getpid());
    snprintf(out, GUARD_TEXT, "%s", buffer_string(&identity));
    buffer_free(&identity);
}

static int fail_to_connect(struct peer *p, const char *where, int error, struct error *err)
{
    char identity[GUARD_TEXT];
    p->trouble = TROUBLE_LISTEN;
    identity_of(identity);
    ports_find(identity, &p->listens, &p->listens_port);
    if (error == ECONNREFUSED || error == ENOENT)
        error_set(err, EXIT_RUN_FAILED, "nothing listens at %s: %s", where, strerror(error));
    else
        error_set(err, EXIT_RUN_FAILED, "no connection to %s in time: %s", where, strerror(error));
    return -1;
}

/* Goes on until the node accepts, ends, or its time is over. */
static int connect_to(struct peer *p, int64_t until_ns, struct error *err)
{
    const struct scenario_node *spec = p->subject->node;
    char path[200], where[240];
    int error = 0;
    socket_path(path, sizeof path, p->dir, 0);
    if (spec->transport == TRANSPORT_TCP)
        snprintf(where, sizeof where, "127.0.0.1:%d", spec->port);
    else
        snprintf(where, sizeof where, "the Unix socket in LOCKSTEP_SOCKET");
    while (!p->has_exited) {
        int fd =
            spec->transport == TRANSPORT_TCP ? socket_connect_port("127.0.0.1", spec->port) : socket_connect_path(path);
        int connected = fd >= 0 ? 0 : -1;
        error = errno;
        while (connected == 0 && (connected = socket_connected(fd)) == 0 && clock_ns() < until_ns && !p->has_exited)
            peer_wait(p, clock_ns() + RETRY_NS);
        if (connected > 0) {
            p->in_fd = p->out_fd = fd;
            return 0;
        }
        if (fd >= 0)
            error = errno;
        pipes_close(&fd, 1);
        for (int64_t again = clock_ns() + RETRY_NS; peer_wait(p, again);)
            ;
        if (clock_ns() >= until_ns)
            return fail_to_connect(p, where, error, err);
    }
    if (p->refusal.code)
        *err = p->refusal;
    else
        p->trouble = TROUBLE_ENDED;
    error_set(err, EXIT_RUN_FAILED, "its process ended before there was a connection to %s", where);
    return -1;
}

static int launch(struct peer *p, struct error *err)
{
    int ours[3], theirs[3];
    if (pipes_open(ours, theirs, !is_socket(p)) < 0) {
        error_set(err, EXIT_LAUNCH, "cannot make the pipes to its process: %s", strerror(errno));
        return -1;
    }
    p->out_fd = ours[0];
    p->in_fd = ours[1];
    p->log_fd = ours[2];
    guard_start(p->guard, 0, 0, theirs);
    pipes_close(theirs, 3);
    return 0;
}

static int check_port(struct peer *p, struct error *err)
{
    const struct scenario_node *spec = p->subject->node;
    pid_t pid;
    char name[64];
    if (spec->transport != TRANSPORT_TCP || !procfs_port_holder(spec->port, &pid, name, sizeof name))
        return 0;
    p->trouble = TROUBLE_PORT;
    error_set(err, EXIT_RUN_FAILED, "port %d is taken by process %d (%s)", spec->port, (int)pid, name);
    return -1;
}

int peer_open(struct peer *p, struct subject *s, struct error *err)
{
    int64_t end = clock_ns() + s->limit_ns;
    *p = (struct peer){ .subject = s, .in_fd = -1, .out_fd = -1, .log_fd = -1 };
    p->trouble = TROUBLE_SYSTEM; /* where it is nothing else */
    if (s->any_port && (s->node->port = socket_free_port(err)) < 0)
        return -1;
    if (check_port(p, err) < 0)
        return -1;
    if (!(p->dir = socket_dir_name(err)))
        return -1;
    struct rlimit files = { 0 };
    getrlimit(RLIMIT_NOFILE, &files);
    struct guard_setup setup = {
        .scenario = s->scenario, .run_dir = p->dir, .open_files = files.rlim_cur, .socket_dir = p->dir
    };
    fflush(stdout);
    if (!(p->guard = guard_new(&setup, err)) || socket_dir_make(p->dir, err) < 0 || launch(p, err) < 0)
        return -1;
    while (!p->is_answered && peer_wait(p, end))
        ;
    if (p->refusal.code)
        *err = p->refusal;
    else if (!p->pid)
        error_set(err, EXIT_LAUNCH, "its process was not started in time");
    if (err->code)
        return -1;
    return is_socket(p) ? connect_to(p, end, err) : 0;
}

struct look {
    char identity[GUARD_TEXT];
    struct peer *tell; /* NULL: they are only counted */
    int count;
};

static void look_at(void *data, pid_t pid)
{
    struct look *look = data;
    struct procfs_stat process;
    char run[GUARD_TEXT];
    if (!procfs_variable(pid, GUARD_RUN_VARIABLE, run, sizeof run) || strcmp(run, look->identity) != 0 ||
        !procfs_stat(pid, &process) || process.state == 'Z')
        return;
    look->count++;
    if (look->tell)
        add_left(look->tell, process.name, pid);
}

void peer_find_left(struct peer *p)
{
    struct look look = { 0 };
    identity_of(look.identity);
    for (int64_t end = clock_ns() + GRACE_NS; clock_ns() < end;) {
        look.count = 0;
        procfs_each(look_at, &look);
        if (!look.count)
            return;
        for (int64_t again = clock_ns() + LOOK_NS; peer_wait(p, again);)
            ;
    }
    look.tell = p;
    procfs_each(look_at, &look);
}

void peer_close(struct peer *p)
{
    if (p->guard) {
        int left = p->left;
        guard_sweep(p->guard);
        for (int64_t end = clock_ns() + SWEEP_NS; !p->is_swept && peer_wait(p, end);)
            ;
        if (left)
            p->left = left; /* they have been named already */
        while (p->log_fd >= 0 && wire_rest(&p->in) <= UNREAD && peer_wait(p, clock_ns() + RETRY_NS / 5))
            if (p->is_closed)
                break;
    }
    peer_close_input(p);
    pipes_close(&p->in_fd, 1);
    guard_free(p->guard);
    p->guard = NULL;
    if (p->dir) {
        remove_results(p->dir);
        socket_dir_remove(p->dir);
    }
    free(p->dir);
    p->dir = NULL;
}

void peer_free(struct peer *p)
{
    peer_close(p);
    pipes_close(&p->log_fd, 1);
    wire_free(&p->in);
    buffer_free(&p->out);
    buffer_free(&p->log);
    buffer_free(&p->left_names);
    buffer_free(&p->listens);
}
