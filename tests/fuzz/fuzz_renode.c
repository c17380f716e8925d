/* libFuzzer entry for what Renode and its firmware say. The first byte picks the part: 'm' the monitor, 'c' the
 * External Control port, 'u' the UART's output, 'p' a path for the monitor. The second says how the bytes are cut up:
 * what comes of them must be the same as of all of them at once. */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_text.h"
#include "base/utf8.h"
#include "node/external_control.h"
#include "node/monitor.h"
#include "node/uart_output.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition) ((condition) ? (void)0 : give_up(#condition, __LINE__))

static void give_up(const char *what, int line)
{
    fprintf(stderr, "line %d: this does not hold: %s\n", line, what);
    abort();
}

/* The length of the next piece; 0 cuts: all that is left. */
static size_t cut(uint64_t *cuts, size_t left)
{
    if (!*cuts)
        return left;
    *cuts = *cuts * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    size_t n = (size_t)(*cuts >> 40) % ((*cuts >> 33 & 3) ? 8 : 200) + 1;
    *cuts |= 1;
    return n < left ? n : left;
}

/* Nothing in it harms a terminal, lines apart. */
static void check_shown(const struct buffer *b, bool may_have_lines)
{
    struct buffer safe = { 0 };
    for (size_t at = 0, n; at < b->len; at += n + 1) {
        const char *newline = may_have_lines ? memchr(b->data + at, '\n', b->len - at) : NULL;
        n = newline ? (size_t)(newline - b->data) - at : b->len - at;
        safe.len = 0;
        utf8_escape(&safe, b->data + at, n);
        MUST(safe.len == n && (!n || memcmp(safe.data, b->data + at, n) == 0));
    }
    buffer_free(&safe);
}

/* ---- the monitor ---- */

static void note_reply(const struct monitor *m, struct buffer *told)
{
    struct buffer why = { 0 };
    struct text command;
    uint64_t number = 0;
    MUST(m->reply.len <= MONITOR_REPLY && m->state == MONITOR_IDLE);
    MUST(utf8_check(m->reply.data ? m->reply.data : "", m->reply.len) == m->reply.len);
    check_shown(&m->reply, true);
    bool failed = monitor_error(&m->reply, &why, &command);
    MUST(failed == (why.len > 0));
    MUST(!command.len || (command.s >= m->reply.data && command.s + command.len <= m->reply.data + m->reply.len));
    check_shown(&why, false);
    int64_t time = monitor_time(&m->reply);
    MUST(time >= -1);
    if (m->reply.len)
        buffer_add(told, m->reply.data, m->reply.len);
    bool is_number = monitor_number(&m->reply, &number);
    buffer_format(told, "|%s|%.*s|%" PRId64 "|%d %" PRIu64 "\n", buffer_string(&why), (int)command.len,
                  command.len ? command.s : "", time, is_number, number);
    buffer_free(&why);
}

/* Each zero byte asks anew, whether or not the reply before has come. */
static void play_monitor(const char *s, size_t len, uint64_t cuts, struct buffer *told)
{
    static const char *const commands[] = { "version", "mach create \"a b\"", "", "x" };
    struct monitor m = { 0 };
    struct buffer out = { 0 };
    size_t asked = 0;
    monitor_begin(&m, &out);
    for (const char *end = s + len; s <= end; s++) {
        const char *zero = s < end ? memchr(s, '\0', (size_t)(end - s)) : NULL, *stop = zero ? zero : end;
        int result = 0;
        if (asked) {
            out.len = 0;
            monitor_ask(&m, commands[asked % 4], strlen(commands[asked % 4]), &out);
            MUST(out.data[out.len - 1] == '\n');
        }
        asked++;
        while (s < stop) {
            size_t n = cut(&cuts, (size_t)(stop - s));
            int now = monitor_feed(&m, s, n);
            MUST(result == 0 || now <= 0);
            result = now ? now : result;
            s += n;
        }
        MUST(m.line.capacity <= 32768 && m.reply.capacity <= 262144);
        buffer_format(told, "%d\n", result);
        if (result == 1)
            note_reply(&m, told);
    }
    buffer_free(&out);
    monitor_free(&m);
}

/* ---- the External Control port ---- */

static void play_control(const char *s, size_t len, uint64_t cuts, struct buffer *told)
{
    struct external_control e = { 0 };
    int result = 0;
    for (size_t at = 0; at < len && result >= 0;) {
        size_t end = at + cut(&cuts, len - at), used;
        while ((result = external_control_feed(&e, s + at, end - at, &used)) == 1) {
            MUST(used > 0 && used <= end - at);
            MUST(e.kind >= EXTERNAL_CONTROL_ACCEPTED && e.kind <= EXTERNAL_CONTROL_NOT_ACTIVATED);
            at += used;
            buffer_format(told, "%d %d %" PRIu64 " %s\n", (int)e.kind, e.command, e.time, buffer_string(&e.text));
            check_shown(&e.text, false);
        }
        MUST(result < 0 || used == end - at);
        MUST(e.body.capacity <= 65536);
        at = end;
    }
    MUST((result < 0) == (e.kind == EXTERNAL_CONTROL_VIOLATION) && (result == 0 || e.text.len));
    buffer_format(told, "%d %" PRIu64 " %s\n", result, e.events, result < 0 ? buffer_string(&e.text) : "");
    external_control_free(&e);
}

/* ---- the UART ---- */

static void check_object(const char *s, size_t len, size_t members)
{
    struct json_text t;
    struct json_span name, value;
    bool more = true;
    size_t count = 0;
    json_text_begin(&t, s, len);
    MUST(json_text_open(&t));
    for (;; count++) {
        MUST(json_text_item(&t, &name, &more));
        if (!more)
            break;
        MUST(json_text_value(&t, &value) && !value.blanks);
    }
    MUST(json_text_end(&t) && (!members || count == members));
}

/* The message goes to another firmware, and from there into lines for the monitor. */
static void check_input(const struct uart_line *line)
{
    struct buffer input = { 0 }, commands = { 0 };
    struct message m = { .type = line->type, .payload = line->payload, .time = line->time };
    uart_input(&input, &m, m.time, "mcu", "other");
    MUST(memchr(input.data, '\n', input.len) == input.data + input.len - 1);
    check_object(input.data, input.len - 1, 5);
    for (size_t at = 0, n; at < input.len; at += n) {
        commands.len = 0;
        n = uart_write_chars(&commands, "sysbus.uart0", input.data + at, input.len - at);
        MUST(n > 0 && commands.len < MONITOR_LINE && monitor_can_ask(commands.data, commands.len));
    }
    buffer_free(&input);
    buffer_free(&commands);
}

static void note_line(void *data, const struct uart_line *line)
{
    struct buffer *told = data;
    MUST(line->text.len <= UART_LINE && (!line->lost || !line->is_message));
    MUST(line->is_message == (line->payload.len > 0) && line->is_message == (line->type.len > 0));
    MUST(line->time >= -1 && line->type.len <= UART_WORD && line->dst.len <= UART_WORD);
    MUST(!memchr(line->text.s ? line->text.s : "", '\n', line->text.len));
    buffer_add(told, line->text.s ? line->text.s : "", line->text.len);
    if (line->is_message) {
        MUST(utf8_check(line->type.s, line->type.len) == line->type.len);
        MUST(!line->dst.len || utf8_check(line->dst.s, line->dst.len) == line->dst.len);
        check_object(line->payload.s, line->payload.len, 0);
        check_input(line);
    }
    buffer_format(told, "|%zu|%" PRId64 "|%s|%.*s|%.*s\n", line->lost, line->time, line->amiss ? line->amiss : "",
                  (int)line->type.len, line->type.len ? line->type.s : "", (int)line->dst.len,
                  line->dst.len ? line->dst.s : "");
}

static void play_uart(const char *s, size_t len, uint64_t cuts, struct buffer *told)
{
    struct uart_output u = { 0 };
    for (size_t at = 0, n; at < len; at += n) {
        n = cut(&cuts, len - at);
        uart_output_feed(&u, s + at, n, note_line, told);
        MUST(u.line.capacity <= 2 * UART_LINE);
    }
    uart_output_end(&u, note_line, told);
    uart_output_free(&u);
}

/* ---- paths ---- */

/* A quoted path is the path again, by Renode's grammar: its end is a blank without a backslash before it. */
static void play_path(const char *s, size_t len, uint64_t cuts, struct buffer *told)
{
    struct buffer path = { 0 }, quoted = { 0 }, plain = { 0 };
    (void)cuts;
    buffer_add(&path, s, len);
    bool can = monitor_quote_path(&quoted, buffer_string(&path));
    MUST(can || !quoted.len);
    for (size_t i = 1; i < quoted.len; i++) {
        MUST(quoted.data[i] != ' ' && !strchr(";\"'\n", quoted.data[i]));
        i += quoted.data[i] == '\\';
        buffer_add(&plain, quoted.data + i, 1);
    }
    MUST(!can || strcmp(buffer_string(&plain), path.data) == 0);
    MUST(!can || quoted.len > MONITOR_LINE || monitor_can_ask(quoted.data, quoted.len));
    buffer_format(told, "%d", can);
    buffer_free(&path);
    buffer_free(&quoted);
    buffer_free(&plain);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct {
        char part;
        void (*play)(const char *s, size_t len, uint64_t cuts, struct buffer *told);
    } parts[] = { { 'm', play_monitor }, { 'c', play_control }, { 'u', play_uart }, { 'p', play_path } };
    struct buffer whole = { 0 }, pieces = { 0 };
    for (size_t i = 0; size > 2 && i < sizeof parts / sizeof parts[0]; i++)
        if (data[0] == parts[i].part) {
            parts[i].play((const char *)data + 2, size - 2, 0, &whole);
            parts[i].play((const char *)data + 2, size - 2, data[1] * 2 + UINT64_C(1), &pieces);
        }
    MUST(whole.len == pieces.len && (!whole.len || memcmp(whole.data, pieces.data, whole.len) == 0));
    if (getenv("SHOW"))
        fwrite(whole.data, 1, whole.len, stdout);
    buffer_free(&whole);
    buffer_free(&pieces);
    return 0;
}
