/* libFuzzer entry for .dockerignore: the first line is a path, the rest the file. Nothing may crash or take long; what
 * is in a folder that is left out, and that no exception reaches, is left out, too; and a path that is kept is kept. */
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "node/ignore.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition) ((condition) ? (void)0 : give_up(#condition, __LINE__))

static void give_up(const char *what, int line)
{
    fprintf(stderr, "line %d: this does not hold: %s\n", line, what);
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data, *newline = size ? memchr(text, '\n', size) : NULL;
    struct error err = { 0 };
    if (!newline || newline - text >= PATH_MAX || newline == text || memchr(text, '\0', (size_t)(newline - text)))
        return 0;
    char *path = mem_text_n(text, (size_t)(newline - text));
    const char *kept[] = { path, NULL }, *const none[] = { NULL };
    size_t len = size - (size_t)(newline + 1 - text);
    struct ignore *g = ignore_parse("fuzz", newline + 1, len, none, &err);
    MUST(!g == !!err.code);
    bool is_under = false; /* something that is left out, and nothing in it is wanted */
    for (char *slash = strchr(path, '/'); g && slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        bool out = ignore_leaves_out(g, path);
        MUST(!is_under || out);
        is_under = is_under || (out && !ignore_must_enter(g, path));
        *slash = '/';
    }
    MUST(!g || !is_under || ignore_leaves_out(g, path));
    ignore_free(g);
    g = g ? ignore_parse("fuzz", newline + 1, len, kept, &err) : NULL;
    MUST(!g || !ignore_leaves_out(g, path));
    ignore_free(g);
    free(path);
    return 0;
}
