#include "node/container_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/utf8.h"
#include "scenario/ports.h"

static void keep_safe(char *out, size_t size, const char *s)
{
    struct buffer safe = { 0 };
    size_t len = strlen(s);
    while (len && (s[len - 1] == '\n' || s[len - 1] == ' '))
        len--;
    utf8_escape(&safe, s, len < size / 2 ? len : size / 2);
    snprintf(out, size, "%s", buffer_string(&safe));
    buffer_free(&safe);
}

static bool is_true(const struct json *v)
{
    struct buffer text = { 0 };
    json_write(&text, v);
    bool yes = json_kind(v) == JSON_BOOL && text.len == 4;
    buffer_free(&text);
    return yes;
}

static void read_health(struct container_state *s, const struct json *state)
{
    const struct json *health = json_get(state, "Health"), *log = json_get(health, "Log");
    const char *status = json_string(json_get(health, "Status"), "");
    s->has_health = *status && strcmp(status, "none") != 0;
    s->is_healthy = !strcmp(status, "healthy");
    s->is_unhealthy = !strcmp(status, "unhealthy");
    s->health_checks = json_count(log);
    if (json_count(log))
        keep_safe(s->health_output, sizeof s->health_output,
                  json_string(json_get(json_at(log, json_count(log) - 1), "Output"), ""));
}

/* Its address is with the network that it was given, of which there is one. */
static void read_address(struct container_state *s, const struct json *networks)
{
    const struct json *settings = json_get(networks, "Networks");
    const char *ip = json_string(json_get(networks, "IPAddress"), "");
    const char *gateway = json_string(json_get(networks, "Gateway"), "");
    for (size_t i = 0; !*ip && i < json_count(settings); i++) {
        ip = json_string(json_get(json_member(settings, i), "IPAddress"), "");
        gateway = json_string(json_get(json_member(settings, i), "Gateway"), "");
    }
    snprintf(s->ip, sizeof s->ip, "%s", ip);
    snprintf(s->gateway, sizeof s->gateway, "%s", gateway);
}

int container_state_read(struct container_state *s, const struct buffer *body, struct error *err)
{
    const char *why;
    struct json *all = json_parse(body->data, body->len, &why);
    const struct json *state = json_get(all, "State");
    *s = (struct container_state){ 0 };
    if (json_kind(state) != JSON_OBJECT) {
        json_free(all);
        error_set(err, EXIT_RUN_FAILED, "inspect container: the engine did not answer with the state of one");
        return -1;
    }
    const char *status = json_string(json_get(state, "Status"), "");
    /* "stopping", of Podman: it has no exit code yet */
    s->is_running = is_true(json_get(state, "Running")) || !strcmp(status, "stopping");
    s->is_paused = is_true(json_get(state, "Paused"));
    s->is_removed = !strcmp(status, "removing");
    s->was_out_of_memory = is_true(json_get(state, "OOMKilled"));
    s->exit_code = (int)json_int64(json_get(state, "ExitCode"), 0);
    s->pid = (int)json_int64(json_get(state, "Pid"), 0);
    keep_safe(s->why, sizeof s->why, json_string(json_get(state, "Error"), ""));
    read_health(s, state);
    s->health_interval_ns = json_int64(json_get(json_get(json_get(all, "Config"), "Healthcheck"), "Interval"), 0);
    read_address(s, json_get(all, "NetworkSettings"));
    json_free(all);
    return 0;
}

void container_usage_read(struct container_usage *u, const char *s, size_t len)
{
    const char *why;
    struct json *all = json_parse(s, len, &why);
    const struct json *memory = json_get(all, "memory_stats"), *detail = json_get(memory, "stats");
    int64_t used = json_int64(json_get(memory, "usage"), -1);
    int64_t files =
        json_int64(json_get(detail, "inactive_file"), json_int64(json_get(detail, "total_inactive_file"), 0));
    if (used >= 0) {
        u->is_known = true;
        u->memory = (uint64_t)(files < used ? used - files : used);
        u->cpu_s = json_double(json_get(json_get(json_get(all, "cpu_stats"), "cpu_usage"), "total_usage"), 0) / 1e9;
        u->processes = (unsigned)json_int64(json_get(json_get(all, "pids_stats"), "current"), 0);
    }
    json_free(all);
}

int container_id_read(const struct buffer *body, char *id, size_t size)
{
    const char *why;
    struct json *all = json_parse(body->data, body->len, &why);
    const char *given = json_string(json_get(all, "Id"), "");
    bool is_id = *given && strlen(given) < size && strspn(given, "0123456789abcdef") == strlen(given);
    snprintf(id, size, "%s", is_id ? given : "");
    json_free(all);
    return is_id ? 0 : -1;
}

int container_exec_code(const struct buffer *body)
{
    const char *why;
    struct json *all = json_parse(body->data, body->len, &why);
    int code = is_true(json_get(all, "Running")) ? -1 : (int)json_int64(json_get(all, "ExitCode"), -1);
    json_free(all);
    return code;
}

/* Which port of the engine's machine leads to it, as the engine says; 0: none does. */
static int published_port(const struct buffer *body, const char *inside)
{
    const char *why;
    char key[32];
    struct json *all = json_parse(body->data, body->len, &why);
    snprintf(key, sizeof key, "%d/tcp", atoi(inside));
    const struct json *ports = json_get(json_get(all, "NetworkSettings"), "Ports");
    int port = atoi(json_string(json_get(json_at(json_get(ports, key), 0), "HostPort"), "0"));
    json_free(all);
    return port;
}

int container_port(const struct container_state *s, const struct buffer *body, const struct scenario_node *n,
                   const char *host, char *out, size_t size, struct error *err)
{
    const char *inside = n->docker.ports.values ? n->docker.ports.values[0] : NULL;
    if (!inside) {
        error_set(err, EXIT_LAUNCH, "transport tcp needs docker.ports: where the node listens in its container");
        return -1;
    }
    int port = docker_is_on_host_network(n) ? atoi(inside) : published_port(body, inside);
    snprintf(out, size, "%s", port ? host : s->ip);
    if (port || *s->ip)
        return port ? port : atoi(inside);
    error_set(err, EXIT_LAUNCH,
              "port %s of its container is not published, and the container has no address of its own; "
              "give it another docker.network, or use transport attach or unix",
              inside);
    return -1;
}

bool container_was_killed(const struct container_state *s)
{
    return !s->is_running && !s->was_out_of_memory && (s->exit_code == 137 || s->exit_code == 143);
}

/* Engines do not always notice that memory was the reason; and who else may end it can ask them for that. */
static void add_killer(const struct scenario_node *n, enum container_killer killer, struct error *err)
{
    size_t len = strlen(err->text);
    if (killer == KILLER_SOMEONE)
        snprintf(err->text + len, sizeof err->text - len, "; somebody else asked the engine to end it");
    else if (n->docker.memory > 0)
        snprintf(err->text + len, sizeof err->text - len,
                 "; it was killed, %s because it needed more memory than the %g MiB "
                 "that it may have",
                 killer == KILLER_UNHEARD_OF ? "and the engine knows of nobody who asked for that: most likely"
                                             : "perhaps",
                 (double)n->docker.memory / 1048576);
}

void container_say_end(const struct container_state *s, const struct scenario_node *n, enum container_killer killer,
                       const char *when, struct error *err)
{
    if (s->was_out_of_memory && n->docker.memory > 0)
        error_set(err, EXIT_RUN_FAILED,
                  "its container needed more memory than the %g MiB that it may have (exit code %d) %s",
                  (double)n->docker.memory / 1048576, s->exit_code, when);
    else if (s->was_out_of_memory)
        error_set(err, EXIT_RUN_FAILED,
                  "its container was killed as it needed more memory than there is (exit code %d) %s; the "
                  "scenario sets no limit, but the engine or its machine has one",
                  s->exit_code, when);
    else
        error_set(err, EXIT_RUN_FAILED, "its container ended with exit code %d %s%s%s", s->exit_code, when,
                  *s->why ? ": " : "", s->why);
    if (!s->was_out_of_memory && (s->exit_code == 137 || killer == KILLER_SOMEONE))
        add_killer(n, killer, err);
}

const char *container_health(const struct container_state *s)
{
    return !s->has_health ? NULL : s->is_unhealthy ? "unhealthy" : s->is_healthy ? "healthy" : "starting";
}
