/* Runs a fuzzer's entry on files, and on all files of folders: the corpus as a test, with any compiler. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    uint8_t *data = NULL;
    size_t size = 0, room = 0;
    if (!f) {
        perror(path);
        return -1;
    }
    do {
        room += 65536;
        data = realloc(data, room);
        if (!data)
            abort();
        size += fread(data + size, 1, room - size, f);
    } while (size == room);
    fclose(f);
    LLVMFuzzerTestOneInput(data, size);
    free(data);
    return 1;
}

/* How many files were run, or -1. */
static int replay(const char *path)
{
    struct stat st;
    if (stat(path, &st) < 0 || !S_ISDIR(st.st_mode))
        return replay_file(path);
    DIR *folder = opendir(path);
    int count = 0;
    if (!folder) {
        perror(path);
        return -1;
    }
    for (const struct dirent *e; (e = readdir(folder)) != NULL;) {
        char inner[4096];
        if (*e->d_name == '.')
            continue;
        snprintf(inner, sizeof inner, "%s/%s", path, e->d_name);
        if (replay_file(inner) < 0) {
            closedir(folder);
            return -1;
        }
        count++;
    }
    closedir(folder);
    return count;
}

int main(int argc, char **argv)
{
    int total = 0;
    for (int i = 1; i < argc; i++) {
        int count = replay(argv[i]);
        if (count < 0)
            return 1;
        total += count;
    }
    printf("%d inputs replayed\n", total);
    return total == 0;
}
