#include "node/container.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "lockstep/record.h"
#include "node/http.h"
#include "scenario/ports.h"

static void quote(struct buffer *out, const char *s)
{
    json_quote(out, s, strlen(s));
}

void container_name(char *out, size_t size, const char *run, const char *node)
{
    snprintf(out, size, "lockstep-%s-%s", run, node);
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
        bool is_host = docker_is_on_host_network(n); /* else 127.0.0.1 is nobody's but the container's */
        add_variable(out, "LOCKSTEP_HOST", is_host && place->local ? "127.0.0.1" : "0.0.0.0");
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

void container_build_mark(struct buffer *out, const char *run, const char *host)
{
    buffer_format(out, "lockstep.%s.", run);
    for (; *host; host++)
        buffer_format(out, "%c", isalnum((unsigned char)*host) ? *host : '-');
}

void container_build_path(struct buffer *out, const struct container_place *place, const char *image,
                          const char *dockerfile, bool marks_steps)
{
    struct buffer labels = { 0 };
    container_labels(&labels, place, NULL);
    buffer_text(out, "/build?rm=1&forcerm=1&t=");
    http_escape(out, image);
    buffer_text(out, "&dockerfile=");
    http_escape(out, dockerfile);
    buffer_text(out, "&labels=");
    http_escape(out, buffer_string(&labels));
    buffer_free(&labels);
    if (!marks_steps)
        return;
    buffer_text(out, "&extrahosts=");
    container_build_mark(out, place->run, place->host);
    buffer_text(out, ":127.0.0.1");
}

/* A published port, by its number inside and its protocol; where those are the same, in the scenario's order. */
struct published {
    const char *protocol, *host;
    int inside;
    size_t at;
};

static int by_inside(const void *a, const void *b)
{
    const struct published *x = a, *y = b;
    int protocol = strcmp(x->protocol, y->protocol);
    return x->inside != y->inside ? (x->inside > y->inside) - (x->inside < y->inside)
           : protocol             ? protocol
                                  : (x->at > y->at) - (x->at < y->at);
}

/* All of them, sorted; the caller frees it. */
static struct published *published(const struct string_map *ports, size_t *count)
{
    size_t n = 0;
    while (ports->keys && ports->keys[n])
        n++;
    struct published *all = mem_array(n + 1, sizeof *all);
    for (size_t i = 0; i < n; i++) {
        const char *protocol = strchr(ports->values[i], '/');
        all[i] = (struct published){ protocol ? protocol + 1 : "tcp", ports->keys[i], atoi(ports->values[i]), i };
    }
    qsort(all, n, sizeof *all, by_inside);
    *count = n;
    return all;
}

static bool is_same_port(const struct published *a, const struct published *b)
{
    return a->inside == b->inside && !strcmp(a->protocol, b->protocol);
}

static void add_exposed(struct buffer *out, const struct string_map *ports)
{
    size_t count;
    struct published *all = published(ports, &count);
    buffer_text(out, ",\"ExposedPorts\":{");
    for (size_t i = 0; i < count; i++)
        if (!i || !is_same_port(&all[i - 1], &all[i]))
            buffer_format(out, "%s\"%d/%s\":{}", i ? "," : "", all[i].inside, all[i].protocol);
    buffer_text(out, "}");
    free(all);
}

static void add_bindings(struct buffer *out, const struct string_map *ports, bool local)
{
    size_t count;
    struct published *all = published(ports, &count);
    buffer_text(out, ",\"PortBindings\":{");
    for (size_t i = 0; i < count; i++) {
        if (i && is_same_port(&all[i - 1], &all[i]))
            buffer_text(out, ",");
        else
            buffer_format(out, "%s\"%d/%s\":[", i ? "]," : "", all[i].inside, all[i].protocol);
        buffer_format(out, "{\"HostIp\":\"%s\",\"HostPort\":\"%s\"}", local ? "127.0.0.1" : "", all[i].host);
    }
    buffer_text(out, count ? "]}" : "}");
    free(all);
}

static void add_bind(struct buffer *out, const struct scenario *s, const char *text,
                     const struct container_place *place)
{
    struct container_volume v = container_volume(text);
    struct buffer bind = { 0 };
    char name[256];
    snprintf(name, sizeof name, "%.*s", (int)v.host.len, v.host.s);
    if (v.is_named)
        buffer_text(&bind, place->volume(place->data, name));
    else
        buffer_format(&bind, "%s%s%.*s", v.is_relative ? s->base_dir : "", v.is_relative ? "/" : "", (int)v.host.len,
                      v.host.s);
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
    static const struct string_map none;
    buffer_text(out, ",\"HostConfig\":{");
    add_binds(out, s, n, place);
    /* In the machine's network they mean nothing. */
    add_bindings(out, docker_is_on_host_network(n) ? &none : &n->docker.ports, place->local);
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
