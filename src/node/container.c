#include "node/container.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "lockstep/record.h"

static void quote(struct buffer *out, const char *s)
{
    json_quote(out, s, strlen(s));
}

void container_name(char *out, size_t size, const char *run, const char *node)
{
    snprintf(out, size, "lockstep-%s-%s", run, node);
}

struct container_volume container_volume(const char *text)
{
    struct container_volume v = { 0 };
    size_t host = strcspn(text, ":");
    v.host = (struct text){ text, host };
    v.is_named = !memchr(text, '/', host) && text[0] != '.';
    text += host + (text[host] == ':');
    size_t inside = strcspn(text, ":");
    v.inside = (struct text){ text, inside };
    text += inside + (text[inside] == ':');
    v.mode = (struct text){ text, strlen(text) };
    return v;
}

/* "KEY":[…] of strings, with a comma before it. */
static void add_strings(struct buffer *out, const char *key, string_list items)
{
    buffer_format(out, ",\"%s\":[", key);
    for (size_t i = 0; items[i]; i++) {
        buffer_text(out, i ? "," : "");
        quote(out, items[i]);
    }
    buffer_text(out, "]");
}

static void add_variable(struct buffer *out, const char *name, const char *value)
{
    struct buffer pair = { 0 };
    buffer_format(&pair, "%s=%s", name, value);
    buffer_text(out, out->data[out->len - 1] == '[' ? "" : ",");
    quote(out, buffer_string(&pair));
    buffer_free(&pair);
}

static void add_variables(struct buffer *out, const struct string_map *map)
{
    for (size_t i = 0; map->keys && map->keys[i]; i++)
        add_variable(out, map->keys[i], map->values[i]);
}

static void add_environment(struct buffer *out, const struct scenario_node *n, const struct container_place *place)
{
    buffer_text(out, ",\"Env\":[");
    add_variables(out, &n->environment);
    add_variables(out, &n->docker.environment);
    add_variable(out, "LOCKSTEP_NODE", n->id);
    add_variable(out, "LOCKSTEP_RUN", place->run);
    bool listens = n->transport == TRANSPORT_UNIX || n->transport == TRANSPORT_TCP;
    add_variable(out, "LOCKSTEP_TRANSPORT", listens ? transport_name(n->transport) : "stdio");
    if (n->transport == TRANSPORT_UNIX)
        add_variable(out, "LOCKSTEP_SOCKET", CONTAINER_SOCKET);
    if (n->transport == TRANSPORT_TCP && n->docker.ports.values && n->docker.ports.values[0]) {
        add_variable(out, "LOCKSTEP_HOST", "0.0.0.0"); /* 127.0.0.1 is nobody's but the container's */
        char port[8]; /* without a protocol behind it */
        snprintf(port, sizeof port, "%d", atoi(n->docker.ports.values[0]));
        add_variable(out, "LOCKSTEP_PORT", port);
    }
    buffer_text(out, "]");
}

void container_labels(struct buffer *out, const struct container_place *place, const char *node)
{
    buffer_text(out, "{\"" CONTAINER_LABEL_RUN "\":");
    quote(out, place->run);
    buffer_text(out, ",\"" CONTAINER_LABEL_HOST "\":");
    quote(out, place->host);
    if (node) {
        buffer_text(out, ",\"" CONTAINER_LABEL_NODE "\":");
        quote(out, node);
    }
    buffer_text(out, "}");
}

/* A port of the container; tcp where it does not say. */
static void add_port(struct buffer *out, const char *port)
{
    buffer_format(out, "\"%s%s\":", port, strchr(port, '/') ? "" : "/tcp");
}

static void add_exposed(struct buffer *out, const struct string_map *ports)
{
    buffer_text(out, ",\"ExposedPorts\":{");
    for (size_t i = 0; ports->keys && ports->keys[i]; i++) {
        buffer_text(out, i ? "," : "");
        add_port(out, ports->values[i]);
        buffer_text(out, "{}");
    }
    buffer_text(out, "}");
}

static void add_bindings(struct buffer *out, const struct string_map *ports, bool local)
{
    buffer_text(out, ",\"PortBindings\":{");
    for (size_t i = 0; ports->keys && ports->keys[i]; i++) {
        buffer_text(out, i ? "," : "");
        add_port(out, ports->values[i]);
        buffer_format(out, "[{\"HostIp\":\"%s\",\"HostPort\":\"%s\"}]", local ? "127.0.0.1" : "", ports->keys[i]);
    }
    buffer_text(out, "}");
}

static void add_bind(struct buffer *out, const struct scenario *s, const char *text, const struct container_place *place)
{
    struct container_volume v = container_volume(text);
    struct buffer bind = { 0 };
    char name[256];
    snprintf(name, sizeof name, "%.*s", (int)v.host.len, v.host.s);
    if (v.is_named)
        buffer_text(&bind, place->volume(place->data, name));
    else if (*v.host.s == '/')
        buffer_add(&bind, v.host.s, v.host.len);
    else
        buffer_format(&bind, "%s/%.*s", s->base_dir, (int)v.host.len, v.host.s);
    buffer_format(&bind, ":%.*s", (int)v.inside.len, v.inside.s);
    if (v.mode.len)
        buffer_format(&bind, ":%.*s", (int)v.mode.len, v.mode.s);
    json_quote(out, bind.data, bind.len);
    buffer_free(&bind);
}

static void add_binds(struct buffer *out, const struct scenario *s, const struct scenario_node *n,
                      const struct container_place *place)
{
    const char *comma = "";
    buffer_text(out, "\"Binds\":[");
    for (size_t i = 0; n->docker.volumes && n->docker.volumes[i]; i++, comma = ",") {
        buffer_text(out, comma);
        add_bind(out, s, n->docker.volumes[i], place);
    }
    if (place->socket_dir) {
        struct buffer bind = { 0 };
        buffer_format(&bind, "%s:%s", place->socket_dir, CONTAINER_SOCKET_DIR);
        buffer_text(out, comma);
        json_quote(out, bind.data, bind.len);
        buffer_free(&bind);
    }
    buffer_text(out, "]");
}

static void add_healthcheck(struct buffer *out, const struct scenario_node *n)
{
    buffer_text(out, ",\"Healthcheck\":{\"Retries\":");
    buffer_i64(out, n->docker.healthcheck.retries);
    add_strings(out, "Test", n->docker.healthcheck.command);
    buffer_format(out, ",\"Interval\":%" PRId64 ",\"Timeout\":%" PRId64 "}", n->docker.healthcheck.interval * 1000,
                  n->docker.healthcheck.timeout * 1000);
}

static void add_host_config(struct buffer *out, const struct scenario *s, const struct scenario_node *n,
                            const struct container_place *place)
{
    buffer_text(out, ",\"HostConfig\":{");
    add_binds(out, s, n, place);
    add_bindings(out, &n->docker.ports, place->local);
    if (place->network) {
        buffer_text(out, ",\"NetworkMode\":");
        quote(out, place->network);
    }
    if (n->docker.cpus > 0)
        buffer_format(out, ",\"NanoCpus\":%.0f", n->docker.cpus * 1e9);
    if (n->docker.memory > 0) /* no swap on top: the limit is one */
        buffer_format(out, ",\"Memory\":%" PRId64 ",\"MemorySwap\":%" PRId64, n->docker.memory, n->docker.memory);
    buffer_format(out, ",\"Init\":%s}", place->init ? "true" : "false");
}

void container_body(struct buffer *out, const struct scenario *s, const struct scenario_node *n,
                    const struct container_place *place)
{
    bool attach = n->transport == TRANSPORT_ATTACH;
    buffer_text(out, "{\"Image\":");
    quote(out, place->image);
    if (n->docker.command)
        add_strings(out, "Cmd", n->docker.command);
    add_environment(out, n, place);
    buffer_text(out, ",\"Labels\":");
    container_labels(out, place, n->id);
    buffer_format(out, ",\"Tty\":false,\"OpenStdin\":%s,\"StdinOnce\":%s,\"AttachStdin\":%s", attach ? "true" : "false",
                  attach ? "true" : "false", attach ? "true" : "false");
    buffer_text(out, ",\"AttachStdout\":true,\"AttachStderr\":true");
    add_exposed(out, &n->docker.ports);
    if (n->docker.healthcheck.command)
        add_healthcheck(out, n);
    add_host_config(out, s, n, place);
    buffer_text(out, "}");
}

void container_exec_body(struct buffer *out, const struct scenario_node *n)
{
    buffer_text(out, "{\"AttachStdin\":true,\"AttachStdout\":true,\"AttachStderr\":true,\"Tty\":false");
    add_strings(out, "Cmd", n->docker.exec);
    buffer_text(out, "}");
}
