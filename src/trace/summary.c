#include "trace/summary.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "trace/write.h"

static void text_field(struct buffer *b, const char *key, const char *value)
{
    buffer_format(b, "  \"%s\": ", key);
    json_quote(b, value, strlen(value));
    buffer_text(b, ",\n");
}

static void number_field(struct buffer *b, const char *key, uint64_t value)
{
    buffer_format(b, "  \"%s\": %" PRIu64 ",\n", key, value);
}

static void real_field(struct buffer *b, const char *key, double value)
{
    buffer_format(b, "  \"%s\": %.6f,\n", key, value);
}

static void add_inference(struct buffer *b, const struct summary *s)
{
    if (s->scenario->ml.placement == PLACEMENT_NONE)
        return;
    buffer_format(b, "  \"inference\": {\"placement\": \"%s\", \"count\": %" PRIu64,
                  placement_name(s->scenario->ml.placement), s->inference.count);
    if (s->inference.count)
        buffer_format(
            b, ", \"latency_p50_us\": %" PRId64 ", \"latency_p99_us\": %" PRId64 ", \"latency_max_us\": %" PRId64,
            s->inference.p50, s->inference.p99, s->inference.max);
    buffer_text(b, "},\n");
}

static void add_node(struct buffer *b, const struct summary_node *n)
{
    buffer_format(b, "    {\"id\": \"%s\", \"kind\": \"%s\", \"state\": \"%s\", ", n->id, n->kind, n->state);
    if (*n->cause) {
        buffer_text(b, "\"cause\": ");
        json_quote(b, n->cause, strlen(n->cause));
        buffer_text(b, ", ");
    }
    buffer_format(b,
                  "\"messages_in\": %" PRIu64 ", \"messages_out\": %" PRIu64
                  ", \"restarts\": %u, \"step_p50_us\": %.3f, \"step_p99_us\": %.3f}",
                  n->messages_in, n->messages_out, n->restarts, (double)n->step_p50_ns / 1e3,
                  (double)n->step_p99_ns / 1e3);
}

static void add_failure(struct buffer *b, const struct summary *s)
{
    buffer_format(b, "  \"failed_quantum\": %" PRIu64 ",\n", s->quanta);
    buffer_format(b, "  \"failed_last_in\": [%s%s],\n", s->last_in, *s->last_in ? "\n  " : "");
    buffer_format(b, "  \"failed_last_out\": [%s%s],\n", s->last_out, *s->last_out ? "\n  " : "");
    text_field(b, "replay", s->replay);
}

void summary_format(struct buffer *b, const struct summary *s)
{
    double virtual_s = (double)s->now / 1e6;
    buffer_text(b, "{\n");
    text_field(b, "outcome", s->outcome);
    text_field(b, "cause", s->cause);
    buffer_format(b, "  \"exit_code\": %d,\n", s->exit_code);
    if (s->failed_node)
        text_field(b, "failed_node", s->failed_node);
    if (s->failed_node && *s->failed_stderr)
        text_field(b, "failed_stderr", s->failed_stderr);
    if (s->failed_node)
        add_failure(b, s);
    text_field(b, "scenario", s->scenario->name);
    text_field(b, "digest", s->scenario->digest);
    number_field(b, "seed", s->scenario->seed);
    number_field(b, "virtual_time_us", (uint64_t)s->now);
    real_field(b, "wall_time_s", s->wall_s);
    real_field(b, "speedup", s->wall_s > 0 ? virtual_s / s->wall_s : 0);
    number_field(b, "quanta", s->quanta);
    number_field(b, "quanta_skipped", s->quanta_skipped);
    number_field(b, "records", s->records);
    number_field(b, "messages", s->messages);
    number_field(b, "dropped", s->dropped);
    number_field(b, "in_flight", s->in_flight);
    number_field(b, "warnings", s->warnings);
    text_field(b, "events_sha256", s->events_sha256);
    add_inference(b, s);
    buffer_text(b, "  \"nodes\": [\n");
    for (int i = 0; i < s->scenario->node_count; i++) {
        add_node(b, &s->nodes[i]);
        buffer_text(b, i + 1 < s->scenario->node_count ? ",\n" : "\n");
    }
    buffer_text(b, "  ],\n");
    buffer_text(b, "  \"lockstep\": \"" LOCKSTEP_VERSION "\"\n}\n");
}

int summary_begin(struct folder *f, const struct scenario *s, struct error *err)
{
    struct buffer text = { 0 };
    int fd = folder_create(f, "summary.json", err);
    if (fd < 0)
        return -1;
    buffer_text(&text, "{\n");
    text_field(&text, "outcome", "unfinished");
    text_field(&text, "cause", "lockstep has not ended this run: it goes on, or lockstep was killed");
    text_field(&text, "scenario", s->name);
    buffer_format(&text, "  \"seed\": %" PRIu64 "\n}\n", s->seed);
    int result = summary_finish(fd, f, text.data, text.len, err);
    buffer_free(&text);
    if (result < 0) {
        close(fd);
        return -1;
    }
    /* room for what comes at the end; where the file system cannot, the end will say so if there is none */
    (void)fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 20480 + (off_t)s->node_count * 320);
    return fd;
}

int summary_finish(int fd, struct folder *f, const char *text, size_t len, struct error *err)
{
    if (lseek(fd, 0, SEEK_SET) < 0 || write_all(fd, text, len) < len || ftruncate(fd, (off_t)len) < 0)
        return folder_failed(f, "summary.json", err);
    return 0;
}
