/* What a condition that is being typed may go on with, and what one may have been meant to say. */
#include "check.h"

#include <unistd.h>

#include "base/buffer.h"
#include "lockstep/condition_words.h"
#include "lockstep/session.h"
#include "trace/store_open.h"
#include "ui/complete_condition.h"

#define ALL CONDITION_ANY

/* The words of a place with commas between them. */
static const char *words_of(const struct condition_spot *spot, unsigned needs, struct buffer *out)
{
    const char *word;
    out->len = 0;
    for (int i = 0; (word = condition_word(spot, needs, i)); i++)
        buffer_format(out, "%s%s", i ? "," : "", word);
    return buffer_string(out);
}

static void a_text_is_known_by_its_end(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum condition_place place;
        size_t from;
        const char *field;
    } rows[] = {
        { "", CONDITION_AT_FIELD, 0, NULL },
        { "  ki", CONDITION_AT_FIELD, 2, NULL },
        { "kind", CONDITION_AT_FIELD, 0, NULL },
        { "kind ", CONDITION_AT_OPERATOR, 5, "kind" },
        { "kind =", CONDITION_AT_OPERATOR, 5, "kind" },
        { "kind !", CONDITION_AT_OPERATOR, 5, "kind" },
        { "kind == ", CONDITION_AT_VALUE, 8, "kind" },
        { "kind==dr", CONDITION_AT_VALUE, 6, "kind" },
        { "kind == drop ", CONDITION_AT_NOTHING, 13, NULL },
        { "kind == drop x", CONDITION_AT_NOTHING, 13, NULL },
        { "kind == drop &&", CONDITION_AT_FIELD, 15, NULL },
        { "kind == drop || !(sr", CONDITION_AT_FIELD, 18, NULL },
        { "!", CONDITION_AT_FIELD, 1, NULL },
        { "src =~ \"^a", CONDITION_AT_VALUE, 7, "src" },
        { "src == 'a b' ", CONDITION_AT_NOTHING, 13, NULL },
        { "count(ty", CONDITION_AT_FIELD, 6, NULL },
        { "count(type == A) >= ", CONDITION_AT_NOTHING, 20, NULL },
        { "changed(payload.m", CONDITION_AT_KEY, 16, NULL },
        { "payload.", CONDITION_AT_KEY, 8, NULL },
        { "payload.a.b", CONDITION_AT_KEY, 10, NULL },
        { "payload.\"a b", CONDITION_AT_KEY, 8, NULL },
        { "payload.\"a b\".c", CONDITION_AT_KEY, 14, NULL },
        { "payload.a ", CONDITION_AT_OPERATOR, 10, "payload" },
        { "node.st", CONDITION_AT_FIELD, 0, NULL },
        { "node.state == fa", CONDITION_AT_VALUE, 14, "node.state" },
        { "once ", CONDITION_AT_FIELD, 5, NULL },
        { "hit 3 note ki", CONDITION_AT_FIELD, 11, NULL },
        { "do \"link a b loss 1\" ti", CONDITION_AT_FIELD, 21, NULL },
        { "payload.mode where type == A", CONDITION_AT_VALUE, 27, "type" },
        { "log gw =~ x", CONDITION_AT_NOTHING, 10, NULL },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct condition_spot spot = condition_spot(rows[i].text, strlen(rows[i].text));
        bool is_field =
            !spot.field || !rows[i].field ? spot.field == rows[i].field : !strcmp(spot.field, rows[i].field);
        if (spot.place != rows[i].place || spot.from != rows[i].from || !is_field)
            fail_msg("'%s': place %d from %zu, field %s", rows[i].text, (int)spot.place, spot.from, spot.field);
    }
    struct condition_spot spot = condition_spot("kind == drop && payload.a.b", 4);
    assert_int_equal(spot.place, CONDITION_AT_FIELD); /* what stands behind does not count */
    spot = condition_spot("x && payload.a.b", 16);
    assert_int_equal(spot.path, 5);
}

static void the_words_are_those_of_the_language(void **state)
{
    (void)state;
    struct buffer b = { 0 };
    struct condition_spot field = condition_spot("", 0), spot;
    struct condition_error err;
    const char *word;
    assert_string_equal(words_of(&field, 0, &b), "kind,time,latency,size,id,src,dst,type,state,cause,payload.");
    words_of(&field, ALL, &b);
    assert_non_null(strstr(buffer_string(&b), "node.state,"));
    assert_non_null(strstr(buffer_string(&b), "changed(,count("));
    /* Each operator and each word that is offered for a field is taken. */
    for (int f = 0; (word = condition_word(&field, ALL & ~(unsigned)CONDITION_HISTORY, f)); f++) {
        char text[80], with[160];
        snprintf(text, sizeof text, "%s%s ", word, word[strlen(word) - 1] == '.' ? "k" : "");
        spot = condition_spot(text, strlen(text));
        assert_int_equal(spot.place, CONDITION_AT_OPERATOR);
        const char *operator, * value;
        for (int o = 0; (operator= condition_word(&spot, ALL, o)); o++) {
            snprintf(with, sizeof with, "%s%s ", text, operator);
            struct condition_spot at = condition_spot(with, strlen(with));
            assert_int_equal(at.place, CONDITION_AT_VALUE);
            bool is_time = at.values == CONDITION_VALUES_NONE;
            for (int v = 0; (value = condition_word(&at, ALL, v)) || (!v && is_time); v++) {
                char whole[200];
                snprintf(whole, sizeof whole, "%s%s", with, value ? value : "1");
                struct condition *c = condition_parse(whole, &err);
                if (!c)
                    fail_msg("%s: %s", whole, err.text);
                condition_free(c);
            }
        }
    }
    spot = condition_spot("kind == ", 8);
    assert_string_equal(words_of(&spot, 0, &b), "run,message,local,drop,node,link,command,warning,end");
    spot = condition_spot("size ", 5);
    assert_string_equal(words_of(&spot, 0, &b), "==,!=,<=,>=,<,>");
    buffer_free(&b);
}

static void any_bytes_are_a_text(void **state)
{
    (void)state;
    static const char bytes[] = "payload.src==!&|()\"'\\ \t~<>x.\xc3\xa9";
    uint64_t seed = test_seed() | 1;
    for (int i = 0; i < 100000; i++) {
        char text[40];
        size_t len = test_random(&seed) % (sizeof text - 1);
        for (size_t k = 0; k < len; k++)
            text[k] = bytes[test_random(&seed) % sizeof bytes]; /* NULs too */
        text[len] = '\0';
        struct condition_spot spot = condition_spot(text, len);
        assert_true(spot.from <= len && spot.path <= len);
        condition_word(&spot, ALL, 0);
    }
}

static void a_kind_that_is_taken_for_a_type_is_told(void **state)
{
    (void)state;
    static const struct {
        const char *text, *hint;
    } rows[] = {
        { "type == DROP", "type is a message's own, from its node; drop records are kind == drop" },
        { "type =~ Message", "type is a message's own, from its node; message records are kind == message" },
        { "src == a && !(type == 'warning')",
          "type is a message's own, from its node; warning records are kind == warning" },
        { "count(time > 1s || type == link) > 2",
          "type is a message's own, from its node; link records are kind == link" },
        { "type == dropped", NULL },
        { "type != drop", NULL },
        { "kind == drop", NULL },
        { "cause == drop", NULL },
        { "type =~ ^drop", NULL },
        { "payload.type == drop", NULL },
        { "type == TRANSMIT", NULL },
    };
    char hint[CONDITION_HINT];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bool is_told = condition_text_hint(rows[i].text, hint);
        if (is_told != (rows[i].hint != NULL) || (is_told && strcmp(hint, rows[i].hint) != 0))
            fail_msg("%s: %s", rows[i].text, is_told ? hint : "nothing");
        assert_true(!is_told || strlen(hint) <= 78); /* a line of a small screen */
    }
    assert_false(condition_text_hint(NULL, hint));
    assert_false(condition_text_hint("type ==", hint));
}

/* Records with something in them, and a scenario with some nodes. */
struct world {
    FILE *f;
    struct store_index index;
    struct known known;
    struct scenario scenario;
    struct scenario_node nodes[3];
};

static void write_line(struct world *w, const char *type, const char *payload)
{
    store_index_note(&w->index, w->index.records, ftell(w->f));
    fprintf(w->f,
            "{\"n\":%llu,\"t\":1,\"kind\":\"message\",\"id\":1,\"src\":\"a\",\"dst\":\"b\",\"type\":\"%s\",\"size\":6,"
            "\"payload\":%s,\"due\":5}\n",
            (unsigned long long)w->index.records, type, payload);
    fflush(w->f);
    w->index.records++;
    w->index.end = ftell(w->f);
}

static void begin(struct world *w)
{
    static char first[] = "sensor1", second[] = "sensor-2", third[] = "gw";
    *w = (struct world){ .f = tmpfile(), .nodes = { { .id = first }, { .id = second }, { .id = third } } };
    assert_non_null(w->f);
    w->scenario = (struct scenario){ .node_count = 3, .nodes = w->nodes };
    w->known = (struct known){ .scenario = &w->scenario, .store = store_new(fileno(w->f), &w->index) };
}

static void end(struct world *w)
{
    store_free(w->known.store);
    store_index_free(&w->index);
    fclose(w->f);
}

/* What the text becomes with its only candidate; or the candidates with commas between them. */
static const char *complete(const struct world *w, const char *text, struct buffer *out)
{
    struct candidates c;
    out->len = 0;
    condition_complete(&w->known, text, strlen(text), &c);
    if (c.count == 1)
        buffer_format(out, "%.*s%s%s", (int)c.from, text, c.items[0], c.behind);
    for (size_t i = 0; i < c.count && c.count > 1; i++)
        buffer_format(out, "%s%s", i ? "," : "", c.items[i]);
    candidates_free(&c);
    return buffer_string(out);
}

static void fields_and_values_are_completed(void **state)
{
    (void)state;
    struct world w;
    struct buffer b = { 0 };
    begin(&w);
    assert_string_equal(complete(&w, "s", &b), "size,src,state");
    assert_string_equal(complete(&w, "sr", &b), "src ");
    assert_string_equal(complete(&w, "size > 1 && pay", &b), "size > 1 && payload.");
    assert_string_equal(complete(&w, "(l", &b), "(latency ");
    assert_string_equal(complete(&w, "kind =~", &b), "kind =~ ");
    assert_string_equal(complete(&w, "kind == dr", &b), "kind == drop");
    assert_string_equal(complete(&w, "src == s", &b), "sensor1,sensor-2");
    assert_string_equal(complete(&w, "dst == \"g", &b), "dst == \"gw\"");
    assert_string_equal(complete(&w, "nod", &b), ""); /* of breakpoints only, and so these: */
    assert_string_equal(complete(&w, "cou", &b), "");
    w.known.needs = ALL;
    assert_string_equal(complete(&w, "once nod", &b), "node.step_time,node.state");
    assert_string_equal(complete(&w, "cou", &b), "count(");
    assert_string_equal(complete(&w, "type == ", &b), ""); /* there are no records yet */
    struct known nothing = { 0 }, known = w.known;
    w.known = nothing;
    assert_string_equal(complete(&w, "type == ", &b), "");
    assert_string_equal(complete(&w, "src == ", &b), "");
    buffer_free(&b);
    w.known = known;
    end(&w);
}

static void what_the_run_has_seen_is_completed(void **state)
{
    (void)state;
    struct world w;
    struct buffer b = { 0 };
    begin(&w);
    write_line(&w, "TRANSMIT", "{\"temperature\":20,\"deep\":{\"x\":1,\"y z\":2}}");
    write_line(&w, "ALERT", "{\"temperature\":21,\"a.b\":1,\"d\\u0065\":1}");
    write_line(&w, "A B", "[1]");
    write_line(&w, "S\\nT", "\"text\"");
    write_line(&w, "say \\\"it\\\"", "null");
    assert_string_equal(complete(&w, "type == ", &b), "\"A B\",\"say \\\"it\\\"\",ALERT,TRANSMIT");
    assert_string_equal(complete(&w, "type == T", &b), "type == TRANSMIT");
    assert_string_equal(complete(&w, "type == 'A", &b), "'A B','ALERT'");
    assert_string_equal(complete(&w, "type == say", &b), "type == \"say \\\"it\\\"\"");
    assert_string_equal(complete(&w, "payload.t", &b), "payload.temperature");
    assert_string_equal(complete(&w, "size > 1 && payload.", &b), "\"a.b\",de,deep,temperature");
    assert_string_equal(complete(&w, "payload.deep.", &b), "\"y z\",x");
    assert_string_equal(complete(&w, "payload.deep.\"y", &b), "payload.deep.\"y z\"");
    assert_string_equal(complete(&w, "payload.none.", &b), "");
    /* As it is completed it is taken. */
    struct condition_error err;
    struct condition *c = condition_parse("type == \"say \\\"it\\\"\" && payload.deep.\"y z\" == 2", &err);
    assert_non_null(c);
    condition_free(c);
    /* Of a long run the begin and the end are looked at. */
    for (int i = 0; i < 10000; i++)
        write_line(&w, i == 5000 ? "MIDDLE" : i == 9999 ? "NEWEST" : "ALERT", "{}");
    assert_string_equal(complete(&w, "type == N", &b), "type == NEWEST");
    assert_string_equal(complete(&w, "type == T", &b), "type == TRANSMIT");
    assert_string_equal(complete(&w, "type == M", &b), "");
    /* Of large ones fewer are, from both ends. */
    char payload[50000];
    snprintf(payload, sizeof payload, "\"%0*d\"", (int)sizeof payload - 10, 0);
    for (int i = 0; i < 200; i++)
        write_line(&w, i == 10 ? "BEYOND" : i == 190 ? "WITHIN" : "ALERT", payload);
    assert_string_equal(complete(&w, "type == WI", &b), "type == WITHIN");
    assert_string_equal(complete(&w, "type == N", &b), "");
    assert_string_equal(complete(&w, "type == B", &b), "");
    buffer_free(&b);
    end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_is_known_by_its_end),
        cmocka_unit_test(the_words_are_those_of_the_language),
        cmocka_unit_test(any_bytes_are_a_text),
        cmocka_unit_test(a_kind_that_is_taken_for_a_type_is_told),
        cmocka_unit_test(fields_and_values_are_completed),
        cmocka_unit_test(what_the_run_has_seen_is_completed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
