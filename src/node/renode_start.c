/* The start of a node in Renode: its process, and the commands that make its machine. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/procfs.h"
#include "node/guard.h"
#include "node/renode.h"
#include "node/socket_dir.h"
#include "node/sockets.h"

#define GLOBAL_QUANTUM_MOST 1000 /* us: how long its processors may be apart */
#define SEED_MASK           0x7fffffffu
#define LAUNCHES_MOST       5     /* with ports that others took in the meantime */
#define LOG_REST            4096u /* bytes of a line of its log without an end */
static const char control_command[] = "emulation CreateExternalControlServer \"lockstep";
static const char taken[] = "AddressAlreadyInUse"; /* in Renode's words */

/* @PATH, from where the scenario is. With a platform of Renode's own, which is not beside the scenario, Renode looks in
 * its installation. */
static int add_path(struct buffer *out, const struct node *n, const char *path, struct error *err)
{
    struct buffer full = { 0 };
    buffer_format(&full, "%s%s%s", *path == '/' ? "" : n->scenario->base_dir, *path == '/' ? "" : "/", path);
    bool own = !strncmp(path, "platforms/", 10) && access(buffer_string(&full), F_OK) != 0;
    bool good = monitor_quote_path(out, own ? path : buffer_string(&full));
    if (!good)
        error_set(err, EXIT_LAUNCH,
                  "Renode's monitor cannot take the path '%s'; rename it: quotes, backslashes, semicolons "
                  "and control characters have a meaning there",
                  path);
    buffer_free(&full);
    return good ? 0 : -1;
}

static int add_machine(struct buffer *b, const struct node *n, struct error *err)
{
    const struct renode_config *c = &n->spec->renode;
    if (c->script) {
        buffer_text(b, "include ");
        if (add_path(b, n, c->script, err) < 0)
            return -1;
        buffer_text(b, "\n");
    } else {
        buffer_format(b, "mach create \"%s\"\nmachine LoadPlatformDescription ", n->spec->id);
        if (add_path(b, n, c->platform, err) < 0)
            return -1;
        buffer_text(b, "\nsysbus LoadELF ");
        if (add_path(b, n, c->firmware, err) < 0)
            return -1;
        buffer_text(b, "\n");
    }
    for (int i = 0; c->setup && c->setup[i]; i++) {
        if (!monitor_can_ask(c->setup[i], strlen(c->setup[i]))) {
            error_set(err, EXIT_LAUNCH,
                      "setup[%d] cannot be given to Renode's monitor: it is one line of at most %u bytes, "
                      "without control characters",
                      i, MONITOR_LINE);
            return -1;
        }
        buffer_format(b, "%s\n", c->setup[i]);
    }
    return 0;
}

/* Each time another name: it is not known whether one that failed keeps its own. */
static int add_control(struct renode *r, struct error *err)
{
    if ((r->control_port = socket_free_port(err)) < 0)
        return -1;
    buffer_text(&r->setup, control_command);
    if (r->controls++)
        buffer_format(&r->setup, "%u", r->controls);
    buffer_format(&r->setup, "\" %d\n", r->control_port);
    return 0;
}

static int write_setup(struct renode *r, struct error *err)
{
    const struct node *n = r->node;
    struct buffer *b = &r->setup;
    simtime quantum = n->scenario->quantum < GLOBAL_QUANTUM_MOST ? n->scenario->quantum : GLOBAL_QUANTUM_MOST;
    b->len = r->setup_at = 0;
    if (add_machine(b, n, err) < 0)
        return -1;
    buffer_format(b, "emulation SetSeed %u\n", (unsigned)(n->scenario->seed & SEED_MASK));
    buffer_format(b, "emulation SetGlobalQuantum \"0.%06d\"\n", (int)quantum);
    buffer_text(b, "emulation SetGlobalAdvanceImmediately true\n");
    if (renode_uarts_setup(r, b, err) < 0)
        return -1;
    r->controls = 0;
    r->by_monitor = n->spec->renode.time_control == TIME_CONTROL_MONITOR;
    return r->by_monitor ? 0 : add_control(r, err);
}

int renode_launch(struct renode *r, struct error *err)
{
    struct node *n = r->node;
    int ours[3], theirs[3], result = -1;
    int port = n->spec->renode.monitor_port ? n->spec->renode.monitor_port : socket_free_port(err);
    if (port < 0 || socket_temporary_dir(n->host->socket_dir, n->index, err) < 0 || write_setup(r, err) < 0)
        return -1;
    if (child_open_pipes(&r->child, ours, theirs, false, err) == 0)
        result = child_start(&r->child, port, theirs, err);
    if (result == 0)
        tcp_client_open(&r->monitor_client, n, port);
    r->node->activity = "starting Renode";
    r->stage = RENODE_CONNECTING;
    r->launches++;
    return result;
}

static bool has_words(const struct buffer *b, const char *words)
{
    return b->len && memmem(b->data, b->len, words, strlen(words));
}

/* As far as it is plain. */
static void copy_line(char out[200], const char *at, const char *end)
{
    size_t len = 0;
    while (at + len < end && len < 199 && at[len] >= ' ' && at[len] < 0x7f)
        len++;
    memcpy(out, at, len);
    out[len] = '\0';
}

/* What a line of its log tells: that its processor has left its memory, from where it never comes back; an error, as
 * "TIME [ERROR] WHAT" or as .NET says of an exception that nobody has caught; that its port is taken. */
static void judge_line(struct renode *r, const char *line, size_t len)
{
    static const char level[] = "[ERROR] ", *const marks[] = { level, "nhandled exception" };
    const char *end = line + len, *abort = memmem(line, len, "CPU abort", 9), *text = NULL;
    if (abort && !r->abort_is_whole)
        copy_line(r->cpu_abort, abort, end);
    r->abort_is_whole |= abort && end[-1] == '\n';
    for (size_t i = 0; i < 2 && !text; i++)
        text = memmem(line, len, marks[i], strlen(marks[i]));
    if (text)
        copy_line(r->log_error, strncmp(text, level, sizeof level - 1) == 0 ? text + sizeof level - 1 : line, end);
    r->port_is_taken |= !r->has_clock && memmem(line, len, taken, sizeof taken - 1);
}

/* A line may come in pieces: what has no end is looked at as it is, and once more with what follows. */
static void judge_log(struct renode *r, const char *news, size_t len)
{
    struct buffer *b = &r->log_rest;
    size_t used = 0;
    buffer_add(b, news, len);
    for (const char *newline; used < b->len; used = (size_t)(newline + 1 - b->data)) {
        newline = memchr(b->data + used, '\n', b->len - used);
        judge_line(r, b->data + used, newline ? (size_t)(newline + 1 - b->data) - used : b->len - used);
        if (!newline)
            break;
    }
    if (b->len - used > LOG_REST)
        used = b->len - LOG_REST;
    buffer_drop(b, used);
}

void renode_add_log(const struct renode *r, struct error *err)
{
    size_t len = strlen(err->text);
    if (*r->log_error)
        snprintf(err->text + len, sizeof err->text - len, "; its log says: %s", r->log_error);
}

static void read_log(struct renode *r, void read(struct child *c))
{
    const struct buffer *log = &r->node->log;
    size_t before = log->len; /* by others, and by its UARTs */
    read(&r->child);
    if (log->len > before)
        judge_log(r, log->data + before, log->len - before);
}

void renode_read_log(struct renode *r)
{
    read_log(r, r->child.has_exited ? child_last_words : child_read_log);
}

void renode_last_words(struct renode *r)
{
    read_log(r, child_last_words);
}

bool renode_may_launch_again(const struct renode *r)
{
    const struct child *c = &r->child;
    return r->port_is_taken && !r->has_clock && c->has_exited && WIFEXITED(c->status) && WEXITSTATUS(c->status) == 1 &&
           !r->node->spec->renode.monitor_port && r->launches < LAUNCHES_MOST;
}

bool renode_is_ours(const struct renode *r)
{
    const struct node *n = r->node;
    struct procfs_stat process;
    struct buffer run = { 0 };
    char name[32], value[80];
    pid_t pid;
    if (!procfs_port_holder(r->monitor_client.port, &pid, name, sizeof name) || !procfs_stat(pid, &process))
        return true; /* it is not to be seen who that is */
    if (n->pid && process.group == n->pid)
        return true;
    procfs_identity(&run, getpid());
    bool is_ours = procfs_variable(pid, GUARD_RUN_VARIABLE, value, sizeof value) &&
                   !strcmp(value, buffer_string(&run)) &&
                   procfs_variable(pid, GUARD_NODE_VARIABLE, value, sizeof value) && !strcmp(value, n->spec->id);
    buffer_free(&run);
    return is_ours;
}

static size_t command_length(const struct renode *r)
{
    return strcspn(buffer_string((struct buffer *)(uintptr_t)&r->setup) + r->setup_at, "\n");
}

void renode_command(const struct renode *r, char *out, size_t size)
{
    size_t len = r->setup_at < r->setup.len ? command_length(r) : 0;
    snprintf(out, size, "%.*s%s", (int)(len < size - 4 ? len : size - 4), len ? r->setup.data + r->setup_at : "",
             len < size - 4 ? "" : "…");
}

void renode_ask(struct renode *r, const char *commands, size_t len)
{
    monitor_ask(&r->monitor, commands, len, &r->monitor_client.out);
    tcp_client_send(&r->monitor_client);
}

bool renode_ask_setup(struct renode *r)
{
    if (r->setup_at >= r->setup.len)
        return false;
    renode_ask(r, r->setup.data + r->setup_at, command_length(r));
    r->node->activity = "setting up the machine";
    return true;
}

int renode_take_setup(struct renode *r, struct error *err)
{
    struct buffer why = { 0 };
    struct node *n = r->node;
    char command[200];
    renode_command(r, command, sizeof command);
    bool failed = monitor_error(&r->monitor.reply, &why, NULL);
    bool is_control = !strncmp(command, control_command, sizeof control_command - 1);
    if (failed && is_control && has_words(&why, taken) && r->controls < LAUNCHES_MOST) {
        buffer_free(&why);
        r->setup.len = r->setup_at; /* it is the last one */
        return add_control(r, err) < 0 || !renode_ask_setup(r) ? -1 : 0;
    }
    if (failed && is_control && n->spec->renode.time_control == TIME_CONTROL_AUTO)
        r->by_monitor = true; /* a version before 1.15.1 */
    else if (failed)
        error_set(err, EXIT_LAUNCH, "Renode refuses '%s': %s%s", command, buffer_string(&why),
                  is_control ? "; `time_control: monitor` does without it" : "");
    else
        buffer_add(&n->log, r->monitor.reply.data, r->monitor.reply.len);
    bool good = !failed || (is_control && r->by_monitor);
    buffer_free(&why);
    if (!good)
        return -1;
    r->setup_at += command_length(r) + 1;
    if (renode_ask_setup(r))
        return 0;
    return renode_uarts_begin(r, err) < 0 ? -1 : 1;
}
