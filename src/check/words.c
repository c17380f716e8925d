#include "check/words.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/hint.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "check/checks.h"

#define LIMIT_DEFAULT INT64_C(10000000) /* us */
#define FILE_MOST     (4u << 20)        /* bytes of a file that an option names */
#define TYPE_MOST     256               /* bytes, as in a run */
#define SHOWN         60                /* bytes of a value in a message */

const char words_usage[] =
    "lockstep check-node [OPTION]... -- COMMAND [ARGUMENT]...\n\n"
    "Starts the command as a node, talks the node protocol to it, good and odd messages alike, and says what is wrong\n"
    "and what to do.\n\n"
    "  --config JSON|@FILE         the node's config, an object (default: none)\n"
    "  --message JSON|@FILE        a message that the node understands, or an array of them; may repeat:\n"
    "                              {\"type\": \"READING\", \"payload\": {\"c\": 21.5}}\n"
    "  --type TYPE                 the type of the other messages (default: lockstep.check, which no node knows)\n"
    "  --transport stdio|tcp|unix  how it is spoken to (default: stdio)\n"
    "  --port N                    tcp: where it listens (default: a free port, in LOCKSTEP_PORT)\n"
    "  --dialect node|service      the words of its messages (default: node)\n"
    "  --timeout T                 how long READY and an answer may take: 10s, 500ms (default: 10s)\n"
    "  -v, --verbose               show the conversation\n"
    "  -h, --help                  this text\n\n"
    "The node runs in the present working directory. Exit codes: 0 all that a node must do holds; 1 something does "
    "not;\n"
    "2 bad usage.\n";

static int take_choice(const char *option, const char *value, const char *const *choices, int count, struct error *err)
{
    struct buffer all = { 0 };
    for (int i = 0; i < count; i++)
        if (!strcmp(value, choices[i]))
            return i;
    for (int i = 0; i < count; i++)
        buffer_format(&all, "%s%s", i ? ", " : "", choices[i]);
    error_set(err, EXIT_USAGE, "--%s %s: there are %s", option, value, buffer_string(&all));
    buffer_free(&all);
    return 0;
}

static void take_port(struct words *w, const char *value, struct error *err)
{
    char *end;
    long port = strtol(value, &end, 10);
    if (end == value || *end || port < 1 || port > 65535)
        error_set(err, EXIT_USAGE, "--port %s: a port is a number from 1 to 65535", value);
    else
        w->port = (int)port;
}

static void take_timeout(struct words *w, const char *value, struct error *err)
{
    const char *why;
    if (simtime_parse(value, 1000000, &w->timeout, &why) < 0)
        error_set(err, EXIT_USAGE, "--timeout %s: %s", value, why);
    else if (w->timeout < 1000 || w->timeout > INT64_C(3600000000))
        error_set(err, EXIT_USAGE, "--timeout %s: from 1ms to 1h", value);
}

/* The beginning of a value, as it may be shown. */
static const char *brief(const char *value, struct buffer *out)
{
    size_t len = strlen(value), end = len;
    if (len > SHOWN)
        for (end = SHOWN; end && ((unsigned char)value[end] & 0xc0) == 0x80;)
            end--;
    utf8_escape(out, value, end);
    if (end < len)
        buffer_text(out, "…");
    return buffer_string(out);
}

static int read_whole(const char *option, const char *name, struct buffer *out, struct error *err)
{
    FILE *f = fopen(name, "re");
    size_t got = 1;
    while (f && got && out->len <= FILE_MOST) {
        buffer_grow(out, 4096);
        got = fread(out->data + out->len, 1, 4096, f);
        out->len += got;
    }
    if (!f || ferror(f))
        error_set(err, EXIT_USAGE, "--%s @%s: cannot read the file: %s", option, name, strerror(errno));
    else if (out->len > FILE_MOST)
        error_set(err, EXIT_USAGE, "--%s @%s: the file has more than %u MiB", option, name, FILE_MOST >> 20);
    if (f)
        fclose(f);
    return err->code ? -1 : 0;
}

/* The value of an option that is JSON, or the name of a file behind an @. NULL with *err set where it is none. */
static struct json *read_json(const char *option, const char *value, const char *example, struct error *err)
{
    const char *why;
    struct buffer text = { 0 }, safe = { 0 };
    if (*value == '@' && read_whole(option, value + 1, &text, err) < 0) {
        buffer_free(&text);
        return NULL;
    }
    if (*value != '@')
        buffer_text(&text, value);
    struct json *json = json_parse(buffer_string(&text), text.len, &why);
    if (!json)
        error_set(err, EXIT_USAGE, "--%s %s is not JSON: %s; write --%s '%s', or --%s @FILE", option,
                  brief(value, &safe), why, option, example, option);
    buffer_free(&text);
    buffer_free(&safe);
    return json;
}

static char *one_line(const struct json *json)
{
    struct buffer line = { 0 };
    json_write(&line, json);
    char *result = mem_text(buffer_string(&line));
    buffer_free(&line);
    return result;
}

static void take_config(struct words *w, const char *value, struct error *err)
{
    struct json *json = read_json("config", value, "{\"interval\": \"250ms\"}", err);
    struct buffer safe = { 0 };
    if (json && json_kind(json) != JSON_OBJECT)
        error_set(err, EXIT_USAGE, "--config %s: a config is an object: {\"KEY\": VALUE, …}", brief(value, &safe));
    if (!err->code) {
        free(w->config);
        w->config = one_line(json);
    }
    buffer_free(&safe);
    json_free(json);
}

/* How many members of a message are known. What check-node puts in itself may be there: so a message can be copied from
 * a conversation or from a record. */
static size_t known_members(const struct json *message)
{
    static const char *const known[] = { "type", "payload", "time_us", "src", "dst", "size_bytes",
                                         "event_type", "timestamp_us", "source", "destination" };
    size_t count = 0;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        count += json_get(message, known[i]) != NULL;
    return count;
}

static void add_sample(struct words *w, const struct json *message, struct error *err)
{
    const char *type = json_string(json_get(message, "type"), NULL);
    struct samples *s = &w->samples;
    if (!type)
        type = json_string(json_get(message, "event_type"), NULL);
    if (json_kind(message) != JSON_OBJECT || !type || !*type || strlen(type) > TYPE_MOST) {
        error_set(err, EXIT_USAGE,
                  "--message: a message is an object with a type, a text of at most %d bytes, and a payload: "
                  "{\"type\": \"READING\", \"payload\": {\"c\": 21.5}}",
                  TYPE_MOST);
        return;
    }
    if (known_members(message) != json_count(message)) {
        error_set(err, EXIT_USAGE,
                  "--message: a message has a type and a payload, and here is a key that is neither; time_us, src, dst "
                  "and size_bytes may be there, and are put in anew");
        return;
    }
    s->items = mem_grow(s->items, s->count, &s->capacity, sizeof *s->items);
    s->items[s->count++] = (struct sample){ mem_text(type), one_line(json_get(message, "payload")) };
}

static void take_message(struct words *w, const char *value, struct error *err)
{
    struct json *json = read_json("message", value, "{\"type\": \"READING\", \"payload\": {\"c\": 21.5}}", err);
    if (json && json_kind(json) != JSON_ARRAY)
        add_sample(w, json, err);
    for (size_t i = 0; json && json_kind(json) == JSON_ARRAY && i < json_count(json) && !err->code; i++)
        add_sample(w, json_at(json, i), err);
    json_free(json);
}

static void take_type(struct words *w, const char *value, struct error *err)
{
    size_t len = strlen(value);
    if (!len || len > TYPE_MOST || utf8_check(value, len) < len)
        error_set(err, EXIT_USAGE, "--type: a type is a text of 1 to %d bytes of UTF-8", TYPE_MOST);
    w->type = value;
}

static void take_option(struct words *w, int option, const char *value, struct error *err)
{
    static const char *const transports[] = { "stdio", "tcp", "unix" }, *const dialects[] = { "node", "service" };
    switch (option) {
    case 't':
        w->transport = (enum transport)take_choice("transport", value, transports, 3, err);
        break;
    case 'd':
        w->dialect = (enum dialect)take_choice("dialect", value, dialects, 2, err);
        break;
    case 'p':
        take_port(w, value, err);
        break;
    case 'T':
        take_timeout(w, value, err);
        break;
    case 'c':
        take_config(w, value, err);
        break;
    case 'm':
        take_message(w, value, err);
        break;
    case 'y':
        take_type(w, value, err);
        break;
    case 'v':
        w->verbose = true;
        break;
    default:
        w->help = true;
        break;
    }
}

int words_parse(struct words *w, int argc, char **argv, struct error *err)
{
    static const struct option options[] = {
        { "config", required_argument, NULL, 'c' },
        { "message", required_argument, NULL, 'm' },
        { "type", required_argument, NULL, 'y' },
        { "transport", required_argument, NULL, 't' },
        { "port", required_argument, NULL, 'p' },
        { "dialect", required_argument, NULL, 'd' },
        { "timeout", required_argument, NULL, 'T' },
        { "verbose", no_argument, NULL, 'v' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    *w = (struct words){ .timeout = LIMIT_DEFAULT, .type = TYPE_OF_CHECK };
    opterr = 0;
    for (int c; !err->code && (c = getopt_long(argc, argv, "+:vh", options, NULL)) != -1;)
        if (c == '?')
            error_set(err, EXIT_USAGE, "unknown option %s%s; a command that begins with - stands behind --",
                      argv[optind - 1], hint_option(argv[optind - 1], options).text);
        else if (c == ':')
            error_set(err, EXIT_USAGE, "%s needs a value", argv[optind - 1]);
        else
            take_option(w, c, optarg, err);
    w->command = argv + optind;
    if (w->help && !err->code)
        return 0;
    if (w->port && w->transport != TRANSPORT_TCP)
        error_set(err, EXIT_USAGE, "--port goes with --transport tcp");
    if (!*w->command)
        error_set(err, EXIT_USAGE, "no command is given: lockstep check-node -- COMMAND [ARGUMENT]...");
    return err->code ? -1 : 0;
}

void words_free(struct words *w)
{
    for (size_t i = 0; i < w->samples.count; i++) {
        free(w->samples.items[i].type);
        free(w->samples.items[i].payload);
    }
    free(w->samples.items);
    free(w->config);
    w->samples = (struct samples){ 0 };
    w->config = NULL;
}
