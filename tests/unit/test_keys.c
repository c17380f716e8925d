#include "check.h"

#include <unistd.h>

#include "ui/awaited.h"
#include "ui/editor.h"
#include "ui/format.h"
#include "ui/keyfile.h"
#include "ui/keys.h"
#include "ui/list.h"
#include "ui/screen.h"

static void every_key_of_the_table_does_what_its_row_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < key_table_count; i++)
        for (size_t k = 0; k < 3 && key_table[i].keys[k]; k++)
            assert_int_equal(key_action(key_table[i].keys[k]), key_table[i].action);
    assert_int_equal(key_action('Y'), ACTION_NONE);
    assert_int_equal(key_action(0), ACTION_NONE);
}

static void no_key_stands_twice_in_the_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < key_table_count; i++)
        for (size_t j = i + 1; j < key_table_count; j++)
            for (size_t k = 0; k < 9; k++)
                if (key_table[i].keys[k / 3])
                    assert_int_not_equal(key_table[i].keys[k / 3], key_table[j].keys[k % 3]);
}

static void what_the_bar_shows_has_a_name_and_a_label(void **state)
{
    (void)state;
    for (size_t i = 0; i < key_table_count; i++)
        if (key_table[i].bar) {
            assert_non_null(key_table[i].names);
            assert_non_null(key_table[i].label);
            assert_non_null(key_table[i].help);
        }
}

static void no_two_contexts_are_the_same(void **state)
{
    (void)state;
    static const unsigned contexts[] = {
        CONTEXT_PAUSED,      CONTEXT_RUNNING, CONTEXT_OVER,           CONTEXT_BROKEN,       CONTEXT_FINDING,
        CONTEXT_DETAIL,      CONTEXT_POPUP,   CONTEXT_WARNINGS,       CONTEXT_PROMPT,       CONTEXT_COMPLETES,
        CONTEXT_ENDING,      CONTEXT_LOG,     CONTEXT_PROCESSES,      CONTEXT_NODES_LIVE,   CONTEXT_STARTING,
        CONTEXT_TIMELINE,    CONTEXT_PAST,    CONTEXT_BEFORE_END,     CONTEXT_FLIGHT,       CONTEXT_WATCHES,
        CONTEXT_FLIGHT_OPEN, CONTEXT_BARRIER, CONTEXT_FLIGHT_MESSAGE, CONTEXT_FLIGHT_SAVED,
    };
    unsigned seen = 0;
    for (size_t i = 0; i < sizeof contexts / sizeof *contexts; i++) {
        assert_int_equal(seen & contexts[i], 0);
        seen |= contexts[i];
    }
}

static void keys_have_names(void **state)
{
    (void)state;
    assert_int_equal(key_named("Space"), ' ');
    assert_int_equal(key_named("space"), ' ');
    assert_int_equal(key_named("n"), 'n');
    assert_int_equal(key_named("N"), 'N');
    assert_int_equal(key_named("F5"), INPUT_F1 + 4);
    assert_int_equal(key_named("F12"), INPUT_F12);
    assert_int_equal(key_named("Enter"), INPUT_ENTER);
    assert_int_equal(key_named("Shift-Tab"), INPUT_BACK_TAB);
    assert_int_equal(key_named("Ctrl-C"), 3);
    assert_int_equal(key_named("PgDn"), INPUT_PAGE_DOWN);
    assert_int_equal(key_named("?"), '?');
    const char *const none[] = { "", "F13", "F0", "F1x", "Ctrl-", "Ctrl-1", "Spac", "nn", "\x01", "\xff" };
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_int_equal(key_named(none[i]), INPUT_NONE);
}

static void type(struct editor *e, const char *text)
{
    for (; *text; text++)
        assert_true(editor_key(e, (uint32_t)*text));
}

static void a_line_is_edited_character_by_character(void **state)
{
    (void)state;
    struct editor e;
    editor_set(&e, "");
    type(&e, "2.5");
    assert_true(editor_key(&e, 0xfc)); /* ü */
    assert_true(editor_key(&e, INPUT_LEFT));
    assert_true(editor_key(&e, INPUT_LEFT));
    assert_true(editor_key(&e, INPUT_BACKSPACE));
    assert_string_equal(e.text, "25ü");
    assert_true(editor_key(&e, INPUT_END));
    assert_true(editor_key(&e, INPUT_BACKSPACE));
    assert_string_equal(e.text, "25");
    assert_true(editor_key(&e, INPUT_HOME));
    assert_true(editor_key(&e, INPUT_DELETE));
    assert_true(editor_key(&e, INPUT_LEFT));
    assert_string_equal(e.text, "5");
    assert_false(editor_key(&e, INPUT_F1));
    assert_false(editor_key(&e, 27));
    for (size_t i = 0; i < sizeof e.text; i++)
        editor_key(&e, 0x65e5);
    assert_true(e.len < sizeof e.text && strlen(e.text) == e.len);
    assert_true(editor_key(&e, INPUT_END));
    for (size_t i = 0; i < sizeof e.text; i++)
        editor_key(&e, INPUT_BACKSPACE);
    assert_string_equal(e.text, "");
}

/* What the key makes of an offered "gw 5ms", "é" typed behind it. */
static const char *offered(uint32_t key, struct editor *e)
{
    editor_offer(e, "gw 5ms");
    assert_true(e->selected);
    editor_key(e, key);
    editor_key(e, 0xe9);
    return e->text;
}

static void an_offered_text_is_replaced_by_what_is_typed(void **state)
{
    (void)state;
    struct editor e;
    assert_string_equal(offered('x', &e), "xé");
    assert_false(e.selected);
    assert_string_equal(offered(' ', &e), " é");
    assert_string_equal(offered(INPUT_DELETE, &e), "é");
    assert_string_equal(offered(INPUT_BACKSPACE, &e), "gw 5mé");
    assert_string_equal(offered(INPUT_LEFT, &e), "gw 5més");
    assert_string_equal(offered(INPUT_RIGHT, &e), "gw 5msé");
    assert_string_equal(offered(INPUT_HOME, &e), "égw 5ms");
    assert_string_equal(offered(INPUT_END, &e), "gw 5msé");
    assert_string_equal(offered('e' & 0x1f, &e), "gw 5msé");
    assert_string_equal(offered('k' & 0x1f, &e), "gw 5msé");
    assert_string_equal(offered('u' & 0x1f, &e), "é");
    /* What is no key of an editor leaves it selected. */
    assert_string_equal(offered(INPUT_F1, &e), "é");
    assert_string_equal(offered(0x202e, &e), "é");
    editor_offer(&e, "");
    assert_false(e.selected);
    editor_offer(&e, "old");
    editor_set(&e, "new");
    assert_false(e.selected);
}

/* Also without colours: the ground is another one there in any case. */
static void a_selected_text_is_seen(void **state)
{
    (void)state;
    struct app *app = calloc(1, sizeof *app);
    struct canvas c = { 0 };
    canvas_resize(&c, 60, 1);
    app->prompt = PROMPT_FLIGHT_LINK;
    editor_offer(&app->editor, "a gw 5ms");
    for (int i = 0; i < 2; i++) {
        struct area a = canvas_area(&c);
        canvas_clear(&c);
        status_draw(app, NULL, &a);
        int end = c.cursor_x;
        assert_int_equal(c.cells[end - 1].ch[0], 's');
        for (int x = 0; x < c.columns; x++)
            assert_int_equal(c.cells[x].ground, !i && x >= end - 8 && x < end ? GROUND_SELECT : GROUND_NONE);
        editor_key(&app->editor, INPUT_END);
    }
    assert_true(theme_look(ROLE_STRONG, GROUND_SELECT, 0).attributes & ATTRIBUTE_REVERSE);
    canvas_free(&c);
    free(app);
}

static void a_cursor_stays_in_its_list(void **state)
{
    (void)state;
    static const enum action actions[] = { ACTION_UP,  ACTION_DOWN,   ACTION_PAGE_UP,  ACTION_PAGE_DOWN,
                                           ACTION_TOP, ACTION_BOTTOM, ACTION_WHEEL_UP, ACTION_WHEEL_DOWN };
    uint64_t seed = test_seed() | 1;
    struct list l = { 0 };
    for (int i = 0; i < 100000; i++) {
        uint64_t count = test_random(&seed) % 4 ? l.count : test_random(&seed) % 50;
        list_show(&l, count, (int)(test_random(&seed) % 12), 3);
        enum action a = actions[test_random(&seed) % 8];
        if (test_random(&seed) % 2)
            assert_true(list_act(&l, a));
        else
            assert_true(list_scroll(&l, a));
        list_click(&l, (int)(test_random(&seed) % 30) - 5);
        assert_true(l.cursor < l.count || l.cursor == 0);
        list_show(&l, l.count, l.rows, 3);
        assert_true(l.rows == 0 || (l.cursor >= l.top && l.cursor < l.top + (uint64_t)l.rows));
    }
    assert_false(list_act(&l, ACTION_STEP));
}

static int load(const char *text, struct key_script *script, struct error *err)
{
    char path[] = "/tmp/test_keys_XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    int result = key_script_load(path, script, err);
    unlink(path);
    return result;
}

static void a_script_is_read_step_by_step(void **state)
{
    (void)state;
    struct key_script script = { 0 };
    struct error err = { 0 };
    assert_int_equal(load("# a comment\n\n  s  \r\ntype a b \nuntil paused\nuntil 2.5s\nscreen out.txt\nresize "
                          "80x24\nF5\n:step 3 \n:",
                          &script, &err),
                     0);
    assert_int_equal(script.count, 9);
    assert_int_equal(script.steps[0].key, 's');
    assert_int_equal(script.steps[0].line, 3);
    assert_string_equal(script.steps[1].text, "a b ");
    assert_int_equal(script.steps[2].state, SESSION_PAUSED);
    assert_int_equal(script.steps[3].time, 2500000);
    assert_string_equal(script.steps[4].text, "out.txt");
    assert_int_equal(script.steps[5].columns, 80);
    assert_int_equal(script.steps[6].line, 9);
    assert_int_equal(script.steps[7].kind, KEY_STEP_COMMAND);
    assert_string_equal(script.steps[7].text, ":step 3");
    assert_int_equal(script.steps[8].key, ':');
    key_script_free(&script);
}

static void a_step_may_wait_for_a_text(void **state)
{
    (void)state;
    struct key_script script = { 0 };
    struct error err = { 0 };
    assert_int_equal(load("see  waiting for gw \n", &script, &err), 0);
    assert_int_equal(script.steps[0].kind, KEY_STEP_SEE);
    assert_string_equal(script.steps[0].text, "waiting for gw");
    key_script_free(&script);
}

static void a_bad_step_is_refused_with_its_line(void **state)
{
    (void)state;
    static const char *const bad[] = { "jump",       "until",          "until tomorrow", "screen ",    "resize 80",
                                       "resize 0x5", "resize 80x24x3", "resize 99999x9", "type",       "until -1s",
                                       "type \xff",  "see ",           "see \xff",       ":find \xff", "click",
                                       "click 3",    "wheel-up 3,4,5" };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct key_script script = { 0 };
        struct error err = { 0 };
        char text[80];
        snprintf(text, sizeof text, "s\n%s\n", bad[i]);
        assert_int_equal(load(text, &script, &err), -1);
        assert_int_equal(err.code, EXIT_USAGE);
        assert_non_null(strstr(err.text, ":2: "));
        key_script_free(&script);
    }
    struct key_script script = { 0 };
    struct error err = { 0 };
    assert_int_equal(key_script_load("/nowhere/at/all", &script, &err), -1);
    assert_int_equal(err.code, EXIT_USAGE);
}

static void numbers_are_written_for_people(void **state)
{
    (void)state;
    char b[FORMAT_TEXT];
    assert_string_equal(format_count(0, b), "0");
    assert_string_equal(format_count(999, b), "999");
    assert_string_equal(format_count(1284, b), "1,284");
    assert_string_equal(format_count(UINT64_MAX, b), "18,446,744,073,709,551,615");
    assert_string_equal(format_brief(123456, 7, b), "123,456");
    assert_string_equal(format_brief(3600000, 7, b), "3.60M");
    assert_string_equal(format_brief(999999, 5, b), "1.00M");
    assert_string_equal(format_clock(3412000, b), "3.412 000 s");
    assert_string_equal(format_clock(SIMTIME_MAX, b), "9,007,199,254.740 991 s");
    assert_string_equal(format_typed(0, b), "0s");
    assert_string_equal(format_typed(10001000, b), "10.001s");
    assert_string_equal(format_typed(399999, b), "399.999ms");
    assert_string_equal(format_typed(60000000, b), "1min");
    assert_string_equal(format_stamp(10001000, b), "10.001000");
    assert_string_equal(format_spaced(2500000, b), "2.5 s");
    assert_string_equal(format_spaced(60000000, b), "1 min");
    assert_string_equal(format_ns(850, b), "850 ns");
    assert_string_equal(format_ns(12340, b), "12.3 us");
    assert_string_equal(format_ns(999999, b), "1.00 ms");
    assert_string_equal(format_speed(12.34, b), "12.3x");
    assert_string_equal(format_speed(5130.4, b), "5,130x");
    assert_string_equal(format_wall(75, b), "1:15 min");
    assert_string_equal(format_load(0, b), "0.0 %");
    assert_string_equal(format_load(0.034, b), "3.4 %");
    assert_string_equal(format_load(0.0996, b), "10 %");
    assert_string_equal(format_load(3.976, b), "398 %");
    assert_string_equal(format_bytes(512, b), "512 B");
    assert_string_equal(format_bytes(13312000, b), "12.7 MiB");
    assert_string_equal(format_bytes(1023u << 20, b), "1.00 GiB");
}

static void a_node_is_late_after_a_second_and_ten_times_what_it_usually_takes(void **state)
{
    (void)state;
    assert_false(awaited_is_late(0.9, 1000));
    assert_true(awaited_is_late(1.0, 1000));
    assert_true(awaited_is_late(1.0, 0)); /* what it usually takes is not known */
    assert_false(awaited_is_late(4.9, 500000000));
    assert_true(awaited_is_late(5.0, 500000000));
}

static void what_comes_next_of_a_node_that_does_not_end_is_told(void **state)
{
    (void)state;
    double in_s;
    assert_string_equal(awaited_next_rung(0.5, 8, &in_s), "its input is closed");
    assert_float_equal(in_s, 1.5, 1e-9);
    assert_string_equal(awaited_next_rung(2.5, 8, &in_s), "SIGTERM");
    assert_float_equal(in_s, 1.5, 1e-9);
    assert_string_equal(awaited_next_rung(4, 8, &in_s), "SIGKILL");
    assert_float_equal(in_s, 2, 1e-9);
    assert_null(awaited_next_rung(6, 8, &in_s));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_of_the_table_does_what_its_row_says),
        cmocka_unit_test(no_key_stands_twice_in_the_table),
        cmocka_unit_test(what_the_bar_shows_has_a_name_and_a_label),
        cmocka_unit_test(no_two_contexts_are_the_same),
        cmocka_unit_test(keys_have_names),
        cmocka_unit_test(a_line_is_edited_character_by_character),
        cmocka_unit_test(an_offered_text_is_replaced_by_what_is_typed),
        cmocka_unit_test(a_selected_text_is_seen),
        cmocka_unit_test(a_cursor_stays_in_its_list),
        cmocka_unit_test(a_script_is_read_step_by_step),
        cmocka_unit_test(a_step_may_wait_for_a_text),
        cmocka_unit_test(a_node_is_late_after_a_second_and_ten_times_what_it_usually_takes),
        cmocka_unit_test(what_comes_next_of_a_node_that_does_not_end_is_told),
        cmocka_unit_test(a_bad_step_is_refused_with_its_line),
        cmocka_unit_test(numbers_are_written_for_people),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
