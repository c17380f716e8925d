#include "trace/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/hint.h"
#include "base/json.h"
#include "base/memory.h"

#define LOGS           "logs"
#define RUNS_MAX       1000000      /* folders of one name and seed that are tried */
#define LINE_MAX_BYTES (64u << 20) /* of the first line of an earlier run */

struct folder {
    char *path;
    int directory, events;
    bool numbered;    /* made under a name of our own choice */
    bool made_folder; /* it was not there before */
    bool made_events;
    char **made;      /* the other files that were made */
    size_t made_count, made_capacity;
};

static int cannot(struct error *err, const char *what, const char *path)
{
    error_set(err, EXIT_LAUNCH, "cannot %s %s: %s; choose another place with --out", what, path, strerror(errno));
    return -1;
}

/* Makes the folder and those above it. Returns 1 where the last one was there already. */
static int make_path(const char *path, struct error *err)
{
    char *copy = mem_text(path);
    int made = 0;
    for (char *at = copy + 1; made >= 0; at++) {
        char end = *at;
        if (end != '/' && end != '\0')
            continue;
        *at = '\0';
        made = mkdir(copy, 0777) == 0 ? 0 : errno == EEXIST ? 1 : cannot(err, "make the run folder", path);
        *at = end;
        if (!end)
            break;
    }
    free(copy);
    return made;
}

/* The name as a part of a path: what could leave the folder or trouble a shell becomes '_'. */
static void add_name(struct buffer *b, const char *name)
{
    for (const char *c = name; *c && c - name < 100; c++) {
        bool plain = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') || *c == '_' ||
                     *c == '-' || (*c == '.' && c != name);
        buffer_add(b, plain ? c : "_", 1);
    }
}

static char *make_numbered(const struct scenario *s, struct error *err)
{
    struct buffer base = { 0 };
    if (make_path("runs", err) < 0)
        return NULL;
    buffer_text(&base, "runs/");
    add_name(&base, s->name);
    buffer_format(&base, "-seed%llu-", (unsigned long long)s->seed);
    size_t len = base.len;
    for (int k = 1; k <= RUNS_MAX; k++) {
        base.len = len;
        buffer_i64(&base, k);
        if (mkdir(buffer_string(&base), 0777) == 0)
            return base.data;
        if (errno != EEXIST)
            break;
    }
    cannot(err, "make the run folder", buffer_string(&base));
    buffer_free(&base);
    return NULL;
}

/* The first line of the open events.jsonl, as JSON; NULL where it is not of a run. */
static struct json *read_run(int events)
{
    static const char start[] = "{\"n\":0,\"t\":0,\"kind\":\"run\"";
    struct buffer line = { 0 };
    struct json *run = NULL;
    const char *why, *end = NULL;
    ssize_t n = 1;
    while (!end && n > 0 && line.len < LINE_MAX_BYTES) {
        buffer_grow(&line, 65536);
        n = pread(events, line.data + line.len, 65536, (off_t)line.len);
        end = n > 0 ? memchr(line.data + line.len, '\n', (size_t)n) : NULL;
        line.len += n > 0 ? (size_t)n : 0;
    }
    if (end && line.len >= sizeof start && memcmp(line.data, start, sizeof start - 1) == 0)
        run = json_parse(line.data, (size_t)(end - line.data), &why);
    buffer_free(&line);
    return run;
}

static void remove_file(const struct folder *f, const char *before, const char *id, const char *after)
{
    struct buffer name = { 0 };
    buffer_format(&name, "%s%s%s", before, id, after);
    unlinkat(f->directory, buffer_string(&name), 0);
    buffer_free(&name);
}

/* The files of that run; others, whatever their names, stay. */
static void remove_earlier_run(const struct folder *f, const struct json *run)
{
    static const char *const names[] = { "scenario.yaml", "history.bin", "flight.bin", "wall.jsonl", "summary.json" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        unlinkat(f->directory, names[i], 0);
    const struct json *nodes = json_get(run, "nodes");
    for (size_t i = 0; i < json_count(nodes); i++) {
        const char *id = json_string(json_at(nodes, i), "");
        if (strchr(id, '/'))
            continue; /* no id that lockstep wrote */
        remove_file(f, "", id, "_metrics.csv");
        remove_file(f, LOGS "/", id, ".log");
    }
    unlinkat(f->directory, LOGS, AT_REMOVEDIR); /* where nothing else is in it */
}

/* The scenario that is to run may be the one that an earlier run left in this folder. */
static bool holds_scenario(const struct folder *f, const struct scenario *s)
{
    struct stat in_folder, loaded;
    return fstatat(f->directory, "scenario.yaml", &in_folder, 0) == 0 && stat(s->file, &loaded) == 0 &&
           in_folder.st_dev == loaded.st_dev && in_folder.st_ino == loaded.st_ino;
}

/* A folder with other things in it and no run is hardly meant, be it that of the scenarios. Hidden files do not count:
 * it looks empty. */
static int refuse_foreign(const struct folder *f, struct error *err)
{
    struct stat st;
    char other[256] = "";
    DIR *listing = f->made_folder || fstatat(f->directory, "events.jsonl", &st, 0) == 0 ? NULL : opendir(f->path);
    for (const struct dirent *entry; listing && !*other && (entry = readdir(listing));)
        if (entry->d_name[0] != '.')
            snprintf(other, sizeof other, "%s", entry->d_name);
    if (listing)
        closedir(listing);
    if (*other)
        error_set(err, EXIT_LAUNCH,
                  "%s holds other things ('%s') and no earlier run; choose a folder that is new or empty with --out, "
                  "for example --out %s%srun",
                  f->path, shown(other).text, f->path, f->path[strlen(f->path) - 1] == '/' ? "" : "/");
    return *other ? -1 : 0;
}

static int open_events(struct folder *f, const struct scenario *s, struct error *err)
{
    f->events = openat(f->directory, "events.jsonl", O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    f->made_events = f->events >= 0;
    if (!f->made_events && errno == EEXIST)
        f->events = openat(f->directory, "events.jsonl", O_RDWR | O_CLOEXEC);
    if (f->events < 0)
        return folder_failed(f, "events.jsonl", err);
    struct stat st;
    if (fstat(f->events, &st) < 0)
        return folder_failed(f, "events.jsonl", err);
    if (!S_ISREG(st.st_mode)) {
        error_set(err, EXIT_LAUNCH, "%s/events.jsonl is no regular file; choose another folder with --out", f->path);
        return -1;
    }
    if (flock(f->events, LOCK_EX | LOCK_NB) < 0) {
        error_set(err, EXIT_LAUNCH, "another lockstep is writing to %s; choose another folder with --out", f->path);
        return -1;
    }
    struct json *run = read_run(f->events);
    if (!run && st.st_size > 0)
        error_set(err, EXIT_LAUNCH,
                  "%s/events.jsonl is not of a lockstep run; move it away, or choose another folder with --out",
                  f->path);
    else if (holds_scenario(f, s))
        error_set(err, EXIT_LAUNCH,
                  "%s holds the scenario that is to run, which its results would replace; choose another "
                  "folder with --out",
                  f->path);
    else if (run)
        remove_earlier_run(f, run);
    json_free(run);
    if (err->code)
        return -1;
    if (ftruncate(f->events, 0) < 0)
        return folder_failed(f, "events.jsonl", err);
    return 0;
}

bool folder_is_numbered(const struct folder *f)
{
    return f->numbered;
}

void folder_discard(const struct folder *f)
{
    for (size_t i = 0; i < f->made_count; i++)
        unlinkat(f->directory, f->made[i], 0);
    if (f->made_events)
        unlinkat(f->directory, "events.jsonl", 0);
    unlinkat(f->directory, LOGS, AT_REMOVEDIR);
    if (f->made_folder)
        rmdir(f->path);
    if (f->numbered)
        rmdir("runs"); /* where it held nothing else */
}

struct folder *folder_open(const char *path, const struct scenario *s, struct error *err)
{
    struct folder *f = mem_alloc(sizeof *f);
    f->directory = f->events = -1;
    f->numbered = !path;
    int there = path ? make_path(path, err) : 0;
    f->made_folder = there == 0;
    if (!path)
        f->path = make_numbered(s, err);
    else if (there >= 0)
        f->path = mem_text(path);
    if (f->path) {
        f->directory = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (f->directory < 0)
            cannot(err, "open the run folder", f->path);
        else if (refuse_foreign(f, err) == 0 && open_events(f, s, err) == 0)
            return f;
        folder_discard(f);
    }
    folder_free(f);
    return NULL;
}

void folder_free(struct folder *f)
{
    if (!f)
        return;
    if (f->events >= 0)
        close(f->events);
    if (f->directory >= 0)
        close(f->directory);
    for (size_t i = 0; i < f->made_count; i++)
        free(f->made[i]);
    free(f->made);
    free(f->path);
    free(f);
}

const char *folder_path(const struct folder *f)
{
    return f->path;
}

int folder_events(const struct folder *f)
{
    return f->events;
}

int folder_create(struct folder *f, const char *name, struct error *err)
{
    if (!strncmp(name, LOGS "/", sizeof LOGS))
        mkdirat(f->directory, LOGS, 0777); /* what is wrong with it is found when the file is made */
    int fd = openat(f->directory, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0 && errno == EEXIST)
        error_set(err, EXIT_LAUNCH,
                  "%s/%s is there already and not of a lockstep run; move it away, or choose another folder with --out",
                  f->path, name);
    if (fd < 0)
        return folder_failed(f, name, err);
    f->made = mem_grow(f->made, f->made_count, &f->made_capacity, sizeof *f->made);
    f->made[f->made_count++] = mem_text(name);
    return fd;
}

int folder_append(const struct folder *f, const char *name, struct error *err)
{
    int fd = openat(f->directory, name, O_RDWR | O_APPEND | O_CLOEXEC);
    return fd < 0 ? folder_failed(f, name, err) : fd;
}

int folder_failed(const struct folder *f, const char *name, struct error *err)
{
    error_set(err, EXIT_LAUNCH, "cannot write %s/%s: %s", f->path, name, strerror(errno));
    return -1;
}
