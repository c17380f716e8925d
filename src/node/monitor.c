#include "node/monitor.h"

#include <inttypes.h>
#include <string.h>

#include "base/utf8.h"

#define LINE_MOST  (MONITOR_LINE + 4096u) /* of a line that is being read: an echo behind its prompt */
#define LINE_TAIL  1024u                  /* of a longer one: what is not yet taken, as it may end with an echo */
#define MARKER     "…\n"                  /* for the middle of a long reply */
#define REPLY_HEAD 4096u                  /* of a reply that is too long */
#define REPLY_TAIL (MONITOR_REPLY - REPLY_HEAD - sizeof MARKER)

#define TOKEN_MOST 64 /* bytes of `echo "lockstep-N"` */

/* ---- asking ---- */

static const char negotiation[] = { '\xff', '\xfb', 0, '\xff', '\xfd', 1, '\xff', '\xfd', 3 };

void monitor_begin(struct monitor *m, struct buffer *out)
{
    m->state = MONITOR_IDLE;
    m->is_new = true;
    m->in_line = false;
    m->telnet = m->escape = 0;
    m->line.len = m->reply.len = 0;
    buffer_add(out, negotiation, sizeof negotiation);
}

bool monitor_can_ask(const char *commands, size_t len)
{
    if (len > MONITOR_LINE || utf8_check(commands, len) != len)
        return false;
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)commands[i] < ' ' || commands[i] == '\x7f' ||
            (len - i >= 3 && memcmp(commands + i, "\"\"\"", 3) == 0))
            return false;
    return true;
}

static void add_token(struct monitor *m, struct buffer *out)
{
    buffer_format(out, "echo \"lockstep-%" PRIu64 "\"\n", ++m->serial);
}

void monitor_ask(struct monitor *m, const char *commands, size_t len, struct buffer *out)
{
    m->reply.len = m->asked.len = 0;
    buffer_add(&m->asked, commands, len);
    m->echo_seen = m->is_cut = false;
    bool must_sync = m->is_new || m->state == MONITOR_SYNC || m->state == MONITOR_REPLYING;
    if (m->is_new) {
        buffer_text(out, "\n");
        add_token(m, out);
        m->is_new = false;
    }
    m->awaited = m->serial; /* where that of a reply that was given up: it must have come first */
    buffer_add(out, commands, len);
    buffer_text(out, "\n");
    add_token(m, out);
    if (!must_sync)
        m->awaited = m->serial;
    if (m->state != MONITOR_QUITTING)
        m->state = must_sync ? MONITOR_SYNC : MONITOR_REPLYING;
}

/* ---- the reply ---- */

/* Takes text into the reply as it may be shown. The middle of a long one goes. */
static void keep(struct monitor *m, const char *s, size_t len)
{
    struct buffer *r = &m->reply;
    for (size_t at = 0; at < len;) {
        uint32_t c;
        size_t n = utf8_decode(s + at, len - at, &c);
        if (!n)
            buffer_text(r, "\xef\xbf\xbd");
        else if (utf8_is_safe(c))
            buffer_add(r, s + at, n);
        at += n ? n : 1;
    }
    if (r->len <= 4 * (size_t)MONITOR_REPLY)
        return;
    memmove(r->data + REPLY_HEAD, r->data + r->len - REPLY_TAIL, REPLY_TAIL);
    r->len = REPLY_HEAD + REPLY_TAIL;
    m->is_cut = true;
}

static void keep_line(struct monitor *m, const char *s, size_t len)
{
    keep(m, s, len);
    buffer_add(&m->reply, "\n", 1);
}

static bool is_inside(const char *s)
{
    return ((unsigned char)*s & 0xc0) == 0x80; /* of a character */
}

/* The length without a character that is cut at the end. */
static size_t without_half(const char *s, size_t len)
{
    size_t last = len;
    uint32_t c;
    while (last && is_inside(s + last - 1))
        last--;
    return !last || utf8_decode(s + last - 1, len - (last - 1), &c) ? len : last - 1;
}

/* Leaves its beginning and its end of a reply that is too long: whole lines, unless these are long, too. */
static void cut_middle(struct monitor *m)
{
    struct buffer *r = &m->reply;
    if (!m->is_cut && r->len <= MONITOR_REPLY)
        return;
    size_t head = REPLY_HEAD, tail = r->len - REPLY_TAIL;
    while (head > REPLY_HEAD / 2 && r->data[head - 1] != '\n')
        head--;
    head = r->data[head - 1] == '\n' ? head : without_half(r->data, REPLY_HEAD);
    const char *newline = memchr(r->data + tail, '\n', REPLY_TAIL / 2);
    tail = newline ? (size_t)(newline + 1 - r->data) : tail;
    while (tail < r->len && is_inside(r->data + tail))
        tail++;
    size_t len = r->len - tail;
    bool ends_line = r->data[head - 1] == '\n';
    buffer_grow(r, sizeof MARKER);
    memmove(r->data + head + sizeof MARKER - ends_line, r->data + tail, len);
    r->len = head;
    buffer_text(r, ends_line ? MARKER : "\n" MARKER);
    r->len += len;
}

/* ---- lines ---- */

static bool is_text(struct text t, const char *s)
{
    return t.len == strlen(s) && memcmp(t.s, s, t.len) == 0;
}

/* Whether it ends with s; it is then without it. */
static bool take_end(struct text *t, const char *s, size_t len)
{
    if (t->len < len || (len && memcmp(t->s + t->len - len, s, len) != 0))
        return false;
    t->len -= len;
    return true;
}

/* A prompt may stand in front of an echo, and in front of that what a command printed without a newline. */
static bool take_echo(struct text *line, const char *s, size_t len)
{
    struct text before = *line;
    if (!take_end(&before, s, len) ||
        (before.len && (before.len < 3 || memcmp(before.s + before.len - 2, ") ", 2) != 0)))
        return false;
    *line = before;
    return true;
}

/* What stands in front of the token's echo is a prompt, as a rule. */
static void keep_before_prompt(struct monitor *m, struct text before)
{
    size_t len = before.len;
    if (!m->in_line && (!len || *before.s == '('))
        return;
    while (len && before.s[len - 1] != '(')
        len--;
    keep_line(m, before.s, len ? len - 1 : before.len);
}

static void take_line(struct monitor *m, struct text line, struct text token)
{
    if (!m->in_line && !m->echo_seen && take_echo(&line, m->asked.data, m->asked.len)) {
        m->echo_seen = true;
        m->is_cut = false;
        m->reply.len = 0;
    } else if (take_echo(&line, token.s, token.len)) {
        keep_before_prompt(m, line);
    } else {
        keep_line(m, line.s, line.len);
    }
}

/* Returns as monitor_feed does. What is left of a line that was too long is longer than the texts looked for here. */
static int end_line(struct monitor *m)
{
    struct text line = { m->line.data, m->line.len };
    char token[TOKEN_MOST];
    int n = snprintf(token, sizeof token, "echo \"lockstep-%" PRIu64, m->awaited), result = 0;
    if (is_text(line, "Renode is quitting")) {
        m->state = MONITOR_QUITTING;
    } else if (m->state == MONITOR_SYNC || m->state == MONITOR_REPLYING) {
        if (is_text(line, token + strlen("echo \""))) {
            result = m->state == MONITOR_REPLYING;
            m->state = result ? MONITOR_IDLE : MONITOR_REPLYING;
            m->awaited = m->serial;
        } else if (m->state == MONITOR_REPLYING) {
            token[n++] = '"';
            take_line(m, line, (struct text){ token, (size_t)n });
        }
    }
    m->line.len = 0;
    m->in_line = false;
    if (result) {
        cut_middle(m);
        buffer_string(&m->reply);
    }
    return result;
}

/* Adds to the line that is being read. What is too long for an echo is text of the reply. */
static void add(struct monitor *m, const char *s, size_t len)
{
    struct buffer *line = &m->line;
    while (len) {
        size_t n = LINE_MOST - line->len < len ? LINE_MOST - line->len : len;
        buffer_add(line, s, n);
        s += n;
        len -= n;
        if (line->len < LINE_MOST)
            return;
        size_t taken = LINE_MOST - LINE_TAIL;
        for (int i = 0; i < 3 && is_inside(line->data + taken); i++)
            taken--;
        if (m->state == MONITOR_REPLYING)
            keep(m, line->data, taken);
        buffer_drop(line, taken);
        m->in_line = true;
    }
}

/* ---- bytes ---- */

enum { TELNET_TEXT, TELNET_COMMAND, TELNET_OPTION, TELNET_INNER, TELNET_INNER_COMMAND };
enum { ESCAPE_NONE, ESCAPE_BEGUN, ESCAPE_SEQUENCE };

/* Whether the byte belongs to a telnet command. */
static bool take_telnet(struct monitor *m, unsigned char c)
{
    switch (m->telnet) {
    case TELNET_COMMAND:
        m->telnet = c >= 0xfb && c <= 0xfe ? TELNET_OPTION : c == 0xfa ? TELNET_INNER : TELNET_TEXT;
        return c != 0xff; /* twice: the byte itself */
    case TELNET_OPTION:
        m->telnet = TELNET_TEXT;
        return true;
    case TELNET_INNER:
        m->telnet = c == 0xff ? TELNET_INNER_COMMAND : TELNET_INNER;
        return true;
    case TELNET_INNER_COMMAND:
        m->telnet = c == 0xf0 ? TELNET_TEXT : TELNET_INNER;
        return true;
    default:
        m->telnet = c == 0xff ? TELNET_COMMAND : TELNET_TEXT;
        return c == 0xff;
    }
}

/* Whether the byte belongs to an escape sequence. A control character breaks it off. */
static bool take_escape(struct monitor *m, unsigned char c)
{
    int before = m->escape;
    if (c == 0x1b)
        m->escape = ESCAPE_BEGUN;
    else if (before == ESCAPE_BEGUN && c == '[')
        m->escape = ESCAPE_SEQUENCE;
    else if (before != ESCAPE_SEQUENCE || c < 0x20 || c > 0x3f)
        m->escape = ESCAPE_NONE;
    return c == 0x1b || (before != ESCAPE_NONE && c >= 0x20 && c < 0x7f);
}

/* Bytes that are text, whatever stands before them. */
static size_t plain_run(const struct monitor *m, const char *s, size_t len)
{
    size_t n = 0;
    if (m->telnet == TELNET_TEXT && m->escape == ESCAPE_NONE)
        while (n < len && (unsigned char)s[n] >= ' ' && (unsigned char)s[n] != 0xff)
            n++;
    return n;
}

int monitor_feed(struct monitor *m, const char *bytes, size_t len)
{
    int result = 0;
    for (size_t at = 0; at < len; at++) {
        size_t n = plain_run(m, bytes + at, len - at);
        add(m, bytes + at, n);
        at += n;
        if (at == len)
            break;
        unsigned char c = (unsigned char)bytes[at];
        if (take_telnet(m, c) || take_escape(m, c))
            continue;
        if (c == '\n')
            result |= end_line(m);
        else if (c == '\t')
            add(m, " ", 1);
        else if (c >= ' ')
            add(m, bytes + at, 1);
    }
    return m->state == MONITOR_QUITTING ? -1 : result;
}

void monitor_free(struct monitor *m)
{
    buffer_free(&m->reply);
    buffer_free(&m->line);
    buffer_free(&m->asked);
    *m = (struct monitor){ 0 };
}

/* ---- what replies say ---- */

static bool begins_with(struct text t, const char *s)
{
    size_t len = strlen(s);
    return t.len >= len && memcmp(t.s, s, len) == 0;
}

/* Takes the next line, without blanks around it. */
static bool next_line(struct text *rest, struct text *line)
{
    if (!rest->len)
        return false;
    const char *newline = memchr(rest->s, '\n', rest->len);
    *line = (struct text){ rest->s, newline ? (size_t)(newline - rest->s) : rest->len };
    size_t taken = line->len + (newline != NULL);
    *rest = (struct text){ rest->s + taken, rest->len - taken };
    while (line->len && *line->s == ' ')
        *line = (struct text){ line->s + 1, line->len - 1 };
    while (line->len && line->s[line->len - 1] == ' ')
        line->len--;
    return true;
}

static void add_safe(struct buffer *out, struct text t)
{
    utf8_escape(out, t.s, t.len);
}

/* The line says that a command failed; the next ones say why. */
static void tell_failed(struct text line, struct text rest, struct buffer *why, struct text *command)
{
    static const char begin[] = "There was an error executing command '";
    struct text reason = { 0 }, place;
    while (!reason.len && next_line(&rest, &reason))
        ;
    if (!reason.len) {
        add_safe(why, line);
        return;
    }
    add_safe(why, reason);
    /* Mistakes in a platform description have their place behind them (not seen: from Renode's manual). */
    if (next_line(&rest, &place) && begins_with(place, "At ")) {
        take_end(&place, ":", 1);
        buffer_text(why, " ");
        add_safe(why, place);
    }
    *command = (struct text){ line.s + sizeof begin - 1, line.len - (sizeof begin - 1) };
    take_end(command, "'", 1);
}

static bool is_error(struct text line)
{
    struct text t = line;
    return begins_with(line, "No such command or device: ") || begins_with(line, "Bad parameters for command ") ||
           begins_with(line, "File does not exist") || is_text(line, "Parameters did not match the signature") ||
           (begins_with(line, "Machine ") && take_end(&t, " not found.", 11));
}

bool monitor_error(const struct buffer *reply, struct buffer *why, struct text *command)
{
    struct text rest = { reply->data, reply->len }, line, named = { 0 };
    bool found = false;
    while (!found && next_line(&rest, &line)) {
        found = true;
        if (begins_with(line, "There was an error executing command '")) {
            tell_failed(line, rest, why, &named);
        } else if (is_text(line, "Could not tokenize here:")) {
            add_safe(why, line);
            buffer_text(why, " ");
            if (next_line(&rest, &line))
                add_safe(why, line);
        } else if (is_error(line)) {
            add_safe(why, line);
        } else {
            found = false;
        }
    }
    if (command)
        *command = named;
    return found;
}

/* Takes decimal digits, at least one. False: there is none, or the number is larger than `most`. */
static bool take_number(struct text *t, uint64_t most, uint64_t *number)
{
    size_t n = 0;
    for (*number = 0; n < t->len && t->s[n] >= '0' && t->s[n] <= '9'; n++) {
        uint64_t digit = (uint64_t)(t->s[n] - '0');
        if (*number > (most - digit) / 10)
            return false;
        *number = *number * 10 + digit;
    }
    *t = (struct text){ t->s + n, t->len - n };
    return n > 0;
}

static bool take_character(struct text *t, char c)
{
    if (!t->len || *t->s != c)
        return false;
    *t = (struct text){ t->s + 1, t->len - 1 };
    return true;
}

/* 00:07:46.408000000 */
static int64_t read_time(struct text t)
{
    uint64_t hours, minutes, seconds, micros = 0;
    if (!take_number(&t, 2000000000, &hours) || !take_character(&t, ':') || !take_number(&t, 59, &minutes) ||
        !take_character(&t, ':') || !take_number(&t, 59, &seconds))
        return -1;
    if (take_character(&t, '.')) {
        if (!t.len)
            return -1;
        for (uint64_t unit = 100000; t.len && *t.s >= '0' && *t.s <= '9'; unit /= 10) {
            micros += unit * (uint64_t)(*t.s - '0');
            t = (struct text){ t.s + 1, t.len - 1 };
        }
    }
    return t.len ? -1 : (int64_t)(((hours * 60 + minutes) * 60 + seconds) * 1000000 + micros);
}

int64_t monitor_time(const struct buffer *reply)
{
    static const char begin[] = "Current virtual time: ";
    struct text rest = { reply->data, reply->len }, line;
    while (next_line(&rest, &line))
        if (begins_with(line, begin))
            return read_time((struct text){ line.s + sizeof begin - 1, line.len - (sizeof begin - 1) });
    return -1;
}

static bool read_number(struct text t, uint64_t *number)
{
    static const char digits[] = "0123456789abcdef";
    if (!begins_with(t, "0x"))
        return take_number(&t, UINT64_MAX, number) && !t.len;
    *number = 0;
    for (size_t i = 2; i < t.len; i++) {
        char c = t.s[i] >= 'A' && t.s[i] <= 'F' ? (char)(t.s[i] - 'A' + 'a') : t.s[i];
        const char *digit = memchr(digits, c, 16);
        if (!digit || *number >> 60)
            return false;
        *number = *number << 4 | (uint64_t)(digit - digits);
    }
    return t.len > 2;
}

bool monitor_number(const struct buffer *reply, uint64_t *number)
{
    struct text rest = { reply->data, reply->len }, line;
    uint64_t found;
    while (next_line(&rest, &line))
        if (read_number(line, &found)) {
            *number = found;
            return true;
        }
    return false;
}

/* What Renode's grammar takes for a blank, beyond ASCII. */
static bool is_other_blank(uint32_t c)
{
    return c == 0x85 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 ||
           c == 0x202f || c == 0x205f || c == 0x3000;
}

bool monitor_quote_path(struct buffer *out, const char *path)
{
    size_t len = strlen(path), before = out->len;
    if (!len || *path == '@')
        return false;
    buffer_add(out, "@", 1);
    for (size_t at = 0; at < len;) {
        uint32_t c;
        size_t n = utf8_decode(path + at, len - at, &c);
        if (!n || c < ' ' || c == 0x7f || (c < 0x80 && strchr(";\"'\\", (int)c)) || is_other_blank(c)) {
            out->len = before;
            return false;
        }
        if (c == ' ')
            buffer_add(out, "\\", 1);
        buffer_add(out, path + at, n);
        at += n;
    }
    return true;
}
