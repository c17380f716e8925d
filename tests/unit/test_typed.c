/* What a terminal sends becomes the same keys however it is cut, and no part of a sequence acts as keys. */
#include "check.h"

#include <locale.h>
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "ui/keys.h"
#include "ui/typed.h"

static void send(struct typed *t, const char *bytes, size_t len, int64_t ms)
{
    size_t room;
    unsigned char *to = typed_room(t, &room);
    assert_true(room >= len);
    memcpy(to, bytes, len);
    typed_came(t, len, ms);
}

/* All keys that there are at a time: their names, and of the mouse the place. */
static void take_all(struct typed *t, int64_t ms, struct buffer *out)
{
    struct input in;
    char name[KEY_NAME];
    while (typed_next(t, ms, &in)) {
        const char *text = in.key == INPUT_CLICK        ? "click"
                           : in.key == INPUT_WHEEL_UP   ? "wheel-up"
                           : in.key == INPUT_WHEEL_DOWN ? "wheel-down"
                           : in.key == INPUT_UNKNOWN    ? "nothing"
                                                        : key_name(in.key, name);
        buffer_format(out, "%s%s", out->len ? " " : "", text);
        if (in.is_pasted)
            buffer_text(out, "(pasted)");
        if (in.key == INPUT_CLICK)
            buffer_format(out, "@%d,%d", in.x, in.y);
    }
}

/* What comes of bytes that are cut at a place, with a gap in time there. */
static const char *keys_of(struct typed *t, const char *bytes, size_t len, size_t cut, int64_t gap)
{
    static char text[400];
    struct buffer out = { 0 };
    int64_t ms = 5000;
    send(t, bytes, cut, ms);
    for (int64_t end = ms + gap; ms < end; ms += 10)
        take_all(t, ms, &out);
    send(t, bytes + cut, len - cut, ms);
    take_all(t, ms, &out);
    take_all(t, ms + 5000, &out);
    assert_int_equal(t->len, 0);
    snprintf(text, sizeof text, "%s", buffer_string(&out));
    buffer_free(&out);
    return text;
}

static const char *at_once(const char *bytes)
{
    struct typed t = { 0 };
    return keys_of(&t, bytes, strlen(bytes), 0, 0);
}

static void keys_and_the_mouse_are_read(void **state)
{
    (void)state;
    assert_string_equal(at_once("sN25\r \t\177q"), "s N 2 5 Enter Space Tab Backspace q");
    assert_string_equal(at_once("\033[A\033OB\033[C\033OD\033[H\033OF\033[Z"), "Up Down Right Left Home End Shift-Tab");
    assert_string_equal(at_once("\033[5~\033[6~\033[3~\033[1~\033[4~"), "PgUp PgDn Delete Home End");
    assert_string_equal(at_once("\033OP\033[15~\033[24~\033[[A\033[[E\033OM"), "F1 F5 F12 F1 F5 Enter");
    assert_string_equal(at_once("\033[<0;6;11M\033[<0;6;11mx"), "click@5,10 x");
    assert_string_equal(at_once("\033[M &+\033[M#&+x"), "click@5,10 x");
    assert_string_equal(at_once("\033[<64;1;1M\033[<65;1;1M\033[<2;1;1M\033[<35;9;9M"), "wheel-up wheel-down");
    assert_string_equal(at_once("\xc3\xa9\xe6\x9d\xb1"), "é 東");
    assert_string_equal(at_once("\xc3x\xffy"), "x nothing y");
}

static void an_escape_is_a_key(void **state)
{
    (void)state;
    assert_string_equal(at_once("\033"), "Esc");
    assert_string_equal(at_once("\033\033\033q"), "Esc Esc Esc q");
    assert_string_equal(at_once("\033 s"), "Esc Space s");
    struct typed t = { 0 };
    struct input in;
    send(&t, "\033", 1, 100);
    assert_int_equal(typed_wait(&t, 100), TYPED_ESCAPE_MS);
    assert_false(typed_next(&t, 100 + TYPED_ESCAPE_MS - 1, &in));
    assert_true(typed_next(&t, 100 + TYPED_ESCAPE_MS, &in));
    assert_int_equal(in.key, INPUT_ESC);
    assert_int_equal(typed_wait(&t, 200), -1);
}

static void what_a_slow_line_cuts_is_one_key(void **state)
{
    (void)state;
    static const struct {
        const char *bytes, *keys;
    } cases[] = { { "\033[<0;6;11M\033[<0;6;11m", "click@5,10" },
                  { "\033[M &+\033[M#&+", "click@5,10" },
                  { "\033[A", "Up" },
                  { "\033OB", "Down" },
                  { "\033[5~", "PgUp" },
                  { "\033[24~", "F12" },
                  { "\033[[C", "F3" },
                  { "\033[1;5D", "nothing" },
                  { "\033O2Q", "nothing" },
                  { "\033[3$", "nothing" },
                  { "\xe6\x9d\xb1", "東" } };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (size_t cut = 1; cut < strlen(cases[i].bytes); cut++)
            for (int64_t gap = 20; gap <= 900; gap += 110) {
                struct typed t = { 0 };
                const char *keys = keys_of(&t, cases[i].bytes, strlen(cases[i].bytes), cut, gap);
                bool told =
                    cases[i].bytes[cut - 1] == '\033' && gap > TYPED_ESCAPE_MS; /* nothing tells it apart then */
                char wanted[60];
                snprintf(wanted, sizeof wanted, "%s%s", told && cut == 1 ? "Esc " : "", cases[i].keys);
                if (told && cut > 1)
                    snprintf(wanted, sizeof wanted, "%s Esc", cases[i].keys);
                if (strcmp(keys, wanted) != 0)
                    fail_msg("%s cut at %zu for %d ms: '%s', not '%s'", cases[i].bytes + 1, cut, (int)gap, keys,
                             wanted);
            }
}

/* In Konsole and in rxvt. */
static void a_key_with_modifiers_is_one_key(void **state)
{
    (void)state;
    assert_string_equal(at_once("\033O2Q\033O1;2R\033O6SQ"), "nothing nothing nothing Q");
    assert_string_equal(at_once("\033[3$\033[24$\033[3^\033[3@\033Oas"), "nothing nothing nothing nothing nothing s");
    assert_string_equal(at_once("\033O2\003\033O1;\033[A"), "Ctrl-C Up");
}

/* It is no key at all: a question that is open stays so. */
static void what_a_terminal_tells_is_no_key(void **state)
{
    (void)state;
    static const char *const told[] = {
        "\033[I", /* the focus */
        "\033[O",
        "\033[?1;2c", /* what it is, what it has, where the cursor is */
        "\033[>41;370;0c",
        "\033[?2004;2$y",
        "\033[4;1$y",
        "\033[?0u",
        "\033[0n",
        "\033[8;24;80t",
        "\033[24;80R",
        "\033]11;rgb:ffff/dddd/0000\a", /* in text */
        "\033]11;rgb:ffff/dddd/0000\033\\",
        "\033]l\xc3\xa9q\033\\",
        "\033P1$r0m\033\\",
        "\033P>|xterm(370)\033\\",
        "\033_Gi=31;OK\033\\",
    };
    for (size_t i = 0; i < sizeof told / sizeof *told; i++)
        for (size_t cut = 0; cut < strlen(told[i]); cut++)
            for (int64_t gap = 0; gap <= 900; gap += 300) {
                struct typed t = { 0 };
                const char *keys = keys_of(&t, told[i], strlen(told[i]), cut, gap);
                if (strcmp(keys, cut == 1 && gap ? "Esc" : "") != 0)
                    fail_msg("%s cut at %zu for %d ms: '%s'", told[i] + 1, cut, (int)gap, keys);
            }
    assert_string_equal(at_once("a\033]11;rgb:0/0/0\ab\033P1$r0m\033\\c\033[Id"), "a b c d");
    assert_string_equal(at_once("\033]11;r\003q\033P1$r\033[As"), "Ctrl-C q Up s"); /* broken off */
    assert_string_equal(at_once("\033[1;2R"), "nothing");
}

static void what_is_pasted_is_told_from_keys(void **state)
{
    (void)state;
    static const char paste[] = "\033[200~q\r\033[201~s";
    for (size_t cut = 2; cut < sizeof paste - 1; cut++) {
        struct typed t = { 0 };
        const char *keys = keys_of(&t, paste, sizeof paste - 1, cut, paste[cut - 1] == '\033' ? 20 : 900);
        assert_string_equal(keys, "q(pasted) Enter(pasted) s");
    }
    struct typed t = { 0 };
    assert_string_equal(keys_of(&t, "\033[201~s", 7, 0, 0), "s");
    assert_string_equal(keys_of(&t, "\033[200~qs", 8, 7, TYPED_PASTE_MS + 10), "q(pasted) s"); /* its end is lost */
}

static void text_without_an_end_does_not_block(void **state)
{
    (void)state;
    struct typed t = { 0 };
    static char text[2 * TYPED_ROOM];
    memset(text, 'x', sizeof text);
    memcpy(text, "\033]52;", 5);
    for (size_t i = 0, room = 1; i < sizeof text; i += room) {
        struct buffer keys = { 0 };
        typed_room(&t, &room);
        assert_true(room > 0);
        room = room < sizeof text - i ? room : sizeof text - i;
        send(&t, text + i, room, 100);
        take_all(&t, 100, &keys);
        buffer_free(&keys);
    }
    assert_string_equal(keys_of(&t, "\033[A", 3, 0, 0), "Up");
}

static void a_character_with_alt_is_two_keys(void **state)
{
    (void)state;
    struct typed t = { 0 };
    assert_string_equal(at_once("\033P"), "Esc P");
    assert_string_equal(at_once("\033Pq\033]q\033_q"), "Esc P q Esc ] q Esc _ q");
    assert_string_equal(keys_of(&t, "\033P1", 3, 1, 300), "Esc"); /* nothing tells it apart */
    assert_string_equal(keys_of(&t, "\033Pq", 3, 1, 300), "Esc P q");
}

static void what_never_comes_whole_is_dropped(void **state)
{
    (void)state;
    struct typed t = { 0 };
    assert_string_equal(keys_of(&t, "\033[<0;6x", 7, 6, 2000), "x");
    assert_string_equal(keys_of(&t, "\033[<0;6\033[A", 9, 6, 100), "Up");
    assert_string_equal(keys_of(&t, "\033[<0;\003", 6, 5, 100), "Ctrl-C");
    assert_string_equal(keys_of(&t, "\033[M \003", 5, 4, 100), "Ctrl-C");
    assert_string_equal(keys_of(&t, "\033[200;200;200;200;200;200;200;200;200;200;200", 44, 10, 100), "");
    assert_string_equal(keys_of(&t, "\033[<99999999;1;1M", 16, 3, 10), "nothing");
}

static void behind_an_escape_that_a_person_typed_keys_count(void **state)
{
    (void)state;
    struct typed t = { 0 };
    struct buffer keys = { 0 };
    assert_string_equal(keys_of(&t, "\033q", 2, 1, 300), "Esc q");
    assert_string_equal(keys_of(&t, "\033[", 2, 1, 300), "Esc [");
    assert_string_equal(keys_of(&t, "\033O", 2, 1, 300), "Esc O");
    send(&t, "\033", 1, 100);
    take_all(&t, 200, &keys);
    send(&t, "O", 1, 300); /* it is taken before the next key comes */
    take_all(&t, 300, &keys);
    send(&t, "Q", 1, 400);
    take_all(&t, 400, &keys);
    assert_string_equal(buffer_string(&keys), "Esc O Q");
    buffer_free(&keys);
    assert_string_equal(keys_of(&t, "\033OQ", 3, 1, 300), "Esc F2"); /* nothing tells it apart */
    assert_string_equal(keys_of(&t, "\033[A", 3, 1, 3000), "Esc [ A");
    assert_string_equal(keys_of(&t, "\033q[A", 4, 1, 300), "Esc q [ A");
}

static void a_terminals_own_sequences_are_read(void **state)
{
    (void)state;
    struct typed t = { 0 };
    typed_learn(&t, "\033A", INPUT_UP); /* as a vt52 sends it */
    typed_learn(&t, "\033[a", INPUT_PAGE_UP);
    typed_learn(&t, "\001@\r", INPUT_F1);
    typed_learn(&t, "\001", INPUT_F12); /* a single character stays what it is */
    typed_learn(&t, NULL, INPUT_F12);
    assert_string_equal(keys_of(&t, "\033A\033[a\001@\rs", 9, 0, 0), "Up PgUp F1 s");
    for (size_t cut = 1; cut < 3; cut++)
        assert_string_equal(keys_of(&t, "\001@\r", 3, cut, 30), "F1");
    assert_string_equal(keys_of(&t, "\001@\r", 3, 1, 100), "Ctrl-A @ Enter");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_and_the_mouse_are_read),
        cmocka_unit_test(an_escape_is_a_key),
        cmocka_unit_test(what_a_slow_line_cuts_is_one_key),
        cmocka_unit_test(a_key_with_modifiers_is_one_key),
        cmocka_unit_test(what_a_terminal_tells_is_no_key),
        cmocka_unit_test(what_is_pasted_is_told_from_keys),
        cmocka_unit_test(text_without_an_end_does_not_block),
        cmocka_unit_test(a_character_with_alt_is_two_keys),
        cmocka_unit_test(what_never_comes_whole_is_dropped),
        cmocka_unit_test(behind_an_escape_that_a_person_typed_keys_count),
        cmocka_unit_test(a_terminals_own_sequences_are_read),
    };
    setlocale(LC_CTYPE, "C.UTF-8");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
