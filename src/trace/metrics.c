#include "trace/metrics.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "trace/write.h"

struct file {
    char *name;         /* NULL: the node has no metrics */
    struct buffer rows; /* not yet written: up to `whole` part of the results */
    size_t whole;
    int64_t written;    /* bytes in the file */
    int fd;             /* -1: not open now */
    bool made;
};

struct metrics {
    struct folder *folder;
    struct file *files;
    int count;
    int open_count, open_max; /* files that stay open: the first ones that are written; others are opened each time */
    int64_t last_flush_ms;
    struct error failure;
};

static int open_file(struct metrics *m, int i, struct error *err)
{
    struct file *f = &m->files[i];
    if (f->fd >= 0)
        return 0;
    f->fd = f->made ? folder_append(m->folder, f->name, err) : folder_create(m->folder, f->name, err);
    if (f->fd < 0)
        return -1;
    f->made = true;
    m->open_count++;
    return 0;
}

static void release_file(struct metrics *m, int i)
{
    if (m->open_count <= m->open_max)
        return;
    close(m->files[i].fd);
    m->files[i].fd = -1;
    m->open_count--;
}

void metrics_free(struct metrics *m)
{
    if (!m)
        return;
    for (int i = 0; i < m->count; i++) {
        if (m->files[i].fd >= 0)
            close(m->files[i].fd);
        buffer_free(&m->files[i].rows);
        free(m->files[i].name);
    }
    free(m->files);
    free(m);
}

struct metrics *metrics_new(struct folder *f, const struct scenario *s, struct error *err)
{
    struct metrics *m = mem_alloc(sizeof *m);
    m->folder = f;
    m->count = s->node_count;
    m->files = mem_array((size_t)m->count, sizeof *m->files);
    struct rlimit limit;
    m->open_max = getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < 4096 ? (int)limit.rlim_cur / 2 : 2048;
    for (int i = 0; i < m->count; i++) {
        struct buffer name = { 0 };
        m->files[i].fd = -1;
        if (s->nodes[i].model == MODEL_NONE)
            continue;
        buffer_format(&name, "%s_metrics.csv", s->nodes[i].id);
        m->files[i].name = mem_text(buffer_string(&name));
        buffer_free(&name);
        if (open_file(m, i, err) < 0) {
            metrics_free(m);
            return NULL;
        }
        release_file(m, i);
    }
    return m;
}

struct buffer *metrics_buffer(struct metrics *m, int i)
{
    return m->files[i].name ? &m->files[i].rows : NULL;
}

static int flush_file(struct metrics *m, int i)
{
    struct file *f = &m->files[i];
    if (m->failure.code || open_file(m, i, &m->failure) < 0)
        return -1;
    size_t done = write_all(f->fd, f->rows.data, f->whole);
    if (done < f->whole) {
        folder_failed(m->folder, f->name, &m->failure);
        while (done > 0 && f->rows.data[done - 1] != '\n')
            done--;
        if (ftruncate(f->fd, f->written + (int64_t)done) < 0)
            error_add(&m->failure, "its last row is cut");
        return -1;
    }
    f->written += (int64_t)done;
    buffer_drop(&f->rows, done);
    f->whole = 0;
    release_file(m, i);
    return 0;
}

static int result(const struct metrics *m, struct error *err)
{
    if (!m->failure.code)
        return 0;
    error_set(err, m->failure.code, "%s", m->failure.text);
    return -1;
}

int metrics_barrier(struct metrics *m, struct error *err)
{
    int waiting = 0;
    for (int i = 0; i < m->count; i++) {
        struct file *f = &m->files[i];
        f->whole = f->rows.len;
        waiting += f->whole > 0;
    }
    if (!waiting)
        return result(m, err);
    int64_t now = clock_ms();
    bool all = waiting <= METRICS_AT_ONCE || now - m->last_flush_ms >= METRICS_DELAY_MS;
    if (all)
        m->last_flush_ms = now;
    for (int i = 0; i < m->count; i++)
        if (m->files[i].whole && (all || m->files[i].whole >= METRICS_HELD) && flush_file(m, i) < 0)
            break;
    return result(m, err);
}

int metrics_flush(struct metrics *m, struct error *err)
{
    for (int i = 0; i < m->count; i++)
        if (m->files[i].whole && flush_file(m, i) < 0)
            break;
    return result(m, err);
}

uint64_t metrics_size(const struct metrics *m, int i)
{
    return (uint64_t)m->files[i].written + m->files[i].whole;
}

size_t metrics_tail(struct metrics *m, int i, char *buf, size_t size)
{
    struct file *f = &m->files[i];
    size_t room = size - 1, held = f->whole < room ? f->whole : room, old = 0;
    if (f->made && held == f->whole && room > held) {
        struct error err = { 0 }; /* no failure of the run: somebody wanted to look */
        if (open_file(m, i, &err) < 0)
            return 0;
        int64_t want = (int64_t)(room - held), from = f->written > want ? f->written - want : 0;
        ssize_t n = pread(f->fd, buf, (size_t)(f->written - from), from);
        old = n > 0 ? (size_t)n : 0;
        release_file(m, i);
    }
    if (held) /* else there may be no rows at all */
        memcpy(buf + old, f->rows.data + f->whole - held, held);
    size_t len = old + held, cut = 0;
    if (f->written + (int64_t)f->whole > (int64_t)len) {
        const char *line = memchr(buf, '\n', len);
        cut = line ? (size_t)(line - buf) + 1 : len;
    }
    memmove(buf, buf + cut, len - cut);
    buf[len - cut] = '\0';
    return len - cut;
}
