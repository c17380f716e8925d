/* What an engine tells by itself: of the death of a container, of its health. The stream of it may break, or never
 * come. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "node/engine.h"

#define PAUSE_NS     INT64_C(100000000)  /* before it is begun again; each time twice as long, up to PAUSE_MAX_NS */
#define PAUSE_MAX_NS INT64_C(4000000000)
#define STANDS_NS    INT64_C(500000000)  /* after so long nothing that happens is missed any more */

/* Docker's word or Podman's. */
static bool is_of_note(const char *action)
{
    static const char *const words[] = { "die", "oom", "health_status", "destroy", "remove" };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (!strncmp(action, words[i], strlen(words[i])))
            return true;
    return false;
}

static void must_look(struct node *n, void *data)
{
    (void)data;
    n->must_look = true;
    node_ready(n);
}

/* Podman does not say which signal it was. */
static bool ends_it(const char *action, const char *signal)
{
    bool kills = !strcmp(action, "kill") && (!strcmp(signal, "9") || !strcmp(signal, "15"));
    return kills || !strcmp(action, "stop");
}

/* And not of one that the node had before. */
static bool is_of_it(const struct node *n, const struct json *actor)
{
    return n->container && strncmp(json_string(json_get(actor, "ID"), ""), n->container, strlen(n->container)) == 0;
}

static void take_event(void *data, struct text line)
{
    const char *why;
    struct engine *e = data;
    struct json *event = json_parse(line.s, line.len, &why);
    const struct json *attributes = json_get(json_get(event, "Actor"), "Attributes");
    struct node *n = engine_node(e, json_string(json_get(attributes, CONTAINER_LABEL_NODE), ""));
    const char *action = json_string(json_get(event, "Action"), "");
    if (n && is_of_note(action))
        must_look(n, NULL);
    if (n && is_of_it(n, json_get(event, "Actor")) && ends_it(action, json_string(json_get(attributes, "signal"), "9")))
        n->was_killed = true;
    json_free(event);
}

static void note_piece(void *data, const char *s, size_t len)
{
    struct engine *e = data;
    if (e->events.is_wrong || wire_take(&e->events.lines, s, len, take_event, e) == 0)
        return;
    e->events.is_wrong = true; /* it is closed by the next step of a node */
    engine_wake(e);
}

static void tell_refusal(struct node *n, void *words)
{
    buffer_format(&n->log,
                  "the engine does not tell what happens to its containers: %s; they are looked at every few seconds\n",
                  (const char *)words);
}

/* It ends with the engine, or when its connection breaks: all are to look for themselves then. */
static void be_over(struct engine *e)
{
    struct engine_events *v = &e->events;
    v->call = NULL;
    v->is_wrong = false;
    wire_free(&v->lines);
    buffer_free(&v->path);
    v->again_ns = clock_ns() + v->pause_ns;
    v->pause_ns = 2 * v->pause_ns < PAUSE_MAX_NS ? 2 * v->pause_ns : PAUSE_MAX_NS;
    engine_each(e, must_look, NULL);
}

static void note_end(void *data, struct http_answer *answer)
{
    struct engine *e = data;
    char words[700];
    if (answer->failure == HTTP_ANSWERED && answer->status / 100 == 4) {
        e->events.is_refused = true;
        engine_words(answer, words, sizeof words);
        engine_each(e, tell_refusal, words);
    }
    be_over(e);
}

static void begin(struct engine *e)
{
    struct engine_events *v = &e->events;
    struct buffer filter = { 0 }, label = { 0 };
    struct container_place place;
    engine_place(e, &place);
    buffer_format(&label, "%s=%s", CONTAINER_LABEL_RUN, place.run);
    buffer_text(&filter, "{\"type\":[\"container\"],\"label\":[");
    json_quote(&filter, label.data, label.len);
    buffer_text(&filter, "]}");
    buffer_format(&v->path, "%s/events?filters=", e->api);
    http_escape(&v->path, buffer_string(&filter));
    v->is_again = v->pause_ns != 0;
    v->pause_ns = v->is_again ? v->pause_ns : PAUSE_NS;
    v->since_ns = clock_ns();
    v->call = http_send(engines_http(e->all), &(struct http_request){ .peer = &e->peer,
                                                                      .method = "GET",
                                                                      .path = buffer_string(&v->path),
                                                                      .piece = note_piece,
                                                                      .done = note_end,
                                                                      .data = e });
    buffer_free(&filter);
    buffer_free(&label);
}

int64_t engine_listen(struct engine *e)
{
    struct engine_events *v = &e->events;
    int64_t now = clock_ns();
    if (!*e->api)
        return INT64_MAX;
    if (v->is_wrong) {
        http_cancel(v->call);
        be_over(e);
    }
    if (!v->call && !v->is_refused && now >= v->again_ns)
        begin(e);
    if (v->call && v->is_again && now >= v->since_ns + STANDS_NS) {
        v->is_again = false;
        v->pause_ns = PAUSE_NS;
        engine_each(e, must_look, NULL);
    }
    if (v->call)
        return v->is_again ? v->since_ns + STANDS_NS : INT64_MAX;
    return v->is_refused ? INT64_MAX : v->again_ns;
}

bool engine_is_heard(const struct engine *e)
{
    return e->events.call && !e->events.is_again && !e->events.is_wrong;
}

void engine_listen_end(struct engine *e)
{
    http_cancel(e->events.call);
    wire_free(&e->events.lines);
    buffer_free(&e->events.path);
    e->events = (struct engine_events){ 0 };
}
