#include "trace/wall.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/memory.h"
#include "trace/write.h"

struct wall {
    struct folder *folder;
    int fd;
    int64_t start_us;
    struct error failure;
};

struct wall *wall_new(struct folder *f, struct error *err)
{
    int fd = folder_create(f, "wall.jsonl", err);
    if (fd < 0)
        return NULL;
    struct wall *w = mem_alloc(sizeof *w);
    w->folder = f;
    w->fd = fd;
    w->start_us = clock_us();
    return w;
}

void wall_free(struct wall *w)
{
    if (!w)
        return;
    close(w->fd);
    free(w);
}

void wall_note(struct wall *w, simtime now, const char *event, const char *keys)
{
    struct buffer line = { 0 };
    if (w->failure.code)
        return;
    buffer_format(&line, "{\"wall_us\":%lld,\"t\":%lld,\"event\":\"%s\"%s%s}\n", (long long)(clock_us() - w->start_us),
                  (long long)now, event, *keys ? "," : "", keys);
    if (write_all(w->fd, line.data, line.len) < line.len)
        folder_failed(w->folder, "wall.jsonl", &w->failure);
    buffer_free(&line);
}

int wall_result(const struct wall *w, struct error *err)
{
    if (!w->failure.code)
        return 0;
    error_set(err, w->failure.code, "%s", w->failure.text);
    return -1;
}
