#include "lockstep/clean.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/procfs.h"
#include "base/scratch.h"
#include "base/utf8.h"
#include "node/engine.h"
#include "node/engine_sweep.h"
#include "node/guard.h"
#include "node/socket_dir.h"
#include "node/sockets.h"

#define END_MS      2000  /* until a process that got SIGKILL is gone */
#define ENGINES_MS  15000 /* for all engines */
#define ENGINES_MAX 4

struct cleaning {
    FILE *to;
    int done, failed; /* failed: what the exit code tells of */
    int kept, unseen; /* could not be removed; could not be looked at: each was told */
    bool sees_folders;
    struct buffer user; /* the address of the user's own engine */
    const char *engines[ENGINES_MAX];
    bool is_away[ENGINES_MAX]; /* it was not looked at */
    size_t engine_count;
};

/* Whether the process belongs to a lockstep that is gone; also its node's id. */
static bool is_left_over(pid_t pid, char *node, size_t size)
{
    char run[GUARD_TEXT];
    return procfs_variable(pid, GUARD_RUN_VARIABLE, run, sizeof run) && !procfs_identity_lives(run) &&
           procfs_variable(pid, GUARD_NODE_VARIABLE, node, size);
}

static void print_safe(FILE *to, const char *text)
{
    struct buffer safe = { 0 };
    utf8_escape(&safe, text, strlen(text));
    fputs(buffer_string(&safe), to);
    buffer_free(&safe);
}

static void count(struct cleaning *c, bool is_removed)
{
    c->done += is_removed;
    c->kept += !is_removed;
    c->failed += !is_removed;
}

/* Through a descriptor, which names the process that was looked at even where its pid is given anew meanwhile. */
static void end_process(void *data, pid_t pid)
{
    struct cleaning *c = data;
    struct procfs_stat process;
    char node[80];
    int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (fd < 0)
        return;
    if (procfs_stat(pid, &process) && process.state != 'Z' && is_left_over(pid, node, sizeof node)) {
        struct pollfd gone = { .fd = fd, .events = POLLIN };
        bool sent = syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0) == 0;
        const char *why = sent ? "it is there still, 2 s after SIGKILL" : strerror(errno);
        bool ended = sent && poll(&gone, 1, END_MS) > 0;
        count(c, ended);
        fprintf(c->to, ended ? "ended process %d (" : "could not end process %d (", (int)pid);
        print_safe(c->to, process.name);
        fputs(") of node ", c->to);
        print_safe(c->to, node);
        if (!ended)
            fprintf(c->to, ": %s; %s", why, sent ? "clean once more later" : "clean as its user, or as root");
        fputs("\n", c->to);
    }
    close(fd);
}

static void tell_removed(struct cleaning *c, const char *path)
{
    bool removed = access(path, F_OK) < 0;
    count(c, removed);
    fputs(removed ? "removed " : "could not remove ", c->to);
    print_safe(c->to, path);
    fputs(removed ? "\n" : ": some of it stays; clean as the user whose files are in it, or as root\n", c->to);
}

/* Those for sockets, and those of `verify`. */
static void remove_folders(struct cleaning *c)
{
    struct buffer path = { 0 };
    DIR *folder = opendir(socket_dir_parent());
    if (!folder) {
        fputs("could not look for folders in ", c->to);
        print_safe(c->to, socket_dir_parent());
        fprintf(c->to, ": %s; set TMPDIR as it was for the run\n", strerror(errno));
        c->unseen++;
        c->failed++;
        return;
    }
    c->sees_folders = true;
    for (const struct dirent *entry; (entry = readdir(folder));) {
        const char *identity = socket_dir_identity(entry->d_name);
        bool is_scratch = scratch_is_left(entry->d_name);
        if (!is_scratch && (!identity || procfs_identity_lives(identity)))
            continue;
        path.len = 0;
        buffer_format(&path, "%s/%s", socket_dir_parent(), entry->d_name);
        if (is_scratch)
            scratch_remove(buffer_string(&path));
        else if (socket_dir_is_ours(buffer_string(&path)))
            socket_dir_remove(path.data);
        else
            continue;
        tell_removed(c, path.data);
    }
    closedir(folder);
    buffer_free(&path);
}

static void miss_engine(struct cleaning *c, const char *address, const char *why)
{
    fputs("could not look for containers: ", c->to);
    print_safe(c->to, address);
    fprintf(c->to, " (DOCKER_HOST): %s; start that engine, or set DOCKER_HOST to the one that was used\n", why);
    c->unseen++;
    c->failed++;
}

/* An engine whose socket is not there, or has nobody who listens, is none, if nobody has named it. */
static void add_engine(struct cleaning *c, const char *address, bool is_named)
{
    for (size_t i = 0; i < c->engine_count; i++)
        if (!strcmp(c->engines[i], address))
            return;
    if (!strncmp(address, "unix://", 7)) {
        int fd = socket_connect_path(address + 7);
        if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ECONNREFUSED)) {
            if (is_named)
                miss_engine(c, address, strerror(errno));
            return;
        }
        if (fd >= 0)
            close(fd);
    }
    c->engines[c->engine_count++] = address;
}

static void note_away(struct cleaning *c, const char *engine)
{
    c->unseen++;
    for (size_t i = 0; i < c->engine_count; i++)
        c->is_away[i] = c->is_away[i] || !strcmp(c->engines[i], engine);
}

static void print_swept(void *data, const struct swept *s)
{
    struct cleaning *c = data;
    c->done += !s->why;
    c->kept += s->why && s->kind;
    c->failed += s->why != NULL;
    if (!s->kind)
        note_away(c, s->engine);
    if (s->kind) {
        fprintf(c->to, "%s %s ", s->why ? "could not remove" : "removed", s->kind);
        print_safe(c->to, s->name);
        fputs(s->node ? " of node " : "", c->to);
        print_safe(c->to, s->node ? s->node : "");
        fputs(" (", c->to);
        print_safe(c->to, s->engine);
        fputs(s->why ? "): " : ")", c->to);
    } else {
        fputs("could not look for containers: ", c->to);
    }
    print_safe(c->to, s->why ? s->why : "");
    fputs(s->kind ? "\n" : "; what a run has left there stays until `lockstep clean` can ask that engine\n", c->to);
}

static void clean_engines(struct cleaning *c)
{
    const char *given = getenv("DOCKER_HOST"), *runtime = getenv("XDG_RUNTIME_DIR");
    if (given && *given)
        add_engine(c, given, true);
    add_engine(c, "unix://" ENGINE_DOCKER_SOCKET, false);
    buffer_format(&c->user, "unix://%s/" ENGINE_PODMAN_USER_SOCKET, runtime ? runtime : "");
    if (runtime && *runtime)
        add_engine(c, buffer_string(&c->user), false);
    add_engine(c, "unix://" ENGINE_PODMAN_SOCKET, false);
    struct engine_sweep sweep = { .with_builds = true, .limit_ms = ENGINES_MS, .told = print_swept, .data = c };
    if (c->engine_count)
        engine_sweep(&sweep, c->engines, c->engine_count);
}

/* "processes of this user, folders in /tmp, the container engine at unix:///run/docker.sock". Returns how many
 * engines. */
static size_t print_places(const struct cleaning *c)
{
    size_t engines = 0;
    fputs(geteuid() == 0 ? "processes" : "processes of this user", c->to);
    if (c->sees_folders) {
        fputs(", folders in ", c->to);
        print_safe(c->to, socket_dir_parent());
    }
    for (size_t i = 0; i < c->engine_count; i++)
        if (!c->is_away[i]) {
            fputs(engines++ ? ", " : ", container engines at ", c->to);
            print_safe(c->to, c->engines[i]);
        }
    return engines;
}

/* What was looked at, and what came of it. */
static void print_result(const struct cleaning *c)
{
    fputs("looked at ", c->to);
    size_t engines = print_places(c);
    if (c->done)
        fprintf(c->to, ": %d ended or removed", c->done);
    if (c->kept)
        fprintf(c->to, "%s %d could not be, as told above", c->done ? "," : ":", c->kept);
    fprintf(c->to, "%s\n", c->done || c->kept ? "" : ": nothing was left behind there");
    if (!engines && !c->unseen)
        fputs(
            "did not look for containers: no engine of Docker or Podman listens at its usual place, and DOCKER_HOST is "
            "not set; if a run had containers, start its engine, or set DOCKER_HOST to it, and clean again\n",
            c->to);
}

int clean_leftovers(FILE *to)
{
    struct cleaning c = { .to = to };
    procfs_each(end_process, &c);
    clean_engines(&c);
    remove_folders(&c); /* containers had them mounted */
    print_result(&c);
    buffer_free(&c.user);
    return c.failed;
}
