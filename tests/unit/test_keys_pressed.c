/* Each key of the table is pressed by a test: by one of tests/ui that shows the screen behind it, or at a real
 * terminal. */
#include "check.h"

#include <glob.h>
#include <string.h>

#include "base/buffer.h"
#include "ui/keyfile.h"
#include "ui/keys.h"

#define MAX_KEYS 200

/* Those that end or suspend the program, and so leave no screen: who presses them, and how. */
static const struct {
    uint32_t key;
    const char *file, *how;
} at_a_terminal[] = {
    { 'Q', "test_leaving.py", "b\"Q\"" },
    { 'z' & 0x1f, "test_terminal_care.py", "t.keys(\"C-z\")" },
    { '\\' & 0x1f, "test_terminal_care.py", "b\"\\034\", 131" },
};

struct pressed {
    uint32_t keys[MAX_KEYS];
    size_t count;
};

static bool is_pressed(const struct pressed *p, uint32_t key)
{
    for (size_t i = 0; i < p->count; i++)
        if (p->keys[i] == key)
            return true;
    return false;
}

static bool asks(const struct key_step *s)
{
    return s->kind == KEY_STEP_KEY && s->key < 0x80 && strchr("xXrRqW", (int)s->key);
}

static bool shows(const struct key_step *s)
{
    return s->kind == KEY_STEP_SCREEN || s->kind == KEY_STEP_SEE || s->kind == KEY_STEP_UNTIL_STATE;
}

/* Presses that something is looked at behind. What answers a question is no press of the key in the table. */
static void note_presses(struct pressed *p, const struct key_script *script)
{
    size_t shown = 0;
    for (size_t i = 0; i < script->count; i++)
        shown = shows(&script->steps[i]) ? i : shown;
    bool asked = false;
    for (size_t i = 0; i < shown; i++) {
        const struct key_step *s = &script->steps[i];
        if (s->kind != KEY_STEP_KEY && s->kind != KEY_STEP_MOUSE)
            continue;
        bool is_answer = asked && (s->key == 'y' || s->key == 'n');
        asked = asks(s);
        if (is_answer || is_pressed(p, s->key))
            continue;
        assert_true(p->count < MAX_KEYS);
        p->keys[p->count++] = s->key;
    }
}

static void read_scripts(struct pressed *p)
{
    glob_t files;
    assert_int_equal(glob(LOCKSTEP_SOURCE_DIR "/tests/ui/*.keys", 0, NULL, &files), 0);
    for (size_t i = 0; i < files.gl_pathc; i++) {
        struct key_script script = { 0 };
        struct error err = { 0 };
        assert_int_equal(key_script_load(files.gl_pathv[i], &script, &err), 0);
        note_presses(p, &script);
        key_script_free(&script);
    }
    globfree(&files);
}

static bool stands_in(const char *name, const char *text)
{
    char path[1000], block[4096];
    struct buffer all = { 0 };
    snprintf(path, sizeof path, LOCKSTEP_SOURCE_DIR "/tests/e2e/%s", name);
    FILE *f = fopen(path, "re");
    assert_non_null(f);
    for (size_t n; (n = fread(block, 1, sizeof block, f)) > 0;)
        buffer_add(&all, block, n);
    fclose(f);
    bool found = strstr(buffer_string(&all), text) != NULL;
    buffer_free(&all);
    return found;
}

static bool is_pressed_at_a_terminal(uint32_t key)
{
    for (size_t i = 0; i < sizeof at_a_terminal / sizeof *at_a_terminal; i++)
        if (at_a_terminal[i].key == key)
            return stands_in(at_a_terminal[i].file, at_a_terminal[i].how);
    return false;
}

static void every_key_of_the_table_is_pressed_by_a_test(void **state)
{
    (void)state;
    struct pressed p = { .count = 0 };
    int missing = 0;
    read_scripts(&p);
    for (size_t i = 0; i < key_table_count; i++)
        for (size_t k = 0; k < 3 && key_table[i].keys[k]; k++) {
            uint32_t key = key_table[i].keys[k];
            char name[KEY_NAME];
            if (is_pressed(&p, key) || is_pressed_at_a_terminal(key))
                continue;
            print_error("no test presses %s (%s)\n", key_name(key, name), key_table[i].help ? key_table[i].help : "");
            missing++;
        }
    assert_int_equal(missing, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_key_of_the_table_is_pressed_by_a_test) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
