#include "check.h"

#include "ui/canvas.h"
#include "ui/json_view.h"

static struct canvas make(int columns, int rows, enum charset charset)
{
    struct canvas c = { .charset = charset };
    canvas_resize(&c, columns, rows);
    return c;
}

static void screen_is(const struct canvas *c, const char *want)
{
    struct buffer b = { 0 };
    canvas_save(c, &b);
    assert_string_equal(buffer_string(&b), want);
    buffer_free(&b);
}

static void text_beyond_the_edge_is_cut_with_an_ellipsis(void **state)
{
    (void)state;
    struct canvas c = make(10, 2, CHARSET_UNICODE);
    struct area a = canvas_area(&c);
    assert_int_equal(area_put(&a, 0, 0, ROLE_TEXT, "exactly 10"), 10);
    assert_int_equal(area_put(&a, 4, 1, ROLE_TEXT, "too long here"), 6);
    screen_is(&c, "exactly 10\n    too l…\n");
    canvas_free(&c);
}

static void drawing_outside_is_nothing(void **state)
{
    (void)state;
    struct canvas c = make(4, 2, CHARSET_UNICODE);
    struct area all = canvas_area(&c);
    area_put(&all, 0, -1, ROLE_TEXT, "above");
    area_put(&all, 0, 2, ROLE_TEXT, "below");
    area_put(&all, 9, 0, ROLE_TEXT, "right");
    area_glyph(&all, -1, 0, ROLE_TEXT, GLYPH_DOT);
    struct area far_away = area_sub(&all, 100, 100, 10, 10);
    area_box(&far_away, ROLE_BORDER);
    area_put(&far_away, 0, 0, ROLE_TEXT, "nothing");
    struct area negative = area_sub(&all, 1, 0, -5, -5);
    area_put(&negative, 0, 0, ROLE_TEXT, "nothing");
    area_paint(&all, -3, 0, 100, GROUND_SELECT);
    screen_is(&c, "\n\n");
    canvas_free(&c);
}

static void an_area_keeps_its_text_inside(void **state)
{
    (void)state;
    struct canvas c = make(12, 3, CHARSET_UNICODE);
    struct area all = canvas_area(&c), a = area_sub(&all, 2, 0, 8, 3);
    area_box(&a, ROLE_BORDER);
    struct area inside = area_sub(&a, 1, 1, 6, 1);
    area_put(&inside, 0, 0, ROLE_TEXT, "abcdefghijkl");
    screen_is(&c, "  ╭──────╮\n  │abcde…│\n  ╰──────╯\n");
    canvas_free(&c);
}

static void harmful_text_is_shown_escaped(void **state)
{
    (void)state;
    struct canvas c = make(40, 4, CHARSET_UNICODE);
    struct area a = canvas_area(&c);
    area_put(&a, 0, 0, ROLE_TEXT, "a\033[2Jb\n");
    area_put(&a, 0, 1, ROLE_TEXT,
             "x\xe2\x80\xae"
             "y"); /* right-to-left override */
    area_put(&a, 0, 2, ROLE_TEXT, "bad \xff\xc0 bytes");
    area_put(&a, 0, 3, ROLE_TEXT,
             "\xc2\x9b"
             "31m"); /* the C1 form of the escape */
    struct buffer b = { 0 };
    canvas_save(&c, &b);
    for (size_t i = 0; i < b.len; i++)
        assert_true(b.data[i] == '\n' || ((unsigned char)b.data[i] >= 0x20 && (unsigned char)b.data[i] < 0x7f));
    assert_non_null(strstr(buffer_string(&b), "\\x1b[2J"));
    assert_non_null(strstr(buffer_string(&b), "\\u202e"));
    buffer_free(&b);
    canvas_free(&c);
}

static void wide_and_combining_characters_keep_the_columns(void **state)
{
    (void)state;
    struct canvas c = make(8, 3, CHARSET_UNICODE);
    struct area a = canvas_area(&c);
    assert_int_equal(area_put(&a, 0, 0, ROLE_TEXT, "日本x"), 5);
    assert_int_equal(area_put(&a, 0, 1, ROLE_TEXT, "e\xcc\x81|"), 2);
    area_put(&a, 0, 2, ROLE_TEXT, "日本日本日本");
    assert_int_equal(c.cells[0].width, 2);
    assert_int_equal(c.cells[1].width, 0);
    screen_is(&c, "日本x\ne\xcc\x81|\n日本日 …\n");
    area_put(&a, 1, 0, ROLE_TEXT, "!"); /* over the second half of a wide character */
    screen_is(&c, " !本x\ne\xcc\x81|\n日本日 …\n");
    canvas_free(&c);
}

static void ascii_screens_hold_ascii_only(void **state)
{
    (void)state;
    struct canvas c = make(30, 4, CHARSET_ASCII);
    struct area a = canvas_area(&c);
    area_box(&a, ROLE_BORDER);
    for (int g = 0; g < GLYPH_COUNT; g++)
        area_glyph(&a, g + 1, 1, ROLE_TEXT, (enum glyph)g);
    area_put(&a, 1, 2, ROLE_TEXT, "Grüße 日本");
    struct buffer b = { 0 };
    canvas_save(&c, &b);
    for (size_t i = 0; i < b.len; i++)
        assert_true((unsigned char)b.data[i] < 0x80);
    assert_non_null(strstr(buffer_string(&b), "Gr\\u00fc\\u00dfe"));
    buffer_free(&b);
    canvas_free(&c);
}

static void found_text_is_marked_and_capitals_count(void **state)
{
    (void)state;
    struct canvas c = make(20, 1, CHARSET_UNICODE);
    struct area a = canvas_area(&c);
    area_put(&a, 0, 0, ROLE_TEXT, "drop DROP Drop");
    area_mark(&a, 0, "drop");
    assert_int_equal(c.cells[0].ground, GROUND_MATCH);
    assert_int_equal(c.cells[4].ground, GROUND_NONE);
    assert_int_equal(c.cells[8].ground, GROUND_MATCH);
    canvas_clear(&c);
    area_put(&a, 0, 0, ROLE_TEXT, "drop DROP Drop");
    area_mark(&a, 0, "DROP");
    assert_int_equal(c.cells[0].ground, GROUND_NONE);
    assert_int_equal(c.cells[5].ground, GROUND_MATCH);
    canvas_free(&c);
}

static void compact_json_reads_well_and_never_hides_a_cut(void **state)
{
    (void)state;
    struct canvas c = make(60, 2, CHARSET_UNICODE);
    struct area a = canvas_area(&c);
    const char *json = "{\"temperature\":21.388588739669157,\"unit\":\"C\",\"list\":[1,2],\"in\":{\"x\":-1.5}}";
    struct pen p = pen_at(&a, 0, 0, -1);
    json_compact(&p, json, strlen(json));
    p = pen_at(&a, 0, 1, 12);
    json_compact(&p, json, strlen(json));
    screen_is(&c, "temperature 21.3885…  unit C  list [1 2]  in {x -1.5}\ntemperature…\n");
    canvas_free(&c);
}

static void flowing_json_uses_every_row(void **state)
{
    (void)state;
    struct canvas c = make(12, 3, CHARSET_UNICODE);
    struct area a = canvas_area(&c);
    const char *json = "{\"a\":\"0123456789abcdef\",\"b\":12345678901234567890}";
    json_flow(&a, json, strlen(json));
    screen_is(&c, "{\"a\": \"01234\n56789abcdef\"\n, \"b\": 1234…\n");
    canvas_free(&c);
}

/* Any bytes, at any place, on a canvas of any size: no access outside (the sanitizers watch), no unsafe output. */
static void random_text_does_no_harm(void **state)
{
    (void)state;
    uint64_t seed = test_seed() | 1;
    for (int round = 0; round < 3000; round++) {
        struct canvas c = make((int)(test_random(&seed) % 40) + 1, (int)(test_random(&seed) % 6) + 1,
                               (enum charset)(test_random(&seed) % 3));
        struct area a = canvas_area(&c);
        char text[64];
        size_t len = test_random(&seed) % sizeof text;
        for (size_t i = 0; i < len; i++)
            text[i] = test_random(&seed) % 3 ? (char)test_random(&seed) : "{}[],:\"\\ 0a"[test_random(&seed) % 11];
        int x = (int)(test_random(&seed) % 50) - 5, y = (int)(test_random(&seed) % 8) - 1;
        area_text(&a, x, y, (int)(test_random(&seed) % 30) - 2, ROLE_TEXT, text, len);
        struct pen p = pen_at(&a, x, y, -1);
        json_compact(&p, text, len);
        p = pen_at(&a, 0, y, -1);
        json_line(&p, text, len);
        json_flow(&a, text, len);
        struct buffer b = { 0 };
        json_pretty(&b, text, len);
        b.len = 0;
        canvas_save(&c, &b);
        for (size_t i = 0; i < b.len; i++)
            assert_true(b.data[i] == '\n' || (unsigned char)b.data[i] >= 0x20);
        buffer_free(&b);
        canvas_free(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_beyond_the_edge_is_cut_with_an_ellipsis),
        cmocka_unit_test(drawing_outside_is_nothing),
        cmocka_unit_test(an_area_keeps_its_text_inside),
        cmocka_unit_test(harmful_text_is_shown_escaped),
        cmocka_unit_test(wide_and_combining_characters_keep_the_columns),
        cmocka_unit_test(ascii_screens_hold_ascii_only),
        cmocka_unit_test(found_text_is_marked_and_capitals_count),
        cmocka_unit_test(compact_json_reads_well_and_never_hides_a_cut),
        cmocka_unit_test(flowing_json_uses_every_row),
        cmocka_unit_test(random_text_does_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
