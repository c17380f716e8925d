#include "check.h"

#include "ui/sort.h"
#include "ui/table.h"

/* Two rows with everything that needs care, as a form has them. */
static void write_sample(enum table_form form, struct buffer *out)
{
    struct table_writer w = { .form = form };
    struct table_row r = { 0 };
    table_headings(&w.headings, "name count value time");
    for (int pass = 0; pass < 2; pass++) {
        if (pass)
            table_begin(&w, out);
        for (int i = 0; i < 4; i++) {
            table_clear(&r);
            r.heading = i == 0;
            r.part = i == 3;
            table_text(&r, i == 0 ? "group" : i == 1 ? "a,\"b\"\x1b" : "plain");
            table_u64(&r, i == 1 ? 12345 : 7);
            if (i == 1)
                table_json(&r, "{\"k\":1}", 7);
            else
                table_nothing(&r);
            table_time(&r, i == 1 ? 1500000 : SIMTIME_NEVER);
            if (pass)
                table_write(&w, &r, out);
            else
                table_measure(&w, &r);
        }
    }
    table_end(&w, out);
    table_row_free(&r);
    table_writer_free(&w);
}

static void a_table_is_written_in_three_forms(void **state)
{
    (void)state;
    struct buffer out = { 0 };
    write_sample(TABLE_FORM_CSV, &out);
    assert_string_equal(buffer_string(&out), "name,count,value,time\n"
                                             "\"a,\"\"b\"\"\\x1b\",12345,\"{\"\"k\"\":1}\",1.500000\n"
                                             "plain,7,,\n");
    out.len = 0;
    write_sample(TABLE_FORM_JSON, &out);
    assert_string_equal(
        buffer_string(&out),
        "[\n{\"name\": \"a,\\\"b\\\"\\u001b\", \"count\": 12345, \"value\": {\"k\":1}, \"time\": 1.500000},\n"
        "{\"name\": \"plain\", \"count\": 7, \"value\": null, \"time\": null}\n]\n");
    out.len = 0;
    write_sample(TABLE_FORM_TEXT, &out);
    assert_string_equal(buffer_string(&out), "name       count  value    time\n"
                                             "group  7\n"
                                             "a,\"b\"\\x1b  12345  {\"k\":1}  1.500000\n"
                                             "plain          7\n");
    buffer_free(&out);
}

static void an_empty_table_is_still_one(void **state)
{
    (void)state;
    struct table_writer w = { .form = TABLE_FORM_JSON };
    struct buffer out = { 0 };
    table_begin(&w, &out);
    table_end(&w, &out);
    assert_string_equal(buffer_string(&out), "[]\n");
    buffer_free(&out);
}

static void the_form_is_told_by_the_name(void **state)
{
    (void)state;
    enum table_form form;
    assert_true(table_form_of("a.b/run.TXT", &form) && form == TABLE_FORM_TEXT);
    assert_true(table_form_of("x.json", &form) && form == TABLE_FORM_JSON);
    assert_true(table_form_of("x.csv", &form) && form == TABLE_FORM_CSV);
    assert_false(table_form_of(".csv", &form));
    assert_false(table_form_of("csv", &form));
    assert_false(table_form_of("x.xls", &form));
}

static void a_row_matches_by_any_of_its_cells(void **state)
{
    (void)state;
    struct table_row r = { 0 };
    table_text(&r, "Sensor1");
    table_text(&r, "idle");
    assert_true(table_matches(&r, "sensor"));
    assert_true(table_matches(&r, "Sen"));
    assert_false(table_matches(&r, "SEN"));
    assert_true(table_matches(&r, "idle"));
    assert_false(table_matches(&r, "1i")); /* not across two */
    assert_false(table_matches(&r, ""));
    table_row_free(&r);
}

#define NODES 1000

static struct sort_key key_of(const struct view *v, int node, int column)
{
    (void)v;
    static const char *const words[] = { "b", "a", "c" };
    if (column == 0)
        return (struct sort_key){ .text = words[node % 3] };
    return (struct sort_key){ .number = node * 7 % 11 };
}

static int group_of(const struct view *v, int node)
{
    (void)v;
    return node % 2;
}

static bool can(const void *pane, int column)
{
    (void)pane;
    return column != 2;
}

static bool is_text(int column)
{
    return column == 0;
}

static void lists_are_sorted_and_equals_keep_their_order(void **state)
{
    (void)state;
    struct sort s = { .column = SORT_NONE };
    struct session_status status = { .state = SESSION_PAUSED };
    struct view v = { .status = &status };
    assert_false(sort_update(&s, &v, NULL, NODES, key_of, NULL));
    assert_int_equal(s.order[5], 5);
    assert_true(sort_act(&s, ACTION_SORT_NEXT, 4, can, is_text, NULL));
    assert_int_equal(s.column, 0);
    assert_false(s.down);
    assert_true(sort_update(&s, &v, NULL, NODES, key_of, NULL));
    assert_int_equal(s.order[0], 1);
    assert_int_equal(s.order[1], 4);
    assert_int_equal(s.order[NODES - 1], 998);
    assert_int_equal(sort_row_of(&s, 4), 1);
    sort_act(&s, ACTION_SORT_NEXT, 4, can, is_text, NULL);
    assert_true(s.down); /* numbers: the largest first */
    sort_update(&s, &v, NULL, NODES, key_of, group_of);
    for (int i = 1; i < NODES; i++) {
        int a = s.order[i - 1], b = s.order[i];
        assert_true(a % 2 <= b % 2);
        if (a % 2 == b % 2)
            assert_true(a * 7 % 11 > b * 7 % 11 || (a * 7 % 11 == b * 7 % 11 && a < b));
    }
    sort_act(&s, ACTION_SORT_NEXT, 4, can, is_text, NULL);
    assert_int_equal(s.column, 3); /* 2 cannot */
    sort_act(&s, ACTION_SORT_NEXT, 4, can, is_text, NULL);
    assert_int_equal(s.column, SORT_NONE);
    sort_act(&s, ACTION_SORT_PREVIOUS, 4, can, is_text, NULL);
    assert_int_equal(s.column, 3);
    sort_act(&s, ACTION_SORT_REVERSE, 4, can, is_text, NULL);
    assert_false(s.down);
    assert_false(sort_act(&s, ACTION_DOWN, 4, can, is_text, NULL));
    sort_update(&s, &v, NULL, NODES, key_of, NULL);
    s.order[0] = -1;
    assert_false(sort_update(&s, &v, NULL, NODES, key_of, NULL)); /* nothing has happened since */
    status.quanta++;
    assert_true(sort_update(&s, &v, NULL, NODES, key_of, NULL));
    status.state = SESSION_RUNNING;
    s.fresh = false;
    s.sorted_ms = INT64_MAX / 2; /* just now */
    assert_false(sort_update(&s, &v, NULL, NODES, key_of, NULL));
    sort_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_table_is_written_in_three_forms),
        cmocka_unit_test(an_empty_table_is_still_one),
        cmocka_unit_test(the_form_is_told_by_the_name),
        cmocka_unit_test(a_row_matches_by_any_of_its_cells),
        cmocka_unit_test(lists_are_sorted_and_equals_keep_their_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
