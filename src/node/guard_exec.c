#include "node/guard_exec.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/memory.h"
#include "base/procfs.h"
#include "base/program.h"
#include "node/socket_dir.h"

/* What a new process and this one share: why its command could not be run. */
struct attempt {
    int error; /* errno; 0: it runs, or has run */
    char what[GUARD_TEXT];
};

struct pairs {
    struct arena *arena;
    char **items; /* "NAME=VALUE" */
    size_t count, capacity;
};

struct environment {
    const struct guard_setup *setup;
    struct attempt *attempts; /* of the nodes */
    struct pairs base; /* what lockstep was started with, and what is the same for all nodes */
};

static size_t name_length(const char *pair)
{
    return strcspn(pair, "=");
}

static void add(struct pairs *p, char *pair)
{
    p->items = mem_grow(p->items, p->count, &p->capacity, sizeof *p->items);
    p->items[p->count++] = pair;
}

static void set(struct pairs *p, const char *name, const char *value)
{
    struct buffer pair = { 0 };
    buffer_format(&pair, "%s=%s", name, value);
    char *text = arena_text(p->arena, pair.data, pair.len);
    buffer_free(&pair);
    for (size_t i = 0; i < p->count; i++)
        if (name_length(p->items[i]) == strlen(name) && !strncmp(p->items[i], name, strlen(name))) {
            p->items[i] = text;
            return;
        }
    add(p, text);
}

struct environment *environment_new(const struct guard_setup *setup, pid_t lockstep)
{
    struct environment *e = mem_alloc(sizeof *e);
    e->setup = setup;
    e->base.arena = arena_new();
    size_t size = (size_t)setup->scenario->node_count * sizeof *e->attempts;
    e->attempts = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (e->attempts == MAP_FAILED)
        abort();
    for (char **pair = environ; *pair; pair++)
        if (strncmp(*pair, "LOCKSTEP_", 9) != 0 || !strncmp(*pair, "LOCKSTEP_TEST_", 14))
            add(&e->base, *pair);
    struct buffer text = { 0 };
    program_search_path(&text, getenv("PATH"));
    set(&e->base, "PATH", buffer_string(&text));
    text.len = 0;
    procfs_identity(&text, lockstep);
    set(&e->base, GUARD_RUN_VARIABLE, buffer_string(&text));
    buffer_free(&text);
    set(&e->base, "LOCKSTEP_RUN_DIR", setup->run_dir);
    return e;
}

/* The environment of one node, NULL at its end. */
static void pairs_open(struct pairs *out, const struct environment *e, const struct scenario_node *node)
{
    char text[PATH_MAX];
    *out = (struct pairs){ .arena = arena_new() };
    for (size_t i = 0; i < e->base.count; i++)
        add(out, e->base.items[i]);
    for (size_t i = 0; node->environment.keys && node->environment.keys[i]; i++) {
        struct buffer path = { 0 };
        bool is_path = !strcmp(node->environment.keys[i], "PATH");
        if (is_path)
            program_search_path(&path, node->environment.values[i]);
        set(out, node->environment.keys[i], is_path ? buffer_string(&path) : node->environment.values[i]);
        buffer_free(&path);
    }
    set(out, GUARD_NODE_VARIABLE, node->id);
    set(out, "LOCKSTEP_TRANSPORT", transport_name(node->transport));
    if (node->transport == TRANSPORT_TCP) {
        snprintf(text, sizeof text, "%d", node->port);
        set(out, "LOCKSTEP_PORT", text);
    }
    if (node->transport == TRANSPORT_UNIX) {
        socket_path(text, sizeof text, e->setup->socket_dir, (int)(node - e->setup->scenario->nodes));
        set(out, "LOCKSTEP_SOCKET", text);
    }
    if (node->implementation == IMPLEMENTATION_RENODE) {
        socket_temporary_path(text, sizeof text, e->setup->socket_dir, (int)(node - e->setup->scenario->nodes));
        set(out, "TMPDIR", text);
    }
    add(out, NULL);
}

static void pairs_close(struct pairs *p)
{
    free(p->items);
    arena_free(p->arena);
}

/* The first that fails counts. */
static void cannot(struct attempt *a, const char *what, int error)
{
    if (a->error)
        return;
    snprintf(a->what, sizeof a->what, "%s", what);
    a->error = error;
}

static rlim_t least(rlim_t a, rlim_t b)
{
    return a < b ? a : b;
}

static void limit(struct attempt *a, rlim_t open_files, rlim_t file_size)
{
    struct rlimit r;
    getrlimit(RLIMIT_NOFILE, &r);
    r.rlim_cur = least(open_files, r.rlim_max);
    if (setrlimit(RLIMIT_NOFILE, &r) != 0)
        cannot(a, "limit the open files of", errno);
    getrlimit(RLIMIT_FSIZE, &r);
    r.rlim_cur = file_size ? least(file_size, r.rlim_max) : r.rlim_cur;
    if (setrlimit(RLIMIT_FSIZE, &r) != 0)
        cannot(a, "limit the file size of", errno);
}

/* Tries each folder of PATH for a name without a slash. Returns only where the command cannot be run. */
static void run(struct attempt *a, char *const *command, char *const *environment, const char *path)
{
    char full[PATH_MAX];
    int error = ENOENT;
    if (strchr(command[0], '/')) {
        execve(command[0], command, environment);
        cannot(a, "run", errno);
        return;
    }
    for (const char *at = path; *at;) {
        size_t n = strcspn(at, ":");
        if (n && n + strlen(command[0]) + 2 < sizeof full) {
            memcpy(full, at, n);
            full[n] = '/';
            strcpy(full + n + 1, command[0]);
            execve(full, command, environment);
            if (errno != ENOENT && errno != ENOTDIR)
                error = errno;
        }
        at += n + (at[n] == ':');
    }
    cannot(a, "run", error);
}

/* In the new process. */
static _Noreturn void become(struct attempt *a, const struct scenario_node *node, char *const *command,
                             const int fds[3], char *const *environment, const char *path, const char *folder,
                             rlim_t open_files, pid_t guard)
{
    sigset_t none;
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (getppid() != guard)
        _exit(127);
    setsid();
    for (int fd = 0; fd < 3; fd++)
        if (dup2(fds[fd], fd) < 0)
            cannot(a, "connect", errno);
    close_range(3, ~0u, 0);
    limit(a, node->limit_open_files ? (rlim_t)node->limit_open_files : open_files, (rlim_t)node->limit_file_size);
    if (chdir(folder) < 0)
        cannot(a, "enter the working directory of", errno);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (!a->error)
        run(a, command, environment, path);
    _exit(127);
}

static const char *value_of(char *const *environment, const char *name)
{
    for (; *environment; environment++)
        if (name_length(*environment) == strlen(name) && !strncmp(*environment, name, strlen(name)))
            return *environment + strlen(name) + 1;
    return "";
}

pid_t guard_exec(const struct environment *e, const struct scenario_node *node, int port, const int fds[3])
{
    struct pairs own;
    pairs_open(&own, e, node);
    const char *path = value_of(own.items, "PATH"), *base = e->setup->scenario->base_dir;
    struct attempt *attempt = &e->attempts[node - e->setup->scenario->nodes];
    struct buffer folder = { 0 };
    const char *dir = node->working_dir ? node->working_dir : ".";
    buffer_format(&folder, "%s%s%s", *dir == '/' ? "" : base, *dir == '/' ? "" : "/", dir);
    const char *full = buffer_string(&folder);
    *attempt = (struct attempt){ 0 };
    char number[16], headless[] = "--disable-xwt", plain[] = "--plain", listen[] = "-P";
    char *renode[] = { node->renode.program, headless, plain, listen, number, NULL };
    char *const *command = node->implementation == IMPLEMENTATION_RENODE ? renode : node->command;
    snprintf(number, sizeof number, "%d", port);
    pid_t guard = getpid();
    /* Without what libraries do at a fork: they would close descriptors that are none of theirs any more. */
    pid_t pid = _Fork();
    if (pid == 0)
        become(attempt, node, command, fds, own.items, path, full, (rlim_t)e->setup->open_files, guard);
    buffer_free(&folder);
    pairs_close(&own);
    return pid;
}

int guard_exec_error(const struct environment *e, int node, char *what, size_t size)
{
    const struct attempt *attempt = &e->attempts[node];
    snprintf(what, size, "%s", attempt->what);
    return attempt->error;
}
