#include "check.h"

#include <glob.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ui/commands.h"
#include "ui/config.h"

static char folder[] = "/tmp/test_config_XXXXXX";

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) && setenv("LOCKSTEP_CONFIG", folder, 1) == 0 ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    char command[80];
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

/* With these two files. */
static struct config load(const char *keys, const char *theme)
{
    struct config c;
    test_write_file(folder, "keys.yaml", keys);
    test_write_file(folder, "theme.yaml", theme);
    config_load(&c, false);
    return c;
}

struct told {
    int line;
    const char *path, *text; /* of the text: what is in it */
};

/* These problems and no others. */
static void assert_told(const struct config *c, const struct told *told, size_t count)
{
    assert_int_equal(c->problems.count, count);
    for (size_t i = 0; i < count; i++) {
        const struct problem *p = &c->problems.items[i];
        if (p->line != told[i].line || strcmp(p->path, told[i].path) != 0 || !strstr(p->text, told[i].text))
            fail_msg("%s:%d: %s: %s", p->file, p->line, p->path, p->text);
    }
}

static void without_files_everything_is_as_it_was(void **state)
{
    (void)state;
    struct config c;
    config_load(&c, false);
    assert_int_equal(c.problems.count, 0);
    for (size_t i = 0; i < key_table_count; i++) {
        const struct binding *b = &key_table[i];
        for (size_t k = 0; k < 3 && b->keys[k]; k++)
            assert_int_equal(keymap_action(&c.keys, b->keys[k]), b->action);
        assert_string_equal(keymap_names(&c.keys, b), b->names ? b->names : "");
    }
    for (int role = 0; role < ROLE_COUNT; role++)
        for (int colors = 2; colors <= 256; colors *= 2) {
            struct look a = theme_look((enum role)role, GROUND_SELECT, colors);
            struct look b = theme_look_of(&c.theme, (enum role)role, GROUND_SELECT, colors);
            assert_int_equal(a.foreground, b.foreground);
            assert_int_equal(a.background, b.background);
            assert_int_equal(a.attributes, b.attributes);
        }
    config_free(&c);
}

static void actions_get_other_keys(void **state)
{
    (void)state;
    struct config c = load("step: [x, F12]\nstop: s\nquit: Ctrl-Q\nbottom: Z\npane-events: ä\nfollow:\n", "");
    assert_int_equal(c.problems.count, 0);
    assert_int_equal(keymap_action(&c.keys, 'x'), ACTION_STEP);
    assert_int_equal(keymap_action(&c.keys, INPUT_F12), ACTION_STEP);
    assert_int_equal(keymap_action(&c.keys, 's'), ACTION_NODE_STOP);
    assert_int_equal(keymap_action(&c.keys, 17), ACTION_QUIT);
    assert_int_equal(keymap_action(&c.keys, 'q'), ACTION_NONE);
    assert_int_equal(keymap_action(&c.keys, 0xe4), ACTION_PANE_2);
    assert_int_equal(keymap_action(&c.keys, 'F'), ACTION_NONE);
    assert_int_equal(keymap_action(&c.keys, 0), ACTION_NONE);
    for (size_t i = 0; i < key_table_count; i++) {
        const char *names = keymap_names(&c.keys, &key_table[i]);
        if (key_table[i].action == ACTION_STEP)
            assert_string_equal(names, "x F12");
        if (key_table[i].action == ACTION_QUIT)
            assert_string_equal(names, "Ctrl-Q");
        if (key_table[i].action == ACTION_TOP)
            assert_string_equal(names, "g Home Z"); /* those of the row behind it, too */
        if (key_table[i].action == ACTION_FOLLOW)
            assert_string_equal(names, "");
        if (key_table[i].action == ACTION_NEXT)
            assert_string_equal(names, ".");
    }
    config_free(&c);
}

static void a_text_names_the_keys_in_use(void **state)
{
    (void)state;
    char buf[KEYMAP_TEXT];
    struct config c = load("pause: '%'\nrerun: [F5, x]\nstep: q\nquit: []\n", "");
    const char *plain = "nothing to put in";
    assert_ptr_equal(keymap_text(&c.keys, plain, false, buf), plain);
    assert_string_equal(keymap_text(&c.keys, "{pause} runs, {next}; {rerun} {up}", false, buf), "% runs, .; F5 Up");
    assert_string_equal(keymap_text(&c.keys, "%d {pause} {rerun}", true, buf), "%d %% F5");
    assert_string_equal(keymap_text(&c.keys, "{step} {quit}{", false, buf), "q :quit{");
    assert_string_equal(keymap_text(&c.keys, "{\"a\": 1} {} {paus} {pause", false, buf), "{\"a\": 1} {} {paus} {pause");
    char many[2000] = "";
    while (strlen(many) < sizeof many - 20)
        strcat(many, "{pane-previous}");
    assert_true(strlen(keymap_text(&c.keys, many, false, buf)) < KEYMAP_TEXT);
    config_free(&c);
}

/* What stands in braces in a text of the front is the name of an action. */
static void every_text_names_actions_that_there_are(void **state)
{
    (void)state;
    glob_t files;
    struct config c = load("", "");
    int seen = 0;
    assert_int_equal(glob(LOCKSTEP_SOURCE_DIR "/ui/*.c", 0, NULL, &files), 0);
    for (size_t i = 0; i < files.gl_pathc; i++) {
        char line[400], buf[KEYMAP_TEXT], name[60];
        FILE *f = fopen(files.gl_pathv[i], "r");
        assert_non_null(f);
        while (fgets(line, sizeof line, f))
            for (char *at = strstr(line, "/*") ? NULL : strchr(line, '{'); at; at = strchr(at + 1, '{')) {
                size_t len = strspn(at + 1, "abcdefghijklmnopqrstuvwxyz-12345");
                if (!len || at[1 + len] != '}')
                    continue;
                snprintf(name, sizeof name, "%.*s", (int)len + 2, at);
                if (strchr(keymap_text(&c.keys, name, false, buf), '{'))
                    fail_msg("%s: %s is no action", files.gl_pathv[i], name);
                seen++;
            }
        fclose(f);
    }
    assert_true(seen > 30);
    globfree(&files);
    config_free(&c);
}

static void every_problem_of_the_keys_is_told_with_its_place(void **state)
{
    (void)state;
    struct config c = load("stpe: x\nstep: Hyper-X\nnext: n\nfind: n\nrun: Ctrl-C\nuntil: [{a: b}]\nabort: x\n", "");
    static const struct told told[] = {
        { 1, "stpe", "no action of this name; did you mean 'step'?" },
        { 2, "step", "unknown key 'Hyper-X'" },
        { 3, "next", "the key n was that of 'find-next', which now has none" },
        { 4, "find", "the key n is that of 'next' already" },
        { 5, "run", "the key Ctrl-C always does what it does" },
        { 6, "until", "write words here" },
        { 7, "abort", "the key x was that of 'stop', which now has none" },
    };
    assert_int_equal(c.problems.errors, 0);
    assert_told(&c, told, sizeof told / sizeof told[0]);
    assert_int_equal(keymap_action(&c.keys, 's'), ACTION_STEP); /* better than none */
    assert_int_equal(keymap_action(&c.keys, 3), ACTION_INTERRUPT);
    config_free(&c);
}

static void a_file_that_is_no_map_is_told_and_never_fatal(void **state)
{
    (void)state;
    struct config c = load("- a\n- b\n", "bad: [red\nx: {\n");
    static const struct told told[] = {
        { 1, "", "settings are lines" },
        { 2, "bad[1]", "a ',' or ']' is missing" },
    };
    assert_told(&c, told, sizeof told / sizeof told[0]);
    assert_int_equal(keymap_action(&c.keys, 's'), ACTION_STEP);
    config_free(&c);
    char path[80];
    snprintf(path, sizeof path, "%s/keys.yaml", folder);
    unlink(path);
    assert_int_equal(mkdir(path, 0700), 0);
    test_write_file(folder, "theme.yaml", "");
    config_load(&c, false);
    assert_int_equal(c.problems.count, 1);
    config_free(&c);
    rmdir(path);
}

static void roles_get_other_colours(void **state)
{
    (void)state;
    struct config c = load("", "bad: bright-red underline\nwarn: '#ff8800'\ngood: 22\ndim: bold\non-match: blue\n"
                               "text: default reverse\n");
    assert_int_equal(c.problems.count, 0);
    struct look l = theme_look_of(&c.theme, ROLE_BAD, GROUND_NONE, 256);
    assert_int_equal(l.foreground, 9);
    assert_int_equal(l.attributes, ATTRIBUTE_UNDERLINE);
    assert_int_equal(theme_look_of(&c.theme, ROLE_BAD, GROUND_NONE, 8).foreground, 1);
    assert_int_equal(theme_look_of(&c.theme, ROLE_WARN, GROUND_NONE, 256).foreground, 208); /* #ff8700 */
    assert_int_equal(theme_look_of(&c.theme, ROLE_WARN, GROUND_NONE, 8).foreground, 3);
    assert_int_equal(theme_look_of(&c.theme, ROLE_GOOD, GROUND_NONE, 256).foreground, 22);
    assert_int_equal(theme_look_of(&c.theme, ROLE_DIM, GROUND_NONE, 256).foreground,
                     theme_look(ROLE_DIM, GROUND_NONE, 256).foreground);
    assert_int_equal(theme_look_of(&c.theme, ROLE_DIM, GROUND_NONE, 2).attributes, ATTRIBUTE_BOLD);
    assert_int_equal(theme_look_of(&c.theme, ROLE_INFO, GROUND_MATCH, 256).background, 4);
    assert_int_equal(theme_look_of(&c.theme, ROLE_BAD, GROUND_NONE, 2).foreground, THEME_DEFAULT);
    config_free(&c);
}

static void every_problem_of_the_theme_is_told(void **state)
{
    (void)state;
    struct config c =
        load("", "bda: red\nbad: gren\nwarn: 256\ngood: red blue\non-match: bold\ninfo:\ntime: '#12345'\n");
    static const struct told told[] = {
        { 1, "bda", "did you mean 'bad'?" },
        { 2, "bad", "'gren' is no colour and no attribute; did you mean 'green'?" },
        { 3, "warn", "'256' is no colour" },
        { 4, "good", "'blue' is a second colour" },
        { 5, "on-match", "'bold' is no colour" },
        { 6, "info", "a colour is missing" },
        { 7, "time", "'#12345' is no colour" },
    };
    assert_told(&c, told, sizeof told / sizeof told[0]);
    config_free(&c);
}

static void every_action_that_can_have_other_keys_has_a_name(void **state)
{
    (void)state;
    static const enum action fixed[] = { ACTION_INTERRUPT, ACTION_FORCE, ACTION_CLICK, ACTION_WHEEL_UP,
                                         ACTION_WHEEL_DOWN };
    for (size_t i = 0; i < key_table_count; i++) {
        bool is_fixed = false;
        for (size_t k = 0; k < sizeof fixed / sizeof *fixed; k++)
            is_fixed |= fixed[k] == key_table[i].action;
        assert_int_equal(is_fixed, action_name(key_table[i].action) == NULL);
    }
    for (size_t i = 0; i < command_table.count; i++) /* the same words as the commands */
        if (command_table.rows[i].action != ACTION_NONE && action_name(command_table.rows[i].action))
            assert_string_equal(action_name(command_table.rows[i].action), command_table.rows[i].name);
}

static bool is_action(const char *name)
{
    for (size_t i = 0; i < action_word_count; i++)
        if (!strcmp(action_words[i].name, name))
            return true;
    return false;
}

static void a_command_that_a_key_does_is_an_action_of_its_name(void **state)
{
    (void)state;
    static const char *const without_key[] = { "bisect", "unwatch", "pace", "uart", "node", "pane", "find-previous" };
    for (size_t i = 0; i < command_table.count; i++) {
        const char *name = command_table.rows[i].name;
        bool has_key = true;
        for (size_t k = 0; k < sizeof without_key / sizeof *without_key; k++)
            has_key &= strcmp(without_key[k], name) != 0;
        if (is_action(name) != has_key)
            fail_msg("%s", name);
    }
    struct config c = load("break: F9\nwatch: F4\nkeys: F7\ncontinue: F8\nbreakpoints: F10\n", "");
    assert_int_equal(c.problems.count, 0);
    assert_int_equal(keymap_action(&c.keys, INPUT_F1 + 8), ACTION_BREAKS);
    assert_int_equal(keymap_action(&c.keys, INPUT_F1 + 9), ACTION_BREAKS);
    assert_int_equal(keymap_action(&c.keys, INPUT_F1 + 3), ACTION_WATCHES);
    assert_int_equal(keymap_action(&c.keys, INPUT_F1 + 7), ACTION_CONTINUE);
    config_free(&c);
    c = load("breakpoints: []\n", "");
    char text[KEYMAP_TEXT];
    assert_string_equal(keymap_text(&c.keys, "{breakpoints} adds one", false, text), ":break adds one");
    config_free(&c);
}

static void the_man_page_lists_the_actions(void **state)
{
    (void)state;
    char page[200000], *save;
    FILE *f = fopen(LOCKSTEP_SOURCE_DIR "/doc/lockstep.1", "re");
    assert_non_null(f);
    page[fread(page, 1, sizeof page - 1, f)] = '\0';
    fclose(f);
    char *begin = strstr(page, "actions: begin\n"), *end = begin ? strstr(begin, ".\n.\\\" actions: end") : NULL;
    assert_non_null(end);
    *end = '\0';
    char *word = strtok_r(begin + strlen("actions: begin\n"), ", \n", &save);
    for (size_t i = 0; i < action_word_count; i++, word = strtok_r(NULL, ", \n", &save))
        assert_string_equal(word ? word : "the end of the list", action_words[i].name);
    assert_null(word);
}

static void names_of_keys_are_read_back(void **state)
{
    (void)state;
    char name[KEY_NAME];
    for (uint32_t key = 0x21; key < 0x3000; key++)
        if (key_named(key_name(key, name)) != key) /* what can harm a terminal is none */
            assert_int_equal(key_named(name), INPUT_NONE);
    for (char c = 'a'; c <= 'z'; c++)
        assert_int_equal(key_named(key_name((uint32_t)c & 0x1f, name)), c & 0x1f);
    assert_string_equal(key_name(' ', name), "Space");
    for (uint32_t key = INPUT_UP; key <= INPUT_F12; key++)
        assert_int_equal(key_named(key_name(key, name)), key);
}

static void any_text_is_a_file_of_settings(void **state)
{
    (void)state;
    uint64_t seed = test_seed() | 1;
    static const char pieces[][10] = {
        "step", ": ", "\n", "[", "]", "F5", "red", "'", "#", " ", "bad", "- ", "\t", "&a"
    };
    for (int round = 0; round < 500; round++) {
        char text[200] = "";
        for (int i = 0; i < 18; i++)
            strcat(text, pieces[test_random(&seed) % (sizeof pieces / sizeof *pieces)]);
        struct config c = load(text, text);
        assert_int_equal(c.problems.errors, 0);
        config_free(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_files_everything_is_as_it_was),
        cmocka_unit_test(actions_get_other_keys),
        cmocka_unit_test(every_problem_of_the_keys_is_told_with_its_place),
        cmocka_unit_test(a_file_that_is_no_map_is_told_and_never_fatal),
        cmocka_unit_test(roles_get_other_colours),
        cmocka_unit_test(every_problem_of_the_theme_is_told),
        cmocka_unit_test(a_text_names_the_keys_in_use),
        cmocka_unit_test(every_text_names_actions_that_there_are),
        cmocka_unit_test(every_action_that_can_have_other_keys_has_a_name),
        cmocka_unit_test(a_command_that_a_key_does_is_an_action_of_its_name),
        cmocka_unit_test(the_man_page_lists_the_actions),
        cmocka_unit_test(names_of_keys_are_read_back),
        cmocka_unit_test(any_text_is_a_file_of_settings),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
