#include "compare/recorded.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json_path.h"
#include "base/shell.h"

#define RUN_MOST 64u << 20 /* bytes of the first line, which names all nodes */
#define END_MOST 65536u    /* bytes of the last one */
#define ID_ROOM  256

struct json_span recorded_member(const struct buffer *line, const char *key)
{
    struct json_step step = json_step(key, strlen(key));
    struct json_span value = { 0 };
    if (!line->len || !json_find(line->data, line->len, &step, 1, &value))
        value.s = NULL;
    return value;
}

int64_t recorded_number(const struct buffer *line, const char *key, int64_t otherwise)
{
    struct json_span value = recorded_member(line, key);
    int64_t number;
    return value.s && value.kind == JSON_NUMBER && json_span_whole(&value, &number) == 0 ? number : otherwise;
}

static bool is_kind(const struct buffer *line, const char *kind)
{
    struct json_span value = recorded_member(line, "kind");
    return value.s && value.kind == JSON_STRING && json_span_is(&value, kind, strlen(kind));
}

static bool is_object(const struct buffer *line)
{
    struct json_text t;
    struct json_span value;
    json_text_begin(&t, line->data, line->len);
    return json_text_value(&t, &value) && json_text_end(&t) && value.kind == JSON_OBJECT;
}

int recorded_file(const struct recorded *r, const char *name, struct stretch *out, bool *there, struct error *err)
{
    struct stat st;
    *out = (struct stretch){ .fd = openat(r->folder, name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK) };
    *there = out->fd >= 0;
    if (!*there && errno == ENOENT)
        return 0;
    if (!*there || fstat(out->fd, &st) < 0)
        error_set(err, EXIT_INVALID, "%s/%s: %s", r->path, name, strerror(errno));
    else if (!S_ISREG(st.st_mode))
        error_set(err, EXIT_INVALID, "%s/%s is no regular file", r->path, name);
    else
        out->end = (int64_t)st.st_size;
    if (err->code && *there)
        close(out->fd);
    return err->code ? -1 : 0;
}

static void cut_off(const struct recorded *r, struct error *err)
{
    error_set(
        err, EXIT_INVALID,
        "%s is cut off: the last line of its events.jsonl is no record of an end; its lockstep was killed, or the run "
        "goes on. lockstep replay shows what there is",
        r->path);
}

static int read_ends(struct recorded *r, struct error *err)
{
    struct stretch *s = &r->events;
    int64_t size = s->end;
    stretch_line(*s, RUN_MOST, &r->run);
    if (!is_kind(&r->run, "run") || !is_object(&r->run)) {
        error_set(err, EXIT_INVALID, "%s/events.jsonl does not begin with the record of a run", r->path);
        return -1;
    }
    s->at = (int64_t)r->run.len + 1;
    struct stretch last = *s;
    char newline = '\0';
    if (size <= s->at || pread(s->fd, &newline, 1, (off_t)size - 1) != 1 || newline != '\n') {
        cut_off(r, err);
        return -1;
    }
    last.at = stretch_line_begin(s->fd, s->at, size - 1);
    if (size - last.at < END_MOST)
        stretch_line(last, END_MOST, &r->end);
    if (!is_kind(&r->end, "end") || !is_object(&r->end)) {
        cut_off(r, err);
        return -1;
    }
    return 0;
}

int recorded_open(struct recorded *r, const char *path, struct error *err)
{
    bool there;
    *r = (struct recorded){ .path = path, .events = { .fd = -1 } };
    r->folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (r->folder < 0) {
        error_set(err, EXIT_INVALID, "%s: %s; name the folder of a run, such as runs/NAME-seed1-1", path,
                  strerror(errno));
        return -1;
    }
    if (recorded_file(r, "events.jsonl", &r->events, &there, err) < 0) {
        r->events.fd = -1;
        return -1;
    }
    if (!there) {
        error_set(err, EXIT_INVALID, "%s is no run folder: it has no events.jsonl; name one such as runs/NAME-seed1-1",
                  path);
        return -1;
    }
    if (read_ends(r, err) < 0)
        return -1;
    r->records = (uint64_t)recorded_number(&r->end, "n", 0) + 1;
    r->over = recorded_number(&r->end, "t", 0);
    r->quantum = recorded_number(&r->run, "quantum", 1);
    if (r->quantum < 1)
        r->quantum = 1;
    return 0;
}

void recorded_close(struct recorded *r)
{
    if (r->events.fd >= 0)
        close(r->events.fd);
    if (r->folder >= 0)
        close(r->folder);
    buffer_free(&r->run);
    buffer_free(&r->end);
}

void recorded_nodes(const struct recorded *r, void (*told)(void *data, const char *id), void *data)
{
    struct json_span nodes = recorded_member(&r->run, "nodes"), id;
    struct json_text t;
    char name[ID_ROOM];
    if (!nodes.s || nodes.kind != JSON_ARRAY)
        return;
    json_text_begin(&t, nodes.s, nodes.len);
    json_text_open(&t);
    for (bool more; json_text_item(&t, NULL, &more) && more && json_text_value(&t, &id);) {
        size_t len = id.kind == JSON_STRING ? json_span_unescape(&id, name, sizeof name - 1) : SIZE_MAX;
        if (len == SIZE_MAX || memchr(name, '/', len) || memchr(name, '\0', len))
            continue; /* no id that lockstep wrote */
        name[len] = '\0';
        told(data, name);
    }
}

void recorded_look(const struct recorded *r, simtime t, bool at_barrier, struct buffer *out)
{
    char time[SIMTIME_TEXT];
    simtime quanta = t < 0 ? 0 : t / r->quantum, barrier = t;
    if (!at_barrier || (t > 0 && t % r->quantum))
        barrier = quanta < SIMTIME_MAX / r->quantum ? (quanta + 1) * r->quantum : SIMTIME_MAX;
    simtime_format(barrier > r->over ? r->over : barrier, time);
    buffer_text(out, "lockstep replay ");
    shell_word(out, r->path);
    buffer_format(out, " --at %s", time);
}
