/* Which version of the API is spoken with an engine: ENGINE_API_OWN, or the least that a newer engine still takes. */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/utf8.h"
#include "node/engine.h"

#define VERSION_TEXT 40 /* characters of a version that are shown */
#define PODMAN_LEAST 4
#define ANSWER_MS    20000

/* "1.41" as 1041; -1: it is none. */
static int number_of(const char *version)
{
    int major, minor, end = -1;
    if (strlen(version) > 8 || sscanf(version, "%d.%d%n", &major, &minor, &end) != 2 || version[end])
        return -1;
    return major >= 0 && major < 100 && minor >= 0 && minor < 1000 ? major * 1000 + minor : -1;
}

static void say_too_old(const struct json *all, const char *api, struct error *err)
{
    const char *name = json_string(json_get(json_at(json_get(all, "Components"), 0), "Name"), "");
    const char *version = json_string(json_get(all, "Version"), "");
    struct buffer safe = { 0 };
    utf8_escape(&safe, version, strlen(version) < VERSION_TEXT ? strlen(version) : VERSION_TEXT);
    error_set(err, EXIT_LAUNCH, "Docker 20.10 or Podman 4 or newer is needed; this engine is %s %s with API %s",
              strstr(name, "Podman") ? "Podman" : "Docker", buffer_string(&safe), api);
    buffer_free(&safe);
}

int engine_version_read(const struct http_answer *a, char api[ENGINE_API_TEXT], struct error *err)
{
    const char *why;
    struct json *all = json_parse(a->body.data, a->body.len, &why);
    const char *given = json_string(json_get(all, "ApiVersion"), "");
    int own = number_of(ENGINE_API_OWN), most = number_of(given), result = 0;
    int least = number_of(json_string(json_get(all, "MinAPIVersion"), ""));
    snprintf(api, ENGINE_API_TEXT, "/v%s", ENGINE_API_OWN);
    if (a->status / 100 == 2 && most >= 0 && most < own) {
        say_too_old(all, given, err);
        api[0] = '\0';
        result = -1;
    } else if (a->status / 100 == 2 && least > own && least <= most) {
        snprintf(api, ENGINE_API_TEXT, "/v%d.%d", least / 1000, least % 1000);
    }
    json_free(all);
    return result;
}

int engine_ping_read(const struct http_answer *a, char api[ENGINE_API_TEXT], struct error *err)
{
    int major = -1;
    struct buffer safe = { 0 };
    if (a->status / 100 != 2 || sscanf(a->header, "%d", &major) != 1)
        return 0;
    snprintf(api, ENGINE_API_TEXT, "/v%s", ENGINE_API_OWN);
    if (major >= PODMAN_LEAST)
        return 1;
    utf8_escape(&safe, a->header, strlen(a->header));
    error_set(err, EXIT_LAUNCH, "Docker 20.10 or Podman 4 or newer is needed; this engine is Podman %s",
              buffer_string(&safe));
    buffer_free(&safe);
    api[0] = '\0';
    return -1;
}

/* What kind of machine it is on. */
static void note_machine(struct engine *e, const struct http_answer *answer)
{
    const char *why;
    struct json *all = json_parse(answer->body.data, answer->body.len, &why);
    engine_architecture(e->architecture, json_get(all, "Arch"));
    snprintf(e->kernel, sizeof e->kernel, "%s", json_string(json_get(all, "KernelVersion"), ""));
    if (!*e->kernel) /* Podman */
        snprintf(
            e->kernel, sizeof e->kernel, "%s",
            json_string(json_get(json_get(json_at(json_get(all, "Components"), 0), "Details"), "KernelVersion"), ""));
    e->is_machine_known = true;
    json_free(all);
}

static void ask(struct engine *e, const char *path, void (*done)(void *data, struct http_answer *answer))
{
    e->meeting = http_send(engines_http(e->all), &(struct http_request){ .peer = &e->peer,
                                                                         .method = "GET",
                                                                         .path = path,
                                                                         .header = ENGINE_PING_HEADER,
                                                                         .limit_ms = ANSWER_MS,
                                                                         .done = done,
                                                                         .data = e });
}

static void note_version(void *data, struct http_answer *answer)
{
    struct engine *e = data;
    e->meeting = NULL;
    if (answer->failure != HTTP_ANSWERED)
        e->unfit = answer->error;
    else if (engine_version_read(answer, e->api, &e->unfit) < 0)
        error_add(&e->unfit, "%s", e->peer.shown);
    else
        note_machine(e, answer);
    engine_wake(e);
}

static void note_ping(void *data, struct http_answer *answer)
{
    struct engine *e = data;
    int known = answer->failure == HTTP_ANSWERED ? engine_ping_read(answer, e->api, &e->unfit) : -1;
    e->meeting = NULL;
    if (answer->failure != HTTP_ANSWERED)
        e->unfit = answer->error;
    else if (known < 0)
        error_add(&e->unfit, "%s", e->peer.shown);
    e->is_podman = known > 0;
    if (known == 0)
        ask(e, "/version", note_version);
    else
        engine_wake(e);
}

void engine_meet(struct engine *e)
{
    if (*e->api || e->meeting)
        return;
    e->unfit = (struct error){ 0 };
    ask(e, "/_ping", note_ping);
}

/* Who does not tell has no more to say. */
static void note_its_machine(void *data, struct http_answer *answer)
{
    struct engine *e = data;
    e->meeting = NULL;
    note_machine(e, answer);
    engine_wake(e);
}

bool engine_knows_machine(struct engine *e)
{
    if (!e->is_machine_known && !e->meeting)
        ask(e, "/version", note_its_machine);
    return e->is_machine_known;
}

int engine_is_met(const struct engine *e, struct error *err)
{
    if (*e->api)
        return 1;
    if (!e->unfit.code)
        return 0;
    *err = e->unfit;
    return -1;
}
