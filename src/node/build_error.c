#include "node/build_error.h"

#include <stdbool.h>
#include <string.h>

#include "base/buffer.h"

#define DUMP_LEAST 40  /* bytes in braces that nobody wants to read */
#define WORDS_MAX  400 /* bytes of an engine's words that are shown */

/* Words of Docker 20.10 or Podman 4.3, and what they mean. The first that is there counts. */
static const struct {
    const char *words, *meaning;
} known[] = {
    { "no space left on device", "no space left on device" },
    { "file not found in build context",
      "there is no such file in docker.build_context, or .dockerignore leaves it out" },
    { "possible escaping context", "a file outside of docker.build_context cannot be had; move it into that folder" },
    { "forbidden path outside", "a file outside of docker.build_context cannot be had; move it into that folder" },
    { "copier: stat", "there is no such file in docker.build_context, or .dockerignore leaves it out" },
    { "nknown instruction", "a Dockerfile has no such instruction; look at its spelling" },
    { "returned a non-zero code", "the command failed; what it said is in the node's log" },
    { "while running runtime: exit status", "the command failed; what it said is in the node's log" },
    { "unable to start container process", "the program is not in the image, or cannot be run there" },
    { "no build stage in current context", "a Dockerfile begins with FROM, and this one does not" },
    { "no FROM statement", "a Dockerfile begins with FROM, and this one does not" },
    { "cannot be empty", "the Dockerfile is empty" },
    { "no contents in", "the Dockerfile is empty" },
    { "creating build container",
      "the image in FROM is not on the engine, and could not be pulled; build or load it first" },
};

/* What has no meaning outside of the engine: from one to the other, and both with it. */
static const struct {
    const char *from, *to;
} useless[] = {
    { "building at STEP \"", "\": " }, /* it is said which step it was */
    { "checking on sources under \"", "\": " },
    { "Build error: ", "" },
};

static void cut(char *text, const char *from, const char *to)
{
    char *begin = strstr(text, from), *end = begin ? strstr(begin + strlen(from), to) : NULL;
    if (end)
        memmove(begin, end + strlen(to), strlen(end + strlen(to)) + 1);
}

/* "&name.Type{Field:…}", to its last brace, or where it was cut. */
static void drop_dumps(struct buffer *words)
{
    struct buffer rest = { 0 };
    const char *s = buffer_string(words);
    while (*s) {
        size_t len = 0;
        int depth = 0;
        do
            depth += (s[len] == '{') - (s[len] == '}');
        while (s[++len] && depth > 0);
        bool is_dump = len >= DUMP_LEAST;
        buffer_add(&rest, is_dump ? "{…}" : s, is_dump ? strlen("{…}") : len);
        s += len;
    }
    buffer_free(words);
    *words = rest;
}

static void shorten(struct buffer *words)
{
    size_t len = WORDS_MAX;
    if (words->len <= WORDS_MAX)
        return;
    while (len && ((unsigned char)words->data[len] & 0xC0) == 0x80)
        len--;
    words->len = len;
    buffer_text(words, "…");
}

/* "FROM x" with a registry that does not answer, which Docker tells in the words of that alone. */
static const char *meaning_of(const char *step, const char *words)
{
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strstr(words, known[i].words))
            return known[i].meaning;
    bool is_pull =
        strstr(step, ": FROM ") && (strstr(words, "dial tcp") || strstr(words, "pull") || strstr(words, "manifest"));
    return is_pull ? "the image in FROM is not on the engine, and could not be pulled; build or load it first" : NULL;
}

void build_error_say(struct error *err, const char *what, const char *step, const char *words)
{
    struct buffer shown = { 0 };
    const char *meaning = meaning_of(step, words);
    buffer_text(&shown, words);
    buffer_string(&shown);
    for (size_t i = 0; i < sizeof useless / sizeof useless[0]; i++)
        cut(shown.data, useless[i].from, useless[i].to);
    shown.len = strlen(shown.data);
    drop_dumps(&shown);
    shorten(&shown);
    error_set(err, EXIT_LAUNCH, "%s: %s%s%s%s%s%s", what, step, *step ? ": " : "", meaning ? meaning : "",
              meaning ? " (" : "", buffer_string(&shown), meaning ? ")" : "");
    buffer_free(&shown);
}
