#include "ui/recall.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "ui/editor.h"

#define FILE_MOST (4u << 20) /* bytes; of a larger file nothing is taken */

static void push(struct recall *h, const char *line)
{
    if (h->count && !strcmp(h->lines[h->count - 1], line))
        return;
    if (h->count == RECALL_MOST) {
        free(h->lines[0]);
        memmove(h->lines, h->lines + 1, (RECALL_MOST - 1) * sizeof *h->lines);
        h->count--;
    }
    h->lines[h->count++] = mem_text(line);
}

/* A line that can stand at a prompt. */
static bool is_fit(const char *line, size_t len)
{
    if (!len || len >= sizeof((struct editor *)0)->text)
        return false;
    for (size_t i = 0, n; i < len; i += n) {
        uint32_t c;
        n = utf8_decode(line + i, len - i, &c);
        if (!n || !utf8_is_safe(c))
            return false;
    }
    return true;
}

static void read_file(struct recall *h)
{
    struct stat st;
    char *line = NULL;
    size_t size = 0;
    int fd = h->file ? open(h->file, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
    bool fit = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size <= (off_t)FILE_MOST;
    FILE *f = fit ? fdopen(fd, "r") : NULL;
    for (ssize_t len; f && (len = getline(&line, &size, f)) > 0;) {
        if (line[len - 1] == '\n')
            line[--len] = '\0';
        if (is_fit(line, (size_t)len))
            push(h, line);
    }
    free(line);
    if (f)
        fclose(f);
    else if (fd >= 0)
        close(fd);
}

static void forget(struct recall *h)
{
    for (size_t i = 0; i < h->count; i++)
        free(h->lines[i]);
    h->count = 0;
}

static char *usual_file(void)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    struct buffer path = { 0 };
    if (state && *state == '/') /* others are to be left alone, as the specification of these folders says */
        buffer_format(&path, "%s/lockstep/history", state);
    else if (home && *home == '/')
        buffer_format(&path, "%s/.local/state/lockstep/history", home);
    char *text = path.len ? mem_text(buffer_string(&path)) : NULL;
    buffer_free(&path);
    return text;
}

/* Where a link leads to; NULL for what is there and no file, which another file must not take the place of. */
static char *real_file(char *file)
{
    struct stat st;
    char *real = file ? realpath(file, NULL) : NULL;
    if (!real)
        return file;
    free(file);
    if (stat(real, &st) == 0 && S_ISREG(st.st_mode))
        return real;
    free(real);
    return NULL;
}

void recall_open(struct recall *h, bool usual)
{
    const char *given = getenv("LOCKSTEP_HISTORY");
    *h = (struct recall){ 0 };
    h->file = real_file(given && *given ? mem_text(given) : usual ? usual_file() : NULL);
    read_file(h);
    h->at = h->count;
}

void recall_free(struct recall *h)
{
    forget(h);
    free(h->file);
    free(h->own);
    *h = (struct recall){ 0 };
}

static void make_folders(const char *file)
{
    char *path = mem_text(file);
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(path, 0700);
        *slash = '/';
    }
    free(path);
}

static bool write_file(const struct recall *h)
{
    struct buffer text = { 0 }, name = { 0 };
    for (size_t i = 0; i < h->count; i++)
        buffer_format(&text, "%s\n", h->lines[i]);
    make_folders(h->file);
    buffer_format(&name, "%s.XXXXXX", h->file);
    buffer_string(&name);
    int fd = mkostemp(name.data, O_CLOEXEC);
    bool written = fd >= 0 && write(fd, text.data, text.len) == (ssize_t)text.len;
    if (fd >= 0)
        written &= close(fd) == 0;
    bool kept = written && rename(name.data, h->file) == 0;
    if (fd >= 0 && !kept)
        unlink(name.data);
    buffer_free(&text);
    buffer_free(&name);
    return kept;
}

void recall_add(struct recall *h, const char *line)
{
    if (is_fit(line, strlen(line))) {
        if (h->file) { /* with what others have added */
            struct recall now = { .file = h->file };
            read_file(&now);
            if (now.count) {
                forget(h);
                memcpy(h->lines, now.lines, now.count * sizeof *now.lines);
                h->count = now.count;
            }
        }
        push(h, line);
        if (h->file && !write_file(h)) { /* then what is in it does not count any more */
            free(h->file);
            h->file = NULL;
        }
    }
    recall_rest(h);
}

const char *recall_move(struct recall *h, bool back, const char *typed)
{
    if (back ? h->at == 0 : h->at >= h->count)
        return NULL;
    if (h->at == h->count) {
        free(h->own);
        h->own = mem_text(typed);
    }
    h->at += back ? (size_t)-1 : 1;
    return h->at < h->count ? h->lines[h->at] : h->own;
}

void recall_rest(struct recall *h)
{
    free(h->own);
    h->own = NULL;
    h->at = h->count;
}
