#include "scenario/place.h"

#include <stdarg.h>

#include "base/hint.h"

#define DEEPEST 140 /* levels of a path; trees are not deeper */
#define SHOWN   12  /* of these, the first and the last ones are shown */

void place_write(struct buffer *out, const struct place *p)
{
    const struct place *chain[DEEPEST];
    size_t depth = 0;
    for (; p && depth < DEEPEST; p = p->up)
        chain[depth++] = p;
    for (size_t left = depth; left > 0;) {
        const struct place *at = chain[--left];
        if (depth > SHOWN && left == depth - SHOWN / 2) {
            buffer_text(out, "…");
            left = SHOWN / 2;
        }
        if (!at->key) {
            buffer_format(out, "[%zu]", at->index);
            continue;
        }
        struct shown key = shown(at->key);
        buffer_format(out, "%s%s", out->len ? "." : "", key.text);
    }
}

void place_tell(struct problems *problems, enum severity severity, struct mark mark, const struct place *place,
                const char *fmt, ...)
{
    struct buffer path = { 0 };
    char text[2000];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    place_write(&path, place);
    problems_add(problems, severity, mark, buffer_string(&path), "%s", text);
    buffer_free(&path);
}
