#include "trace/logs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "trace/tail.h"
#include "trace/write.h"

struct log {
    bool made;
    bool in_line; /* the last line has no end yet */
    bool full;
    uint64_t written;
};

struct logs {
    struct folder *folder;
    const struct scenario *scenario;
    struct log *items; /* of the nodes */
    struct buffer text;
    struct error failure;
};

struct logs *logs_new(struct folder *f, const struct scenario *s)
{
    struct logs *l = mem_alloc(sizeof *l);
    l->folder = f;
    l->scenario = s;
    l->items = mem_array((size_t)s->node_count, sizeof *l->items);
    return l;
}

void logs_free(struct logs *l)
{
    if (!l)
        return;
    buffer_free(&l->text);
    free(l->items);
    free(l);
}

static void name_of(const struct logs *l, int i, char *out, size_t size)
{
    snprintf(out, size, "logs/%s.log", l->scenario->nodes[i].id);
}

/* A file is opened for each write: nodes are many, and most of them write little. */
static void append(struct logs *l, int i)
{
    struct log *log = &l->items[i];
    char name[100];
    name_of(l, i, name, sizeof name);
    int fd = log->made ? folder_append(l->folder, name, &l->failure) : folder_create(l->folder, name, &l->failure);
    if (fd < 0)
        return;
    log->made = true;
    if (write_all(fd, l->text.data, l->text.len) < l->text.len)
        folder_failed(l->folder, name, &l->failure);
    log->written += l->text.len;
    close(fd);
}

static void start_line(struct logs *l, simtime now)
{
    buffer_format(&l->text, "[%6lld.%06lld s] ", (long long)(now / 1000000), (long long)(now % 1000000));
}

void logs_write(struct logs *l, int i, simtime now, const char *data, size_t len)
{
    struct log *log = &l->items[i];
    if (!len || log->full || l->failure.code)
        return;
    l->text.len = 0;
    for (size_t at = 0; at < len;) {
        const char *end = memchr(data + at, '\n', len - at);
        size_t line = end ? (size_t)(end - data) + 1 - at : len - at;
        if (!log->in_line)
            start_line(l, now);
        buffer_add(&l->text, data + at, line);
        log->in_line = !end;
        at += line;
    }
    if (log->written + l->text.len > LOGS_MAX) {
        log->full = true;
        l->text.len = (size_t)(LOGS_MAX - log->written);
        buffer_text(&l->text, "\n");
        start_line(l, now);
        buffer_format(&l->text, "lockstep: the log ends here: more than %u MiB\n", LOGS_MAX >> 20);
    }
    append(l, i);
}

int logs_result(const struct logs *l, struct error *err)
{
    if (!l->failure.code)
        return 0;
    error_set(err, l->failure.code, "%s", l->failure.text);
    return -1;
}

size_t logs_tail(const struct logs *l, int i, char *buf, size_t size)
{
    struct error err = { 0 }; /* no failure of the run: somebody wanted to look */
    struct stat st;
    char name[100];
    buf[0] = '\0';
    if (!l->items[i].made)
        return 0;
    name_of(l, i, name, sizeof name);
    int fd = folder_append(l->folder, name, &err);
    if (fd < 0)
        return 0;
    size_t len = fstat(fd, &st) == 0 ? tail_read(fd, st.st_size, buf, size) : 0;
    close(fd);
    return len;
}

uint64_t logs_size(const struct logs *l, int i)
{
    return l->items[i].written;
}
