#include "node/uart_output.h"

#include <string.h>

#include "base/json_text.h"
#include "node/monitor.h"

/* ---- the firmware's output ---- */

#define DEPTH_MOST (JSON_DEPTH - 2) /* a node that gets the message reads its payload within a list of objects */

/* The members that say something of the message; a later one of the same name counts. */
struct members {
    struct json_span object, type, dst, time;
};

static bool is_deep(const struct json_span *object)
{
    bool in_string = false;
    int depth = 0;
    for (size_t i = 0; i < object->len && depth <= DEPTH_MOST; i++) {
        char c = object->s[i];
        if (c == '"')
            in_string = !in_string;
        else if (in_string && c == '\\')
            i++;
        else if (!in_string && (c == '{' || c == '['))
            depth++;
        else if (!in_string && (c == '}' || c == ']'))
            depth--;
    }
    return depth > DEPTH_MOST;
}

/* Whether the line is one JSON object, and nothing else. */
static bool read_object(struct text line, struct members *m)
{
    struct json_text t;
    struct json_span name, value;
    bool more = true;
    *m = (struct members){ 0 };
    json_text_begin(&t, line.s, line.len);
    if (json_text_kind(&t) != JSON_OBJECT || !json_text_value(&t, &m->object) || !json_text_end(&t) ||
        is_deep(&m->object))
        return false;
    json_text_begin(&t, m->object.s, m->object.len);
    if (!json_text_open(&t))
        return false;
    for (;;) {
        if (!json_text_item(&t, &name, &more))
            return false;
        if (!more)
            return true;
        if (!json_text_value(&t, &value))
            return false;
        if (json_span_is(&name, "type", 4))
            m->type = value;
        else if (json_span_is(&name, "dst", 3))
            m->dst = value;
        else if (json_span_is(&name, "time", 4))
            m->time = value;
    }
}

static bool is_given(const struct json_span *member)
{
    return member->len && member->kind != JSON_NULL;
}

static void note(struct uart_line *line, const char *amiss)
{
    if (!line->amiss)
        line->amiss = amiss;
}

/* The characters of a member that is a string of at most UART_WORD bytes, and not empty. */
static bool read_word(const struct json_span *member, char *room, struct text *word)
{
    size_t len = member->kind == JSON_STRING ? json_span_unescape(member, room, UART_WORD) : SIZE_MAX;
    if (!len || len == SIZE_MAX)
        return false;
    *word = (struct text){ room, len };
    return true;
}

static void read_members(struct uart_output *u, const struct members *m, struct uart_line *line)
{
    line->type = (struct text){ "UART", 4 };
    if (is_given(&m->type) && !read_word(&m->type, u->type, &line->type))
        note(line, "its type is no string of 1 to 256 bytes; taken as UART");
    if (is_given(&m->dst) && !read_word(&m->dst, u->dst, &line->dst))
        note(line, "its dst is no string of 1 to 256 bytes; taken as a local event");
    if (is_given(&m->time) && (m->time.kind != JSON_NUMBER || json_span_whole(&m->time, &line->time) < 0 ||
                               line->time < 0 || line->time > UART_TIME_MAX)) {
        note(line, "its time is no number of whole microseconds from 0 to 2^62; taken as the end of the step");
        line->time = -1;
    }
    u->payload.len = 0;
    buffer_grow(&u->payload, m->object.len);
    u->payload.len = json_span_compact(&m->object, u->payload.data);
    line->payload = (struct text){ u->payload.data, u->payload.len };
}

static void hand_out(struct uart_output *u, struct text text, bool has_end, uart_line_fn *take, void *data)
{
    struct members m;
    if (has_end && !u->lost && text.len && text.s[text.len - 1] == '\r')
        text.len--;
    struct uart_line line = { .text = text, .lost = u->lost, .time = -1 };
    line.is_message = has_end && !u->lost && read_object(text, &m);
    if (line.is_message)
        read_members(u, &m, &line);
    take(data, &line);
}

static void hold(struct uart_output *u, const char *bytes, size_t len)
{
    size_t room = u->lost ? 0 : UART_LINE - u->line.len, n = len < room ? len : room;
    buffer_add(&u->line, bytes, n);
    u->lost += len - n;
}

void uart_output_feed(struct uart_output *u, const char *bytes, size_t len, uart_line_fn *take, void *data)
{
    while (len) {
        const char *newline = memchr(bytes, '\n', len);
        size_t n = newline ? (size_t)(newline - bytes) : len;
        if (newline && !u->line.len && n <= UART_LINE) {
            hand_out(u, (struct text){ bytes, n }, true, take, data);
        } else {
            hold(u, bytes, n);
            if (newline) {
                hand_out(u, (struct text){ u->line.data, u->line.len }, true, take, data);
                u->line.len = u->lost = 0;
            }
        }
        n += newline != NULL;
        bytes += n;
        len -= n;
    }
}

void uart_output_end(struct uart_output *u, uart_line_fn *take, void *data)
{
    if (u->line.len)
        hand_out(u, (struct text){ u->line.data, u->line.len }, false, take, data);
    u->line.len = u->lost = 0;
}

void uart_output_free(struct uart_output *u)
{
    buffer_free(&u->line);
    buffer_free(&u->payload);
    u->lost = 0;
}

/* ---- to the firmware ---- */

void uart_input(struct buffer *out, const struct message *m, int64_t time, const char *src, const char *dst)
{
    buffer_text(out, "{\"type\":");
    json_quote(out, m->type.s, m->type.len);
    buffer_text(out, ",\"src\":");
    json_quote(out, src, strlen(src));
    buffer_text(out, ",\"dst\":");
    json_quote(out, dst, strlen(dst));
    buffer_text(out, ",\"payload\":");
    if (m->payload.len)
        buffer_add(out, m->payload.s, m->payload.len);
    else
        buffer_text(out, "null");
    buffer_text(out, ",\"time\":");
    buffer_i64(out, time);
    buffer_text(out, "}\n");
}

size_t uart_write_chars(struct buffer *out, const char *uart, const char *bytes, size_t len)
{
    size_t name = strlen(uart), begin = out->len, done;
    for (done = 0; done < len; done++) {
        size_t one = name + strlen(" WriteChar 255;");
        if (done && out->len - begin + one >= MONITOR_LINE)
            break;
        if (done)
            buffer_add(out, ";", 1);
        buffer_add(out, uart, name);
        buffer_text(out, " WriteChar ");
        buffer_u64(out, (unsigned char)bytes[done]);
    }
    return done;
}
