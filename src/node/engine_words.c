/* What engines say, and what people can do about it. */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/utf8.h"
#include "node/engine.h"

#define ID_DIGITS 64
#define ID_SHOWN  12

/* An id of 64 digits is cut to the part that people know it by. */
static void add_words(struct buffer *out, const char *s, size_t len)
{
    struct buffer shorter = { 0 };
    for (size_t at = 0; at < len;) {
        size_t digits = 0;
        while (at + digits < len && strchr("0123456789abcdef", s[at + digits]) && s[at + digits])
            digits++;
        buffer_add(&shorter, s + at, digits == ID_DIGITS ? ID_SHOWN : digits);
        at += digits;
        if (at < len)
            buffer_add(&shorter, s + at++, 1);
    }
    utf8_escape(out, buffer_string(&shorter), shorter.len);
    buffer_free(&shorter);
}

void engine_words(const struct http_answer *a, char *out, size_t size)
{
    const char *why;
    struct json *body = json_parse(a->body.data, a->body.len, &why);
    const char *said = json_string(json_get(body, "message"), "");
    struct buffer safe = { 0 };
    if (*said)
        add_words(&safe, said, strlen(said));
    else
        add_words(&safe, a->body.data, a->body.len < 200 ? a->body.len : 200);
    while (safe.len && safe.data[safe.len - 1] == ' ')
        safe.len--;
    if (safe.len)
        snprintf(out, size, "%s (%d)", buffer_string(&safe), a->status);
    else
        snprintf(out, size, "(%d), and it does not say why", a->status);
    buffer_free(&safe);
    json_free(body);
}

bool exchange_ok(const struct exchange *x, const char *what, struct error *err)
{
    char words[700];
    if (x->answer.failure != HTTP_ANSWERED) {
        error_set(err, EXIT_RUN_FAILED, "%s: %s", what, x->answer.error.text);
        return false;
    }
    if (x->answer.status / 100 == 2 || x->answer.status == 304)
        return true;
    engine_words(&x->answer, words, sizeof words);
    error_set(err, EXIT_RUN_FAILED, "%s: %s", what, words);
    return false;
}

bool exchange_removed(const struct exchange *x, const char *what, struct error *err)
{
    const struct http_answer *a = &x->answer;
    if (!exchange_ok(x, what, err))
        return false;
    if (a->status == 204 || (a->body.len && a->body.data[0] == '['))
        return true;
    error_set(err, EXIT_RUN_FAILED, "%s: the engine answered, but not that it has done so (%d)", what, a->status);
    return false;
}

void engine_advise(struct error *err)
{
    size_t len = strlen(err->text);
    if (strstr(err->text, "no space left on device"))
        snprintf(err->text + len, sizeof err->text - len,
                 "; the engine's disk is full: make room on it (docker system prune, or "
                 "podman system prune)");
}

int engine_used_image(const struct http_answer *a, char *id, size_t size)
{
    const char *why;
    struct json *images = json_parse(a->body.data, a->body.len, &why);
    int used = images ? 0 : -1;
    for (size_t i = 0; i < json_count(images) && !used; i++) {
        const char *full = json_string(json_get(json_at(images, i), "Id"), "");
        if (json_int64(json_get(json_at(images, i), "Containers"), 0) <= 0)
            continue;
        snprintf(id, size, "%s", full + (strncmp(full, "sha256:", 7) == 0 ? 7 : 0));
        used = 1;
    }
    json_free(images);
    return used;
}
