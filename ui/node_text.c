#include "ui/node_text.h"

#include <string.h>

#include "base/utf8.h"
#include "ui/format.h"
#include "ui/json_view.h"

static void add_escaped(struct buffer *out, const char *label, const char *text)
{
    if (!text)
        return;
    buffer_format(out, "%s\t", label);
    utf8_escape(out, text, strlen(text));
    buffer_text(out, "\n");
}

/* Each text on a line of its own. */
static void add_list(struct buffer *out, const char *label, string_list list)
{
    for (int i = 0; list && list[i]; i++)
        add_escaped(out, i ? "" : label, list[i]);
}

/* "KEY=VALUE", or the value alone where the key is "". */
static void add_map(struct buffer *out, const char *label, const struct string_map *map, const char *between)
{
    for (int i = 0; map->keys && map->keys[i]; i++) {
        struct buffer pair = { 0 };
        bool alone = !*map->keys[i];
        buffer_format(&pair, "%s%s%s", map->keys[i], alone ? "" : between, map->values[i]);
        add_escaped(out, i ? "" : label, buffer_string(&pair));
        buffer_free(&pair);
    }
}

/* How it is started. */
static void container_text(const struct docker_config *d, struct buffer *out)
{
    char x[FORMAT_TEXT];
    add_escaped(out, "image", d->image);
    add_escaped(out, "built from", d->build_context);
    add_escaped(out, "", d->dockerfile);
    add_escaped(out, "engine", d->engine);
    add_list(out, "command", d->command);
    add_list(out, "exec", d->exec);
    add_map(out, "ports", &d->ports, ":");
    add_list(out, "volumes", d->volumes);
    add_escaped(out, "network", d->network);
    add_map(out, "environment", &d->environment, "=");
    if (d->cpus > 0 || d->memory)
        buffer_text(out, "limits\t");
    if (d->cpus > 0)
        buffer_format(out, "%g cpus%s", d->cpus, d->memory ? ", " : "\n");
    if (d->memory)
        buffer_format(out, "memory %s\n", format_bytes((uint64_t)d->memory, x));
    add_list(out, "health", d->healthcheck.command);
    if (d->healthcheck.command)
        buffer_format(out, "\tevery %s, ", format_typed(d->healthcheck.interval, x));
    if (d->healthcheck.command)
        buffer_format(out, "at most %s, %d times\n", format_typed(d->healthcheck.timeout, x), d->healthcheck.retries);
    if (!d->freeze)
        buffer_text(out, "freeze\tfalse: goes on while the run is paused\n");
}

static void renode_text(const struct renode_config *r, struct buffer *out)
{
    static const char *const time_controls[] = { NULL, "the External Control port", "the monitor" };
    add_escaped(out, "platform", r->platform);
    add_escaped(out, "firmware", r->firmware);
    add_escaped(out, "script", r->script);
    add_list(out, "setup", r->setup);
    add_escaped(out, "UART", r->uart);
    add_list(out, "more UARTs", r->uarts);
    add_escaped(out, "program", r->program);
    add_escaped(out, "time by", time_controls[r->time_control]);
    if (r->monitor_port)
        buffer_format(out, "monitor\tport %d\n", r->monitor_port);
}

static void process_text(const struct scenario_node *n, struct buffer *out)
{
    add_list(out, "command", n->command);
    add_escaped(out, "working dir", n->working_dir);
    add_map(out, "environment", &n->environment, "=");
}

/* How it is spoken to. */
static void channel_text(const struct scenario_node *n, struct buffer *out)
{
    buffer_format(out, "transport\t%s", transport_name(n->transport));
    if (n->port)
        buffer_format(out, ", port %d", n->port);
    buffer_format(out, "\ndialect\t%s\n", n->dialect == DIALECT_NODE ? "node" : "service");
}

void node_text(const struct scenario_node *n, struct buffer *out)
{
    char x[FORMAT_TEXT];
    buffer_format(out, "type\t%s, %s\n", n->type, tier_name(n->tier));
    buffer_format(out, "runs as\t%s\n", implementation_name(n->implementation));
    if (n->implementation == IMPLEMENTATION_PROCESS)
        process_text(n, out);
    if (n->implementation == IMPLEMENTATION_DOCKER)
        container_text(&n->docker, out);
    if (n->implementation == IMPLEMENTATION_RENODE)
        renode_text(&n->renode, out);
    else if (n->implementation != IMPLEMENTATION_MODEL)
        channel_text(n, out);
    if (strcmp(n->config_json, "{}") != 0) {
        buffer_text(out, "config\t\n");
        json_pretty(out, n->config_json, strlen(n->config_json));
        buffer_text(out, "\n");
    } else {
        buffer_text(out, "config\tnone\n");
    }
    buffer_format(out, "on failure\t%s", on_failure_name(n->on_failure));
    if (n->on_failure == ON_FAILURE_RESTART)
        buffer_format(out, ", %d times, after %s", n->restart_max, format_typed(n->restart_backoff, x));
    buffer_text(out, "\n");
    buffer_format(out, "timeouts\tstart %s\n", format_typed(n->timeout_start, x));
    buffer_format(out, "\tstep %s\n", format_typed(n->timeout_step, x));
    buffer_format(out, "\tstop %s\n", format_typed(n->timeout_stop, x));
    if (n->mark.line)
        buffer_format(out, "in the file\tline %d\n", n->mark.line);
}
