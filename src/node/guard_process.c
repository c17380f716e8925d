#include "node/guard_process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/procfs.h"
#include "node/engine_sweep.h"
#include "node/guard_exec.h"
#include "node/socket_dir.h"

#define LOOK_MS          20    /* between two looks at groups and children that are to end */
#define WALK_MS          200   /* between two looks at all processes, for groups of which only the dead are left */
#define WALKS            2     /* in which nobody of a group was seen alive */
#define ALONE_MS         60000 /* how long children are ended once nobody listens */
#define TOLD_MS          3000  /* and while somebody does */
#define FIRST_MS         1000  /* of ALONE_MS, before engines are cared for */
#define FIRST_ENGINES_MS 4000  /* for what engines have of the run; guard_free waits for that */
#define ENGINES_MS       60000 /* and, where lockstep was killed, for what they are late with, or away */
#define LATE_MS          10000 /* how long it may take until something appears that was asked for last */
#define BUILT_MAX        10000 /* that are noted; more of them stay */

struct member {
    pid_t pid;   /* the node's process; 0: none */
    pid_t group; /* its group, until nobody is in it; 0: none */
    bool lives;  /* somebody of it was met in this walk */
    int unseen;  /* walks in a row in which nobody was */
};

struct served {
    const struct guard_setup *setup;
    int socket;
    sigset_t open; /* the mask while it waits: SIGCHLD comes through */
    struct member *members;
    int lingering;   /* groups whose own process has ended */
    int64_t walk_ms; /* when it looked at all processes last */
    struct environment *environment;
    struct buffer run; /* the identity of lockstep */
    char **engines;    /* their addresses */
    size_t engine_count;
    bool spares_engines;
    char (*built)[ENGINE_SWEEP_ID]; /* what builds leave without a name */
    size_t built_count, built_capacity;
    int64_t since_s; /* when the run began */
};

static void note_child(int signal)
{
    (void)signal; /* it ends the wait, that is all */
}

static void tell(const struct served *s, struct guard_news news)
{
    while (send(s->socket, &news, sizeof news, MSG_NOSIGNAL) < 0 && errno == EINTR)
        ;
}

static void start(struct served *s, int i, int port, const int fds[3])
{
    struct member *m = &s->members[i];
    struct guard_news news = { .kind = GUARD_REFUSED, .node = i };
    if (m->group) { /* the one before is not gone: the caller must wait for that */
        news.error = EBUSY;
        snprintf(news.name, sizeof news.name, "start");
    } else {
        pid_t pid = guard_exec(s->environment, &s->setup->scenario->nodes[i], port, fds);
        if (pid > 0) {
            m->pid = m->group = pid;
            news.kind = GUARD_STARTED;
            news.pid = pid;
        } else {
            news.error = errno;
            snprintf(news.name, sizeof news.name, "start a process for");
        }
    }
    tell(s, news);
}

static bool lingers(const struct member *m)
{
    return !m->pid && m->group;
}

static void tell_gone(struct served *s, int i)
{
    s->members[i] = (struct member){ 0 };
    s->lingering--;
    tell(s, (struct guard_news){ .kind = GUARD_GONE, .node = i });
}

static void note_living(void *data, pid_t pid)
{
    const struct served *s = data;
    struct procfs_stat process;
    if (!procfs_stat(pid, &process) || process.state == 'Z' || process.state == 'X')
        return;
    for (int i = 0; i < s->setup->scenario->node_count; i++)
        if (s->members[i].group == process.group)
            s->members[i].lives = true;
}

/* A process that has ended stays in its group until its parent takes notice, and that may be one that never does. */
static void look_for_dead_groups(struct served *s)
{
    if (!s->lingering || clock_ms() < s->walk_ms + WALK_MS)
        return;
    s->walk_ms = clock_ms();
    for (int i = 0; i < s->setup->scenario->node_count; i++)
        s->members[i].lives = false;
    procfs_each(note_living, s);
    for (int i = 0; i < s->setup->scenario->node_count; i++) {
        struct member *m = &s->members[i];
        m->unseen = lingers(m) && !m->lives ? m->unseen + 1 : 0;
        if (m->unseen >= WALKS)
            tell_gone(s, i);
    }
}

static void look_for_empty_groups(struct served *s)
{
    for (int i = 0; s->lingering && i < s->setup->scenario->node_count; i++)
        if (lingers(&s->members[i]) && kill(-s->members[i].group, 0) < 0 && errno == ESRCH)
            tell_gone(s, i);
    look_for_dead_groups(s);
}

static int member_with(const struct served *s, pid_t pid)
{
    for (int i = 0; i < s->setup->scenario->node_count; i++)
        if (s->members[i].pid == pid)
            return i;
    return -1; /* one that was adopted */
}

static void reap(struct served *s)
{
    int status;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
        int i = member_with(s, pid);
        if (i < 0)
            continue;
        struct guard_news news = { .kind = GUARD_EXITED, .node = i, .pid = pid, .status = status };
        s->members[i].pid = 0;
        news.error = guard_exec_error(s->environment, i, news.name, sizeof news.name);
        if (news.error) { /* nothing of the node has run */
            news.kind = GUARD_REFUSED;
            s->members[i].group = 0;
        } else {
            s->walk_ms = s->lingering++ ? s->walk_ms : clock_ms(); /* most groups are empty at once */
        }
        tell(s, news);
    }
    look_for_empty_groups(s);
}

struct scan {
    pid_t self;
    bool (*wanted)(void *data, pid_t pid);
    void *data;
    int found, left;
};

static void end_child(void *data, pid_t pid)
{
    struct scan *scan = data;
    struct procfs_stat process;
    if (!procfs_stat(pid, &process) || process.parent != scan->self)
        return;
    bool is_ending = process.state == 'Z'; /* the dead have no mark to be read, and nor has one that is about to be */
    if (!is_ending && scan->wanted && !scan->wanted(scan->data, pid)) {
        if (process.memory)
            return;
        is_ending = true; /* what it leaves behind comes here: it is waited for */
    }
    scan->found++;
    if (!is_ending) {
        kill(pid, SIGKILL);
        if (process.group != getpgrp()) /* one that hands over to children of its own all the time is met only so */
            kill(-process.group, SIGKILL);
    }
    if (waitpid(pid, NULL, WNOHANG) != pid)
        scan->left++;
}

int guard_end_children(int limit_ms, bool all, bool (*wanted)(void *data, pid_t pid), void *data)
{
    int64_t end = clock_ms() + limit_ms;
    for (;;) {
        struct scan scan = { .self = getpid(), .wanted = wanted, .data = data };
        procfs_each(end_child, &scan);
        /* those that have ended may have left children to us in the meantime: only a look that finds none is the last,
         * and where all are to end the system knows for sure */
        bool none = !scan.found && (!all || (waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD));
        if (none || clock_ms() >= end)
            return scan.left;
        if (scan.left)
            poll(NULL, 0, LOOK_MS / 10);
    }
}

/* Asked for each process that is about to be ended: tells of it once, where it is in no node's group. */
struct naming {
    const struct served *served;
    pid_t *told;
    size_t count, capacity;
};

/* One that has just handed over to a child in its group, and ends: the child tells whose it was. */
struct heir {
    pid_t group;
    bool found;
    char id[80];
};

static void find_heir(void *data, pid_t pid)
{
    struct heir *h = data;
    struct procfs_stat process;
    if (!h->found && procfs_stat(pid, &process) && process.group == h->group && process.memory)
        h->found = procfs_variable(pid, GUARD_NODE_VARIABLE, h->id, sizeof h->id);
}

static bool name_orphan(void *data, pid_t pid)
{
    struct naming *n = data;
    const struct served *s = n->served;
    struct procfs_stat process;
    for (size_t i = 0; i < n->count; i++)
        if (n->told[i] == pid)
            return true;
    n->told = mem_grow(n->told, n->count, &n->capacity, sizeof *n->told);
    n->told[n->count++] = pid;
    if (!procfs_stat(pid, &process) || process.state == 'Z')
        return true;
    for (int i = 0; i < s->setup->scenario->node_count; i++)
        if (s->members[i].group == process.group)
            return true;
    struct guard_news news = { .kind = GUARD_ORPHAN, .node = -1, .pid = pid };
    struct heir heir = { .group = process.group };
    if (procfs_variable(pid, GUARD_NODE_VARIABLE, heir.id, sizeof heir.id))
        heir.found = true;
    else if (!process.memory)
        procfs_each(find_heir, &heir);
    if (!heir.found && !process.memory)
        return true; /* it has ended by itself */
    if (heir.found)
        news.node = scenario_find_node(s->setup->scenario, heir.id);
    snprintf(news.name, sizeof news.name, "%s", process.name);
    tell(s, news);
    return true;
}

static void end_groups(const struct served *s)
{
    for (int i = 0; i < s->setup->scenario->node_count; i++)
        if (s->members[i].group && kill(-s->members[i].group, SIGKILL) < 0 && s->members[i].pid)
            kill(s->members[i].pid, SIGKILL);
}

static void sweep(struct served *s)
{
    struct naming naming = { .served = s };
    end_groups(s);
    int left = guard_end_children(TOLD_MS, true, name_orphan, &naming);
    free(naming.told);
    for (int i = 0; i < s->setup->scenario->node_count; i++)
        s->members[i] = (struct member){ 0 };
    s->lingering = 0;
    tell(s, (struct guard_news){ .kind = GUARD_SWEPT, .node = -1, .status = left });
}

static void serve(struct served *s, const struct guard_request *r, const int fds[3])
{
    switch (r->verb) {
    case GUARD_DO_START:
        start(s, r->node, r->port, fds);
        for (int i = 0; i < 3; i++)
            close(fds[i]);
        break;
    case GUARD_DO_SIGNAL:
        if (s->members[r->node].group && kill(-s->members[r->node].group, r->signal) < 0 && s->members[r->node].pid)
            kill(s->members[r->node].pid, r->signal); /* it has only just been started, and leads no group yet */
        break;
    case GUARD_DO_SWEEP:
        sweep(s);
        break;
    case GUARD_DO_SPARE_ENGINES:
        s->spares_engines = true;
        break;
    case GUARD_DO_NOTE_BUILT:
        if (s->built_count >= BUILT_MAX)
            break;
        s->built = mem_grow(s->built, s->built_count, &s->built_capacity, sizeof *s->built);
        snprintf(s->built[s->built_count++], sizeof *s->built, "%s", r->built);
        break;
    }
}

/* Takes a request; false once nobody is at the other end. */
static bool take_request(struct served *s)
{
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(3 * sizeof(int))];
    } control = { 0 };
    struct guard_request r;
    struct iovec part = { .iov_base = &r, .iov_len = sizeof r };
    struct msghdr packet = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control
    };
    int fds[3] = { -1, -1, -1 };
    ssize_t n = recvmsg(s->socket, &packet, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR;
    if (n != (ssize_t)sizeof r)
        return false;
    const struct cmsghdr *c = CMSG_FIRSTHDR(&packet);
    if (c && c->cmsg_len == CMSG_LEN(sizeof fds))
        memcpy(fds, CMSG_DATA(c), sizeof fds);
    serve(s, &r, fds);
    return true;
}

/* Of what lockstep holds the guard keeps the socket: no lock, no file, no terminal may live on with it. */
static void let_go(int socket)
{
    int nothing = open("/dev/null", O_RDWR);
    for (int fd = 0; fd < 3; fd++)
        dup2(nothing, fd);
    if (socket > 3)
        close_range(3, (unsigned)socket - 1, 0);
    close_range((unsigned)socket + 1, ~0u, 0);
}

static void reset_signals(sigset_t *open)
{
    for (int signal = 1; signal < SIGRTMAX; signal++) {
        struct sigaction normal = { .sa_handler = signal == SIGCHLD ? note_child : SIG_DFL };
        sigaction(signal, &normal, NULL);
    }
    sigfillset(open); /* all are blocked since before the fork */
    sigdelset(open, SIGCHLD);
}

static bool builds(const struct served *s)
{
    for (int i = 0; i < s->setup->scenario->node_count; i++)
        if (s->setup->scenario->nodes[i].docker.build_context)
            return true;
    return false;
}

/* Lockstep is gone: its loop and its connections are none of ours any more, we have our own (http.h). */
static void sweep_engines(const struct served *s, int limit_ms, int late_ms)
{
    struct engine_sweep sweep = { .run = s->run.data,
                                  .with_builds = builds(s),
                                  .built = (const char(*)[ENGINE_SWEEP_ID])s->built,
                                  .built_count = s->built_count,
                                  .since_s = s->since_s,
                                  .only_builds = s->spares_engines,
                                  .limit_ms = limit_ms,
                                  .late_ms = late_ms,
                                  .in_use_ms = late_ms && builds(s) ? ENGINES_MS : 0 };
    if (s->engine_count && (builds(s) || !s->spares_engines))
        engine_sweep(&sweep, (const char *const *)s->engines, s->engine_count);
}

static void end_all(struct served *s)
{
    end_groups(s);
    guard_end_children(FIRST_MS, true, NULL, NULL);
    sweep_engines(s, FIRST_ENGINES_MS, 0);
    guard_end_children(ALONE_MS, true, NULL, NULL);
    if (s->setup->socket_dir)
        socket_dir_remove(s->setup->socket_dir);
    if (s->spares_engines)
        return;
    sweep_engines(s, ENGINES_MS, LATE_MS);
    if (s->setup->socket_dir && s->engine_count) /* a container had something there still */
        socket_dir_remove(s->setup->socket_dir);
}

_Noreturn void guard_process(const struct guard_setup *setup, int socket)
{
    struct served s = { .setup = setup, .socket = socket, .since_s = time(NULL) };
    pid_t lockstep = getppid();
    setsid();
    reset_signals(&s.open);
    let_go(socket);
    prctl(PR_SET_NAME, "lockstep-guard", 0, 0, 0);
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    prctl(PR_SET_PDEATHSIG, SIGCONT, 0, 0, 0); /* should it stand still when lockstep goes: its end is waited for */
    s.members = mem_array((size_t)setup->scenario->node_count, sizeof *s.members);
    s.environment = environment_new(setup, lockstep);
    s.engines = engine_addresses(setup->scenario, &s.engine_count);
    procfs_identity(&s.run, lockstep);
    buffer_string(&s.run);
    for (;;) {
        struct pollfd p = { .fd = socket, .events = POLLIN };
        struct timespec look = { .tv_nsec = LOOK_MS * 1000000L };
        int ready = ppoll(&p, 1, s.lingering ? &look : NULL, &s.open);
        reap(&s);
        if (ready > 0 && !take_request(&s))
            break;
    }
    end_all(&s);
    _exit(0);
}
