#include "node/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "node/assets.h"

#define LEFT_NAMED 5 /* of what could not be removed */
#define HURRY_NS   INT64_C(2000000000)

struct engines {
    const struct scenario *scenario;
    struct node *nodes;
    struct http *http;
    const char *run;
    char host[ENGINE_HOST_TEXT];
    struct engine **items;
    size_t count, capacity;
    struct engine **of; /* by node; NULL: it is no container */
    struct buffer left; /* what could not be removed */
    int left_count;
    char left_why[500]; /* of the first */
    int64_t hurry_ns;   /* since when there is a hurry; 0: there is none */
};

static struct engine *find(struct engines *e, const struct scenario_node *n, struct error *err)
{
    char room[300];
    struct http_peer peer;
    if (http_peer_parse(&peer, engine_address(n, room, sizeof room), getenv("DOCKER_CERT_PATH"), err) < 0) {
        error_add(err, "%s", engine_address_origin(n));
        return NULL;
    }
    for (size_t i = 0; i < e->count; i++)
        if (http_peer_is_same(&e->items[i]->peer, &peer)) {
            http_peer_free(&peer);
            return e->items[i];
        }
    http_peer_came_from(&peer, engine_address_origin(n));
    struct engine *engine = mem_alloc(sizeof *engine);
    *engine = (struct engine){ .all = e, .peer = peer, .is_local = peer.socket != NULL, .has_init = true };
    engine->assets = assets_new(engine, e->scenario);
    e->items = mem_grow(e->items, e->count, &e->capacity, sizeof(struct engine *));
    return e->items[e->count++] = engine;
}

/* Two that run in containers of one machine may have its name, and pids of their own. */
void engine_host(char *out, size_t size)
{
    char name[256] = "", pids[40] = "";
    gethostname(name, sizeof name - 1);
    if (readlink("/proc/self/ns/pid", pids, sizeof pids - 1) < 0)
        pids[0] = '\0';
    snprintf(out, size, "%s%s%s", name, *pids ? "/" : "", pids);
}

struct engines *engines_new(struct loop *l, const struct scenario *s, struct node *nodes, const char *run,
                            struct error *err)
{
    struct engines *e = mem_alloc(sizeof *e);
    e->scenario = s;
    e->nodes = nodes;
    e->run = run;
    e->of = mem_array((size_t)s->node_count, sizeof(struct engine *));
    engine_host(e->host, sizeof e->host);
    if (!(e->http = http_new(l, err))) {
        engines_free(e);
        return NULL;
    }
    for (int i = 0; i < s->node_count; i++) {
        if (s->nodes[i].implementation != IMPLEMENTATION_DOCKER)
            continue;
        if (!(e->of[i] = find(e, &s->nodes[i], err))) {
            error_add(err, "nodes[%d] %s", i, s->nodes[i].id);
            err->code = EXIT_LAUNCH;
            engines_free(e);
            return NULL;
        }
    }
    return e;
}

void engines_free(struct engines *e)
{
    if (!e)
        return;
    for (size_t i = 0; i < e->count; i++) {
        struct engine *engine = e->items[i];
        http_cancel(engine->meeting);
        engine_listen_end(engine);
        assets_free(engine->assets);
        http_peer_free(&engine->peer);
        free(engine);
    }
    http_free(e->http);
    buffer_free(&e->left);
    free(e->items);
    free(e->of);
    free(e);
}

struct http *engines_http(struct engines *e)
{
    return e->http;
}

struct engine *engines_of(struct engines *e, int i)
{
    return e->of[i];
}

void engine_place(const struct engine *e, struct container_place *out)
{
    *out = (struct container_place){ .run = e->all->run, .host = e->all->host, .local = e->is_local };
}

void engines_hurry(struct engines *e)
{
    e->hurry_ns = e->hurry_ns ? e->hurry_ns : clock_ns();
    for (size_t i = 0; i < e->count; i++)
        engine_wake(e->items[i]);
}

int64_t engine_limit_ns(const struct engine *e)
{
    int64_t since = e->all->hurry_ns;
    if (!since)
        return INT64_MAX;
    return (e->heard_ns > since ? e->heard_ns : since) + HURRY_NS;
}

void engine_leave(struct engine *e, const char *what, const char *why)
{
    struct engines *all = e->all;
    if (!all->left_count)
        snprintf(all->left_why, sizeof all->left_why, "%s", why);
    if (all->left_count <= LEFT_NAMED)
        buffer_format(&all->left, "%s%s", all->left_count ? ", " : "", all->left_count < LEFT_NAMED ? what : "…");
    all->left_count++;
}

bool engines_end(struct engines *e, bool give_up, const char **text)
{
    bool all = true;
    for (size_t i = 0; i < e->count; i++)
        all &= assets_end(e->items[i]->assets, give_up);
    if (all && e->left_count)
        buffer_format(&e->left, " (%s)", e->left_why);
    *text = all ? buffer_string(&e->left) : NULL;
    return all;
}

/* --- One request --- */

static void note_done(void *data, struct http_answer *answer)
{
    struct exchange *x = data;
    x->call = NULL;
    x->done = true;
    if (answer->failure == HTTP_ANSWERED)
        x->engine->heard_ns = clock_ns();
    x->answer = *answer;
    answer->body = (struct buffer){ 0 }; /* it is ours now */
    if (x->node)
        node_ready(x->node);
}

void exchange_drop(struct exchange *x)
{
    http_cancel(x->call);
    buffer_free(&x->path);
    buffer_free(&x->body);
    buffer_free(&x->answer.body);
    *x = (struct exchange){ .node = x->node };
}

static void note_piece(void *data, const char *s, size_t len)
{
    struct exchange *x = data;
    x->piece(x->data, s, len);
}

static void begin(struct exchange *x, struct engine *e, const char *method, struct http_request r)
{
    struct buffer path = { 0 };
    buffer_format(&path, "%s%s", e->api, buffer_string(&x->path));
    buffer_free(&x->path);
    buffer_free(&x->answer.body);
    x->path = path;
    x->done = false;
    x->engine = e;
    r.peer = &e->peer;
    r.method = method;
    r.path = buffer_string(&x->path);
    r.done = note_done;
    r.data = x;
    x->call = http_send(e->all->http, &r);
}

void exchange_send(struct exchange *x, struct engine *e, const char *method, int limit_ms)
{
    begin(x, e, method, (struct http_request){ .body = x->body.len ? x->body.data : NULL,
                                               .body_len = x->body.len,
                                               .content_type = "application/json",
                                               .limit_ms = limit_ms });
}

void exchange_stream(struct exchange *x, struct engine *e, const char *method, struct text body,
                     void (*piece)(void *data, const char *s, size_t len), void *data)
{
    x->piece = piece;
    x->data = data;
    begin(x, e, method, (struct http_request){ .body = body.len ? body.s : NULL,
                                               .body_len = body.len,
                                               .content_type = "application/x-tar",
                                               .piece = note_piece });
}

struct node *engine_node(struct engine *e, const char *id)
{
    int i = scenario_find_node(e->all->scenario, id);
    return i >= 0 && e->all->of[i] == e ? &e->all->nodes[i] : NULL;
}

void engine_each(struct engine *e, void (*call)(struct node *n, void *data), void *data)
{
    for (int i = 0; i < e->all->scenario->node_count; i++)
        if (e->all->of[i] == e)
            call(&e->all->nodes[i], data);
}

static void wake(struct node *n, void *data)
{
    (void)data;
    node_ready(n);
}

void engine_wake(struct engine *e)
{
    engine_each(e, wake, NULL);
}
