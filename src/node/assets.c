#include "node/assets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "node/build_error.h"
#include "node/context.h"
#include "node/guard.h"
#include "node/image_output.h"

#define ANSWER_MS     20000            /* for a request that takes no time by itself */
#define SLICE_NS      INT64_C(4000000) /* of work on a build context at a time */
#define TRIES_MAX     4
#define REMOVALS_MAX  40
#define DOUBT_MAX     20                 /* of them, where it may be made only now */
#define AGAIN_NS      INT64_C(50000000)  /* between two */
#define STEP_AGAIN_NS INT64_C(200000000) /* between two, where the step of a build is to end */
#define LOG_MAX       (1u << 20)         /* bytes of a build's output that wait to be written */

enum step { STEP_LOOK, STEP_MISSING, STEP_PACK, STEP_MAKE, STEP_DONE, STEP_FAILED, STEP_REMOVE, STEP_AWAIT, STEP_GONE };

struct asset {
    struct assets *all;
    enum asset_kind kind;
    char *name;        /* as in the scenario */
    struct node *node; /* that needed it first; the build's output goes to its log */
    enum step step;
    bool made;
    bool was_pulled;
    struct buffer actual; /* as the engine knows it */
    struct exchange exchange;
    struct context *context;     /* while it is packed and sent */
    struct image_output *output; /* while it is built or pulled */
    struct error error;
    char architecture[ENGINE_ARCHITECTURE_TEXT]; /* of an image that is there; "": not known */
    int number;
    int tries;             /* to make it, so far */
    bool is_in_doubt;      /* it may have been made, but the engine did not say so */
    int removals;          /* so far */
    int64_t again_ns;      /* when the next is to be tried */
    char refusal[1000];    /* why the last did not come about; "" */
    bool is_broken_off;    /* its build was; Podman lets the step that runs come to its end */
    int64_t step_limit_ns; /* until when that is waited for */
};

struct assets {
    struct engine *engine;
    const struct scenario *scenario;
    struct asset **items;
    size_t count, capacity;
};

struct assets *assets_new(struct engine *e, const struct scenario *s)
{
    struct assets *a = mem_alloc(sizeof *a);
    a->engine = e;
    a->scenario = s;
    return a;
}

static void forget_work(struct asset *x)
{
    exchange_drop(&x->exchange);
    context_free(x->context);
    image_output_free(x->output);
    x->context = NULL;
    x->output = NULL;
}

void assets_free(struct assets *a)
{
    for (size_t i = 0; a && i < a->count; i++) {
        forget_work(a->items[i]);
        buffer_free(&a->items[i]->actual);
        free(a->items[i]->name);
        free(a->items[i]);
    }
    if (a)
        free(a->items);
    free(a);
}

static void wake_all(const struct asset *x)
{
    engine_wake(x->all->engine);
}

static const char *context_of(const struct asset *x)
{
    return x->kind == ASSET_IMAGE ? x->node->spec->docker.build_context : NULL;
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && !strcmp(a, b));
}

static bool is_same(const struct asset *x, enum asset_kind kind, const char *name, const struct node *n)
{
    if (x->kind != kind || strcmp(x->name, name) != 0)
        return false;
    return kind != ASSET_IMAGE || (same_text(x->node->spec->docker.build_context, n->spec->docker.build_context) &&
                                   same_text(x->node->spec->docker.dockerfile, n->spec->docker.dockerfile));
}

/* Names that every engine has a meaning of its own for. */
static bool is_builtin_network(const char *name)
{
    return !strcmp(name, "bridge") || !strcmp(name, "host") || !strcmp(name, "none") || !strcmp(name, "default") ||
           !strncmp(name, "container:", 10);
}

static const char *const paths[] = {
    [ASSET_IMAGE] = "/images/", [ASSET_NETWORK] = "/networks/", [ASSET_VOLUME] = "/volumes/"
};

static void look(struct asset *x)
{
    x->step = STEP_LOOK;
    buffer_text(&x->exchange.path, paths[x->kind]);
    http_escape(&x->exchange.path, x->name);
    buffer_text(&x->exchange.path, x->kind == ASSET_IMAGE ? "/json" : "");
    exchange_send(&x->exchange, x->all->engine, "GET", ANSWER_MS);
}

static void done(struct asset *x)
{
    forget_work(x);
    buffer_string(&x->actual);
    x->step = STEP_DONE;
    wake_all(x);
}

static void fail(struct asset *x)
{
    forget_work(x);
    engine_advise(&x->error);
    x->step = STEP_FAILED;
    x->error.code = EXIT_LAUNCH;
    wake_all(x);
}

static void pack(struct asset *x)
{
    struct buffer folder = { 0 };
    const char *context = context_of(x);
    buffer_format(&folder, "%s%s%s", *context == '/' ? "" : x->all->scenario->base_dir, *context == '/' ? "" : "/",
                  context);
    x->step = STEP_PACK;
    x->context = context_new(buffer_string(&folder), x->node->spec->docker.dockerfile, &x->error);
    buffer_free(&folder);
    if (!x->context)
        fail(x);
    else
        node_ready(x->node);
}

struct asset *assets_need(struct assets *a, enum asset_kind kind, const char *name, struct node *n)
{
    for (size_t i = 0; i < a->count; i++)
        if (is_same(a->items[i], kind, name, n))
            return a->items[i];
    struct asset *x = mem_alloc(sizeof *x);
    *x = (struct asset){ .all = a, .kind = kind, .name = mem_text(name), .node = n, .number = (int)a->count };
    x->exchange.node = n;
    a->items = mem_grow(a->items, a->count, &a->capacity, sizeof(struct asset *));
    a->items[a->count++] = x;
    buffer_text(&x->actual, name);
    if (kind == ASSET_NETWORK && is_builtin_network(name))
        done(x);
    else if (context_of(x))
        pack(x);
    else
        look(x);
    return x;
}

/* --- Making --- */

/* "lockstep-RUN-NAME": nobody else's. */
static void name_own(struct asset *x)
{
    struct container_place place;
    engine_place(x->all->engine, &place);
    x->actual.len = 0;
    if (x->kind == ASSET_IMAGE)
        buffer_format(&x->actual, "lockstep-%s:%d", place.run, x->number);
    else
        buffer_format(&x->actual, "lockstep-%s-%s", place.run, x->name);
}

static void make_place(struct asset *x)
{
    struct container_place place;
    struct buffer *body = &x->exchange.body;
    engine_place(x->all->engine, &place);
    name_own(x);
    buffer_text(body, "{\"Name\":");
    json_quote(body, x->actual.data, x->actual.len);
    buffer_text(body, ",\"Labels\":");
    container_labels(body, &place, NULL);
    buffer_text(body, "}");
    buffer_text(&x->exchange.path, x->kind == ASSET_NETWORK ? "/networks/create" : "/volumes/create");
    x->step = STEP_MAKE;
    x->made = true; /* unless the engine says no */
    exchange_send(&x->exchange, x->all->engine, "POST", ANSWER_MS);
}

/* The answer to what it was made with: whether something is there now. */
static void note_made(struct asset *x)
{
    struct error why = { 0 };
    bool ok = exchange_ok(&x->exchange, "", &why), was_heard = x->exchange.answer.failure == HTTP_ANSWERED;
    x->made = x->made && (ok || (!was_heard && x->exchange.answer.failure != HTTP_UNREACHABLE));
    x->is_in_doubt = x->made && !ok;
}

static void note_piece(void *data, const char *s, size_t len)
{
    struct asset *x = data;
    struct error err = { 0 };
    if (image_output_take(x->output, s, len, &err) < 0)
        error_set(&x->error, EXIT_LAUNCH, "%s", err.text);
    node_ready(x->node);
}

static void pull(struct asset *x)
{
    const char *slash = strrchr(x->name, '/'), *tag = strrchr(slash ? slash : x->name, ':');
    bool by_digest = strchr(x->name, '@') != NULL;
    struct buffer image = { 0 };
    buffer_add(&image, x->name, tag && !by_digest ? (size_t)(tag - x->name) : strlen(x->name));
    buffer_text(&x->exchange.path, "/images/create?fromImage=");
    http_escape(&x->exchange.path, buffer_string(&image));
    if (!by_digest) {
        buffer_text(&x->exchange.path, "&tag=");
        http_escape(&x->exchange.path, tag ? tag + 1 : "latest");
    }
    buffer_free(&image);
    x->step = STEP_MAKE;
    x->output = image_output_new(IMAGE_PULL);
    exchange_stream(&x->exchange, x->all->engine, "POST", (struct text){ 0 }, note_piece, x);
}

static void build(struct asset *x)
{
    struct container_place place;
    engine_place(x->all->engine, &place);
    name_own(x);
    container_build_path(&x->exchange.path, &place, buffer_string(&x->actual), context_dockerfile(x->context),
                         !x->all->engine->is_podman);
    x->step = STEP_MAKE;
    x->tries++;
    x->made = true; /* whatever comes of it, something may be there */
    x->output = image_output_new(IMAGE_BUILD);
    exchange_stream(&x->exchange, x->all->engine, "POST", context_archive(x->context), note_piece, x);
}

static void go_on_packing(struct asset *x)
{
    enum context_state state = context_step(x->context, clock_ns() + SLICE_NS, &x->error);
    if (state == CONTEXT_MORE) {
        node_ready(x->node);
        return;
    }
    for (size_t i = 0; context_note(x->context, i); i++)
        buffer_format(&x->node->log, "build context: %s\n", context_note(x->context, i));
    if (state == CONTEXT_FAILED)
        fail(x);
    else
        build(x);
}

static const char *verb_of(const struct asset *x)
{
    return x->kind == ASSET_NETWORK ? "network" : x->kind == ASSET_VOLUME ? "volume" : "image";
}

static void note_architecture(struct asset *x)
{
    const char *why;
    struct json *all = json_parse(x->exchange.answer.body.data, x->exchange.answer.body.len, &why);
    engine_architecture(x->architecture, json_get(all, "Architecture"));
    json_free(all);
}

static void judge_look(struct asset *x)
{
    char what[300];
    snprintf(what, sizeof what, "look for %s %s", verb_of(x), x->name);
    if (exchange_ok(&x->exchange, what, &x->error)) {
        note_architecture(x); /* only images have one */
        int can = engine_check_image(x->all->engine, x->name, x->architecture, &x->error);
        if (can < 0)
            fail(x);
        else if (can > 0)
            done(x);
        return;
    }
    if (x->exchange.answer.failure != HTTP_ANSWERED || x->exchange.answer.status != 404 || x->was_pulled) {
        fail(x);
        return;
    }
    x->error = (struct error){ 0 };
    x->step = STEP_MISSING;
    wake_all(x);
}

static void make(struct asset *x)
{
    exchange_drop(&x->exchange);
    if (x->kind == ASSET_IMAGE)
        pull(x);
    else
        make_place(x);
}

int asset_check(struct asset *x, struct error *err)
{
    if (x->exchange.done && x->step == STEP_LOOK)
        judge_look(x);
    if (x->step == STEP_FAILED)
        *err = x->error;
    return x->step == STEP_FAILED ? -1 : x->step != STEP_LOOK;
}

static void take_log(struct asset *x)
{
    struct buffer *log = image_output_log(x->output);
    if (x->node->log.len < LOG_MAX)
        buffer_add(&x->node->log, log->data, log->len);
    log->len = 0;
    struct buffer *made = image_output_made(x->output);
    for (size_t at = 0; at < made->len; at += IMAGE_SHORT_ID + 2)
        guard_note_built(x->node->host->guard, x->node->index, made->data + at, IMAGE_SHORT_ID + 1);
    made->len = 0;
}

/* Another run may remove layers at the very moment at which a build takes them for its own: Docker then names one that
 * it does not find. */
static void build_again(struct asset *x)
{
    x->error = (struct error){ 0 };
    exchange_drop(&x->exchange);
    image_output_free(x->output);
    build(x);
}

/* Whether the engine has made it. Else x->error says why not. */
static bool was_made(struct asset *x)
{
    char what[300], words[700];
    bool built = context_of(x) != NULL, was_heard = x->exchange.answer.failure == HTTP_ANSWERED;
    const char *did = built ? "build" : x->kind == ASSET_IMAGE ? "pull" : "create";
    snprintf(what, sizeof what, "%s %s %s", did, verb_of(x), x->name);
    bool ok = exchange_ok(&x->exchange, what, &x->error);
    if (!ok && built && was_heard) {
        x->error = (struct error){ 0 };
        engine_words(&x->exchange.answer, words, sizeof words);
        build_error_say(&x->error, what, "", words);
    }
    if (!ok || !x->output || image_output_end(x->output, &x->error) == 0)
        return ok;
    if (built && *image_output_words(x->output)) {
        x->error = (struct error){ 0 };
        build_error_say(&x->error, what, image_output_step(x->output), image_output_words(x->output));
    } else {
        error_add(&x->error, "%s", what);
    }
    return false;
}

static void judge_make(struct asset *x)
{
    bool built = context_of(x) != NULL, ok = was_made(x);
    if (ok && built) {
        x->actual.len = 0;
        buffer_text(&x->actual, image_output_id(x->output));
    }
    note_made(x);
    if (ok && x->kind == ASSET_IMAGE && !built) { /* what has come? */
        forget_work(x);
        x->was_pulled = true;
        look(x);
        return;
    }
    if (ok) {
        done(x);
        return;
    }
    if (x->kind == ASSET_NETWORK && x->exchange.answer.status == 500 && ++x->tries < TRIES_MAX) {
        x->error = (struct error){ 0 }; /* Podman stumbles over interfaces of others that go at this moment */
        exchange_drop(&x->exchange);
        make_place(x);
        return;
    }
    if (built && x->tries < TRIES_MAX && strstr(x->error.text, "sha256:")) {
        build_again(x);
        return;
    }
    if (x->kind == ASSET_IMAGE && !built) {
        size_t len = strlen(x->error.text);
        snprintf(x->error.text + len, sizeof x->error.text - len, "; build it, or set build_context");
    }
    fail(x);
}

enum asset_state asset_go_on(struct asset *x, struct error *err)
{
    if (x->step == STEP_PACK)
        go_on_packing(x);
    if (x->output)
        take_log(x);
    if (x->exchange.done && x->step == STEP_LOOK)
        judge_look(x);
    if (x->step == STEP_MISSING)
        make(x);
    else if (x->exchange.done && x->step == STEP_MAKE)
        judge_make(x);
    if (x->step != STEP_FAILED)
        return x->step == STEP_DONE ? ASSET_READY : ASSET_WORKING;
    *err = x->error;
    return ASSET_FAILED;
}

const char *asset_name(const struct asset *x)
{
    return x->actual.data;
}

const char *asset_architecture(const struct asset *x)
{
    return x->architecture;
}

const char *asset_given_name(const struct asset *x)
{
    return x->name;
}

bool asset_is_ready(const struct asset *x)
{
    return x->step == STEP_DONE;
}

bool asset_asks(const struct asset *x, char *what, size_t size)
{
    if (!x->exchange.call || x->output)
        return false;
    snprintf(what, size, "%s %s %s", x->step == STEP_LOOK ? "look for" : "create", verb_of(x), x->name);
    return true;
}

const char *asset_progress(const struct asset *x)
{
    return x->output ? image_output_progress(x->output) : x->step == STEP_PACK ? "reading the build context" : "";
}

/* --- The end --- */

static void ask_for_removal(struct asset *x)
{
    exchange_drop(&x->exchange);
    x->removals++;
    buffer_text(&x->exchange.path, paths[x->kind]);
    http_escape(&x->exchange.path, buffer_string(&x->actual));
    exchange_send(&x->exchange, x->all->engine, "DELETE", ANSWER_MS);
}

static void begin_removal(struct asset *x)
{
    if (x->step == STEP_MAKE && x->kind != ASSET_IMAGE && x->exchange.call)
        return; /* what an engine is asked to make it may have made although it has not said so: that is awaited */
    if (x->step == STEP_MAKE && x->exchange.done)
        note_made(x);
    else if (x->step == STEP_MAKE)
        x->is_in_doubt = true;
    x->is_broken_off = x->step == STEP_MAKE && !x->exchange.done && context_of(x);
    if (x->output)
        take_log(x); /* also what a build has made so far */
    forget_work(x);
    if (x->made && x->kind == ASSET_IMAGE)
        name_own(x); /* the name that the run gave it goes, and the image where it has no other and nobody uses it */
    x->step = x->made ? STEP_REMOVE : STEP_GONE;
    if (x->made)
        ask_for_removal(x);
}

static void leave(struct asset *x, const char *why)
{
    char what[300];
    snprintf(what, sizeof what, "%s %s", verb_of(x), buffer_string(&x->actual));
    engine_leave(x->all->engine, what, why);
    forget_work(x);
    x->step = STEP_GONE;
}

static void ask_for_steps(struct asset *x)
{
    struct container_place place;
    struct buffer filter = { 0 };
    engine_place(x->all->engine, &place);
    buffer_format(&filter, "{\"label\":[\"" CONTAINER_LABEL_RUN "=%s\"]}", place.run);
    exchange_drop(&x->exchange);
    buffer_text(&x->exchange.path, "/images/json?all=1&filters=");
    http_escape(&x->exchange.path, buffer_string(&filter));
    buffer_free(&filter);
    exchange_send(&x->exchange, x->all->engine, "GET", ANSWER_MS);
}

static void await_steps(struct asset *x)
{
    x->step = STEP_AWAIT;
    x->step_limit_ns = clock_ns() + x->node->spec->timeout_stop * 1000;
    ask_for_steps(x);
}

/* Where none goes on the guard removes what the build has made. */
static void judge_steps(struct asset *x)
{
    char id[IMAGE_SHORT_ID + 1];
    struct error why = { .text = "a step of its build goes on, which the engine does not end" };
    bool is_told = exchange_ok(&x->exchange, "look for steps of its build", &why);
    int used = is_told ? engine_used_image(&x->exchange.answer, id, sizeof id) : -1;
    x->exchange.done = false;
    x->again_ns = clock_ns() + STEP_AGAIN_NS;
    if (used > 0) {
        x->actual.len = 0;
        buffer_text(&x->actual, id);
    }
    snprintf(x->refusal, sizeof x->refusal, "%s", why.text);
    if (used == 0)
        x->step = STEP_GONE;
    else if (x->again_ns >= x->step_limit_ns || engine_limit_ns(x->all->engine) != INT64_MAX)
        leave(x, x->refusal);
}

static void judge_removal(struct asset *x)
{
    struct error why = { 0 };
    char what[300];
    bool is_late = x->is_in_doubt && x->removals < DOUBT_MAX;
    snprintf(what, sizeof what, "remove %s %s", verb_of(x), x->actual.data);
    x->exchange.done = false;
    x->again_ns = clock_ns() + AGAIN_NS;
    if (exchange_removed(&x->exchange, what, &why) || (x->exchange.answer.status == 404 && !is_late)) {
        if (x->is_broken_off)
            await_steps(x);
        else
            x->step = STEP_GONE;
        return;
    }
    snprintf(x->refusal, sizeof x->refusal, "%s", why.text);
    if (x->removals >= REMOVALS_MAX)
        leave(x, x->refusal);
}

static void end_step(struct asset *x, bool give_up)
{
    if (x->step < STEP_REMOVE)
        begin_removal(x);
    if (x->step == STEP_REMOVE && x->exchange.done)
        judge_removal(x);
    else if (x->step == STEP_AWAIT && x->exchange.done)
        judge_steps(x);
    if (x->step == STEP_GONE)
        return;
    if (give_up)
        leave(x, *x->refusal ? x->refusal : "no answer of the engine in time");
    else if (x->step == STEP_REMOVE && !x->exchange.call && clock_ns() >= x->again_ns)
        ask_for_removal(x);
    else if (x->step == STEP_AWAIT && !x->exchange.call && clock_ns() >= x->again_ns)
        ask_for_steps(x);
    else if (x->step >= STEP_REMOVE && !x->exchange.call)
        node_look(x->node, x->again_ns);
}

bool assets_end(struct assets *a, bool give_up)
{
    bool all = true;
    int64_t limit = engine_limit_ns(a->engine);
    give_up |= clock_ns() >= limit;
    for (size_t i = 0; i < a->count; i++) {
        end_step(a->items[i], give_up);
        all &= a->items[i]->step == STEP_GONE;
        node_look(a->items[i]->node, limit);
    }
    return all;
}
