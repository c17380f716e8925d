/* A container engine that answers as a test wants: it lists all that it has, whatever the filter. */
#ifndef ENGINE_WORLD_H
#define ENGINE_WORLD_H

#include "http_server.h"

#include "base/json.h"
#include "node/engine.h"

#define THINGS_MAX 8
#define STEP       "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define RUN        "4000000-1" /* no process has this number */

struct thing {
    const char *kind; /* as in the path: "containers" */
    const char *id;
    const char *run;           /* NULL: it has no labels */
    const char *host;          /* NULL: this machine's name */
    const char *parent, *name; /* of an image, and what a container was made of; NULL: none */
    int created;               /* s */
    const char *extra_host;    /* that a container knows, as it tells alone; NULL: none */
    const char *state;         /* of a container; NULL: it does not say */
    const char *user;          /* of an image: the container for whose sake it stays; NULL: none */
    int refusals;              /* of its removal, at first */
    int late;                  /* the lists of its kind in which it is not there yet */
    bool is_of_no_node;        /* its labels do not say which */
    bool is_gone;
};

/* The engine, its things by what was asked for so far. The sweep's thread looks at it when the server has ended. */
struct world {
    struct server server;
    pthread_mutex_t lock;
    struct thing things[THINGS_MAX];
    size_t count;
    int least, most;    /* what is behind the "1." of the versions that it speaks; 0: 24, and 52 */
    const char *podman; /* its version, where it is one; NULL: it does not say */
    bool was_asked_for_version;
    int inspections;  /* so far */
    int crowd;        /* containers of users beside the things */
    int refusals;     /* of inspections, with 500, at first */
    int broken_lists; /* that are answered with 500, at first */
};

static void add_thing(struct buffer *out, const struct thing *t)
{
    char host[ENGINE_HOST_TEXT];
    engine_host(host, sizeof host);
    buffer_format(out, "%s{\"Id\":\"%s\",\"Name\":\"%s\",\"ParentId\":\"%s\",\"ImageID\":\"%s\",",
                  out->data[out->len - 1] == '[' ? "" : ",", t->id, t->id, t->parent ? t->parent : "",
                  t->parent ? t->parent : "");
    buffer_format(out, "\"Created\":%d,\"RepoTags\":[\"%s\"],\"State\":\"%s\",\"Labels\":", t->created,
                  t->name ? t->name : "<none>:<none>", t->state ? t->state : "");
    if (t->run)
        buffer_format(out, "{\"lockstep.run\":\"%s\",\"lockstep.host\":\"%s\"%s}}", t->run, t->host ? t->host : host,
                      t->is_of_no_node ? "" : ",\"lockstep.node\":\"n\"");
    else
        buffer_text(out, "null}");
}

static void add_crowd(struct buffer *out, int count)
{
    for (int i = 0; i < count; i++) {
        char id[16];
        snprintf(id, sizeof id, "crowd%d", i);
        add_thing(out, &(struct thing){ .id = id, .created = 1000 });
    }
}

static bool is_external(const struct thing *t)
{
    return t->state && strcmp(t->state, "storage") == 0;
}

static void answer_list(struct visit *v, struct world *w, const char *kind, bool with_external)
{
    bool volumes = strcmp(kind, "volumes") == 0;
    struct buffer body = { 0 };
    if (w->broken_lists && w->broken_lists--) {
        visit_answer(v, "500 Internal Server Error", "{\"message\":\"busy\"}");
        return;
    }
    buffer_text(&body, volumes ? "{\"Volumes\":[" : "[");
    for (size_t i = 0; i < w->count; i++) {
        struct thing *t = &w->things[i];
        if (strcmp(t->kind, kind) != 0 || t->is_gone || (is_external(t) && !with_external))
            continue;
        if (t->late && t->late--)
            continue;
        add_thing(&body, t);
    }
    add_crowd(&body, strcmp(kind, "containers") == 0 ? w->crowd : 0);
    buffer_text(&body, volumes ? "]}" : "]");
    visit_answer(v, "200 OK", buffer_string(&body));
    buffer_free(&body);
}

static void answer_container(struct visit *v, struct world *w, const char *id)
{
    struct buffer body = { 0 };
    if (w->refusals && w->refusals--) {
        visit_answer(v, "500 Internal Server Error", "{\"message\":\"busy\"}");
        return;
    }
    if (strncmp(id, "crowd", 5) == 0)
        buffer_format(&body, "{\"Id\":\"%s\"}", id);
    for (size_t i = 0; i < w->count; i++)
        if (strcmp(w->things[i].id, id) == 0 && !w->things[i].is_gone)
            buffer_format(&body, "{\"Id\":\"%s\",\"HostConfig\":{\"ExtraHosts\":[\"db:10.0.0.1\",\"%s\"]}}", id,
                          w->things[i].extra_host ? w->things[i].extra_host : "");
    w->inspections++;
    visit_answer(v, body.len ? "200 OK" : "404 Not Found", buffer_string(&body));
    buffer_free(&body);
}

static bool is_used(const struct world *w, const struct thing *image)
{
    for (size_t i = 0; i < w->count; i++)
        if (image->user && strcmp(w->things[i].id, image->user) == 0 && !w->things[i].is_gone)
            return true;
    return false;
}

/* By its id or, as it stands in a path, its name. */
static bool is_meant(const struct thing *t, const char *id)
{
    struct buffer name = { 0 };
    http_escape(&name, t->name ? t->name : t->id);
    bool yes = strcmp(buffer_string(&name), id) == 0;
    buffer_free(&name);
    return yes;
}

static void answer_removal(struct visit *v, struct world *w, const char *kind, const char *id)
{
    for (size_t i = 0; i < w->count; i++) {
        struct thing *t = &w->things[i];
        if (strcmp(t->kind, kind) != 0 || !is_meant(t, id) || t->is_gone)
            continue;
        if (is_used(w, t) || (t->refusals && t->refusals--)) {
            visit_answer(v, "409 Conflict", "{\"message\":\"it is in use\"}");
        } else {
            t->is_gone = true;
            visit_answer(v, "200 OK", "");
        }
        return;
    }
    visit_answer(v, "404 Not Found", "{\"message\":\"no such thing\"}");
}

static void be_an_engine(struct visit *v)
{
    struct world *w = (struct world *)(uintptr_t)v->server->data;
    char method[8], kind[16], id[120] = "", version[80];
    int spoken, least = w->least ? w->least : 24;
    bool is_podmans = w->podman && strstr(buffer_string(&v->request), " /v4.0.0/libpod/containers/");
    if (strncmp(buffer_string(&v->request), "GET /_ping ", 11) == 0) {
        snprintf(version, sizeof version, "200 OK%s%s", w->podman ? "\r\nLIBPOD-api-Version: " : "",
                 w->podman ? w->podman : "");
        visit_answer(v, version, "OK");
        return;
    }
    w->was_asked_for_version |= strncmp(buffer_string(&v->request), "GET /version ", 13) == 0;
    if (strncmp(buffer_string(&v->request), "GET /version ", 13) == 0) {
        snprintf(version, sizeof version, "{\"ApiVersion\":\"1.%d\",\"MinAPIVersion\":\"1.%d\"}",
                 w->most ? w->most : 52, least);
        visit_answer(v, "200 OK", version);
        return;
    }
    if (is_podmans)
        sscanf(v->request.data, "%7s /v4.0.0/libpod/%15[a-z]/%119[^? ]", method, kind, id);
    else if (sscanf(v->request.data, "%7s /v1.%d/%15[a-z]/%119[^? ]", method, &spoken, kind, id) < 3 ||
             spoken != (least > 41 ? least : 41)) {
        visit_answer(v, "400 Bad Request", "");
        return;
    }
    pthread_mutex_lock(&w->lock);
    if (strcmp(method, "DELETE") == 0)
        answer_removal(v, w, kind, id);
    else if (strchr(id, '/')) /* containers/ID/json */
        answer_container(v, w, strtok(id, "/"));
    else
        answer_list(v, w, kind, is_podmans);
    pthread_mutex_unlock(&w->lock);
}

#endif
