#include "node/context.h"

#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/clock.h"
#include "base/memory.h"
#include "base/path.h"
#include "base/utf8.h"
#include "node/ignore.h"

#define PIECE 65536u /* bytes that are read at once */

struct entry {
    struct entry *folder; /* that it is in; NULL: the context itself */
    struct entry *next;   /* of the folders that are still to be listed */
    const char *path;     /* relative to the context */
    const char *target;   /* of a symbolic link */
    struct stat is;
    bool sent; /* a folder that is left out is sent where something in it is */
};

struct context {
    char *name; /* as the scenario has it */
    char *dockerfile;
    int root;
    struct ignore *ignore;
    struct arena *arena;
    enum context_state state;
    struct error err; /* once failed */
    /* finding */
    struct entry **entries;
    size_t count, capacity;
    struct entry *folders, *listed; /* still to be listed; being listed, NULL: the context itself */
    DIR *dir;
    bool begun, found_all;
    uint64_t size; /* of all files */
    const struct entry *largest;
    /* writing */
    struct archive *archive;
    bool is_over; /* nobody wants the rest */
    struct buffer bytes;
    size_t at; /* the entry that is being written */
    int file;  /* that is being read, or -1 */
    uint64_t left;
    size_t sent;
    /* notes */
    char *notes[CONTEXT_NOTES_MAX];
    size_t left_out;
    char more[64];
};

static void fail(struct context *c, const char *path, const char *what, int code)
{
    if (code == ENOENT)
        error_set(&c->err, EXIT_LAUNCH, "build context '%s': '%s' vanished while the context was read; build again "
                  "when nothing changes it, or name it in .dockerignore", c->name, path);
    else
        error_set(&c->err, EXIT_LAUNCH, "build context '%s': '%s' %s: %s; make it readable, or name it in "
                  ".dockerignore", c->name, path, what, strerror(code));
}

static void fail_archive(struct context *c, const char *path)
{
    const char *why = archive_error_string(c->archive);
    error_set(&c->err, EXIT_LAUNCH, "build context '%s': '%s' cannot be archived: %s", c->name, path,
              why ? why : "no reason is known");
}

static void note(struct context *c, const char *path, mode_t mode)
{
    const char *kind = S_ISSOCK(mode) ? "a socket" : S_ISFIFO(mode) ? "a FIFO" : "a device";
    struct buffer line = { 0 };
    if (c->left_out++ >= CONTEXT_NOTES_MAX)
        return;
    buffer_text(&line, "left out of the build context: ");
    utf8_escape(&line, path, strlen(path));
    buffer_format(&line, " is %s", kind);
    c->notes[c->left_out - 1] = mem_text(buffer_string(&line));
    buffer_free(&line);
}

/* ---- opening ---- */

/* What the archive calls the Dockerfile: its folder's links are resolved, it itself may be one. */
static char *dockerfile_name(const char *folder, const char *dockerfile, struct error *err)
{
    char given[2 * PATH_MAX], root[PATH_MAX], whole[PATH_MAX], parent[PATH_MAX];
    struct stat is;
    bool is_absolute = *dockerfile == '/';
    snprintf(given, sizeof given, "%s%s%s", is_absolute ? "" : folder, is_absolute ? "" : "/", dockerfile);
    if (!realpath(folder, root) || !realpath(given, whole) || stat(whole, &is) < 0) {
        error_set(err, EXIT_LAUNCH, "build context '%s': the Dockerfile '%s' cannot be read: %s; write one, or set "
                  "docker.dockerfile", folder, dockerfile, strerror(errno));
        return NULL;
    }
    if (!S_ISREG(is.st_mode)) {
        error_set(err, EXIT_LAUNCH, "build context '%s': the Dockerfile '%s' is no file; set docker.dockerfile to one",
                  folder, dockerfile);
        return NULL;
    }
    char *name = strrchr(given, '/');
    char *at = name == given ? given + 1 : name; /* "/Dockerfile" is in "/" */
    struct buffer path = { 0 };
    buffer_add(&path, given, (size_t)(at - given));
    const char *in = NULL;
    if (path_inside(root, whole) && realpath(buffer_string(&path), parent))
        in = strcmp(parent, root) == 0 ? "" : path_inside(root, parent);
    buffer_free(&path);
    if (!in) {
        error_set(err, EXIT_LAUNCH, "the Dockerfile '%s' is outside of the build context '%s', and an engine is sent "
                  "nothing else; move it into that folder, or set docker.build_context to one that holds both",
                  dockerfile, folder);
        return NULL;
    }
    buffer_format(&path, "%s%s%s", in, *in ? "/" : "", name + 1);
    char *result = mem_text(buffer_string(&path));
    buffer_free(&path);
    return result;
}

/* libarchive hands on what it wants to be written. */
static la_ssize_t keep_bytes(struct archive *a, void *data, const void *bytes, size_t len)
{
    (void)a;
    struct context *c = data;
    if (c->is_over)
        return -1; /* or it would fill up the file that it stopped in */
    buffer_add(&c->bytes, bytes, len);
    return (la_ssize_t)len;
}

/* GNU's tar format: of names it keeps the bytes, whatever the locale says that they are. */
static void open_archive(struct context *c)
{
    c->archive = archive_write_new();
    if (!c->archive || archive_write_set_format_gnutar(c->archive) != ARCHIVE_OK ||
        archive_write_add_filter_none(c->archive) != ARCHIVE_OK ||
        archive_write_set_bytes_per_block(c->archive, 0) != ARCHIVE_OK ||
        archive_write_open(c->archive, c, NULL, keep_bytes, NULL) != ARCHIVE_OK)
        abort();
}

struct context *context_new(const char *folder, const char *dockerfile, struct error *err)
{
    struct context *c = mem_alloc(sizeof *c);
    c->name = mem_text(folder);
    c->file = -1;
    c->arena = arena_new();
    c->root = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (c->root < 0)
        error_set(err, EXIT_LAUNCH, "build context '%s': %s; docker.build_context must be a folder that can be read",
                  folder, strerror(errno));
    if (!err->code)
        c->dockerfile = dockerfile_name(folder, dockerfile ? dockerfile : "Dockerfile", err);
    if (!err->code)
        c->ignore = ignore_load(folder, c->dockerfile, err);
    if (err->code) {
        context_free(c);
        return NULL;
    }
    return c;
}

void context_free(struct context *c)
{
    if (!c)
        return;
    if (c->dir)
        closedir(c->dir);
    if (c->file >= 0)
        close(c->file);
    if (c->root >= 0)
        close(c->root);
    c->is_over = true;
    archive_write_free(c->archive);
    ignore_free(c->ignore);
    arena_free(c->arena);
    for (size_t i = 0; i < CONTEXT_NOTES_MAX; i++)
        free(c->notes[i]);
    buffer_free(&c->bytes);
    free(c->entries);
    free(c->dockerfile);
    free(c->name);
    free(c);
}

/* ---- finding what is there ---- */

static void keep(struct context *c, const struct entry *found)
{
    struct entry *e = arena_alloc(c->arena, sizeof *e);
    *e = *found;
    e->path = arena_text(c->arena, found->path, strlen(found->path));
    if (found->target)
        e->target = arena_text(c->arena, found->target, strlen(found->target));
    for (struct entry *f = e->sent ? e->folder : NULL; f && !f->sent; f = f->folder)
        f->sent = true;
    c->entries = mem_grow(c->entries, c->count, &c->capacity, sizeof(struct entry *));
    c->entries[c->count++] = e;
    if (S_ISDIR(e->is.st_mode)) {
        e->next = c->folders;
        c->folders = e;
    }
    if (S_ISREG(e->is.st_mode)) {
        uint64_t size = (uint64_t)e->is.st_size;
        c->size = size > UINT64_MAX - c->size ? UINT64_MAX : c->size + size;
        if (!c->largest || e->is.st_size > c->largest->is.st_size)
            c->largest = e;
    }
}

/* One name of the folder that is being listed. */
static void find(struct context *c, const char *name)
{
    char path[PATH_MAX], target[PATH_MAX];
    struct entry e = { .folder = c->listed, .path = path };
    int len = snprintf(path, sizeof path, "%s%s%s", c->listed ? c->listed->path : "", c->listed ? "/" : "", name);
    if ((size_t)len >= sizeof path) {
        fail(c, c->listed ? c->listed->path : ".", "is too deep", ENAMETOOLONG);
        return;
    }
    e.sent = !ignore_leaves_out(c->ignore, path);
    if (!e.sent && !ignore_must_enter(c->ignore, path))
        return;
    if (fstatat(c->root, path, &e.is, AT_SYMLINK_NOFOLLOW) < 0) {
        if (e.sent)
            fail(c, path, "cannot be read", errno);
        return;
    }
    if (!e.sent && !S_ISDIR(e.is.st_mode))
        return;
    if (S_ISLNK(e.is.st_mode)) {
        ssize_t n = readlinkat(c->root, path, target, sizeof target - 1);
        if (n < 0) {
            fail(c, path, "cannot be read", errno);
            return;
        }
        target[n] = '\0';
        e.target = target;
    } else if (!S_ISREG(e.is.st_mode) && !S_ISDIR(e.is.st_mode)) {
        note(c, path, e.is.st_mode);
        return;
    }
    if (c->count >= CONTEXT_ENTRIES_MAX)
        error_set(&c->err, EXIT_LAUNCH, "build context '%s': more than %d files and folders; name what the image does "
                  "not need in .dockerignore", c->name, CONTEXT_ENTRIES_MAX);
    else
        keep(c, &e);
}

static void open_folder(struct context *c, struct entry *folder)
{
    const char *path = folder ? folder->path : ".";
    int fd = openat(c->root, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    c->dir = fd < 0 ? NULL : fdopendir(fd);
    c->listed = folder;
    if (c->dir)
        return;
    int code = errno;
    if (fd >= 0)
        close(fd);
    if (!folder || folder->sent || code != ENOENT)
        fail(c, path, "cannot be listed", code);
}

static int by_path(const void *a, const void *b)
{
    const struct entry *const *x = a, *const *y = b;
    return strcmp((*x)->path, (*y)->path);
}

static void check_size(struct context *c)
{
    if (c->size <= CONTEXT_SIZE_MAX)
        return;
    error_set(&c->err, EXIT_LAUNCH,
              "build context '%s': %.1f MiB in %zu files and folders, more than %d MiB (the largest is '%s', %.1f "
              "MiB); name what the image does not need in .dockerignore", c->name, (double)c->size / 0x100000, c->count,
              (int)(CONTEXT_SIZE_MAX >> 20), c->largest->path, (double)c->largest->is.st_size / 0x100000);
}

/* Takes one more name of the folder that is being listed. */
static void list_more(struct context *c)
{
    errno = 0;
    const struct dirent *d = readdir(c->dir);
    if (d) {
        if (strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0)
            find(c, d->d_name);
        return;
    }
    if (errno)
        fail(c, c->listed ? c->listed->path : ".", "cannot be listed", errno);
    closedir(c->dir);
    c->dir = NULL;
}

static void find_more(struct context *c)
{
    struct entry *folder = c->folders;
    if (c->dir) {
        list_more(c);
    } else if (!c->begun) {
        c->begun = true;
        open_folder(c, NULL);
    } else if (folder) {
        c->folders = folder->next;
        open_folder(c, folder);
    } else {
        c->found_all = true;
        if (c->count)
            qsort(c->entries, c->count, sizeof(struct entry *), by_path);
        check_size(c);
    }
}

/* ---- writing the archive ---- */

static void start_file(struct context *c, const struct entry *e)
{
    struct stat is;
    c->file = openat(c->root, e->path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (c->file < 0 || fstat(c->file, &is) < 0)
        fail(c, e->path, "cannot be read", errno);
    else if (!S_ISREG(is.st_mode))
        error_set(&c->err, EXIT_LAUNCH, "build context '%s': '%s' became something else while the context was read; "
                  "build again when nothing changes it", c->name, e->path);
    c->left = (uint64_t)e->is.st_size;
}

static void write_header(struct context *c, const struct entry *e)
{
    struct archive_entry *header = archive_entry_new();
    if (!header)
        abort();
    archive_entry_set_pathname(header, e->path);
    archive_entry_set_mode(header, e->is.st_mode);
    archive_entry_set_mtime(header, e->is.st_mtime, 0);
    archive_entry_set_uid(header, 0);
    archive_entry_set_gid(header, 0);
    archive_entry_set_size(header, S_ISREG(e->is.st_mode) ? e->is.st_size : 0);
    if (e->target)
        archive_entry_set_symlink(header, e->target);
    if (archive_write_header(c->archive, header) != ARCHIVE_OK)
        fail_archive(c, e->path);
    archive_entry_free(header);
    c->sent++;
}

/* Takes one more piece of the file. */
static void write_piece(struct context *c, const struct entry *e)
{
    char piece[PIECE];
    size_t want = c->left < sizeof piece ? (size_t)c->left : sizeof piece;
    ssize_t n = read(c->file, piece, want ? want : 1); /* behind its end there must be nothing */
    if (n < 0 && errno == EINTR)
        return;
    if (n < 0) {
        fail(c, e->path, "cannot be read", errno);
    } else if ((n == 0) != (want == 0)) {
        error_set(&c->err, EXIT_LAUNCH, "build context '%s': '%s' %s while it was read (it had %" PRIdMAX " bytes); "
                  "build again when nothing writes to it, or name it in .dockerignore", c->name, e->path,
                  n ? "grew" : "shrank", (intmax_t)e->is.st_size);
    } else if (n > 0) {
        if (archive_write_data(c->archive, piece, (size_t)n) != (la_ssize_t)n)
            fail_archive(c, e->path);
        c->left -= (uint64_t)n;
        return;
    }
    close(c->file);
    c->file = -1;
    c->at++;
}

static void write_more(struct context *c)
{
    if (!c->archive)
        open_archive(c);
    if (c->at == c->count) {
        if (archive_write_close(c->archive) != ARCHIVE_OK)
            fail_archive(c, ".");
        c->state = CONTEXT_DONE;
        return;
    }
    const struct entry *e = c->entries[c->at];
    if (c->file >= 0) {
        write_piece(c, e);
        return;
    }
    if (e->sent && S_ISREG(e->is.st_mode))
        start_file(c, e);
    if (e->sent && !c->err.code)
        write_header(c, e);
    if (c->file < 0)
        c->at++;
}

enum context_state context_step(struct context *c, int64_t deadline_ns, struct error *err)
{
    while (c->state == CONTEXT_MORE) {
        if (c->found_all)
            write_more(c);
        else
            find_more(c);
        if (c->err.code)
            c->state = CONTEXT_FAILED;
        if (clock_ns() >= deadline_ns)
            break;
    }
    if (c->state == CONTEXT_FAILED)
        error_set(err, c->err.code, "%s", c->err.text);
    return c->state;
}

struct text context_archive(const struct context *c)
{
    return (struct text){ c->bytes.data, c->bytes.len };
}

const char *context_dockerfile(const struct context *c)
{
    return c->dockerfile;
}

size_t context_entries(const struct context *c)
{
    return c->sent;
}

const char *context_note(struct context *c, size_t i)
{
    if (i >= CONTEXT_NOTES_MAX || i >= c->left_out)
        return NULL;
    if (i + 1 < CONTEXT_NOTES_MAX || c->left_out == CONTEXT_NOTES_MAX)
        return c->notes[i];
    snprintf(c->more, sizeof c->more, "left out of the build context: %zu more like these",
             c->left_out - CONTEXT_NOTES_MAX + 1);
    return c->more;
}
