/* Every scenarios/bad/NAME.yaml is refused with exactly the lines of NAME.err. */
#include "check.h"
#include "engine_socket.h"

#include <dirent.h>
#include <unistd.h>

#include "lockstep/scenario.h"

#define FOLDER "scenarios/bad"

static char *read_text(const char *path)
{
    FILE *f = fopen(path, "rb");
    char *text = NULL;
    size_t size = 0;
    if (!f)
        return NULL;
    FILE *to = open_memstream(&text, &size);
    for (int c; (c = getc(f)) != EOF;)
        putc(c, to);
    fclose(f);
    fclose(to);
    return text;
}

static char *problems_text(const char *path, bool *loaded)
{
    struct problems problems = { 0 };
    char *text = NULL;
    size_t size = 0;
    FILE *to = open_memstream(&text, &size);
    struct scenario *s = scenario_load(path, NULL, 0, &problems);
    *loaded = s != NULL;
    problems_print(&problems, to);
    fclose(to);
    problems_clear(&problems);
    scenario_free(s);
    return text;
}

static bool has_line(const char *text, const char *line, size_t len)
{
    for (const char *at = text; *at;) {
        size_t n = strcspn(at, "\n");
        if (n == len && memcmp(at, line, len) == 0)
            return true;
        at += n + (at[n] == '\n');
    }
    return false;
}

/* The lines of `text` that `other` has not. */
static void print_missing(const char *sign, const char *text, const char *other)
{
    for (const char *at = text; *at;) {
        size_t n = strcspn(at, "\n");
        if (!has_line(other, at, n))
            print_message("%s %.*s\n", sign, (int)n, at);
        at += n + (at[n] == '\n');
    }
}

static bool check_one(const char *name)
{
    char path[600], expected_path[600];
    bool loaded;
    snprintf(path, sizeof path, FOLDER "/%s", name);
    snprintf(expected_path, sizeof expected_path, FOLDER "/%.*s.err", (int)strlen(name) - 5, name);
    char *expected = read_text(expected_path);
    char *actual = problems_text(path, &loaded);
    bool good = expected && !loaded && strcmp(expected, actual) == 0;
    if (!good) {
        print_message("%s%s\n", path, !expected ? ": there is no .err file" : loaded ? ": was loaded" : ":");
        print_missing("-", expected ? expected : "", actual);
        print_missing("+", actual, expected ? expected : "");
        if (expected && !loaded)
            print_message("(- expected, + told; without either, the order differs)\n");
    }
    free(expected);
    free(actual);
    return good;
}

static void every_broken_scenario_is_refused_with_its_lines(void **state)
{
    (void)state;
    assert_int_equal(chdir(LOCKSTEP_SOURCE_DIR), 0);
    DIR *folder = opendir(FOLDER);
    int count = 0, wrong = 0;
    assert_non_null(folder);
    for (const struct dirent *e; (e = readdir(folder)) != NULL;) {
        size_t len = strlen(e->d_name);
        if (len < 6 || strcmp(e->d_name + len - 5, ".yaml") != 0)
            continue;
        count++;
        wrong += !check_one(e->d_name);
    }
    closedir(folder);
    print_message("%d broken scenarios, %d with other lines than expected\n", count, wrong);
    assert_int_equal(wrong, 0);
    assert_true(count >= 45);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(every_broken_scenario_is_refused_with_its_lines) };
    return cmocka_run_group_tests(tests, engine_socket_set_up, engine_socket_tear_down);
}
