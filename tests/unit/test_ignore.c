#include "check.h"

#include <sys/stat.h>
#include <unistd.h>

#include "node/ignore.h"

static const char *const nothing[] = { NULL };

static struct ignore *parse(const char *text)
{
    struct error err = { 0 };
    struct ignore *g = ignore_parse(".dockerignore", text, strlen(text), nothing, &err);
    if (!g)
        fail_msg("%s", err.text);
    return g;
}

struct sample {
    const char *text, *path;
    bool is_out;
};

static void check_all(const struct sample *samples, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct ignore *g = parse(samples[i].text);
        if (ignore_leaves_out(g, samples[i].path) != samples[i].is_out)
            fail_msg("'%s': '%s' is %s", samples[i].text, samples[i].path, samples[i].is_out ? "sent" : "left out");
        ignore_free(g);
    }
}

#define CHECK_ALL(samples) check_all(samples, sizeof samples / sizeof samples[0])

static void a_pattern_matches_as_in_go(void **state)
{
    (void)state;
    static const struct sample samples[] = {
        { "a", "a", true },          { "a", "b", false },           { "a", "ab", false },
        { "a", "x/a", false },       { "*", "abc", true },          { "*.c", "x.c", true },
        { "*.c", "x.h", false },     { "*.c", "src/x.c", false },   { "*/*.c", "src/x.c", true },
        { "a?c", "abc", true },      { "a?c", "a/c", false },       { "a?c", "a\xc3\xa9" "c", true },
        { "a?c", "ac", false },      { "[a-c]x", "bx", true },      { "[a-c]x", "dx", false },
        { "[^a-c]x", "bx", false },  { "[^a-c]x", "dx", true },     { "[a-cx-z]", "y", true },
        { "[\\]]", "]", true },      { "[\\-a]", "-", true },       { "[!a]", "!", true },
        { "\\*", "*", true },        { "\\*", "a", false },         { "\\#a", "#a", true },
        { "\\!a", "!a", true },      { "a\\b", "ab", true },        { "*a*b*", "xaxbx", true },
        { "*a*b*", "xbxax", false }, { "a.c", "abc", false },       { "a+", "a+", true },
        { "[\xc3\xa0-\xc3\xb0]", "\xc3\xa9", true },                { "a b", "a b", true },
    };
    CHECK_ALL(samples);
}

static void two_stars_stand_for_any_number_of_folders(void **state)
{
    (void)state;
    static const struct sample samples[] = {
        { "**", "a/b/c", true },      { "**/x", "x", true },         { "**/x", "a/x", true },
        { "**/x", "a/b/x", true },    { "**/x", "a/bx", false },     { "**/*.go", "a/b/c.go", true },
        { "**/*.go", "c.go", true },  { "**/*.go", "c.god", false }, { "a/**", "a/b/c", true },
        { "a/**", "a", false },       { "a/**/z", "a/z", true },     { "a/**/z", "a/b/c/z", true },
        { "a/**/z", "a/b/cz", false }, { "a**", "abc/d", true },     { "**/a/**/b", "x/a/y/z/b", true },
        { "**/a/**/b", "x/b/a", false },
    };
    CHECK_ALL(samples);
}

static void slashes_around_a_pattern_and_dots_in_it_say_nothing(void **state)
{
    (void)state;
    static const struct sample samples[] = {
        { "/a", "a", true },         { "a/", "a", true },           { "/a/b/", "a/b", true },
        { "a//b", "a/b", true },     { "./a", "a", true },          { "x/../a", "a", true },
        { ".", "a", false },         { "/", "a", false },           { "../a", "a", false },
        { "/../a", "a", true },      { "  a \t\r", "a", true },     { "a/./b/..", "a/c", true },
        { "../../a", "a", false },
    };
    CHECK_ALL(samples);
}

static void comments_and_blank_lines_are_skipped(void **state)
{
    (void)state;
    static const struct sample samples[] = {
        { "# a\n\n   \na\n", "a", true },    { "#a", "#a", false },         { "#a", "a", false },
        { " #a", "#a", true },               { "\xef\xbb\xbf" "a\nb", "a", true }, { "a\r\nb\r\n", "b", true },
        { "", "a", false },
    };
    CHECK_ALL(samples);
}

static void the_last_line_that_matches_counts(void **state)
{
    (void)state;
    static const struct sample samples[] = {
        { "*.md\n!README.md", "README.md", false },
        { "*.md\n!README.md", "x.md", true },
        { "!README.md\n*.md", "README.md", true },
        { "*.md\n!README*.md\nREADME-secret.md", "README-secret.md", true },
        { "*.md\n!README*.md\nREADME-secret.md", "README-x.md", false },
        { "*.md\nREADME-secret.md\n!README*.md", "README-secret.md", false },
        { "*\n! a ", "a", false },
        { "*\n!/a/", "a/b", false },
    };
    CHECK_ALL(samples);
}

static void what_is_in_a_folder_goes_with_it_but_for_exceptions(void **state)
{
    (void)state;
    static const struct sample samples[] = {
        { "node_modules", "node_modules/a/b", true },
        { "*/temp*", "x/temporary/y/z", true },
        { "a\n!a/b", "a/b", false },
        { "a\n!a/b", "a/b/c/d", false },
        { "a\n!a/b", "a/bc", true },
        { "a\n!a/b\na/b/c", "a/b/c/d", true },
        { "*\n!**/*.c", "x/y/z.c", false },
    };
    CHECK_ALL(samples);
    static const struct {
        const char *text, *folder;
        bool must;
    } folders[] = {
        { "a", "a", false },         { "a\n!a/b", "a", true },        { "a\n!a/b/c", "a/b", true },
        { "a\n!a/b/c", "a/x", false }, { "*\n!src", "other", false }, { "*\n!*.md", "node_modules", false },
        { "*\n!**/x", "any", true }, { "*\n!s*/x", "src", true },     { "*\n!s*/x", "lib", false },
        { "*\n!ab/c", "a", false },  { "!a\na/b", "a/b", false },
    };
    for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        struct ignore *g = parse(folders[i].text);
        if (ignore_must_enter(g, folders[i].folder) != folders[i].must)
            fail_msg("'%s': '%s'", folders[i].text, folders[i].folder);
        ignore_free(g);
    }
}

static void a_bad_line_is_refused_with_its_number_and_what_to_do(void **state)
{
    (void)state;
    static const struct {
        const char *text, *error;
    } bad[] = {
        { "a\n[a-z\n", ".dockerignore:2: '[a-z': a [ without its ]; write \\[ for the character itself" },
        { "a\n\n#\n[]", ".dockerignore:4: '[]': a [] with nothing in it; write \\[ and \\] for the characters "
                        "themselves" },
        { "[^]", ".dockerignore:1: '[^]': a [] with nothing in it" },
        { "[-a]", ".dockerignore:1: '[-a]': a - that is not between two characters of a [ ]" },
        { "[a-]", ".dockerignore:1: '[a-]': a range in a [ ] without its end" },
        { "[a\\", ".dockerignore:1: '[a\\': a [ without its ]" },
        { "a\\", ".dockerignore:1: 'a\\': a \\ with nothing behind it" },
        { "!", ".dockerignore:1: '!': a ! without a pattern" },
        { "x\n! \n", ".dockerignore:2: '! ': a ! without a pattern" },
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct error err = { 0 };
        assert_null(ignore_parse(".dockerignore", bad[i].text, strlen(bad[i].text), nothing, &err));
        assert_int_equal(err.code, EXIT_LAUNCH);
        if (strncmp(err.text, bad[i].error, strlen(bad[i].error)) != 0)
            fail_msg("'%s' is not '%s'", err.text, bad[i].error);
    }
    struct error err = { 0 };
    assert_null(ignore_parse("f", "a\nb\0c", 5, nothing, &err));
    assert_memory_equal(err.text, "f:2: ", 5);
    assert_non_null(strstr(err.text, "a NUL byte"));
}

static void what_is_too_large_is_refused(void **state)
{
    (void)state;
    struct error err = { 0 };
    char line[IGNORE_PATTERN_MAX + 2];
    memset(line, 'a', sizeof line);
    struct ignore *g = ignore_parse("f", line, IGNORE_PATTERN_MAX, nothing, &err);
    assert_non_null(g);
    ignore_free(g);
    assert_null(ignore_parse("f", line, IGNORE_PATTERN_MAX + 1, nothing, &err));
    assert_non_null(strstr(err.text, "more than 1000 bytes"));
    struct error many = { 0 };
    char *lines = malloc(2 * (IGNORE_PATTERNS_MAX + 1));
    for (size_t i = 0; i <= IGNORE_PATTERNS_MAX; i++)
        memcpy(lines + 2 * i, "a\n", 2);
    assert_null(ignore_parse("f", lines, 2 * (IGNORE_PATTERNS_MAX + 1), nothing, &many));
    assert_string_equal(many.text, "f:10001: 'a': more than 10000 patterns; leave out whole folders");
    free(lines);
}

static void no_pattern_takes_long(void **state)
{
    (void)state;
    char pattern[400], path[2000];
    for (size_t i = 0; i + 1 < sizeof pattern; i += 3)
        memcpy(pattern + i, i % 2 ? "*a*" : "**/", 3);
    pattern[sizeof pattern - 1] = '\0';
    memset(path, 'a', sizeof path);
    path[sizeof path - 1] = '\0';
    struct ignore *g = parse(pattern);
    clock_t begin = clock();
    ignore_leaves_out(g, path);
    assert_true(clock() - begin < CLOCKS_PER_SEC);
    ignore_free(g);
}

static void the_file_of_the_dockerfile_comes_first_and_both_are_sent(void **state)
{
    (void)state;
    char folder[] = "/tmp/test-ignore-XXXXXX", path[200];
    struct error err = { 0 };
    assert_non_null(mkdtemp(folder));
    struct ignore *g = ignore_load(folder, "Dockerfile", &err);
    assert_non_null(g);
    assert_false(ignore_leaves_out(g, "a"));
    ignore_free(g);
    test_write_file(folder, ".dockerignore", "*\n");
    g = ignore_load(folder, "Dockerfile", &err);
    assert_true(ignore_leaves_out(g, "a"));
    assert_true(ignore_leaves_out(g, "Dockerfile2"));
    assert_false(ignore_leaves_out(g, "Dockerfile"));
    assert_false(ignore_leaves_out(g, ".dockerignore"));
    ignore_free(g);
    test_write_file(folder, "x*.dockerignore", "**\n!a\n");
    g = ignore_load(folder, "x*", &err);
    assert_false(ignore_leaves_out(g, "a"));
    assert_false(ignore_leaves_out(g, "x*"));
    assert_true(ignore_leaves_out(g, "xy"));
    assert_false(ignore_leaves_out(g, "x*.dockerignore"));
    ignore_free(g);
    test_write_file(folder, ".dockerignore", "\n[");
    assert_null(ignore_load(folder, "Dockerfile", &err));
    snprintf(path, sizeof path, "%s/.dockerignore:2: '['", folder);
    assert_memory_equal(err.text, path, strlen(path));
    snprintf(path, sizeof path, "%s/.dockerignore", folder);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    struct error unreadable = { 0 };
    assert_null(ignore_load(folder, "Dockerfile", &unreadable));
    assert_non_null(strstr(unreadable.text, "/.dockerignore: cannot be read: Is a directory"));
    rmdir(path);
    snprintf(path, sizeof path, "%s/x*.dockerignore", folder);
    unlink(path);
    assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pattern_matches_as_in_go),
        cmocka_unit_test(two_stars_stand_for_any_number_of_folders),
        cmocka_unit_test(slashes_around_a_pattern_and_dots_in_it_say_nothing),
        cmocka_unit_test(comments_and_blank_lines_are_skipped),
        cmocka_unit_test(the_last_line_that_matches_counts),
        cmocka_unit_test(what_is_in_a_folder_goes_with_it_but_for_exceptions),
        cmocka_unit_test(a_bad_line_is_refused_with_its_number_and_what_to_do),
        cmocka_unit_test(what_is_too_large_is_refused),
        cmocka_unit_test(no_pattern_takes_long),
        cmocka_unit_test(the_file_of_the_dockerfile_comes_first_and_both_are_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
