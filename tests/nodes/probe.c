/* A node that uses every part of the library as its test says: config.mode is what it does, and each message asks for
 * something by its type. */
#include <inttypes.h>
#include <lockstep/node.h>
#include <stdlib.h>

static bool mode_is(const struct lockstep_node *node, const char *mode)
{
    char text[40];
    return lockstep_json_string(lockstep_config(node), "mode", text, sizeof text) && strcmp(text, mode) == 0;
}

/* A failure for each mode of that name. */
static void go_wrong(struct lockstep_node *node, int64_t now)
{
    if (mode_is(node, "fail")) {
        lockstep_fail(node, "no %s\nleft", "coffee");
        lockstep_fail(node, "that is not what counts");
    }
    if (mode_is(node, "past"))
        lockstep_timer(node, now - 1, 0);
    if (mode_is(node, "payload"))
        lockstep_send(node, "other", "X", 1, "{'a':1}");
    if (mode_is(node, "size"))
        lockstep_send(node, "other", "X", -1, "1");
    if (mode_is(node, "no destination"))
        lockstep_send(node, NULL, "X", 1, "1");
    if (mode_is(node, "no type"))
        lockstep_report(node, "", "1");
    for (unsigned i = 0; mode_is(node, "flood") && i <= LOCKSTEP_ANSWER_MAX; i++)
        lockstep_report(node, "X", NULL);
    for (unsigned i = 0; mode_is(node, "timers") && i <= LOCKSTEP_EVENTS_MAX; i++)
        lockstep_timer(node, now, 0);
    if (mode_is(node, "long")) {
        char *text = calloc(1, LOCKSTEP_LINE_MAX + 1);
        if (!text)
            abort();
        memset(text, '1', LOCKSTEP_LINE_MAX);
        lockstep_send(node, "other", "X", 1, text);
        free(text);
    }
}

static void init(struct lockstep_node *node)
{
    printf("a stray line that must not get in between\n");
    fflush(stdout);
    if (mode_is(node, "init fails"))
        lockstep_fail(node, "no tea");
    else if (mode_is(node, "init sends"))
        lockstep_report(node, "X", NULL);
    else if (mode_is(node, "order"))
        for (int i = 0; i < 4; i++)
            lockstep_timer(node, i % 2 ? 2000 : 1000, i);
    else
        lockstep_timer(node, 1000, 0);
    if (mode_is(node, "metrics"))
        lockstep_metrics(node, "time_us,value");
}

static void timer(struct lockstep_node *node, int64_t now, int kind, const void *data)
{
    char payload[40];
    (void)data;
    go_wrong(node, now);
    if (mode_is(node, "order")) {
        snprintf(payload, sizeof payload, "%d", kind);
        lockstep_report(node, "TIMER", payload);
    }
    if (mode_is(node, "metrics"))
        fprintf(lockstep_metrics(node, ""), "%" PRId64 ",1\r\n", now);
}

/* Everything that the readers make of the member "k" of the payload, as an array. */
static void report_member(struct lockstep_node *node, const char *object)
{
    char number[LOCKSTEP_NUMBER_TEXT] = "null", whole[24] = "null", us[24] = "null", string[64], quoted[400] = "null";
    double d;
    int64_t i;
    bool b, known = lockstep_json_bool(object, "k", &b);
    char *text = lockstep_json_copy(object, "k"), *all;
    if (lockstep_json_double(object, "k", &d))
        lockstep_number(d, number);
    if (lockstep_json_int64(object, "k", &i))
        snprintf(whole, sizeof whole, "%" PRId64, i);
    if (lockstep_json_time(object, "k", &i))
        snprintf(us, sizeof us, "%" PRId64, i);
    if (lockstep_json_string(object, "k", string, sizeof string))
        lockstep_quote(quoted, sizeof quoted, string);
    size_t size = 700 + (text ? strlen(text) : 0);
    all = malloc(size);
    if (!all)
        abort();
    snprintf(all, size, "[%s,%s,%s,%s,%s,%s]", text ? text : "null", number, whole, us,
             !known ? "null"
             : b    ? "true"
                    : "false",
             quoted);
    lockstep_report(node, "MEMBER", all);
    free(text);
    free(all);
}

static void message(struct lockstep_node *node, int64_t now, const struct lockstep_message *m)
{
    char payload[200], a[LOCKSTEP_NUMBER_TEXT], b[LOCKSTEP_NUMBER_TEXT];
    (void)now;
    if (strcmp(m->type, "MEMBER") == 0) {
        report_member(node, m->payload);
    } else if (strcmp(m->type, "RANDOM") == 0) {
        lockstep_number(lockstep_random(node), a);
        lockstep_number(lockstep_gauss(node, 20.0, 2.0), b);
        snprintf(payload, sizeof payload, "[%s,%s]", a, b);
        lockstep_report(node, "RANDOM", payload);
    } else if (strcmp(m->type, "WHO") == 0) {
        snprintf(payload, sizeof payload,
                 "{\"id\":\"%s\",\"seed\":%" PRIu64 ",\"now\":%" PRId64 ",\"target\":%" PRId64 "}", lockstep_id(node),
                 lockstep_seed(node), lockstep_now(node), lockstep_target(node));
        lockstep_report(node, "WHO", payload);
    } else {
        lockstep_send(node, *m->src ? m->src : "nobody", m->type, m->size, m->payload);
    }
}

/* Raw access: the times of what came. */
static void advance(struct lockstep_node *node, int64_t target, const struct lockstep_message *messages, size_t count)
{
    for (size_t i = 0; i < count; i++)
        lockstep_send_at(node, messages[i].time, "raw", messages[i].type, messages[i].size, messages[i].payload);
    if (target < 5000)
        lockstep_next(node, 5000);
    else if (target < 6000)
        lockstep_next(node, LOCKSTEP_NEVER);
}

static void close_probe(struct lockstep_node *node)
{
    fprintf(stderr, "%s is closed\n", lockstep_id(node));
}

int main(int argc, char **argv)
{
    static const struct lockstep_behaviour plain = {
        .init = init, .timer = timer, .message = message, .close = close_probe
    };
    static const struct lockstep_behaviour raw = { .init = init, .timer = timer, .advance = advance };
    return lockstep_run(argc > 1 && strcmp(argv[1], "raw") == 0 ? &raw : &plain, NULL);
}
