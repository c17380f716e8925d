/* Files that are too much: each is refused with one clear line, at once and in bounded memory. */
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lockstep/scenario.h"

#define TAIL   "simulation: { duration: 10s, seed: 42 }\nnodes:\n  - { id: gateway, type: gateway }\n"
#define MEMORY ((rlim_t)(512u << 20)) /* for each load; the program's own part of it is small */

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

static char folder[] = "/tmp/lockstep-limits-XXXXXX";

static const char *path_of(const char *name)
{
    static char path[200];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static FILE *create(const char *name)
{
    FILE *f = fopen(path_of(name), "wb");
    assert_non_null(f);
    return f;
}

/* Else cmocka would go on with the tests in a child that crashes. */
static void reset_signals(void)
{
    static const int fatal[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT };
    for (size_t i = 0; i < sizeof fatal / sizeof fatal[0]; i++)
        signal(fatal[i], SIG_DFL);
}

/* Loads in a child that has little memory and ten seconds, and compares the first line that it tells, from the file's
 * name on. "" stands for a scenario that loads. */
static void tells(const char *path, const char *line)
{
    int ends[2], status;
    char told[1000] = "";
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        reset_signals();
        struct problems problems = { 0 };
        struct rlimit limit = { MEMORY, MEMORY };
        if (!SANITIZED)
            setrlimit(RLIMIT_AS, &limit);
        alarm(SANITIZED ? 60 : 10);
        struct scenario *s = scenario_load(path, NULL, 0, &problems);
        if (problems.count)
            problem_format(&problems.items[0], told, sizeof told);
        const char *from = strncmp(told, path, strlen(path)) == 0 ? told + strlen(path) : told;
        ssize_t n = write(ends[1], from, strlen(from));
        problems_clear(&problems);
        scenario_free(s);
        _exit(n < 0);
    }
    close(ends[1]);
    for (ssize_t n, len = 0; (n = read(ends[0], told + len, sizeof told - 1 - (size_t)len)) > 0;)
        told[len += n] = '\0';
    close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_string_equal(told, line);
}

static void a_file_of_100_mb(void **state)
{
    (void)state;
    FILE *f = create("large.yaml");
    assert_int_equal(ftruncate(fileno(f), 100 * 1000 * 1000), 0);
    fclose(f);
    tells(path_of("large.yaml"), ": is larger than 16 MiB; this is no scenario");
}

static void a_pipe_without_end(void **state)
{
    (void)state;
    tells("/dev/zero", ": is larger than 16 MiB; this is no scenario");
}

/* A named pipe that a child writes into. */
static void feed_pipe(const char *name, size_t bytes, const char *line)
{
    char path[200];
    snprintf(path, sizeof path, "%s", path_of(name));
    assert_int_equal(mkfifo(path, 0600), 0);
    pid_t child = fork();
    if (child == 0) {
        int fd = open(path, O_WRONLY);
        static char comment[1024];
        memset(comment, '#', sizeof comment);
        comment[sizeof comment - 1] = '\n';
        signal(SIGPIPE, SIG_IGN);
        for (size_t n = 0; n < bytes; n += sizeof comment)
            if (write(fd, comment, sizeof comment) < 0)
                _exit(0);
        _exit(write(fd, TAIL, strlen(TAIL)) < 0);
    }
    tells(path, line);
    waitpid(child, NULL, 0);
}

static void pipes_are_read_up_to_the_limit(void **state)
{
    (void)state;
    feed_pipe("small.pipe", 4096, "");
    feed_pipe("large.pipe", (size_t)40 << 20, ": is larger than 16 MiB; this is no scenario");
}

static void nesting_of_10000(void **state)
{
    (void)state;
    static const char *const opens[] = { "[", "{ a: ", "- ", "? " };
    for (size_t k = 0; k < sizeof opens / sizeof opens[0]; k++) {
        FILE *f = create("deep.yaml");
        for (int i = 0; i < 10000; i++)
            fputs(opens[k], f);
        fclose(f);
        struct problems problems = { 0 };
        assert_null(scenario_load(path_of("deep.yaml"), NULL, 0, &problems));
        assert_int_equal(problems.count, 1);
        problems_clear(&problems);
    }
    FILE *f = create("deep.yaml");
    fputs("x: ", f);
    for (int i = 0; i < 10000; i++)
        fputs("[", f);
    fclose(f);
    tells(path_of("deep.yaml"), ":1:67: x[0][0][0][0]…[0][0][0][0][0][0][0]: nested deeper than 64 levels");
}

static void nesting_of_64_is_fine(void **state)
{
    (void)state;
    FILE *f = create("nested.yaml");
    fputs("simulation: { duration: 1s, seed: 1 }\nnodes: [{ id: g, type: gateway, implementation: process, command: "
          "sh, config: { x: ",
          f);
    for (int i = 0; i < 60; i++)
        fputs("[", f);
    for (int i = 0; i < 60; i++)
        fputs("]", f);
    fputs(" } }]\n", f);
    fclose(f);
    tells(path_of("nested.yaml"), "");
}

static void alias_bombs(void **state)
{
    (void)state;
    FILE *f = create("bomb.yaml");
    fputs("a0: &a0 x\n", f);
    for (int i = 1; i < 60; i++)
        fprintf(f, "a%d: &a%d [*a%d, *a%d]\n", i, i, i - 1, i - 1);
    fclose(f);
    tells(path_of("bomb.yaml"), ":19:18: a18[1]: more than 1,000,000 values, counting what aliases (*name) repeat");
    f = create("merge.yaml");
    fputs("a0: &a0 { k: x }\n", f);
    for (int i = 1; i < 60; i++)
        fprintf(f, "a%d: &a%d { <<: [*a%d, *a%d], k%d: x }\n", i, i, i - 1, i - 1, i);
    fclose(f);
    tells(path_of("merge.yaml"), ":17:24: a16.<<[1]: more than 1,000,000 values, counting what aliases (*name) repeat");
    f = create("text.yaml");
    fputs("a: &a ", f);
    for (int i = 0; i < 1 << 20; i++)
        putc('x', f);
    fputs("\nb: [*a", f);
    for (int i = 0; i < 1000; i++)
        fputs(",*a", f);
    fputs("]\n", f);
    fclose(f);
    tells(path_of("text.yaml"), ":2:191: b[62]: more than 64 MiB of text, counting what aliases (*name) repeat");
}

static void a_million_of_each_thing(void **state)
{
    (void)state;
    static const struct {
        const char *begin, *each, *line;
        int count;
    } cases[] = {
        { "", "%%TAG !a%d! tag:x,\n", ":65:1: more than 64 %TAG directives", 100000 },
        { "x: [", "%d, ", ":1:7888871: x[999997]: more than 1,000,000 values, counting what aliases (*name) repeat",
          1100000 },
        { "x: [", "&a%d 1, ", ":2:1: x[100000]: a value is missing", 100000 },
        { "", "k%d: 1\n", ":1:1: warning: k0: unknown field, ignored", 300000 },
        { "nodes:\n", "- { id: n%d, type: gateway }\n",
          ":1:1: simulation.duration: is required; add for example `duration: 10s`", 90000 },
        { "nodes:\n", "- { id: n%d, type: gateway }\n",
          ":1:1: simulation.duration: is required; add for example `duration: 10s`", 110000 },
    };
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        FILE *f = create("million.yaml");
        fputs(cases[k].begin, f);
        for (int i = 0; i < cases[k].count; i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
            fprintf(f, cases[k].each, i);
#pragma GCC diagnostic pop
        }
        fclose(f);
        tells(path_of("million.yaml"), cases[k].line);
    }
}

static void bytes_that_are_no_text(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t len;
        const char *line;
    } cases[] = {
        { "a: b\0c\n", 7, ":1:5: a NUL byte; is this a text file?" },
        { "a: b\nc: \xff\n", 9, ":2:4: the byte 0xff is not valid UTF-8; save the file as UTF-8" },
        { "a: \xc3\xa4\xc0\x80\n", 8, ":1:5: the byte 0xc0 is not valid UTF-8; save the file as UTF-8" },
        { "a: \xed\xa0\x80\n", 7, ":1:4: the byte 0xed is not valid UTF-8; save the file as UTF-8" },
        { "a: \xe2\x82", 5, ":1:4: the byte 0xe2 is not valid UTF-8; save the file as UTF-8" },
        { "a: \x1b[31m\n", 9, ":1:4: the control character U+001B is not allowed; remove it" },
        { "\x7f"
          "ELF",
          4, ":1:1: the control character U+007F is not allowed; remove it" },
    };
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        FILE *f = create("bytes.yaml");
        fwrite(cases[k].bytes, 1, cases[k].len, f);
        fclose(f);
        tells(path_of("bytes.yaml"), cases[k].line);
    }
}

static void a_byte_order_mark_is_skipped(void **state)
{
    (void)state;
    FILE *f = create("bom.yaml");
    fputs("\xef\xbb\xbf" TAIL, f);
    fclose(f);
    tells(path_of("bom.yaml"), "");
}

static void files_that_are_none(void **state)
{
    (void)state;
    tells(path_of("no-such.yaml"), ": there is no such file");
    tells(folder, ": is a directory; name a scenario file in it");
    fclose(create("empty.yaml"));
    tells(path_of("empty.yaml"),
          ": the file is empty; a scenario begins with lines such as `simulation:` and `nodes:`");
    tells("/dev/null", ": the file is empty; a scenario begins with lines such as `simulation:` and `nodes:`");
}

static void a_file_that_may_not_be_read(void **state)
{
    (void)state;
    FILE *f = create("secret.yaml");
    fputs(TAIL, f);
    fchmod(fileno(f), 0);
    fclose(f);
    assert_int_equal(chmod(folder, 0755), 0);
    pid_t child = fork();
    if (child == 0) {
        reset_signals();
        struct problems problems = { 0 };
        if (geteuid() == 0 && seteuid(65534) < 0)
            _exit(77);
        bool good = !scenario_load(path_of("secret.yaml"), NULL, 0, &problems) && problems.count == 1 &&
                    strcmp(problems.items[0].text, "cannot be read: Permission denied") == 0;
        problems_clear(&problems);
        _exit(!good);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77)
        skip();
    assert_int_equal(WEXITSTATUS(status), 0);
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    static const char *const names[] = { "large.yaml", "small.pipe", "large.pipe", "deep.yaml",  "nested.yaml",
                                         "bomb.yaml",  "merge.yaml", "text.yaml",  "bytes.yaml", "million.yaml",
                                         "bom.yaml",   "empty.yaml", "secret.yaml" };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        unlink(path_of(names[i]));
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_of_100_mb),
        cmocka_unit_test(a_pipe_without_end),
        cmocka_unit_test(pipes_are_read_up_to_the_limit),
        cmocka_unit_test(nesting_of_10000),
        cmocka_unit_test(nesting_of_64_is_fine),
        cmocka_unit_test(alias_bombs),
        cmocka_unit_test(a_million_of_each_thing),
        cmocka_unit_test(bytes_that_are_no_text),
        cmocka_unit_test(a_byte_order_mark_is_skipped),
        cmocka_unit_test(files_that_are_none),
        cmocka_unit_test(a_file_that_may_not_be_read),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
