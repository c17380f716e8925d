/* The start of a node in a container: image, network and volumes; create; attach; start; look; exec, or connect. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "node/docker.h"
#include "node/socket_dir.h"
#include "node/sockets.h"
#include "scenario/ports.h"

void docker_request(struct docker *d, const char *method, const char *what, const char *fmt, ...)
{
    char path[400];
    va_list args;
    va_start(args, fmt);
    vsnprintf(path, sizeof path, fmt, args);
    va_end(args);
    d->what = what;
    d->exchange.path.len = 0;
    buffer_text(&d->exchange.path, path);
    exchange_send(&d->exchange, d->engine, method, DOCKER_ANSWER_MS);
}

void docker_forget(struct docker *d)
{
    channel_close(&d->channel);
    stream_close(&d->output);
    stream_close(&d->exec);
    exchange_drop(&d->exchange);
    exchange_drop(&d->look);
    exchange_drop(&d->exec_look);
    exchange_drop(&d->still);
    exchange_drop(&d->check);
    exchange_drop(&d->stats);
    wire_free(&d->stats_lines);
    free(d->volumes);
    d->volumes = NULL;
    d->node->container = d->node->activity = d->node->health = NULL;
}

static void need_assets(struct docker *d)
{
    const struct docker_config *c = &d->node->spec->docker;
    struct assets *a = d->engine->assets;
    d->image = assets_need(a, ASSET_IMAGE, c->image, d->node);
    d->network = c->network ? assets_need(a, ASSET_NETWORK, c->network, d->node) : NULL;
    for (size_t i = 0; c->volumes && c->volumes[i]; i++) {
        struct container_volume v = container_volume(c->volumes[i]);
        char name[256];
        snprintf(name, sizeof name, "%.*s", (int)v.host.len, v.host.s);
        if (!v.is_named)
            continue;
        d->volumes = mem_grow(d->volumes, d->volume_count, &d->volume_capacity, sizeof(struct asset *));
        d->volumes[d->volume_count++] = assets_need(a, ASSET_VOLUME, name, d->node);
    }
}

int docker_start(struct node *n, struct error *err)
{
    struct docker *d = n->state;
    if (d)
        docker_forget(d);
    else
        d = n->state = mem_alloc(sizeof *d);
    *d = (struct docker){
        .node = n, .engine = engines_of(n->host->engines, n->index), .step = DOCKER_GONE, .exec_code = -1
    };
    d->exchange.node = d->look.node = d->exec_look.node = d->still.node = d->check.node = n;
    d->output.docker = d->exec.docker = d;
    n->tail.len = 0;
    n->gone = NULL;
    n->was_killed = false;
    channel_open(&d->channel, n);
    if (n->spec->transport == TRANSPORT_UNIX && !d->engine->is_local) {
        error_set(err, EXIT_LAUNCH,
                  "transport unix needs an engine on this machine, and %s may be on another; use attach",
                  d->engine->peer.address);
        return -1;
    }
    d->step = DOCKER_PREPARE;
    d->what = "version";
    engine_meet(d->engine);
    node_ready(n);
    return 0;
}

static const char *volume_name(void *data, const char *name)
{
    const struct docker *d = data;
    for (size_t i = 0; i < d->volume_count; i++)
        if (!strcmp(asset_given_name(d->volumes[i]), name))
            return asset_name(d->volumes[i]);
    return name;
}

static int create(struct docker *d, struct error *err)
{
    const struct node *n = d->node;
    struct container_place place;
    engine_place(d->engine, &place);
    place.image = asset_name(d->image);
    place.network = d->network ? asset_name(d->network) : NULL;
    place.init = d->with_init = d->engine->has_init;
    place.volume = volume_name;
    place.data = d;
    if (n->spec->transport == TRANSPORT_UNIX) {
        if (socket_node_dir(d->socket_dir, sizeof d->socket_dir, n->host->socket_dir, n->index, err) < 0)
            return -1;
        place.socket_dir = d->socket_dir;
    }
    container_name(d->name, sizeof d->name, place.run, n->spec->id);
    d->exchange.body.len = 0;
    container_body(&d->exchange.body, n->scenario, n->spec, &place);
    d->step = DOCKER_CREATE;
    docker_request(d, "POST", "create container", "/containers/create?name=%s", d->name);
    return 0;
}

static int prepare(struct docker *d, struct error *err)
{
    bool ready = true;
    int met = engine_is_met(d->engine, err);
    if (met <= 0)
        return met;
    if (!d->image)
        need_assets(d);
    for (size_t i = 0; i < 2 + d->volume_count; i++) {
        struct asset *x = i == 0 ? d->image : i == 1 ? d->network : d->volumes[i - 2];
        enum asset_state state = x ? asset_go_on(x, err) : ASSET_READY;
        if (state == ASSET_FAILED)
            return -1;
        ready &= state == ASSET_READY;
    }
    d->node->activity = asset_progress(d->image);
    return ready ? create(d, err) : 0;
}

void docker_say_unprepared(const struct docker *d, double s, struct error *err)
{
    char what[300];
    const char *doing = asset_progress(d->image);
    for (size_t i = 0; i < 2 + d->volume_count; i++) {
        const struct asset *x = i == 0 ? d->image : i == 1 ? d->network : d->volumes[i - 2];
        if (!x || asset_is_ready(x))
            continue;
        if (!asset_asks(x, what, sizeof what))
            break;
        error_set(err, EXIT_RUN_FAILED, "no answer of the engine to '%s' within %g s", what, s);
        return;
    }
    error_set(err, EXIT_RUN_FAILED, "its image is not there within %g s%s%s; raise timeouts.start", s,
              *doing ? ": " : "", doing);
}

static int attach(struct docker *d, struct error *err)
{
    char path[200];
    bool talks = d->node->spec->transport == TRANSPORT_ATTACH;
    if (container_id_read(&d->exchange.answer.body, d->id, sizeof d->id) < 0) {
        error_set(err, EXIT_RUN_FAILED, "create container: the engine gave no id");
        return -1;
    }
    snprintf(d->short_id, sizeof d->short_id, "%.*s", DOCKER_SHORT_ID, d->id);
    d->node->container = d->short_id;
    d->step = DOCKER_ATTACH;
    snprintf(path, sizeof path, "/containers/%s/attach?stream=1&stdout=1&stderr=1%s", d->id, talks ? "&stdin=1" : "");
    stream_open(&d->output, d, talks, path, "");
    return 0;
}

static int open_exec(struct docker *d)
{
    d->exchange.body.len = 0;
    container_exec_body(&d->exchange.body, d->node->spec);
    d->step = DOCKER_EXEC;
    docker_request(d, "POST", "create exec", "/containers/%s/exec", d->id);
    return 0;
}

static int start_exec(struct docker *d, struct error *err)
{
    char path[120];
    if (container_id_read(&d->exchange.answer.body, d->exec_id, sizeof d->exec_id) < 0) {
        error_set(err, EXIT_RUN_FAILED, "create exec: the engine gave no id");
        return -1;
    }
    d->step = DOCKER_EXEC_START;
    snprintf(path, sizeof path, "/exec/%s/start", d->exec_id);
    stream_open(&d->exec, d, true, path, "{\"Detach\":false,\"Tty\":false}");
    return 0;
}

/* Around the proxy of a published port, which acknowledges late what a node sends in two pieces: that took 45 ms a
 * quantum. */
static bool is_short_way(const struct docker *d)
{
    return *d->state.ip && !docker_is_on_host_network(d->node->spec) &&
           engine_is_beside(d->engine, d->id, d->state.pid) && socket_is_own_address(d->state.gateway);
}

static int connect_socket(struct docker *d, struct error *err)
{
    const struct scenario_node *spec = d->node->spec;
    char text[400];
    struct channel_address to = { .path = NULL };
    if (spec->transport == TRANSPORT_UNIX) {
        snprintf(text, sizeof text, "%s/%s", d->socket_dir, strrchr(CONTAINER_SOCKET, '/') + 1);
        to.path = text;
    } else {
        const char *host = d->engine->is_local ? "127.0.0.1" : d->exchange.answer.ip; /* whatever its name means now */
        to.port = container_port(&d->state, &d->exchange.answer.body, spec, host, text, sizeof text, err);
        to.host = text;
        to.is_relayed = true;
        if (to.port < 0)
            return -1;
        if (is_short_way(d)) {
            to.host = d->state.ip;
            to.port = atoi(d->node->spec->docker.ports.values[0]);
        }
    }
    channel_connect(&d->channel, &to);
    return 0;
}

/* It runs: the connection for the protocol. */
static int talk(struct docker *d, struct error *err)
{
    if (container_state_read(&d->state, &d->exchange.answer.body, err) < 0)
        return -1;
    if (!d->state.is_running && d->node->spec->transport != TRANSPORT_ATTACH) { /* that is judged as at any time */
        d->step = DOCKER_RUN;
        d->node->must_look = true;
        node_ready(d->node);
        return 0;
    }
    d->node->activity = NULL;
    d->node->health = container_health(&d->state);
    switch (d->node->spec->transport) {
    case TRANSPORT_EXEC:
        return open_exec(d);
    case TRANSPORT_UNIX:
    case TRANSPORT_TCP:
        d->step = DOCKER_RUN;
        return connect_socket(d, err);
    default:
        d->step = DOCKER_RUN;
        stream_talk(&d->output);
        return 0;
    }
}

/* The answer to the last request is there, and good. */
static int next_step(struct docker *d, struct error *err)
{
    switch (d->step) {
    case DOCKER_CREATE:
        return attach(d, err);
    case DOCKER_START:
        d->step = DOCKER_LOOK;
        docker_request(d, "GET", "inspect container", "/containers/%s/json", d->id);
        return 0;
    case DOCKER_LOOK:
        return talk(d, err);
    case DOCKER_REPLACE:
        d->id[0] = '\0';
        return create(d, err);
    case DOCKER_EXEC:
        return start_exec(d, err);
    default:
        return 0;
    }
}

/* Docker's own words of its init program, Podman's, and what both call it. */
static bool is_of_init(const char *why)
{
    return strstr(why, "docker-init") || strstr(why, "catatonit") || strstr(why, "init binary");
}

/* An engine may have no init program to give to containers; it says so at one of two moments. Then they do without. */
static bool does_without_init(struct docker *d, const struct error *why)
{
    bool may_be = (d->step == DOCKER_CREATE || d->step == DOCKER_START) && d->exchange.answer.failure == HTTP_ANSWERED;
    if (!may_be || !d->with_init || !is_of_init(why->text))
        return false;
    d->engine->has_init = false;
    return true;
}

static int create_without_init(struct docker *d, struct error *err)
{
    *err = (struct error){ 0 };
    if (d->step == DOCKER_CREATE)
        return create(d, err);
    stream_close(&d->output);
    d->step = DOCKER_REPLACE;
    docker_request(d, "DELETE", "remove container", "/containers/%s?force=1&v=1", d->id);
    return 0;
}

static int stream_step(struct docker *d, struct error *err)
{
    if (d->step == DOCKER_ATTACH) {
        int open = stream_is_open(&d->output, "attach to container", err);
        if (open < 0)
            docker_explain(d, err); /* Podman prepares it to run by now */
        if (open <= 0)
            return open;
        d->step = DOCKER_START;
        docker_request(d, "POST", "start container", "/containers/%s/start", d->id);
    } else if (d->step == DOCKER_EXEC_START) {
        int open = stream_is_open(&d->exec, "start exec", err);
        if (open <= 0)
            return open;
        d->step = DOCKER_RUN;
        stream_talk(&d->exec);
        node_ready(d->node);
    }
    return 0;
}

int docker_start_step(struct docker *d, struct error *err)
{
    if (d->step == DOCKER_PREPARE)
        return prepare(d, err);
    if (stream_step(d, err) < 0)
        return -1;
    stream_drain(&d->output);
    if (!d->exchange.done)
        return 0;
    d->exchange.done = false;
    d->exchange.body.len = 0;
    if (exchange_ok(&d->exchange, d->what, err))
        return next_step(d, err);
    if (does_without_init(d, err))
        return create_without_init(d, err);
    docker_explain(d, err);
    return -1;
}
