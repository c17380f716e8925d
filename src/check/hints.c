#include "check/hints.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/json_text.h"
#include "node/protocol_messages.h"

#define LOG_LINES 4
#define FLUSH     "flush after every answer: print(..., flush=True) in Python, fflush(stdout) in C"
#define TO_STDERR "print to stderr instead: print(..., file=sys.stderr) in Python, fprintf(stderr, ...) in C"

/* What a line is that should have been an answer, or a part of one. */
enum said {
    SAID_WORD,     /* READY, DONE or ERROR, and what is behind it */
    SAID_JSON,     /* JSON, as a whole */
    SAID_EMPTY,    /* no characters */
    SAID_NAN,      /* JSON but for NaN or Infinity */
    SAID_PYTHON,   /* what Python shows of its lists and dicts */
    SAID_CUT,      /* the beginning of JSON */
    SAID_BAD_JSON, /* other mistakes in it */
    SAID_TEXT
};

static bool has_word(struct text line, const char *word)
{
    size_t len = strlen(word);
    return line.len >= len && !memcmp(line.s, word, len) && (line.len == len || memchr(" \t{", line.s[len], 3));
}

/* Whether the place where JSON goes wrong is such a word. */
static bool stands_at(const struct json_text *t, const char *word)
{
    size_t len = strlen(word), left = (size_t)(t->end - t->at);
    return left >= len && !memcmp(t->at, word, len);
}

static bool is_nan(const struct json_text *t)
{
    return stands_at(t, "NaN") || stands_at(t, "Infinity") || stands_at(t, "-Infinity") || stands_at(t, "nan") ||
           stands_at(t, "-nan") || stands_at(t, "inf") || stands_at(t, "-inf");
}

static bool is_python(const struct json_text *t)
{
    return stands_at(t, "'") || stands_at(t, "None") || stands_at(t, "True") || stands_at(t, "False");
}

/* Whether text may be meant as JSON: "[INFO] ..." is not. */
static bool begins_json(const char *s, size_t len)
{
    size_t next = 1;
    if (!len || (*s != '[' && *s != '{'))
        return false;
    while (next < len && (s[next] == ' ' || s[next] == '\t'))
        next++;
    return next == len || strchr(*s == '[' ? "[{]\"" : "}\"'", s[next]);
}

static enum said classify_json(const char *s, size_t len)
{
    struct json_text t;
    struct json_span value;
    json_text_begin(&t, s, len);
    if (json_text_value(&t, &value) && json_text_end(&t))
        return SAID_JSON;
    if (t.at > t.begin && t.at[-1] == '-')
        t.at--; /* a number's sign is taken before it is found to be none */
    if (is_nan(&t))
        return SAID_NAN;
    if (!begins_json(s, len))
        return SAID_TEXT;
    return is_python(&t) ? SAID_PYTHON : t.at == t.end ? SAID_CUT : SAID_BAD_JSON;
}

static enum said classify(struct text line)
{
    if (has_word(line, "READY") || has_word(line, "DONE") || has_word(line, "ERROR"))
        return SAID_WORD;
    return line.len ? classify_json(line.s, line.len) : SAID_EMPTY;
}

static void add_stray(const struct talk *t, struct text line, struct buffer *out)
{
    struct excerpt shown = excerpt_of(line, 0, EXCERPT_MOST);
    if (t->lines > 1)
        buffer_format(out, "line %zu of what came, \"%s\",", t->lines, shown.text);
    else
        buffer_format(out, "the line \"%s\"", shown.text);
    if (t->subject->node->transport == TRANSPORT_STDIO)
        buffer_text(out, " is no answer: it looks like a debug print; " TO_STDERR);
    else
        buffer_text(out, " is no answer: write nothing but answers to the connection");
}

/* What stands behind READY and DONE, or the word itself. */
static const char *of_word(const struct talk *t, struct text line, const char *todo)
{
    const char *brace = memchr(line.s, '{', line.len), *bracket = memchr(line.s, '[', line.len);
    bool is_awaited = has_word(line, t->protocol.expect == EXPECT_READY ? "READY" : "DONE");
    if (t->protocol.expect == EXPECT_NOTHING)
        return "answer each request once";
    if (t->protocol.expect == EXPECT_MESSAGES)
        return "the line below DONE holds the messages as a JSON array, [] where there are none";
    if (!is_awaited)
        return "READY answers INIT, DONE answers ADVANCE, once each";
    if (bracket && (!brace || bracket < brace))
        return "put the messages on a line of their own, below DONE";
    if (brace && classify_json(brace, line.len - (size_t)(brace - line.s)) == SAID_JSON)
        return todo;
    return "nothing stands behind READY and DONE, or an object in JSON: DONE {\"next_us\": 5000000}";
}

static const char *of_json(const struct talk *t, enum said said, const char *todo)
{
    bool service = t->subject->node->dialect == DIALECT_SERVICE;
    if (said == SAID_NAN)
        return "NaN and Infinity are no JSON: send null, or leave the value out; json.dumps(..., allow_nan=False) in "
               "Python finds where they come from";
    if (said == SAID_PYTHON)
        return "that is Python's own text, not JSON: print(json.dumps(messages), flush=True)";
    if (said == SAID_CUT)
        return "the JSON ends too early: it must stand on one line, without indentation or line ends in it";
    if (said == SAID_BAD_JSON)
        return "let a JSON library write the messages: json.dumps(messages) in Python";
    if (t->protocol.expect == EXPECT_NOTHING)
        return "answer each request once";
    if (t->protocol.expect == EXPECT_READY)
        return todo;
    if (t->protocol.expect == EXPECT_DONE)
        return "DONE comes first, the line with the messages below it";
    if (t->wrong.len && *t->wrong.data != '[')
        return "the messages are an array, also where there is one, and [] where there are none";
    return service ? "a message is an object: {\"timestamp_us\": T, \"event_type\": \"TYPE\", \"destination\": \"ID\", "
                     "\"payload\": ANY}"
                   : "a message is an object: {\"time_us\": T, \"type\": \"TYPE\", \"dst\": \"ID\", \"payload\": ANY}";
}

/* The node says why, and not always what it would have needed: that follows from what it was asked. */
static void add_error(const struct talk *t, const char *todo, struct buffer *out)
{
    buffer_text(out, "the node itself says why; ");
    if (t->protocol.expect == EXPECT_READY)
        buffer_text(out, "if it needs a config, give one with --config");
    else
        buffer_text(out, todo);
    if (t->given && !t->subject->samples.count)
        buffer_text(out, "; give messages that it understands with --message");
}

static void add_wrong(const struct talk *t, const char *todo, struct buffer *out)
{
    struct text line = { t->wrong.data, t->wrong.len };
    if (!t->has_wrong) { /* it was no whole line, or too long a one */
        buffer_text(out, todo);
        return;
    }
    enum said said = classify(line);
    if (hint_is_error(t))
        add_error(t, todo, out);
    else if (said == SAID_TEXT)
        add_stray(t, line, out);
    else if (said == SAID_WORD)
        buffer_text(out, of_word(t, line, todo));
    else if (said == SAID_EMPTY)
        buffer_text(out, t->protocol.expect == EXPECT_MESSAGES ? "print [] where there are no messages"
                                                               : "print no empty lines");
    else
        buffer_text(out, of_json(t, said, todo));
}

static const char *of_signal(int signal)
{
    if (signal == SIGSEGV || signal == SIGABRT || signal == SIGBUS || signal == SIGFPE || signal == SIGILL)
        return "it crashed: compile it with -g -fsanitize=address, or run it in a debugger";
    return signal == SIGKILL ? "somebody killed it: is there enough memory?"
                             : "that signal was not lockstep's";
}

/* The last line that it wrote to stderr. */
static void add_log(const struct talk *t, struct buffer *out)
{
    struct text log = hint_log(t);
    const char *newline = log.len ? memrchr(log.s, '\n', log.len) : NULL;
    size_t begin = newline ? (size_t)(newline + 1 - log.s) : 0;
    struct text last = { log.s + begin, log.len - begin };
    buffer_format(out, "mend what its stderr says: \"%s\"; ", excerpt_of(last, 0, EXCERPT_MOST).text);
}

/* Its process has ended where it should have answered. */
static void add_end(const struct talk *t, const char *todo, struct buffer *out)
{
    const struct peer *p = &t->peer;
    if (!p->has_exited)
        buffer_format(out, "keep stdout and the connection open until SHUTDOWN; %s", todo);
    else if (WIFSIGNALED(p->status))
        buffer_format(out, "%s; %s", of_signal(WTERMSIG(p->status)), todo);
    else if (WEXITSTATUS(p->status) == 0)
        buffer_format(out, "it left by itself: read and answer in a loop until SHUTDOWN or the end of the input; %s",
                      todo);
    else {
        if (hint_log(t).len)
            add_log(t, out);
        buffer_text(out, todo);
    }
}

static void add_late(const struct talk *t, const char *todo, struct buffer *out)
{
    bool is_new = t->answers < 2; /* one that has answered flushes */
    if (t->protocol.expect == EXPECT_MESSAGES)
        buffer_text(out, "DONE came, its second line did not: did you print the messages as a line of JSON, [] if "
                         "there are none? did you flush?");
    else if (t->came.len || !is_new)
        buffer_text(out, todo);
    else if (t->subject->node->transport == TRANSPORT_STDIO)
        buffer_format(out, "%s; nothing came at all: stdout to a pipe is buffered, so " FLUSH, todo);
    else
        buffer_format(out,
                      "%s; nothing came at all over the connection: does the node accept it, read it line by line, "
                      "and flush what it writes?",
                      todo);
}

static void add_unheard(const struct talk *t, struct buffer *out)
{
    const struct peer *p = &t->peer;
    bool tcp = t->subject->node->transport == TRANSPORT_TCP;
    int port = t->subject->node->port;
    if (p->listens_port)
        buffer_format(out, "it listens at %.*s instead: ", (int)p->listens.len, p->listens.data);
    if (tcp)
        buffer_format(out,
                      "the node must listen at 127.0.0.1 on the port in LOCKSTEP_PORT, %d here (the scenario's "
                      "`port:`)",
                      port);
    else
        buffer_text(out, "the node must make and listen on the Unix socket whose path is in LOCKSTEP_SOCKET");
    if (tcp && p->listens_port && p->listens_port != port)
        buffer_format(out, "; or check it with --port %d, and write `port: %d` there", p->listens_port,
                      p->listens_port);
}

static void add_start(const struct talk *t, const char *todo, struct buffer *out)
{
    const char *where =
        t->subject->node->transport == TRANSPORT_TCP ? "port in LOCKSTEP_PORT" : "Unix socket in LOCKSTEP_SOCKET";
    switch (t->peer.trouble) {
    case TROUBLE_COMMAND:
        buffer_text(out, "see that the command can be run from here");
        break;
    case TROUBLE_PORT:
        buffer_text(out, "end that process, or name another port: --port N");
        break;
    case TROUBLE_LISTEN:
        add_unheard(t, out);
        break;
    case TROUBLE_ENDED:
        if (WIFEXITED(t->peer.status) && WEXITSTATUS(t->peer.status) == 0)
            buffer_format(out,
                          "it must listen on the %s, and stay; if it reads stdin and writes stdout, check it without "
                          "--transport",
                          where);
        else if (hint_log(t).len)
            buffer_format(out, "mend what its stderr says; it must listen on the %s; set SO_REUSEADDR, as it may be "
                               "started again", where);
        else
            buffer_format(out, "it must listen on the %s; set SO_REUSEADDR, as it may be started again", where);
        break;
    default:
        buffer_text(out, todo);
        break;
    }
}

void hint_add(const struct talk *t, const char *todo, struct buffer *out)
{
    switch (t->fault) {
    case FAULT_HELD:
        buffer_text(out, "it came only when the input had ended: ");
        buffer_text(out, t->subject->node->transport == TRANSPORT_STDIO
                             ? FLUSH
                             : "flush what is written to the connection, after every answer");
        break;
    case FAULT_HALF:
        buffer_text(out, "end every line with \\n, and flush it");
        break;
    case FAULT_START:
        add_start(t, todo, out);
        break;
    case FAULT_WRONG:
        add_wrong(t, todo, out);
        break;
    case FAULT_END:
        add_end(t, todo, out);
        break;
    case FAULT_LATE:
        add_late(t, todo, out);
        break;
    default:
        buffer_text(out, todo);
        break;
    }
}

bool hint_is_error(const struct talk *t)
{
    return t->fault == FAULT_WRONG && t->has_wrong && has_word((struct text){ t->wrong.data, t->wrong.len }, "ERROR");
}

struct text hint_log(const struct talk *t)
{
    const struct buffer *log = &t->peer.log;
    size_t end = log->len, begin;
    if (!t->peer.has_exited)
        return (struct text){ 0 };
    while (end && log->data[end - 1] == '\n')
        end--;
    begin = end;
    for (int lines = 0; begin; begin--)
        if (log->data[begin - 1] == '\n' && ++lines == LOG_LINES)
            break;
    return (struct text){ end ? log->data + begin : NULL, end - begin };
}
