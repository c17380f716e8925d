#include "node/engine_sweep.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "node/engine.h"
#include "node/engine_own.h"

#define ROUND_MAX     200 /* removals at once; the next round takes others */
#define INSPECTED_MAX 32  /* containers that are asked for at once: each takes a connection */
#define PAUSE_MS      50  /* before something is tried again; each time twice as long, up to PAUSE_MAX_MS */
#define PAUSE_MAX_MS  1000
#define IN_USE_MS     2000 /* an image that is refused so long because somebody uses it is theirs */
#define EXTERNAL_MS   1000 /* and after which Podman is asked for what it does not list by itself */
#define LATE_FIRST_MS 300  /* before the first of the looks after what appears late; each time twice as long … */
#define LATE_MOST_MS  1200 /* … but no longer than that */

enum kind { CONTAINER, NETWORK, VOLUME, IMAGE, NAMELESS, BUILDER, EXTERNAL, KINDS };

static const struct {
    const char *name, *list, *array, *id, *path, *query;
    const char *api; /* NULL: that of the engine */
} kinds[KINDS] = {
    /* Podman would wait for the container to obey a signal, if it were not told a time; Docker knows no such field. */
    [CONTAINER] = { .name = "container",
                    .list = "/containers/json?all=1",
                    .id = "Id",
                    .path = "/containers/",
                    .query = "?force=1&v=1&timeout=0" },
    [NETWORK] = { .name = "network", .list = "/networks", .id = "Id", .path = "/networks/", .query = "" },
    [VOLUME] = { .name = "volume",
                 .list = "/volumes", /* all: one that a late container brings with it has no label */
                 .array = "Volumes",
                 .id = "Name",
                 .path = "/volumes/",
                 .query = "?force=1" },
    [IMAGE] = { .name = "image", .list = "/images/json?all=1", .id = "Id", .path = "/images/", .query = "" },
    [NAMELESS] = { .name = "image", .list = "/images/json?all=1", .id = "Id", .path = "/images/", .query = "" },
    [BUILDER] = { .name = "container",
                  .list = "/containers/json?all=1",
                  .id = "Id",
                  .path = "/containers/",
                  .query = "?force=1&v=1" },
    [EXTERNAL] = { .name = "container",
                   .list = "/containers/json?all=true&external=true",
                   .id = "Id",
                   .path = "/containers/",
                   .query = "?force=true",
                   .api = "/v4.0.0/libpod" },
};

/* One request, and what it was for. */
struct errand {
    struct target *target;
    struct errand *next, *waiting; /* … and of those that wait to be sent */
    enum kind kind;
    bool is_removal;
    bool is_meeting;    /* what the engine is: before all else */
    bool is_version;    /* … by its second question */
    bool is_inspection; /* of a container, of which a list does not tell enough */
    struct buffer path;
    struct http_call *call; /* NULL: it is done */
    char *name, *node;      /* of what is to be removed */
    bool is_in_use;         /* an image that somebody uses */
    struct error why;       /* its code is set where it came to nothing */
};

/* An engine. A round asks for lists and removes what is on them; rounds follow until the lists are empty. */
struct target {
    struct sweeping *all;
    struct http_peer peer;
    char api[ENGINE_API_TEXT]; /* "" until it has said what it is */
    struct errand *errands;    /* of this round */
    struct errand *waiting;    /* inspections that are not sent yet */
    int inspected;             /* those that are under way */
    int under_way, found, removed;
    bool is_in_round;
    bool is_meeting; /* … which is the one before all others */
    bool is_podman;
    bool is_list_missing, is_refused; /* refused: asking again would not help */
    enum kind from;                   /* CONTAINER, or all from here on, once there are no containers */
    int64_t again_ms;                 /* when the next round begins */
    int pause_ms;
    int64_t empty_ms; /* since when nothing was found any more; 0: something was */
    int late_pause_ms;
    int64_t in_use_ms; /* since when nothing is left but images in use; 0: there is more */
    struct engine_own own;
    bool is_over;
};

struct sweeping {
    const struct engine_sweep *sweep;
    struct http *http;
    char host[ENGINE_HOST_TEXT];
    struct target *targets;
    size_t count;
    int64_t end_ms;
    int failed;
};

static void tell(struct sweeping *s, struct swept what)
{
    s->failed += what.why != NULL;
    if (s->sweep->told)
        s->sweep->told(s->sweep->data, &what);
}

static void note_answer(void *data, struct http_answer *answer);

static struct errand *errand_new(struct target *t, enum kind kind)
{
    struct errand *e = mem_alloc(sizeof *e);
    *e = (struct errand){ .target = t, .kind = kind, .next = t->errands };
    t->errands = e;
    return e;
}

static void errand_send(struct errand *e, const char *method)
{
    struct target *t = e->target;
    int64_t left = t->all->end_ms - clock_ms();
    e->call = http_send(t->all->http, &(struct http_request){ .peer = &t->peer,
                                                              .method = method,
                                                              .path = buffer_string(&e->path),
                                                              .header = ENGINE_PING_HEADER,
                                                              .limit_ms = left < 1 ? 1 : (int)left,
                                                              .done = note_answer,
                                                              .data = e });
    t->under_way++;
}

static void errands_free(struct target *t)
{
    for (struct errand *e = t->errands, *next; e; e = next) {
        next = e->next;
        http_cancel(e->call);
        buffer_free(&e->path);
        free(e->name);
        free(e->node);
        free(e);
    }
    t->errands = t->waiting = NULL;
    t->inspected = 0;
}

/* --- Lists --- */

static void add_label_filter(struct buffer *out, const struct sweeping *s)
{
    struct buffer label = { 0 };
    const char *run = s->sweep->run; /* one label: Podman 4.3 finds no image by two */
    buffer_format(&label, "%s=%s", run ? CONTAINER_LABEL_RUN : CONTAINER_LABEL_HOST, run ? run : s->host);
    buffer_text(out, "{\"label\":[");
    json_quote(out, label.data, label.len);
    buffer_text(out, "]}");
    buffer_free(&label);
}

static void list(struct target *t, enum kind kind)
{
    struct errand *e = errand_new(t, kind);
    struct buffer filter = { 0 };
    buffer_format(&e->path, "%s%s", kinds[kind].api ? kinds[kind].api : t->api, kinds[kind].list);
    if (kind == CONTAINER || kind == NETWORK || kind == IMAGE) {
        add_label_filter(&filter, t->all);
        buffer_text(&e->path, strchr(kinds[kind].list, '?') ? "&filters=" : "?filters=");
        http_escape(&e->path, buffer_string(&filter));
    }
    buffer_free(&filter);
    errand_send(e, "GET");
}

static void meet(struct target *t, bool by_version)
{
    struct errand *e = errand_new(t, t->from);
    e->is_meeting = true;
    e->is_version = by_version;
    buffer_text(&e->path, by_version ? "/version" : "/_ping");
    errand_send(e, "GET");
}

static const char *text_of(const struct json *item, const char *key)
{
    return json_string(json_get(item, key), "");
}

/* How people know it. */
static char *name_of(enum kind kind, const struct json *item, const char *id)
{
    const char *name = json_string(json_get(item, "Name"), NULL);
    if (kind == IMAGE || kind == NAMELESS)
        name = json_string(json_at(json_get(item, "RepoTags"), 0), NULL);
    if (name && kind != CONTAINER && strcmp(name, "<none>:<none>") != 0)
        return mem_text(name);
    id = engine_plain_id(id);
    return mem_text_n(id, strlen(id) < ENGINE_SHORT_ID ? strlen(id) : ENGINE_SHORT_ID);
}

static void remove_by(struct target *t, enum kind kind, const struct json *item, const char *name)
{
    struct errand *e = errand_new(t, kind);
    e->is_removal = true;
    e->name = name_of(kind, item, text_of(item, kinds[kind].id));
    e->node = mem_text(json_string(json_get(json_get(item, "Labels"), CONTAINER_LABEL_NODE), NULL));
    buffer_format(&e->path, "%s%s", kinds[kind].api ? kinds[kind].api : t->api, kinds[kind].path);
    http_escape(&e->path, name);
    buffer_text(&e->path, kinds[kind].query);
    t->found++;
    errand_send(e, "DELETE");
}

/* Of an image with names its own go, and with the last of them the image, if nobody uses it. */
static void remove_names(struct target *t, const struct json *item)
{
    const struct json *names = json_get(item, "RepoTags");
    for (size_t i = 0; i < json_count(names); i++) {
        const char *name = json_string(json_at(names, i), "");
        if (engine_own_name(item, name))
            remove_by(t, IMAGE, item, name);
    }
}

static void inspect(struct target *t, const char *id)
{
    struct errand *e = errand_new(t, BUILDER);
    e->is_inspection = true;
    buffer_format(&e->path, "%s%s", t->api, kinds[BUILDER].path);
    http_escape(&e->path, id);
    buffer_text(&e->path, "/json");
    e->waiting = t->waiting;
    t->waiting = e;
}

/* While some wait, some are under way, and the round with them. */
static void inspect_some(struct target *t)
{
    for (; t->waiting && t->inspected < INSPECTED_MAX; t->waiting = t->waiting->waiting, t->inspected++)
        errand_send(t->waiting, "GET");
}

static void take_container(struct errand *e, const struct http_answer *answer)
{
    const char *why;
    struct target *t = e->target;
    struct json *body = answer->status == 200 ? json_parse(answer->body.data, answer->body.len, &why) : NULL;
    if (body && engine_own_builder(&t->own, body))
        remove_by(t, BUILDER, body, text_of(body, "Id"));
    json_free(body);
}

static bool is_ours(const struct engine_own *own, enum kind kind, const struct json *items, const struct json *item)
{
    switch (kind) {
    case CONTAINER:
        return engine_own_container(own, item);
    case VOLUME:
        return engine_own_volume(own, item);
    case IMAGE:
        return engine_own_image(own, items, item);
    case NAMELESS:
        return engine_own_leftover(own, items, item);
    case BUILDER:
        return engine_own_may_be_builder(own, item);
    case EXTERNAL:
        return engine_own_step(own, item);
    default:
        return engine_own_thing(own, item);
    }
}

static void remove_item(struct target *t, enum kind kind, const struct json *items, const struct json *item)
{
    const char *id = text_of(item, kinds[kind].id);
    if (!*id || !is_ours(&t->own, kind, items, item))
        return;
    if (kind == BUILDER)
        inspect(t, id);
    else if (kind == IMAGE && engine_has_name(item))
        remove_names(t, item);
    else
        remove_by(t, kind, item, id);
}

static void take_list(struct errand *e, const struct http_answer *answer)
{
    const char *why;
    struct target *t = e->target;
    struct json *body = json_parse(answer->body.data, answer->body.len, &why);
    const struct json *items = kinds[e->kind].array ? json_get(body, kinds[e->kind].array) : body;
    if (!body) {
        error_set(&e->why, EXIT_RUN_FAILED, "list of %ss: %s", kinds[e->kind].name, why);
        t->is_list_missing = true;
    }
    if (e->kind == IMAGE)
        engine_own_note_names(&t->own, items);
    for (size_t i = 0; i < json_count(items) && t->found < ROUND_MAX; i++)
        remove_item(t, e->kind, items, json_at(items, i));
    inspect_some(t);
    json_free(body);
}

/* --- What comes of it --- */

static void say_why(struct errand *e, const struct http_answer *answer)
{
    char words[600];
    engine_words(answer, words, sizeof words);
    if (answer->failure != HTTP_ANSWERED)
        e->why = answer->error;
    else if (e->is_removal)
        error_set(&e->why, EXIT_RUN_FAILED, "%s", words);
    else
        error_set(&e->why, EXIT_RUN_FAILED, "list of %ss: %s", kinds[e->kind].name, words);
}

static struct swept what_of(const struct errand *e, const char *why)
{
    return (struct swept){ .engine = e->target->peer.address,
                           .kind = e->is_removal ? kinds[e->kind].name : NULL,
                           .name = e->name,
                           .node = e->node,
                           .why = why };
}

static void note_answer(void *data, struct http_answer *answer)
{
    struct errand *e = data;
    struct target *t = e->target;
    bool ok = answer->failure == HTTP_ANSWERED && answer->status / 100 == 2;
    e->call = NULL;
    t->under_way--;
    t->inspected -= e->is_inspection;
    if (e->is_meeting && answer->failure == HTTP_ANSWERED) {
        int known =
            e->is_version ? engine_version_read(answer, t->api, &e->why) : engine_ping_read(answer, t->api, &e->why);
        t->is_refused = t->is_list_missing = known < 0;
        t->is_podman |= known > 0;
        if (known == 0 && !e->is_version)
            meet(t, true);
    } else if (e->is_inspection && (ok || (answer->failure == HTTP_ANSWERED && answer->status == 404))) {
        take_container(e, answer); /* where that has gone, there is nothing to be done */
    } else if (!e->is_removal && ok) {
        take_list(e, answer);
    } else if (!e->is_removal) {
        t->is_list_missing = true; /* Podman answers 500 while an image that would be listed is removed */
        t->is_refused |= answer->failure != HTTP_ANSWERED || answer->status < 500;
        say_why(e, answer);
    } else if (ok) {
        t->removed++;
        tell(t->all, what_of(e, NULL));
    } else if (answer->failure != HTTP_ANSWERED || answer->status != 404) { /* 404: somebody else was first */
        say_why(e, answer);
        e->is_in_use = (e->kind == IMAGE || e->kind == NAMELESS) && answer->status == 409;
    }
    inspect_some(t);
}

/* --- Rounds --- */

static void begin_round(struct target *t)
{
    errands_free(t);
    t->found = t->removed = 0;
    t->is_list_missing = t->is_refused = false;
    t->is_in_round = true;
    t->is_meeting = !*t->api;
    if (t->is_meeting) {
        meet(t, false);
        return;
    }
    if (t->all->sweep->with_builds && !t->is_podman)
        list(t, BUILDER);
    if (t->is_podman && t->in_use_ms && clock_ms() >= t->in_use_ms + EXTERNAL_MS)
        list(t, EXTERNAL);
    if (t->from == CONTAINER) {
        list(t, CONTAINER);
        return;
    }
    for (enum kind kind = t->from; kind < NAMELESS; kind++)
        list(t, kind);
    if (t->all->sweep->built_count)
        list(t, NAMELESS);
}

static void wait_a_little(struct target *t)
{
    t->again_ms = clock_ms() + t->pause_ms;
    t->pause_ms = 2 * t->pause_ms < PAUSE_MAX_MS ? 2 * t->pause_ms : PAUSE_MAX_MS;
}

static enum kind first_kind(const struct engine_sweep *s)
{
    return s->only_builds ? IMAGE : CONTAINER;
}

/* Nothing is left; but something may appear. */
static void be_over_or_wait(struct target *t)
{
    int64_t now = clock_ms();
    t->empty_ms = t->empty_ms ? t->empty_ms : now;
    t->is_over = now >= t->empty_ms + t->all->sweep->late_ms;
    t->from = first_kind(t->all->sweep);
    t->again_ms = now + t->late_pause_ms;
    t->late_pause_ms = 2 * t->late_pause_ms < LATE_MOST_MS ? 2 * t->late_pause_ms : LATE_MOST_MS;
    if (t->again_ms > t->empty_ms + t->all->sweep->late_ms)
        t->again_ms = t->empty_ms + t->all->sweep->late_ms;
}

/* Nothing could be removed: worth another try, unless all that is left is somebody else's by now. */
static void try_again_or_be_over(struct target *t)
{
    int64_t now = clock_ms(), most = t->all->sweep->late_ms > IN_USE_MS ? t->all->sweep->late_ms : IN_USE_MS;
    bool all_in_use = true;
    most = t->all->sweep->in_use_ms > most ? t->all->sweep->in_use_ms : most;
    t->own.in_use.len = 0;
    for (const struct errand *e = t->errands; e; e = e->next) {
        all_in_use &= !e->is_removal || e->is_in_use;
        if (e->is_in_use)
            buffer_format(&t->own.in_use, "%s\n", e->name);
    }
    t->in_use_ms = !all_in_use ? 0 : t->in_use_ms ? t->in_use_ms : now;
    t->is_over = all_in_use && now >= t->in_use_ms + most;
    wait_a_little(t);
}

static void end_round(struct target *t)
{
    if (t->is_list_missing) {
        t->is_over = t->is_refused && !t->all->sweep->late_ms;
        wait_a_little(t);
        return;
    }
    if (t->is_meeting)
        return;
    if (t->found) {
        t->again_ms = 0;
        t->empty_ms = 0;
        t->late_pause_ms = LATE_FIRST_MS;
        if (!t->removed) {
            try_again_or_be_over(t);
            return;
        }
        t->pause_ms = PAUSE_MS;
        t->in_use_ms = 0;
        return;
    }
    if (t->from == CONTAINER)
        t->from = NETWORK;
    else
        be_over_or_wait(t);
}

/* When it is to be called again, at the latest. */
static int64_t step(struct target *t)
{
    if (t->is_in_round && !t->under_way) {
        t->is_in_round = false;
        end_round(t);
    }
    if (!t->is_over && !t->is_in_round && clock_ms() >= t->again_ms)
        begin_round(t);
    return t->is_over || t->is_in_round ? INT64_MAX : t->again_ms;
}

/* What the last round could not do. */
static void tell_failures(struct target *t)
{
    bool told = false;
    for (struct errand *e = t->errands; e; e = e->next) {
        const char *why = e->why.code ? e->why.text : e->call ? "no answer in time" : NULL;
        if (!why || (!e->is_removal && told))
            continue;
        told |= !e->is_removal;
        tell(t->all, what_of(e, why));
    }
}

static void run(struct sweeping *s, struct loop *l)
{
    for (;;) {
        int64_t next = s->end_ms;
        bool all = true;
        for (size_t i = 0; i < s->count; i++) {
            int64_t at = step(&s->targets[i]);
            next = at < next ? at : next;
            all &= s->targets[i].is_over;
        }
        int64_t now = clock_ms();
        if (all || now >= s->end_ms)
            return;
        loop_wait(l, -1, next > now ? (int)(next - now) : 0);
    }
}

int engine_sweep(const struct engine_sweep *sweep, const char *const *addresses, size_t count)
{
    static const int no_signals[] = { 0 };
    struct error err = { 0 };
    struct sweeping s = { .sweep = sweep, .count = count, .end_ms = clock_ms() + sweep->limit_ms };
    struct loop *l = loop_new(no_signals);
    engine_host(s.host, sizeof s.host);
    s.targets = mem_array(count, sizeof *s.targets);
    s.http = http_new(l, &err);
    for (size_t i = 0; i < count; i++) {
        struct target *t = &s.targets[i];
        *t = (struct target){ .all = &s,
                              .own = { .sweep = sweep, .host = s.host },
                              .from = first_kind(sweep),
                              .pause_ms = PAUSE_MS,
                              .late_pause_ms = LATE_FIRST_MS };
        if (s.http && http_peer_parse(&t->peer, addresses[i], getenv("DOCKER_CERT_PATH"), &err) == 0)
            continue;
        tell(&s, (struct swept){ .engine = addresses[i], .why = err.text });
        if (s.http)
            error_clear(&err);
        t->is_over = true;
    }
    if (s.http)
        run(&s, l);
    for (size_t i = 0; i < count; i++) {
        struct target *t = &s.targets[i];
        tell_failures(t);
        errands_free(t);
        engine_own_free(&t->own);
        http_peer_free(&t->peer);
    }
    http_free(s.http);
    loop_free(l);
    free(s.targets);
    return s.failed;
}

char **engine_addresses(const struct scenario *s, size_t *count)
{
    char **addresses = NULL;
    size_t capacity = 0;
    *count = 0;
    for (int i = 0; i < s->node_count; i++) {
        char room[300];
        bool is_known = false;
        if (s->nodes[i].implementation != IMPLEMENTATION_DOCKER)
            continue;
        const char *address = engine_address(&s->nodes[i], room, sizeof room);
        for (size_t k = 0; k < *count; k++)
            is_known |= !strcmp(addresses[k], address);
        if (is_known)
            continue;
        addresses = mem_grow(addresses, *count, &capacity, sizeof *addresses);
        addresses[(*count)++] = mem_text(address);
    }
    return addresses;
}

void engine_addresses_free(char **addresses, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(addresses[i]);
    free(addresses);
}
