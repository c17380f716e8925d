/* libFuzzer entry for history.bin: any bytes behind a good header, and as a whole file, are moved through. What is
 * found at a time is of that time, and found again. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/varint.h"
#include "trace/history.h"
#include "trace/past.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NODES           3
#define MUST(condition) ((condition) ? (void)0 : give_up(#condition, __LINE__))

static void give_up(const char *what, int line)
{
    fprintf(stderr, "line %d: this does not hold: %s\n", line, what);
    abort();
}

static int make_file(const uint8_t *data, size_t size, bool with_header)
{
    struct buffer bytes = { 0 };
    static const char zeros[HISTORY_HEADER] = { 0 };
    if (with_header) {
        buffer_text(&bytes, HISTORY_MAGIC);
        varint_add(&bytes, HISTORY_SLOT_MIN);
        varint_add(&bytes, NODES);
        varint_add(&bytes, 1);
        buffer_add(&bytes, zeros, HISTORY_HEADER - bytes.len);
    }
    buffer_add(&bytes, (const char *)data, size);
    int fd = memfd_create("history", MFD_CLOEXEC);
    MUST(fd >= 0 && write(fd, bytes.data ? bytes.data : "", bytes.len) == (ssize_t)bytes.len);
    buffer_free(&bytes);
    return fd;
}

static void look_around(struct past *p)
{
    static const simtime times[] = { 0, 1, 1000, 999999, 1000000, INT64_MAX - 1 };
    bool any = past_seek_end(p);
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        if (!past_seek(p, times[i]))
            continue;
        struct moment_run found = *past_run(p);
        struct moment_node node = *past_node(p, NODES - 1);
        MUST(any && found.v[MOMENT_NOW] <= times[i]);
        past_seek_record(p, (uint64_t)i * 3);
        past_seek_end(p);
        if (past_seek(p, times[i])) {
            MUST(memcmp(past_run(p), &found, sizeof found) == 0);
            MUST(memcmp(past_node(p, NODES - 1), &node, sizeof node) == 0);
        }
        for (int n = 0; n < NODES; n++)
            MUST(strlen(past_cause(p, n)) < HISTORY_SLOT_MIN);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (int with_header = 0; with_header < 2; with_header++) {
        struct error err = { 0 };
        struct past *p = past_open(make_file(data, size, with_header), NODES, &err);
        MUST(p || (err.code && *err.text));
        if (p)
            look_around(p);
        past_free(p);
    }
    return 0;
}
