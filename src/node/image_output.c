#include "node/image_output.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/json_text.h"
#include "base/memory.h"
#include "base/utf8.h"

#define STEP_MAX       200u   /* bytes of a step that are shown */
#define QUOTE_MAX      200u   /* bytes that are shown of what is no JSON */
#define IMAGE_MADE_MAX 65536u /* bytes of ids that nobody takes */

/* In the order in which a layer goes through them. */
enum layer_state { LAYER_WAITING, LAYER_DOWNLOADING, LAYER_DOWNLOADED, LAYER_EXTRACTING, LAYER_DONE };

static const struct {
    const char *status;
    enum layer_state state;
} layer_words[] = {
    { "Pulling fs layer", LAYER_WAITING },     { "Waiting", LAYER_WAITING },
    { "Downloading", LAYER_DOWNLOADING },      { "Verifying Checksum", LAYER_DOWNLOADED },
    { "Download complete", LAYER_DOWNLOADED }, { "Extracting", LAYER_EXTRACTING },
    { "Pull complete", LAYER_DONE },           { "Already exists", LAYER_DONE },
};

struct layer {
    char id[72];
    enum layer_state state;
    double part; /* of what the state does, 0 to 1 */
};

struct image_output {
    enum image_task task;
    struct buffer object; /* that has not come whole */
    int depth;            /* of its brackets */
    bool in_string, escaped, broken;
    struct buffer line; /* of output, that has not come whole; as it came */
    struct buffer log, step, error, progress, made;
    bool is_found;                                        /* the image of this step was there already */
    uint64_t step_number, step_count, stage, stage_count; /* 0: none yet */
    struct layer *layers;
    size_t layer_count, layer_capacity;
    char id[80];
};

struct image_output *image_output_new(enum image_task task)
{
    struct image_output *o = mem_alloc(sizeof *o);
    o->task = task;
    return o;
}

void image_output_free(struct image_output *o)
{
    if (!o)
        return;
    buffer_free(&o->object);
    buffer_free(&o->line);
    buffer_free(&o->log);
    buffer_free(&o->step);
    buffer_free(&o->error);
    buffer_free(&o->progress);
    buffer_free(&o->made);
    free(o->layers);
    free(o);
}

/* How many of the bytes to take: `max` at most, and none of a character that would be cut. */
static size_t fit(const char *s, size_t len, size_t max)
{
    if (len <= max)
        return len;
    size_t end = max;
    while (end > 0 && ((unsigned char)s[end] & 0xc0) == 0x80)
        end--;
    return max - end < 4 ? end : max;
}

/* ---- lines of output ---- */

/* The length of an escape sequence for colours and the like at s, or 0. */
static size_t escape_sequence(const char *s, size_t len)
{
    size_t i = 2;
    if (len < 3 || s[0] != '\x1b' || s[1] != '[')
        return 0;
    while (i < len && s[i] >= 0x20 && s[i] <= 0x3f)
        i++;
    return i < len && s[i] >= 0x40 && s[i] <= 0x7e ? i + 1 : 0;
}

/* Logs a line as it would stand on a terminal in the end: without colours, and of what was overwritten the last. */
static void log_line(struct image_output *o, const char *s, size_t len, bool even_empty)
{
    struct buffer plain = { 0 };
    while (len && s[len - 1] == '\r')
        len--;
    for (size_t at = 0; at < len;) {
        size_t n = escape_sequence(s + at, len - at);
        if (n) {
            at += n;
            continue;
        }
        if (s[at] == '\r')
            plain.len = 0;
        else
            buffer_add(&plain, s + at, 1);
        at++;
    }
    if (plain.len || even_empty) {
        utf8_escape(&o->log, plain.data, plain.len);
        buffer_add(&o->log, "\n", 1);
    }
    buffer_free(&plain);
}

/* Ends the line that is pending, if it has something to show. */
static void flush_line(struct image_output *o)
{
    log_line(o, o->line.data, o->line.len, false);
    o->line.len = 0;
}

static void add_output(struct image_output *o, const char *s, size_t len)
{
    while (len) {
        const char *newline = memchr(s, '\n', len);
        size_t n = newline ? (size_t)(newline - s) : len;
        size_t room = IMAGE_LINE_MAX - o->line.len;
        if (n > room) {
            n = fit(s, n, room);
            buffer_add(&o->line, s, n);
            flush_line(o);
        } else {
            buffer_add(&o->line, s, n);
            if (newline) {
                log_line(o, o->line.data, o->line.len, true);
                o->line.len = 0;
                n++;
            }
        }
        s += n;
        len -= n;
    }
}

/* ---- steps ---- */

static bool skip_word(const char **s, const char *end, const char *word)
{
    size_t n = strlen(word);
    if ((size_t)(end - *s) < n || memcmp(*s, word, n) != 0)
        return false;
    *s += n;
    return true;
}

static bool skip_number(const char **s, const char *end, uint64_t *out)
{
    const char *begin = *s;
    for (*out = 0; *s < end && **s >= '0' && **s <= '9' && *s - begin < 9; ++*s)
        *out = *out * 10 + (uint64_t)(**s - '0');
    return *s > begin;
}

/* "[1/2] ", which may not be there. */
static bool skip_stage(const char **s, const char *end, uint64_t *stage, uint64_t *count)
{
    *stage = *count = 0;
    return !skip_word(s, end, "[") || (skip_number(s, end, stage) && skip_word(s, end, "/") &&
                                       skip_number(s, end, count) && skip_word(s, end, "] "));
}

/* "Step 2/5 : RUN make" or "[1/2] STEP 2/5: RUN make" */
static bool read_step(struct image_output *o, const char *s, size_t len)
{
    const char *newline = len ? memchr(s, '\n', len) : NULL, *begin = s, *end = newline ? newline : s + len;
    uint64_t stage, stages, number, count;
    if (!skip_stage(&s, end, &stage, &stages))
        return false;
    if (!skip_word(&s, end, "Step ") && !skip_word(&s, end, "STEP "))
        return false;
    if (!skip_number(&s, end, &number) || !skip_word(&s, end, "/") || !skip_number(&s, end, &count))
        return false;
    if (!skip_word(&s, end, " : ") && !skip_word(&s, end, ": "))
        return false;
    o->stage = stage;
    o->stage_count = stages;
    o->step_number = number;
    o->step_count = count;
    o->layer_count = 0;
    o->is_found = end - s >= 4 && strncasecmp(s, "FROM", 4) == 0;
    size_t whole = (size_t)(end - begin), n = fit(begin, whole, STEP_MAX);
    o->step.len = 0;
    utf8_escape(&o->step, begin, n);
    buffer_text(&o->step, n < whole ? "…" : "");
    return true;
}

/* Does the engine itself say this, and not what runs in the build? */
static bool is_engines(const char *s, size_t len)
{
    static const char *const words[] = {
        " ---> ", "--> ", "Removing intermediate container ", "COMMIT ", "Successfully built ", "Successfully tagged "
    };
    const char *end = s + len;
    uint64_t stage, count;
    if (!skip_stage(&s, end, &stage, &count))
        return false;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (skip_word(&s, end, words[i]))
            return true;
    return false;
}

/* " ---> 2a5f0c3d9e1b": the image as it is after this step. */
static void note_image(struct image_output *o, const char *s, size_t len)
{
    const char *end = s + len, *id;
    if (!skip_word(&s, end, " ---> "))
        return;
    for (id = s; s < end && isxdigit((unsigned char)*s); s++)
        ;
    if (s - id != IMAGE_SHORT_ID || end - s != 1 || *s != '\n')
        o->is_found |= skip_word(&s, end, "Using cache");
    else if (o->made.len < IMAGE_MADE_MAX)
        buffer_format(&o->made, "%c%.*s\n", o->is_found ? IMAGE_FOUND : IMAGE_MADE, IMAGE_SHORT_ID, id);
}

static void take_output(struct image_output *o, const char *s, size_t len)
{
    note_image(o, s, len);
    if (read_step(o, s, len) || is_engines(s, len))
        flush_line(o); /* what a command left without a newline */
    add_output(o, s, len);
}

/* ---- layers ---- */

static struct layer *layer_of(struct image_output *o, const char *id)
{
    for (size_t i = 0; i < o->layer_count; i++)
        if (strcmp(o->layers[i].id, id) == 0)
            return &o->layers[i];
    if (o->layer_count >= IMAGE_LAYERS_MAX)
        return NULL;
    o->layers = mem_grow(o->layers, o->layer_count, &o->layer_capacity, sizeof *o->layers);
    struct layer *l = &o->layers[o->layer_count++];
    *l = (struct layer){ .part = 0 };
    strcpy(l->id, id); /* as long as that of struct fields at most */
    return l;
}

static void add_layers_progress(const struct image_output *o, struct buffer *out)
{
    size_t downloaded = 0, done = 0;
    double got = 0, extracted = 0;
    bool extracts = false;
    for (size_t i = 0; i < o->layer_count; i++) {
        const struct layer *l = &o->layers[i];
        downloaded += l->state >= LAYER_DOWNLOADED;
        done += l->state == LAYER_DONE;
        extracts = extracts || l->state >= LAYER_EXTRACTING;
        got += l->state == LAYER_DOWNLOADING ? l->part : l->state > LAYER_DOWNLOADING;
        extracted += l->state == LAYER_EXTRACTING ? l->part : l->state == LAYER_DONE;
    }
    double all = (double)o->layer_count;
    if (extracts && downloaded == o->layer_count && done < o->layer_count)
        buffer_format(out, "extracting layers %zu of %zu, %d %%", done, o->layer_count, (int)(100 * extracted / all));
    else
        buffer_format(out, "pulling layers %zu of %zu, %d %%", downloaded, o->layer_count, (int)(100 * got / all));
}

const char *image_output_progress(struct image_output *o)
{
    struct buffer *out = &o->progress;
    out->len = 0;
    if (o->step.len) {
        const char *instruction = strstr(buffer_string(&o->step), ": ");
        if (o->stage_count)
            buffer_format(out, "stage %" PRIu64 " of %" PRIu64 ", ", o->stage, o->stage_count);
        buffer_format(out, "step %" PRIu64 " of %" PRIu64 "%s", o->step_number, o->step_count,
                      instruction ? instruction : "");
    }
    if (o->layer_count) {
        buffer_text(out, out->len ? "; " : "");
        add_layers_progress(o, out);
    }
    return buffer_string(out);
}

/* ---- objects ---- */

/* What is read of an object. Texts are empty where they are not there. */
struct fields {
    struct buffer stream, status, error, message;
    char id[72], aux_id[72]; /* a layer's, an image's */
    int64_t current, total;
};

static void take_text(struct buffer *to, const struct json_span *value)
{
    if (value->kind != JSON_STRING)
        return;
    to->len = 0;
    buffer_grow(to, value->len);
    to->len = json_span_unescape(value, to->data, value->len);
}

static void take_id(char out[72], const struct json_span *value)
{
    size_t n = value->kind == JSON_STRING ? json_span_unescape(value, out, 71) : 0;
    out[n == SIZE_MAX ? 0 : n] = '\0';
}

static void take_number(int64_t *to, const struct json_span *value)
{
    if (value->kind != JSON_NUMBER || json_span_whole(value, to) < 0)
        *to = 0;
}

/* The members of these three are read, too. */
static const char *const inner_names[] = { "errorDetail", "progressDetail", "aux" };

/* `in`: the member of the object that this one is in, or "". */
static void take_member(struct fields *f, const char *in, const struct json_span *name, const struct json_span *value)
{
    const struct {
        const char *in, *name;
        struct buffer *text;
        char *id;
        int64_t *number;
    } known[] = {
        { "", "stream", &f->stream, NULL, NULL },
        { "", "status", &f->status, NULL, NULL },
        { "", "error", &f->error, NULL, NULL },
        { "", "message", &f->message, NULL, NULL },
        { "errorDetail", "message", &f->message, NULL, NULL },
        { "", "id", NULL, f->id, NULL },
        { "aux", "ID", NULL, f->aux_id, NULL },
        { "progressDetail", "current", NULL, NULL, &f->current },
        { "progressDetail", "total", NULL, NULL, &f->total },
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        if (strcmp(known[i].in, in) != 0 || !json_span_is(name, known[i].name, strlen(known[i].name)))
            continue;
        if (known[i].text)
            take_text(known[i].text, value);
        else if (known[i].id)
            take_id(known[i].id, value);
        else
            take_number(known[i].number, value);
    }
}

/* Returns false where it is no JSON: t->why is set then. */
static bool read_members(struct json_text *t, struct fields *f, const char *in)
{
    struct json_span name, value;
    bool more;
    if (!json_text_open(t))
        return false;
    while (json_text_item(t, &name, &more)) {
        const char *inner = NULL;
        if (!more)
            return true;
        for (size_t i = 0; !*in && i < sizeof inner_names / sizeof inner_names[0]; i++)
            if (json_span_is(&name, inner_names[i], strlen(inner_names[i])) && json_text_kind(t) == JSON_OBJECT)
                inner = inner_names[i];
        if (inner ? !read_members(t, f, inner) : !json_text_value(t, &value))
            return false;
        if (!inner)
            take_member(f, in, &name, &value);
    }
    return false;
}

static bool is_image_id(const char *s, size_t len)
{
    static const char prefix[] = "sha256:";
    size_t n = sizeof prefix - 1;
    return len == n + 64 && memcmp(s, prefix, n) == 0 && strspn(s + n, "0123456789abcdef") == 64;
}

static void take_status(struct image_output *o, struct fields *f)
{
    const char *status = buffer_string(&f->status);
    if (is_image_id(status, f->status.len))
        memcpy(o->id, status, f->status.len + 1);
    for (size_t i = 0; *f->id && i < sizeof layer_words / sizeof layer_words[0]; i++) {
        if (strcmp(status, layer_words[i].status) != 0)
            continue;
        struct layer *l = layer_of(o, f->id);
        if (!l)
            return;
        enum layer_state before = l->state;
        l->state = layer_words[i].state;
        l->part = f->total > 0 && f->current > 0 ? (double)f->current / (double)f->total : 0;
        l->part = l->part > 1 ? 1 : l->part;
        if (l->state != LAYER_DONE || before == LAYER_DONE)
            return; /* the log tells of layers that are there, and no more */
    }
    flush_line(o);
    struct buffer line = { 0 };
    if (*f->id && strcmp(f->id, status) != 0)
        buffer_format(&line, "%s: ", f->id);
    buffer_add(&line, f->status.data, f->status.len);
    buffer_text(&line, "\n");
    add_output(o, line.data, line.len);
    buffer_free(&line);
}

/* The log has every error, behind what led to it; the first one is that of the task. */
static void take_error(struct image_output *o, const struct buffer *text)
{
    static const char unknown[] = "the engine reports an error and does not say which";
    size_t len = text->len;
    while (len && strchr(" \r\n\t", text->data[len - 1]))
        len--;
    const char *s = len ? text->data : unknown;
    len = len ? len : sizeof unknown - 1;
    flush_line(o);
    utf8_escape(&o->log, s, len);
    buffer_add(&o->log, "\n", 1);
    if (!o->error.len)
        utf8_escape(&o->error, s, len);
}

/* Returns what is wrong with the object, or NULL. */
static const char *take_object(struct image_output *o)
{
    struct json_text t;
    struct fields f = { .current = 0 };
    json_text_begin(&t, o->object.data, o->object.len);
    bool good = read_members(&t, &f, "") && json_text_end(&t);
    if (good && f.stream.len)
        take_output(o, f.stream.data, f.stream.len);
    if (good && f.status.len)
        take_status(o, &f);
    if (good && is_image_id(f.aux_id, strlen(f.aux_id)))
        memcpy(o->id, f.aux_id, strlen(f.aux_id) + 1);
    if (good && (f.message.len || f.error.len))
        take_error(o, f.message.len ? &f.message : &f.error);
    buffer_free(&f.stream);
    buffer_free(&f.status);
    buffer_free(&f.error);
    buffer_free(&f.message);
    o->object.len = 0;
    return good ? NULL : t.why;
}

static int refuse(struct image_output *o, const char *why, struct error *err)
{
    o->broken = true;
    error_set(err, EXIT_LAUNCH,
              "the engine's answer is not what it should be: %s; is it a container engine that is "
              "spoken to?",
              why);
    return -1;
}

/* Goes on by one byte; true where the object is whole. */
static bool ends_object(struct image_output *o, char c)
{
    if (o->escaped)
        o->escaped = false;
    else if (o->in_string && c == '\\')
        o->escaped = true;
    else if (c == '"')
        o->in_string = !o->in_string;
    else if (!o->in_string && (c == '{' || c == '['))
        o->depth++;
    else if (!o->in_string && (c == '}' || c == ']'))
        return --o->depth == 0;
    return false;
}

int image_output_take(struct image_output *o, const char *s, size_t len, struct error *err)
{
    if (o->broken)
        return refuse(o, "it was none before", err);
    for (size_t i = 0; i < len; i++) {
        if (!o->depth && strchr(" \t\r\n", s[i]) && s[i])
            continue;
        if (!o->depth && s[i] != '{') {
            char why[2 * QUOTE_MAX];
            snprintf(why, sizeof why, "'%.*s' is no JSON object", (int)fit(s + i, len - i, QUOTE_MAX), s + i);
            return refuse(o, why, err);
        }
        if (o->object.len >= IMAGE_OBJECT_MAX)
            return refuse(o, "an object of more than 1 MiB", err);
        buffer_add(&o->object, s + i, 1);
        const char *why = ends_object(o, s[i]) ? take_object(o) : NULL;
        if (why)
            return refuse(o, why, err);
    }
    return 0;
}

int image_output_end(struct image_output *o, struct error *err)
{
    flush_line(o);
    if (o->error.len && o->step.len)
        error_set(err, EXIT_LAUNCH, "%s: %s", buffer_string(&o->step), buffer_string(&o->error));
    else if (o->error.len)
        error_set(err, EXIT_LAUNCH, "%s", buffer_string(&o->error));
    else if (o->broken)
        return refuse(o, "it was none before", err);
    else if (o->depth)
        error_set(err, EXIT_LAUNCH, "the engine's answer ends in the middle%s%s", o->step.len ? ", at " : "",
                  buffer_string(&o->step));
    else if (o->task == IMAGE_BUILD && !*o->id)
        error_set(err, EXIT_LAUNCH, "the engine ended the build without an image%s%s", o->step.len ? ", at " : "",
                  buffer_string(&o->step));
    return err->code ? -1 : 0;
}

struct buffer *image_output_made(struct image_output *o)
{
    return &o->made;
}

struct buffer *image_output_log(struct image_output *o)
{
    return &o->log;
}

const char *image_output_id(const struct image_output *o)
{
    return o->id;
}

const char *image_output_words(struct image_output *o)
{
    return buffer_string(&o->error);
}

const char *image_output_step(struct image_output *o)
{
    return buffer_string(&o->step);
}
