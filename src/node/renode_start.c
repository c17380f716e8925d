/* The start of a node in Renode: its process, and the commands that make its machine. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "node/renode.h"
#include "node/socket_dir.h"
#include "node/sockets.h"

#define GLOBAL_QUANTUM_MOST 1000 /* us: how long its processors may be apart */
#define SEED_MASK           0x7fffffffu
static const char control_command[] = "emulation CreateExternalControlServer \"lockstep\" ";

static int open_descriptors(struct renode *r, int theirs[3])
{
    theirs[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (theirs[0] < 0 || child_open_log(&r->child, &theirs[1]) < 0)
        return -1;
    theirs[2] = fcntl(theirs[1], F_DUPFD_CLOEXEC, 0);
    return theirs[2] < 0 ? -1 : 0;
}

/* @PATH, from where the scenario is. With a platform of Renode's own, which is not beside the scenario, Renode looks in
 * its installation. */
static int add_path(struct buffer *out, const struct node *n, const char *path, struct error *err)
{
    struct buffer full = { 0 };
    buffer_format(&full, "%s%s%s", *path == '/' ? "" : n->scenario->base_dir, *path == '/' ? "" : "/", path);
    bool own = !strncmp(path, "platforms/", 10) && access(buffer_string(&full), F_OK) != 0;
    bool good = monitor_quote_path(out, own ? path : buffer_string(&full));
    if (!good)
        error_set(err, EXIT_LAUNCH, "Renode's monitor cannot take the path '%s'; rename it: quotes, backslashes, semicolons "
                                    "and control characters have a meaning there", path);
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
            error_set(err, EXIT_LAUNCH, "setup[%d] cannot be given to Renode's monitor: it is one line of at most %u bytes, "
                                        "without control characters", i, MONITOR_LINE);
            return -1;
        }
        buffer_format(b, "%s\n", c->setup[i]);
    }
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
    if (n->spec->renode.time_control == TIME_CONTROL_MONITOR)
        r->by_monitor = true;
    else if ((r->control_port = socket_free_port(err)) < 0)
        return -1;
    else
        buffer_format(b, "%s%d\n", control_command, r->control_port);
    return 0;
}

int renode_launch(struct renode *r, struct error *err)
{
    struct node *n = r->node;
    int theirs[3] = { -1, -1, -1 }, result = -1;
    int port = n->spec->renode.monitor_port ? n->spec->renode.monitor_port : socket_free_port(err);
    if (port < 0 || socket_temporary_dir(n->host->socket_dir, n->index, err) < 0 || write_setup(r, err) < 0)
        return -1;
    if (open_descriptors(r, theirs) < 0)
        error_set(err, EXIT_RUN_FAILED, "cannot make the pipes to its process: %s", strerror(errno));
    else
        result = child_start(&r->child, port, theirs, err);
    for (int i = 0; i < 3; i++)
        if (theirs[i] >= 0)
            close(theirs[i]);
    if (result == 0)
        tcp_client_open(&r->monitor_client, n, port);
    r->node->activity = "starting Renode";
    return result;
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
