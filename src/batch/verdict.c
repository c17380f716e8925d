#include "batch/verdict.h"

#include <inttypes.h>
#include <string.h>

#include "base/json.h"

static void add_text(struct buffer *b, const char *key, const char *value)
{
    buffer_format(b, "\"%s\": ", key);
    json_quote(b, value, strlen(value));
}

/* One that an option has brought in has that instead of a file. */
static void add_problem(struct buffer *b, const struct problem *p)
{
    bool is_option = !p->line && !strncmp(p->file, "--", 2);
    buffer_format(b, "    {\"severity\": \"%s\", ", p->severity == SEVERITY_ERROR ? "error" : "warning");
    add_text(b, is_option ? "option" : "file", p->file);
    if (p->line)
        buffer_format(b, ", \"line\": %d, \"column\": %d", p->line, p->column);
    if (*p->path) {
        buffer_text(b, ", ");
        add_text(b, "path", p->path);
    }
    buffer_text(b, ", ");
    add_text(b, "message", p->text);
    buffer_text(b, "}");
}

static void add_problems(struct buffer *b, const struct problems *list)
{
    buffer_format(b, "  \"errors\": %zu,\n  \"warnings\": %zu,\n  \"problems\": [", list->errors, list->warnings);
    for (size_t i = 0; i < list->count; i++) {
        buffer_text(b, i ? ",\n" : "\n");
        add_problem(b, &list->items[i]);
    }
    buffer_text(b, list->count ? "\n  ],\n" : "],\n");
}

static void add_scenario(struct buffer *b, const struct scenario *s)
{
    buffer_text(b, "  ");
    add_text(b, "scenario", s->name);
    buffer_text(b, ",\n  ");
    add_text(b, "digest", s->digest);
    buffer_format(b, ",\n  \"seed\": %" PRIu64 ",\n  \"duration_us\": %" PRId64 ",\n  \"quantum_us\": %" PRId64 ",\n",
                  s->seed, s->duration, s->quantum);
    buffer_text(b, "  \"nodes\": [");
    for (int i = 0; i < s->node_count; i++)
        buffer_format(b, "%s    {\"id\": \"%s\", \"kind\": \"%s\"}", i ? ",\n" : "\n", s->nodes[i].id,
                      implementation_name(s->nodes[i].implementation));
    buffer_text(b, "\n  ],\n");
}

void verdict_print(FILE *to, const struct verdict *v)
{
    struct buffer b = { 0 };
    buffer_text(&b, "{\n  ");
    add_text(&b, "outcome", v->outcome);
    buffer_text(&b, ",\n  ");
    add_text(&b, "cause", v->cause);
    buffer_format(&b, ",\n  \"exit_code\": %d,\n", v->exit_code);
    if (v->file) {
        buffer_text(&b, "  ");
        add_text(&b, "file", v->file);
        buffer_text(&b, ",\n");
    }
    if (v->problems)
        add_problems(&b, v->problems);
    if (v->scenario)
        add_scenario(&b, v->scenario);
    buffer_text(&b, "  \"lockstep\": \"" LOCKSTEP_VERSION "\"\n}\n");
    fputs(buffer_string(&b), to);
    buffer_free(&b);
}
