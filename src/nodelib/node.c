#include "lockstep/node.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/number.h"
#include "base/queue.h"
#include "base/random.h"
#include "nodelib/channel.h"
#include "nodelib/json.h"

enum { EXIT_CLEAN = 0, EXIT_FAILED = 1, EXIT_ENVIRONMENT = 2 };

/* The words of a dialect, by the parts of a message. */
enum part { PART_TIME, PART_TYPE, PART_SRC, PART_DST, PART_PAYLOAD, PART_SIZE, PARTS };
typedef const char *const dialect_words[PARTS]; /* NULL: a part that the dialect does not have */
static dialect_words dialects[2] = {
    { "time_us", "type", "src", "dst", "payload", "size_bytes" },               /* node */
    { "timestamp_us", "event_type", "source", "destination", "payload", NULL }, /* service */
};

/* A timer or a message that waits for its time. */
struct item {
    bool is_message;
    int kind;
    struct lockstep_message message; /* its texts are in `data` */
    size_t size;                     /* of a timer's data; 0: none */
    alignas(max_align_t) char data[];
};

struct lockstep_node {
    const struct lockstep_behaviour *behaviour;
    void *state;
    struct channel channel;
    const char *const *words; /* of the dialect; NULL before INIT */
    char *id, *init_json, *config;
    uint64_t seed;
    struct random random;
    int64_t now, target;
    struct queue *queue;
    FILE *metrics;
    bool every_quantum;
    int64_t next;           /* as lockstep_next said during this grant */
    struct buffer messages; /* of the present answer, each with a comma before it */
    size_t sent;
    struct buffer out, failure; /* failure: the first reason, if any */
};

void lockstep_fail(struct lockstep_node *n, const char *format, ...)
{
    char text[1000];
    va_list arguments;
    if (n->failure.len)
        return;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    buffer_text(&n->failure, *text ? text : "it gives no reason");
    for (size_t i = 0; i < n->failure.len; i++)
        if ((unsigned char)n->failure.data[i] < 0x20)
            n->failure.data[i] = ' ';
}

const char *lockstep_id(const struct lockstep_node *n)
{
    return n->id;
}

uint64_t lockstep_seed(const struct lockstep_node *n)
{
    return n->seed;
}

const char *lockstep_config(const struct lockstep_node *n)
{
    return n->config;
}

const char *lockstep_init_json(const struct lockstep_node *n)
{
    return n->init_json;
}

void *lockstep_state(const struct lockstep_node *n)
{
    return n->state;
}

int64_t lockstep_now(const struct lockstep_node *n)
{
    return n->now;
}

int64_t lockstep_target(const struct lockstep_node *n)
{
    return n->target;
}

double lockstep_random(struct lockstep_node *n)
{
    return random_double(&n->random);
}

double lockstep_gauss(struct lockstep_node *n, double mean, double deviation)
{
    return random_gauss(&n->random, mean, deviation);
}

void lockstep_every_quantum(struct lockstep_node *n, bool on)
{
    n->every_quantum = on;
}

void lockstep_next(struct lockstep_node *n, int64_t at)
{
    n->next = at;
}

/* Owns item. */
static void wait_until(struct lockstep_node *n, int64_t at, struct item *item)
{
    if (queue_push(n->queue, at, 0, item) == 0)
        return;
    free(item);
    lockstep_fail(n,
                  "it has %u timers and messages that wait, the most that the library keeps: messages come faster "
                  "than it handles them, or timers are set twice",
                  LOCKSTEP_EVENTS_MAX);
}

void lockstep_timer_with(struct lockstep_node *n, int64_t at, int kind, const void *data, size_t size)
{
    if (at < n->now) {
        lockstep_fail(n, "a timer of kind %d at %" PRId64 " us is in the past: it is %" PRId64 " us", kind, at, n->now);
        return;
    }
    struct item *item = mem_alloc(sizeof *item + size);
    item->kind = kind;
    item->size = size;
    if (size)
        memcpy(item->data, data, size);
    wait_until(n, at, item);
}

void lockstep_timer(struct lockstep_node *n, int64_t at, int kind)
{
    lockstep_timer_with(n, at, kind, NULL, 0);
}

static void add_key(struct lockstep_node *n, enum part part)
{
    buffer_format(&n->messages, "%s\"%s\":", part == PART_TIME ? "" : ",", n->words[part]);
}

static bool may_send(struct lockstep_node *n, const char *dst, const char *type, int64_t size, const char *payload)
{
    const char *why;
    size_t where = 0;
    if (n->failure.len)
        return false;
    if (!type || !*type || (dst && !*dst))
        lockstep_fail(n, "it sends a message without a %s", dst && !*dst ? "destination" : "type");
    else if (size < 0)
        lockstep_fail(n, "it sends a message of type %s with a negative size", type);
    else if (payload && (why = json_problem(payload, strlen(payload), &where)))
        lockstep_fail(n, "it sends a payload of type %s that is not JSON, at byte %zu: %s", type, where, why);
    else if (n->sent >= LOCKSTEP_ANSWER_MAX)
        lockstep_fail(n, "it sends more than %u messages in one answer", LOCKSTEP_ANSWER_MAX);
    return !n->failure.len;
}

void lockstep_send_at(struct lockstep_node *n, int64_t at, const char *dst, const char *type, int64_t size,
                      const char *payload)
{
    struct buffer *b = &n->messages;
    if (!may_send(n, dst, type, size, payload))
        return;
    buffer_text(b, n->sent++ ? ",{" : "{");
    add_key(n, PART_TIME);
    buffer_i64(b, at);
    add_key(n, PART_TYPE);
    json_encode(b, type, strlen(type));
    add_key(n, PART_SRC);
    json_encode(b, n->id, strlen(n->id));
    add_key(n, PART_DST);
    if (dst)
        json_encode(b, dst, strlen(dst));
    else
        buffer_text(b, "null");
    add_key(n, PART_PAYLOAD);
    if (payload)
        json_compact(b, payload, strlen(payload));
    else
        buffer_text(b, "null");
    if (n->words[PART_SIZE]) {
        add_key(n, PART_SIZE);
        buffer_i64(b, size);
    }
    buffer_text(b, "}");
    if (b->len + 2 > LOCKSTEP_LINE_MAX)
        lockstep_fail(n, "its answer is longer than %u bytes", LOCKSTEP_LINE_MAX);
}

void lockstep_send(struct lockstep_node *n, const char *dst, const char *type, int64_t size, const char *payload)
{
    lockstep_send_at(n, n->now, dst ? dst : "", type, size, payload);
}

void lockstep_report(struct lockstep_node *n, const char *type, const char *payload)
{
    lockstep_send_at(n, n->now, NULL, type, 0, payload);
}

FILE *lockstep_metrics(struct lockstep_node *n, const char *header)
{
    if (n->metrics)
        return n->metrics;
    const char *folder = getenv("LOCKSTEP_RUN_DIR");
    struct buffer path = { 0 };
    buffer_format(&path, "%s/%s_metrics.csv", folder && *folder ? folder : ".", n->id);
    bool again = n->target > 0; /* started once more in the midst of a run: its rows go behind those that are there */
    n->metrics = fopen(buffer_string(&path), again ? "ae" : "we");
    if (!n->metrics)
        lockstep_fail(n, "cannot write '%s': %s", buffer_string(&path), strerror(errno));
    else if (!again)
        fprintf(n->metrics, "%s\r\n", header);
    buffer_free(&path);
    return n->metrics;
}

static void flush_metrics(struct lockstep_node *n)
{
    if (n->metrics && (fflush(n->metrics) != 0 || ferror(n->metrics)))
        lockstep_fail(n, "cannot write its metrics: %s", strerror(errno));
}

/* Where the parts of one message were found in the text of the line. */
struct found {
    const char *text[PARTS];
    size_t len[PARTS];
};

static void find_parts(const struct lockstep_node *n, const char *object, const char *end, struct found *f)
{
    struct json_part part;
    *f = (struct found){ 0 };
    for (const char *at = object + 1; json_next(&at, end, true, &part);)
        for (int i = 0; i < PARTS; i++)
            if (n->words[i] && json_is(part.key, part.key_len, n->words[i])) {
                f->text[i] = part.value;
                f->len[i] = part.value_len;
            }
}

static bool read_integer(const char *text, size_t len, int64_t *out)
{
    char digits[24], *end;
    if (!text || !len || len >= sizeof digits)
        return false;
    memcpy(digits, text, len);
    digits[len] = '\0';
    errno = 0;
    int64_t v = strtoll(digits, &end, 10);
    if (*end || errno)
        return false;
    *out = v;
    return true;
}

/* Puts the decoded string, or the bare text, with a NUL into the buffer; returns its place. */
static size_t keep_text(struct buffer *b, const char *text, size_t len, bool decode)
{
    size_t at = b->len;
    if (decode && text && *text == '"')
        json_decode(b, text, len);
    else if (!decode && text)
        buffer_add(b, text, len);
    else if (!decode)
        buffer_text(b, "null");
    buffer_add(b, "", 1);
    return at;
}

/* One message of the line as an item, or NULL: the node has failed. */
static struct item *read_message(struct lockstep_node *n, const struct json_part *part, size_t index)
{
    struct found f;
    struct lockstep_message m = { 0 };
    if (*part->value != '{') {
        lockstep_fail(n, "message %zu of ADVANCE %" PRId64 " is no object", index, n->target);
        return NULL;
    }
    find_parts(n, part->value, part->value + part->value_len, &f);
    if (!read_integer(f.text[PART_TIME], f.len[PART_TIME], &m.time)) {
        lockstep_fail(n, "message %zu of ADVANCE %" PRId64 " has no whole number as %s", index, n->target,
                      n->words[PART_TIME]);
        return NULL;
    }
    if (!f.text[PART_TYPE] || *f.text[PART_TYPE] != '"') {
        lockstep_fail(n, "message %zu of ADVANCE %" PRId64 " has no text as %s", index, n->target, n->words[PART_TYPE]);
        return NULL;
    }
    read_integer(f.text[PART_SIZE], f.len[PART_SIZE], &m.size);
    struct buffer text = { 0 };
    size_t type = keep_text(&text, f.text[PART_TYPE], f.len[PART_TYPE], true);
    size_t src = keep_text(&text, f.text[PART_SRC], f.len[PART_SRC], true);
    size_t payload = keep_text(&text, f.text[PART_PAYLOAD], f.len[PART_PAYLOAD], false);
    struct item *item = mem_alloc(sizeof *item + text.len);
    memcpy(item->data, text.data, text.len);
    buffer_free(&text);
    m.type = item->data + type;
    m.src = item->data + src;
    m.payload = item->data + payload;
    item->is_message = true;
    item->message = m;
    return item;
}

static void hand_over(struct lockstep_node *n, struct item **items, size_t count)
{
    struct lockstep_message *messages = mem_array(count + 1, sizeof *messages);
    for (size_t i = 0; i < count; i++)
        messages[i] = items[i]->message;
    n->behaviour->advance(n, n->target, messages, count);
    free(messages);
    for (size_t i = 0; i < count; i++)
        free(items[i]);
}

static void take_messages(struct lockstep_node *n, const char *line, size_t len)
{
    size_t where, count = 0, capacity = 0;
    const char *why = json_problem(line, len, &where), *at = json_blanks(line, line + len), *end = line + len;
    if (why || *at != '[') {
        lockstep_fail(n, "the messages of ADVANCE %" PRId64 " are no JSON array, at byte %zu: %s", n->target, where,
                      why ? why : "it is another value");
        return;
    }
    struct item **items = NULL, *item;
    struct json_part part;
    for (at++; !n->failure.len && json_next(&at, end, false, &part);) {
        item = read_message(n, &part, count);
        if (!item)
            break;
        items = mem_grow(items, count, &capacity, sizeof *items);
        items[count++] = item;
    }
    if (!n->failure.len && n->behaviour->advance)
        hand_over(n, items, count);
    else
        for (size_t i = 0; i < count; i++)
            wait_until(n, items[i]->message.time, items[i]);
    free(items);
}

/* All own events and messages before the target, in time order. */
static void handle_events(struct lockstep_node *n)
{
    const struct event *first;
    struct event e;
    while (!n->failure.len && (first = queue_first(n->queue)) && first->time < n->target) {
        queue_pop(n->queue, &e);
        struct item *item = e.data;
        n->now = e.time;
        if (item->is_message && n->behaviour->message)
            n->behaviour->message(n, e.time, &item->message);
        else if (!item->is_message && n->behaviour->timer)
            n->behaviour->timer(n, e.time, item->kind, item->size ? item->data : NULL);
        free(item);
    }
}

/* READY or DONE, with the next own event where the node says it. */
static void answer(struct lockstep_node *n, const char *word)
{
    const struct event *first = queue_first(n->queue);
    int64_t next = first && (n->next < 0 || first->time < n->next) ? first->time : n->next;
    buffer_text(&n->out, word);
    /* in `advance` only the node knows what it will do; where it does not say, neither does the library */
    bool says = !n->every_quantum && (n->next >= 0 || !n->behaviour->advance);
    if (says && next >= 0 && next <= LOCKSTEP_TIME_MAX)
        buffer_format(&n->out, " {\"next_us\":%" PRId64 "}", next);
    else if (says)
        buffer_text(&n->out, " {\"next_us\":null}");
    buffer_text(&n->out, "\n");
    n->next = -1;
}

static void advance(struct lockstep_node *n, const char *target_text)
{
    int64_t target;
    char *line;
    size_t len;
    if (!read_integer(target_text, strlen(target_text), &target) || target < n->target) {
        lockstep_fail(n, "the target of 'ADVANCE %.40s' is not a whole number of at least %" PRId64, target_text,
                      n->target);
        return;
    }
    int64_t previous = n->target;
    int got = channel_line(&n->channel, &line, &len, &n->failure);
    if (got <= 0)
        return; /* the end of input is met again by the caller */
    n->now = previous;
    n->target = target;
    take_messages(n, line, len);
    handle_events(n);
    flush_metrics(n);
    if (n->failure.len)
        return;
    answer(n, "DONE");
    buffer_text(&n->out, "[");
    buffer_add(&n->out, n->messages.data, n->messages.len);
    buffer_text(&n->out, "]\n");
    n->messages.len = n->sent = 0;
}

/* INIT ID {…} is dialect `node`, INIT {…} is `service`. */
static void init(struct lockstep_node *n, const char *text)
{
    const char *json = text, *name = getenv("LOCKSTEP_NODE");
    size_t id_len = *text == '{' ? 0 : strcspn(text, " "), where;
    int64_t seed = -1;
    json += id_len;
    json = json_blanks(json, json + strlen(json));
    n->words = dialects[*text == '{'];
    n->id = id_len ? mem_text_n(text, id_len) : mem_text(name && *name ? name : "node");
    n->init_json = mem_text(json);
    const char *why = *json == '{' ? json_problem(json, strlen(json), &where) : "there is no object";
    if (why) {
        lockstep_fail(n, "the configuration of INIT is not JSON: %s", why);
        return;
    }
    n->config = lockstep_json_copy(json, "config");
    if (!n->config)
        n->config = mem_text("{}");
    if (!lockstep_json_int64(json, "seed", &seed) || seed < 0) {
        lockstep_fail(n, "INIT holds no seed of 0 to 2^63-1");
        return;
    }
    n->seed = (uint64_t)seed;
    if (lockstep_json_int64(json, "now_us", &n->target) && n->target >= 0)
        n->now = n->target;
    else
        n->target = 0;
    struct buffer stream = { 0 };
    buffer_format(&stream, "%s_%" PRIu64, n->id, n->seed);
    random_seed_text(&n->random, buffer_string(&stream));
    buffer_free(&stream);
    if (n->behaviour->init)
        n->behaviour->init(n);
    if (!n->failure.len && n->sent)
        lockstep_fail(n, "it sends a message before its first ADVANCE; use a timer");
    flush_metrics(n);
    if (!n->failure.len)
        answer(n, "READY");
}

/* Returns false after SHUTDOWN. */
static bool take_request(struct lockstep_node *n, const char *line)
{
    if (strcmp(line, "SHUTDOWN") == 0)
        return false;
    if (strncmp(line, "INIT ", 5) == 0 && !n->words)
        init(n, line + 5);
    else if (strncmp(line, "ADVANCE ", 8) == 0 && n->words)
        advance(n, line + 8);
    else
        lockstep_fail(n, "'%.40s' is no request that can come %s", line, n->words ? "behind INIT" : "before INIT");
    return true;
}

static int serve(struct lockstep_node *n)
{
    char *line;
    size_t len;
    while (!n->failure.len) {
        int got = channel_line(&n->channel, &line, &len, &n->failure);
        if (got < 0)
            break;
        if (got > 0 && len && line[len - 1] == '\r')
            line[len - 1] = '\0';
        if (got == 0 || !take_request(n, line))
            return EXIT_CLEAN;
        if (!n->failure.len && channel_flush(&n->channel, &n->out) < 0)
            return EXIT_FAILED; /* lockstep has gone: there is no one to tell */
    }
    fprintf(stderr, "%s: %s\n", n->id ? n->id : "lockstep_node", buffer_string(&n->failure));
    n->out.len = 0;
    buffer_format(&n->out, "ERROR %s\n", buffer_string(&n->failure));
    channel_flush(&n->channel, &n->out);
    return EXIT_FAILED;
}

static void free_node(struct lockstep_node *n)
{
    for (struct event e; queue_pop(n->queue, &e);)
        free(e.data);
    queue_free(n->queue);
    if (n->metrics)
        fclose(n->metrics);
    channel_close(&n->channel);
    buffer_free(&n->messages);
    buffer_free(&n->out);
    buffer_free(&n->failure);
    free(n->id);
    free(n->init_json);
    free(n->config);
    free(n);
}

int lockstep_run(const struct lockstep_behaviour *behaviour, void *state)
{
    struct lockstep_node *n = mem_alloc(sizeof *n);
    struct sigaction ignore = { .sa_handler = SIG_IGN }, before;
    int result = EXIT_ENVIRONMENT;
    sigaction(SIGPIPE, &ignore, &before);
    n->behaviour = behaviour;
    n->state = state;
    n->next = -1;
    n->queue = queue_new(LOCKSTEP_EVENTS_MAX);
    if (channel_open(&n->channel, &n->failure) < 0)
        fprintf(stderr, "lockstep_node: %s\n", buffer_string(&n->failure));
    else
        result = serve(n);
    if (n->words && behaviour->close)
        behaviour->close(n);
    free_node(n);
    sigaction(SIGPIPE, &before, NULL);
    return result;
}
