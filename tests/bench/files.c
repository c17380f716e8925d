#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/digest.h"
#include "bench.h"

#define BLOCK (1u << 20)

static bool failed(const char *path)
{
    fprintf(stderr, "bench: %s: %s\n", path, strerror(errno));
    return false;
}

void path_join(char out[PATH_MAX], const char *folder, const char *name)
{
    int n = snprintf(out, PATH_MAX, "%s/%s", folder, name);
    if (n < 0 || n >= PATH_MAX) {
        fprintf(stderr, "bench: the path %s/%s is too long\n", folder, name);
        exit(2);
    }
}

void path_of_run(char out[PATH_MAX], const struct bench *b, const char *name, int number)
{
    char numbered[64];
    snprintf(numbered, sizeof numbered, "%s-%d", name, number);
    path_join(out, b->work, numbered);
}

static int remove_entry(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    (void)st, (void)kind, (void)ftw;
    return remove(path);
}

bool remove_folder(const char *path)
{
    return nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS) == 0 || errno == ENOENT || failed(path);
}

bool empty_folder(const char *path)
{
    DIR *d = opendir(path);
    bool good = d || failed(path);
    for (struct dirent *e; good && (e = readdir(d));) {
        char file[PATH_MAX];
        path_join(file, path, e->d_name);
        if (*e->d_name != '.' && truncate(file, 0) != 0)
            good = failed(file);
    }
    if (d)
        closedir(d);
    return good;
}

bool count_lines(const char *path, uint64_t *lines, uint64_t *bytes)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char *block = malloc(BLOCK);
    ssize_t n = fd < 0 || !block ? -1 : 0;
    *lines = *bytes = 0;
    while (n >= 0 && (n = read(fd, block, BLOCK)) > 0) {
        *bytes += (uint64_t)n;
        for (const char *at = block; (at = memchr(at, '\n', (size_t)(block + n - at))); at++)
            ++*lines;
    }
    free(block);
    if (n < 0)
        failed(path);
    if (fd >= 0)
        close(fd);
    return n == 0;
}

/* The plain way to write these bytes: a block read, a block written. */
static bool copy_file(int from, int to, char *block, struct digest *digest, uint64_t *bytes)
{
    ssize_t n;
    while ((n = read(from, block, BLOCK)) > 0) {
        if (digest)
            digest_add(digest, block, (size_t)n);
        if (write(to, block, (size_t)n) != n)
            return false;
        *bytes += (uint64_t)n;
    }
    return n == 0;
}

static bool copy_named(const char *from, const char *to, const char *name, char *block, uint64_t *bytes)
{
    char source[PATH_MAX], target[PATH_MAX], hex[DIGEST_HEX];
    path_join(source, from, name);
    path_join(target, to, name);
    struct digest *digest = strcmp(name, "events.jsonl") == 0 ? digest_new() : NULL;
    int in = open(source, O_RDONLY | O_CLOEXEC), out = open(target, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    bool good = (in >= 0 && out >= 0 && copy_file(in, out, block, digest, bytes)) || failed(target);
    if (digest)
        digest_end(digest, hex);
    if (in >= 0)
        close(in);
    if (out >= 0 && close(out) != 0)
        good = failed(target);
    return good;
}

bool copy_folder(const char *from, const char *to, uint64_t *bytes, double *seconds)
{
    double start = now_seconds();
    char *block = malloc(BLOCK);
    DIR *d = opendir(from);
    bool good = (block && d && mkdir(to, 0777) == 0) || failed(from);
    *bytes = 0;
    for (struct dirent *e; good && (e = readdir(d));)
        if (*e->d_name != '.')
            good = copy_named(from, to, e->d_name, block, bytes);
    if (d)
        closedir(d);
    free(block);
    *seconds = now_seconds() - start;
    return good;
}

static int by_value(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

struct sample sample_of(double *values, size_t count)
{
    qsort(values, count, sizeof *values, by_value);
    return (struct sample){ values[0], values[count / 2] };
}

const char *held(bool yes)
{
    return yes ? "held" : "NOT HELD";
}

bool find_number(const char *folder, const char *name, const char *with, const char *key, double *value)
{
    char path[PATH_MAX], line[4096];
    bool found = false;
    path_join(path, folder, name);
    FILE *f = fopen(path, "r");
    while (f && !found && fgets(line, sizeof line, f)) {
        const char *at = strstr(line, with) ? strstr(line, key) : NULL;
        found = at && sscanf(at + strlen(key), "%lf", value) == 1;
    }
    if (f)
        fclose(f);
    if (!found)
        fprintf(stderr, "bench: no %s in %s\n", key, path);
    return found;
}
