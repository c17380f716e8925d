#include "check.h"

#include "lockstep/condition.h"
#include "lockstep/session.h"

#define TEXT(s)                                                                                                        \
    {                                                                                                                  \
        s, sizeof(s) - 1                                                                                               \
    }

/* One record of each kind, as the engine makes them. */
static const struct record message = { .n = 7,
                                       .t = 3000000,
                                       .kind = RECORD_MESSAGE,
                                       .src_node = 0,
                                       .dst_node = 1,
                                       .id = 5,
                                       .src = TEXT("sensor1"),
                                       .dst = TEXT("gw"),
                                       .type = TEXT("TRANSMIT"),
                                       .size = 64,
                                       .payload = TEXT(
                                           "{\"temperature\":25.5,\"unit\":\"C\",\"n\":12,\"ok\":true,\"no\":false,"
                                           "\"none\":null,\"list\":[10,{\"a\":\"x\"},[7]],\"a b\":1,\"a.b\":2,"
                                           "\"deep\":{\"list\":[{\"k\":{\"v\":-4}}]},\"big\":9007199254740993,"
                                           "\"esc\":\"a\\\"\\u00e9\\n\",\"twice\":1,\"twice\":2,\"exp\":1.5e3,"
                                           "\"word\":\"25.5\",\"yes\":\"true\",\"long\":18.234231786023955,"
                                           "\"k\\u0065y\":3,\"\":4}"),
                                       .due = 3010000,
                                       .latency = 10000 };
static const struct record undue = {
    .kind = RECORD_MESSAGE, .src = TEXT("a"), .dst = TEXT("nobody"), .dst_node = -1, .due = SIMTIME_NEVER, .latency = -1
};
static const struct record local = { .t = 100,
                                     .kind = RECORD_LOCAL,
                                     .src = TEXT("gw"),
                                     .dst_node = -1,
                                     .type = TEXT("PROCESS"),
                                     .payload = TEXT("\"sample_3\""),
                                     .latency = 77 };
static const struct record number = {
    .kind = RECORD_LOCAL, .src = TEXT("gw"), .dst_node = -1, .type = TEXT("N"), .payload = TEXT(" 12.5"), .latency = -1
};
static const struct record drop = {
    .t = 5, .kind = RECORD_DROP, .src_node = 0, .dst_node = 1, .id = 5, .cause = TEXT("unknown destination")
};
static const struct record failed = { .t = 9,
                                      .kind = RECORD_NODE,
                                      .src_node = 1,
                                      .dst_node = -1,
                                      .src = TEXT("gw"),
                                      .state = TEXT("failed"),
                                      .cause = TEXT("killed by SIGKILL") };
static const struct record link = { .kind = RECORD_LINK,
                                    .src_node = 0,
                                    .dst_node = 1,
                                    .src = TEXT("sensor1"),
                                    .dst = TEXT("gw"),
                                    .latency = 2000,
                                    .cause = TEXT("fault") };
static const struct record end = {
    .t = 10000000, .kind = RECORD_END, .src_node = -1, .dst_node = -1, .state = TEXT("finished")
};

static struct condition *parse(const char *text)
{
    struct condition_error err;
    struct condition *c = condition_parse(text, &err);
    if (!c)
        fail_msg("'%s': %s", text, err.text);
    assert_int_equal(err.column, 0);
    assert_string_equal(condition_text(c), text);
    return c;
}

struct row {
    const struct record *r;
    const char *text;
    bool holds;
};

static void check_rows(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct condition *c = parse(rows[i].text);
        if (condition_matches(c, rows[i].r, NULL) != rows[i].holds)
            fail_msg("'%s' %s hold for a %s", rows[i].text, rows[i].holds ? "does not" : "does",
                     record_kind_name(rows[i].r->kind));
        condition_free(c);
    }
}
#define CHECK_ROWS(rows) check_rows(rows, sizeof(rows) / sizeof *(rows))

static void fields_compare_as_what_they_are(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { &message, "kind == message", true },
        { &message, "kind == local", false },
        { &message, "kind != local", true },
        { &message, "kind =~ ^mess", true },
        { &drop, "kind == drop", true },
        { &message, "time == 3s", true },
        { &message, "time == 3", true },
        { &message, "time >= 3000ms && time <= 3000000us", true },
        { &message, "time > 3", false },
        { &message, "time < 0.05min", false },
        { &message, "time<=0.05min", true },
        { &message, "time != 3.000001s", true },
        { &message, "src == sensor1", true },
        { &message, "src == 'sensor1'", true },
        { &message, "src == sensor", false },
        { &message, "src == Sensor1", false },
        { &message, "src != sensor2", true },
        { &message, "src < sensor2 && src > sensor", true },
        { &message, "src =~ \"^sensor[0-9]$\"", true },
        { &message, "src =~ ensor", true },
        { &message, "src =~ '^(a|b)'", false },
        { &message, "dst==gw", true },
        { &message, "type == TRANSMIT", true },
        { &message, "type =~ ^T.*T$", true },
        { &message, "size == 64", true },
        { &message, "size > 63.5", true },
        { &message, "size < 64", false },
        { &message, "size <= 64", true },
        { &message, "id == 5", true },
        { &message, "latency == 10ms", true },
        { &message, "latency > 0.01", false },
        { &message, "latency >= 0.01", true },
        { &link, "latency == 2ms && dst == gw && cause == fault", true },
        { &drop, "cause == \"unknown destination\" && id == 5", true },
        { &failed, "state == failed && src == gw && cause =~ SIG", true },
        { &end, "state == finished && time == 10s", true },
    };
    CHECK_ROWS(rows);
}

static void what_a_record_has_not_compares_as_false(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { &drop, "src == sensor1", false },
        { &drop, "src != sensor1", false },
        { &drop, "!(src == sensor1)", true },
        { &drop, "dst != x", false },
        { &drop, "size < 1000", false },
        { &drop, "latency < 1h", false },
        { &drop, "payload != x", false },
        { &failed, "id == 0", false },
        { &failed, "payload == null", false },
        { &local, "latency >= 0", false },
        { &local, "dst != x", false },
        { &undue, "latency != 1s", false },
        { &undue, "size == 0", true },
        { &undue, "dst == nobody", true },
        { &undue, "payload == null", true },
        { &undue, "payload.x == null", false },
        { &message, "state != x", false },
        { &message, "cause =~ .", false },
        { &message, "payload.nothing != 1", false },
        { &message, "payload.nothing == null", false },
        { &message, "payload.unit.deeper != 1", false },
        { &message, "node.state == idle", false },
        { &message, "node.state != idle", false },
        { &message, "node.step_time < 1h", false },
    };
    CHECK_ROWS(rows);
}

static void payloads_are_looked_into(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { &message, "payload.temperature > 25", true },
        { &message, "payload.temperature > 25.5", false },
        { &message, "payload.temperature == 25.50", true },
        { &message, "payload.temperature == 255e-1", true },
        { &message, "payload.temperature < 1e300", true },
        { &message, "payload.n == 12", true },
        { &message, "payload.n == 12.0", true },
        { &message, "payload.n != 13", true },
        { &message, "payload.n > -3", true },
        { &message, "payload.exp == 1500", true },
        { &message, "payload.big == 9007199254740993", true },
        { &message, "payload.big == 9007199254740992", false },
        { &message, "payload.long > 18.23423178602395", true },
        { &message, "payload.long == 18.234231786023955", true },
        { &message, "payload.long < 18.23423178602396", true },
        { &message, "payload.long > 18", true },
        { &message, "payload.unit == C", true },
        { &message, "payload.unit =~ '^[A-F]$'", true },
        { &message, "payload.unit < 'D'", true },
        { &message, "payload.unit < 5", false },
        { &message, "payload.unit != 5", true },
        { &message, "payload.ok == true", true },
        { &message, "payload.ok == false", false },
        { &message, "payload.ok != false", true },
        { &message, "payload.ok == 'true'", false },
        { &message, "payload.ok > 'false'", false },
        { &message, "payload.ok =~ tru", true },
        { &message, "payload.none == null", true },
        { &message, "payload.none != null", false },
        { &message, "payload.none == 0", false },
        { &message, "payload.none != 0", true },
        { &message, "payload.word == 25.5", true },
        { &message, "payload.word == '25.5'", true },
        { &message, "payload.word > 25", false },
        { &message, "payload.yes == true", true },
        { &message, "payload.temperature == '25.5'", false },
        { &message, "payload.temperature != C", true },
        { &message, "payload.temperature < 'Z'", false },
        { &message, "payload.list.0 == 10", true },
        { &message, "payload.list.1.a == x", true },
        { &message, "payload.list.2.0 == 7", true },
        { &message, "payload.list.3 != 0", false },
        { &message, "payload.list.00 == 10", false },
        { &message, "payload.list.x == 10", false },
        { &message, "payload.list == 10", false },
        { &message, "payload.list != 10", true },
        { &message, "payload.list =~ '^.10,'", true },
        { &message, "payload.deep.list.0.k.v == -4", true },
        { &message, "payload.'a b' == 1", true },
        { &message, "payload.\"a.b\" == 2", true },
        { &message, "payload.a.b == 2", false },
        { &message, "payload.twice == 2", true },
        { &message, "payload.esc == 'a\"\xc3\xa9\n'", true },
        { &message, "payload.esc =~ \xc3\xa9", true },
        { &message, "payload.key == 3", true },
        { &message, "payload.'' == 4", true },
        { &message, "payload =~ temper", true },
        { &message, "payload.ok", true },
        { &message, "payload.no", false },
        { &message, "payload.none", false },
        { &message, "payload.n && !payload.no", true },
        { &message, "payload.missing", false },
        { &message, "!payload.missing", true },
        { &local, "payload == sample_3", true },
        { &local, "payload =~ '^sample_[0-9]+$'", true },
        { &local, "payload.x != 1", false },
        { &number, "payload == 12.5", true },
        { &number, "payload > 12", true },
    };
    CHECK_ROWS(rows);
}

static void parts_are_put_together(void **state)
{
    (void)state;
    static const struct row rows[] = {
        { &message, "type == TRANSMIT && src == sensor1 && payload.temperature > 25", true },
        { &message, "type == TRANSMIT && src == sensor1 && payload.temperature > 26", false },
        { &message, "payload.temperature > 26 || src == sensor1 && type == TRANSMIT", true },
        { &message, "(payload.temperature > 26 || src == sensor1) && type == ACK", false },
        { &message, "src == a || src == b || src == sensor1", true },
        { &message, "!src == sensor1", false },
        { &message, "!(src == sensor1) || !!(src == sensor1)", true },
        { &message, "! ( src==a||src==b )&&( dst==gw )", true },
        { &message, "src == sensor1 && !(type == ACK && size > 1)", true },
        { &drop, "kind == drop || payload.temperature > 1", true },
        { &drop, "!payload.temperature", true },
    };
    CHECK_ROWS(rows);
}

static void a_bad_one_is_refused_with_its_column(void **state)
{
    (void)state;
    static const struct {
        const char *text, *why;
    } rows[] = {
        { "", "column 1: expected a condition, for example type == TRANSMIT && payload.temperature > 25" },
        { "  ", "column 3: expected a condition, for example type == TRANSMIT && payload.temperature > 25" },
        { "payload.temp >", "column 15: expected a value after '>'" },
        { "payload.temp > ", "column 16: expected a value after '>'" },
        { "type == && x", "column 9: expected a value after '=='" },
        { "type", "column 5: expected ==, !=, <, <=, >, >= or =~ after 'type'" },
        { "type TRANSMIT", "column 6: expected ==, !=, <, <=, >, >= or =~ after 'type'" },
        { "payload.x y", "column 11: expected ==, !=, <, <=, >, >= or =~ after 'payload.x'" },
        { "type = x", "column 6: expected == (a single = compares nothing)" },
        { "tpye == x", "column 1: unknown field 'tpye'; did you mean 'type'?" },
        { "src == a && pyload.x == 1", "column 13: unknown field 'pyload.x'; did you mean 'payload'?" },
        { "node.stat == x", "column 1: unknown field 'node.stat'; did you mean 'node.state'?" },
        { "chnged(payload.x)", "column 1: unknown field 'chnged'; did you mean 'changed(…)'?" },
        { "zzzzzzzz == 1",
          "column 1: unknown field 'zzzzzzzz'; there are kind, time, id, src, dst, type, size, latency, "
          "state, cause, payload.KEY, node.state and node.step_time" },
        { "src == a &&", "column 12: expected a condition after '&&'" },
        { "src == a && ||", "column 13: expected a condition after '&&', not '|'" },
        { "src == a || )", "column 13: expected a condition after '||', not ')'" },
        { "src == a & dst == b", "column 10: expected &&" },
        { "src == a | dst == b", "column 10: expected ||" },
        { "src == a dst == b", "column 10: expected && or || or the end, not 'dst'" },
        { "(src == a", "column 10: expected && or || or the ) of the ( in column 1" },
        { "src == a)", "column 9: expected && or || or the end: this ) has no (" },
        { "()", "column 2: expected a condition after '(', not ')'" },
        { "!", "column 2: expected a condition after '!'" },
        { "'src' == a", "column 1: expected a field, not a text in quotes" },
        { "src == 'a", "column 8: this quote has no end" },
        { "src == 'a\\'", "column 8: this quote has no end" },
        { "dst == \xc3\xa9 && srk == 1", "column 13: unknown field 'srk'; did you mean 'src'?" },
        { "payload. == 1", "column 9: expected a key after '.'" },
        { "payload.a..b == 1", "column 11: expected a key after '.'" },
        { "time > soon",
          "column 8: expected a time after '>': not a time; write a number and a unit, for example 10ms, "
          "2.5s, 1min" },
        { "latency > 5parsec", "column 11: expected a time after '>': not a time; the units are us, ms, s, min and h" },
        { "time > 0.0000001", "column 8: expected a time after '>': finer than a microsecond" },
        { "time =~ 1", "column 9: =~ is for texts; compare time with ==, <, >, …" },
        { "size > big", "column 8: expected a number after '>'" },
        { "size > '5'", "column 8: expected a number after '>'" },
        { "size > 0x10", "column 8: expected a number after '>'" },
        { "size > inf", "column 8: expected a number after '>'" },
        { "payload.temperature > hot", "column 23: expected a number after '>', or a text in quotes" },
        { "src == a && payload.x<=-", "column 24: expected a number after '<=', or a text in quotes" },
        { "payload >= 1.5s", "column 12: expected a number after '>=', or a text in quotes" },
        { "payload.x < true", "column 13: expected a number after '<', or a text in quotes" },
        { "count(payload.x > null) > 1", "column 19: expected a number after '>', or a text in quotes" },
        { "kind == mesage", "column 9: unknown kind 'mesage'; did you mean 'message'?" },
        { "kind == zzzzz", "column 9: unknown kind 'zzzzz'; there are run, message, local, drop, node, link, command, "
                           "warning and end" },
        { "node.state == idel", "column 15: unknown state 'idel'; did you mean 'idle'?" },
        { "src =~ '('", "column 8: regular expression: Unmatched ( or \\(" },
        { "src =~ '(a)\\1'", "column 8: an extended regular expression has no back-references (\\1)" },
        { "src =~ 'a{600}{600}'", "column 8: the regular expression repeats more than 1000 times" },
        { "count(src == a)", "column 16: expected ==, !=, <, <=, > or >= and a number after count(…)" },
        { "count(src == a) >= x", "column 20: expected a number after '>='" },
        { "count(src == a) =~ 1", "column 20: =~ is for texts; compare count with ==, <, >, …" },
        { "count() > 1", "column 7: expected a condition after '(', not ')'" },
        { "count(src == a >= 3", "column 16: expected && or || or the ) of the ( in column 6" },
        { "changed(payload.x", "column 18: expected && or || or the ) of the ( in column 8" },
        { "changed(time)", "column 9: changed is for texts and payloads; expected payload.KEY, state or the like" },
        { "count == 3", "column 1: unknown field 'count'; did you mean 'count(…)'?" },
        { "sr\x1b[c == a", "column 1: unknown field 'sr\\x1b[c'; did you mean 'src'?" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct condition_error err;
        struct condition *c = condition_parse(rows[i].text, &err);
        if (c)
            fail_msg("'%s' was taken", rows[i].text);
        if (strcmp(err.text, rows[i].why))
            fail_msg("'%s':\n  %s\ninstead of\n  %s", rows[i].text, err.text, rows[i].why);
        char column[40];
        snprintf(column, sizeof column, "column %zu: ", err.column);
        assert_memory_equal(err.text, column, strlen(column));
    }
}

static void limits_hold(void **state)
{
    (void)state;
    struct condition_error err;
    char text[CONDITION_TEXT_MAX + 2];
    memset(text, '(', 33);
    strcpy(text + 33, "src == a");
    assert_null(condition_parse(text, &err));
    assert_string_equal(err.text, "column 33: nested too deeply: 32 levels are the most");
    memset(text, '!', 40);
    strcpy(text + 40, "src == a");
    assert_null(condition_parse(text, &err));
    memset(text, ' ', sizeof text);
    memcpy(text, "src == a", 8);
    text[CONDITION_TEXT_MAX + 1] = '\0';
    assert_null(condition_parse(text, &err));
    assert_string_equal(err.text, "column 1001: a condition is 1000 bytes long at most");
    text[CONDITION_TEXT_MAX] = '\0';
    condition_free(condition_parse(text, &err));
    assert_int_equal(err.column, 0);
    condition_free(NULL);
}

static struct record from(const char *src, const char *payload)
{
    struct record r = message;
    r.src = (struct text){ src, strlen(src) };
    r.payload = (struct text){ payload, strlen(payload) };
    return r;
}

static bool holds(struct condition *c, const char *src, const char *payload)
{
    struct record r = from(src, payload);
    return condition_matches(c, &r, NULL);
}

static void count_counts_all_records(void **state)
{
    (void)state;
    struct condition *c = parse("src == b && count(payload.x > 1) >= 2");
    assert_true(condition_needs(c) & CONDITION_HISTORY);
    assert_false(holds(c, "a", "{\"x\":2}")); /* counted although another part is false */
    assert_false(holds(c, "b", "{\"x\":1}"));
    assert_true(holds(c, "b", "{\"x\":3}"));
    assert_true(holds(c, "b", "{}"));
    condition_restart(c);
    assert_false(holds(c, "b", "{\"x\":3}"));
    assert_true(holds(c, "b", "{\"x\":3}"));
    condition_free(c);
    c = parse("count(count(src == a) >= 2) == 1 || !(src == a)");
    assert_false(holds(c, "a", "1"));
    assert_true(holds(c, "a", "1"));
    assert_false(holds(c, "a", "1"));
    condition_free(c);
}

static void changed_compares_with_the_last_of_the_source(void **state)
{
    (void)state;
    static const struct {
        const char *src, *payload;
        bool changed;
    } rows[] = {
        { "a", "{\"x\":1}", false },           { "a", "{\"x\":1}", false },    { "b", "{\"x\":2}", false },
        { "a", "{\"x\":1.0}", false },         { "a", "{\"x\":\"1\"}", true }, { "a", "{\"y\":1}", false },
        { "a", "{\"x\":\"\\u0031\"}", false }, { "a", "{\"x\":null}", true },  { "b", "{\"x\":2}", false },
        { "b", "{\"x\":[2]}", true },          { "b", "{\"x\":[2]}", false },  { "b", "{\"x\":-0.0}", true },
        { "b", "{\"x\":0}", false },
    };
    struct condition *c = parse("changed(payload.x)");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (holds(c, rows[i].src, rows[i].payload) != rows[i].changed)
            fail_msg("row %zu", i);
    char src[20];
    for (int round = 0; round < 3; round++) /* more sources than there is room for at first */
        for (int i = 0; i < 1000; i++) {
            snprintf(src, sizeof src, "n%d", i);
            if (holds(c, src, i == 500 && round == 2 ? "{\"x\":2}" : "{\"x\":1}") != (i == 500 && round == 2))
                fail_msg("round %d, %s", round, src);
        }
    condition_restart(c);
    assert_false(holds(c, "n1", "{\"x\":5}"));
    condition_free(c);
    c = parse("changed(type)");
    assert_false(condition_matches(c, &local, NULL));
    assert_true(condition_matches(c, &number, NULL));
    assert_false(condition_matches(c, &drop, NULL));
    condition_free(c);
}

struct looked {
    struct condition_nodes nodes;
    struct condition_node as;
    int node;
};

static void look(const struct condition_nodes *nodes, int node, struct condition_node *out)
{
    struct looked *l = (struct looked *)(uintptr_t)nodes;
    l->node = node;
    *out = l->as;
}

static bool holds_with(const char *text, const char *node_state, int64_t step_ns, int *node)
{
    struct looked l = { { look }, { node_state, step_ns }, -1 };
    struct condition *c = parse(text);
    bool result = condition_matches(c, &failed, &l.nodes);
    *node = l.node;
    condition_free(c);
    return result;
}

static void nodes_are_asked_for(void **state)
{
    (void)state;
    int node;
    assert_true(holds_with("node.state == failed", "failed", -1, &node));
    assert_int_equal(node, 1);
    assert_false(holds_with("node.state == failed", "idle", -1, &node));
    assert_true(holds_with("node.state =~ ^fa", "failed", -1, &node));
    assert_true(holds_with("node.step_time > 10ms", "idle", 10000001, &node));
    assert_false(holds_with("node.step_time > 10ms", "idle", 10000000, &node));
    assert_true(holds_with("node.step_time == 10ms", "idle", 10000000, &node));
    assert_true(holds_with("node.step_time < 10ms", "idle", 9999999, &node));
    assert_false(holds_with("node.step_time < 10ms", "idle", -1, &node));
    assert_false(holds_with("kind == drop && node.state == failed", "failed", 1, &node));
    assert_int_equal(node, -1); /* it was not needed */
    for (int s = 0; s < NODE_STATES; s++) {
        char text[60];
        snprintf(text, sizeof text, "node.state == %s", node_state_name((enum node_state)s));
        condition_free(parse(text));
    }
}

static void it_says_what_it_needs_and_where_it_cannot_hold(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        unsigned needs, kinds; /* 0: all */
        const char *src, *dst;
    } rows[] = {
        { "type == A && src == s1", 0, 1 << RECORD_MESSAGE | 1 << RECORD_LOCAL, "s1", NULL },
        { "dst == gw && (src == a || src == b)", 0, 1 << RECORD_MESSAGE | 1 << RECORD_LINK, NULL, "gw" },
        { "size > 1 || kind == drop", 0, 1 << RECORD_MESSAGE | 1 << RECORD_DROP, NULL, NULL },
        { "kind != message && kind == drop", 0, 1 << RECORD_DROP, NULL, NULL },
        { "!(src == a)", 0, 0, NULL, NULL },
        { "src != a && size > 1", 0, 1 << RECORD_MESSAGE, NULL, NULL },
        { "src == a && count(size > 1) > 3", CONDITION_HISTORY, 0, NULL, NULL },
        { "src == a && changed(payload.x)", CONDITION_HISTORY, 0, NULL, NULL },
        { "node.state == idle && kind == drop", CONDITION_NODE, ~0u, NULL, NULL },
        { "node.step_time > 1ms && size > 2", CONDITION_NODE | CONDITION_WALL, 1 << RECORD_MESSAGE, NULL, NULL },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct condition *c = parse(rows[i].text);
        struct condition_scope scope = condition_scope(c);
        unsigned kinds = !rows[i].kinds ? (1u << RECORD_KINDS) - 1 : rows[i].kinds == ~0u ? 0 : rows[i].kinds;
        if (condition_needs(c) != rows[i].needs || scope.kinds != kinds)
            fail_msg("'%s': needs %x, kinds %x", rows[i].text, condition_needs(c), scope.kinds);
        assert_int_equal(!scope.src, !rows[i].src);
        assert_int_equal(!scope.dst, !rows[i].dst);
        if (scope.src)
            assert_string_equal(scope.src, rows[i].src);
        if (scope.dst)
            assert_string_equal(scope.dst, rows[i].dst);
        condition_free(c);
    }
}

static void a_scope_tells_the_time_between(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        simtime from, until;
    } rows[] = {
        { "time > 2s && time <= 3s && size > 1", 2000000, 3000000 },
        { "time == 5ms", 5000, 5000 },
        { "(time >= 1s && kind == drop) && time < 9s", 1000000, 9000000 },
        { "time > 2s || time < 1s", 0, SIMTIME_NEVER },
        { "!(time > 2s)", 0, SIMTIME_NEVER },
        { "time != 2s", 0, SIMTIME_NEVER },
        { "time > 2s && count(size > 1) > 3", 0, SIMTIME_NEVER },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct condition *c = parse(rows[i].text);
        struct condition_scope scope = condition_scope(c);
        assert_int_equal(scope.from, rows[i].from);
        assert_int_equal(scope.until, rows[i].until);
        condition_free(c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_compare_as_what_they_are),
        cmocka_unit_test(what_a_record_has_not_compares_as_false),
        cmocka_unit_test(payloads_are_looked_into),
        cmocka_unit_test(parts_are_put_together),
        cmocka_unit_test(a_bad_one_is_refused_with_its_column),
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(count_counts_all_records),
        cmocka_unit_test(changed_compares_with_the_last_of_the_source),
        cmocka_unit_test(nodes_are_asked_for),
        cmocka_unit_test(it_says_what_it_needs_and_where_it_cannot_hold),
        cmocka_unit_test(a_scope_tells_the_time_between),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
