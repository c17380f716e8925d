#include "node/external_control.h"

#include <string.h>

#include "base/utf8.h"

/* How a reply begins. */
enum { REPLY_FAILED, REPLY_FATAL, REPLY_NOT_ACTIVATED, REPLY_DATA, REPLY_DONE, REPLY_ACCEPTED, REPLY_EVENT, REPLIES };

/* Bytes before the text or data, its length in the last four where there is one. */
static const struct head {
    unsigned len;
    bool has_body;
    enum external_control_kind kind;
} heads[REPLIES] = {
    [REPLY_FAILED] = { 6, true, EXTERNAL_CONTROL_FAILED },
    [REPLY_FATAL] = { 5, true, EXTERNAL_CONTROL_FATAL },
    [REPLY_NOT_ACTIVATED] = { 2, false, EXTERNAL_CONTROL_NOT_ACTIVATED },
    [REPLY_DATA] = { 6, true, EXTERNAL_CONTROL_TIME },
    [REPLY_DONE] = { 2, false, EXTERNAL_CONTROL_DONE },
    [REPLY_ACCEPTED] = { 1, false, EXTERNAL_CONTROL_ACCEPTED },
    [REPLY_EVENT] = { 10, true, EXTERNAL_CONTROL_NONE },
};

/* ---- requests ---- */

static void add_number(struct buffer *out, uint64_t v, int bytes)
{
    for (int i = 0; i < bytes; i++) {
        char byte = (char)(v >> 8 * i & 0xff);
        buffer_add(out, &byte, 1);
    }
}

void external_control_handshake(struct buffer *out)
{
    static const char commands[][2] = { { EXTERNAL_CONTROL_RUN_FOR, 0 }, { EXTERNAL_CONTROL_GET_TIME, 0 } };
    add_number(out, sizeof commands / sizeof commands[0], 2);
    buffer_add(out, commands[0], sizeof commands);
}

static void add_request(struct buffer *out, enum external_control_command command, uint32_t payload)
{
    buffer_text(out, "RE");
    add_number(out, command, 1);
    add_number(out, payload, 4);
}

void external_control_run_for(struct buffer *out, uint64_t microseconds)
{
    add_request(out, EXTERNAL_CONTROL_RUN_FOR, 8);
    add_number(out, microseconds, 8);
}

void external_control_get_time(struct buffer *out)
{
    add_request(out, EXTERNAL_CONTROL_GET_TIME, 0);
}

/* ---- replies ---- */

static uint64_t number_at(const void *at, int bytes)
{
    const unsigned char *b = at;
    uint64_t v = 0;
    for (int i = bytes; i-- > 0;)
        v = v << 8 | b[i];
    return v;
}

static int violate(struct external_control *e)
{
    e->kind = EXTERNAL_CONTROL_VIOLATION;
    e->in_body = false;
    buffer_string(&e->text);
    return -1;
}

static int refuse_code(struct external_control *e)
{
    e->text.len = 0;
    buffer_format(&e->text, "byte 0x%02x begins no reply of the External Control port (0x00 to 0x%02x do)", e->head[0],
                  REPLIES - 1);
    return violate(e);
}

static int refuse_length(struct external_control *e, uint32_t len)
{
    e->text.len = 0;
    buffer_format(&e->text, "a reply 0x%02x of %lu bytes on the External Control port; at most %u are read", e->head[0],
                  (unsigned long)len, EXTERNAL_CONTROL_MAX);
    return violate(e);
}

static int refuse_data(struct external_control *e, uint32_t len)
{
    e->text.len = 0;
    buffer_format(
        &e->text,
        "%lu bytes of data for command %u on the External Control port; only GetTime (%d) has data, of 8 bytes",
        (unsigned long)len, e->head[1], EXTERNAL_CONTROL_GET_TIME);
    return violate(e);
}

/* The head is whole: is it one that can be? */
static int check_head(struct external_control *e, const struct head *h)
{
    uint32_t len = (uint32_t)number_at(e->head + h->len - 4, 4);
    if (len > EXTERNAL_CONTROL_MAX)
        return refuse_length(e, len);
    if (e->head[0] == REPLY_DATA && (e->head[1] != EXTERNAL_CONTROL_GET_TIME || len != 8))
        return refuse_data(e, len);
    e->left = len;
    e->in_body = true;
    e->body.len = 0;
    return 0;
}

/* The reply is whole. Returns 1, or 0 for an event. */
static int end_reply(struct external_control *e, const struct head *h)
{
    e->in_body = false;
    e->head_len = 0;
    if (e->head[0] == REPLY_EVENT) {
        e->events++;
        return 0;
    }
    e->kind = h->kind;
    e->command = e->head[0] == REPLY_ACCEPTED || e->head[0] == REPLY_FATAL ? 0 : e->head[1];
    e->text.len = 0;
    if (e->head[0] == REPLY_DATA)
        e->time = number_at(e->body.data, 8);
    else if (h->has_body)
        utf8_escape(&e->text, e->body.data, e->body.len);
    buffer_string(&e->text);
    return 1;
}

/* Takes bytes of the head. */
static size_t take_head(struct external_control *e, const char *bytes, size_t len)
{
    size_t need = e->head_len ? heads[e->head[0]].len : 1;
    size_t n = need - e->head_len < len ? need - e->head_len : len;
    memcpy(e->head + e->head_len, bytes, n);
    e->head_len += (unsigned)n;
    return n;
}

/* Takes bytes of a text or of data. */
static size_t take_body(struct external_control *e, const char *bytes, size_t len)
{
    size_t n = e->left < len ? e->left : len, room = EXTERNAL_CONTROL_TEXT - e->body.len;
    if (e->head[0] != REPLY_EVENT)
        buffer_add(&e->body, bytes, n < room ? n : room);
    e->left -= (uint32_t)n;
    return n;
}

int external_control_feed(struct external_control *e, const char *bytes, size_t len, size_t *used)
{
    int result = 0;
    *used = 0;
    while (result == 0 && *used < len && e->kind != EXTERNAL_CONTROL_VIOLATION) {
        if (e->in_body)
            *used += take_body(e, bytes + *used, len - *used);
        else
            *used += take_head(e, bytes + *used, len - *used);
        if (e->head[0] >= REPLIES)
            return refuse_code(e);
        const struct head *h = &heads[e->head[0]];
        if (!e->in_body && e->head_len == h->len && h->has_body)
            result = check_head(e, h);
        if (result == 0 && e->head_len == h->len && (!h->has_body || (e->in_body && !e->left)))
            result = end_reply(e, h);
    }
    return e->kind == EXTERNAL_CONTROL_VIOLATION ? -1 : result;
}

void external_control_free(struct external_control *e)
{
    buffer_free(&e->text);
    buffer_free(&e->body);
    *e = (struct external_control){ 0 };
}
