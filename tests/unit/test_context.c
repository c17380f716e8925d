#include "check.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "node/context.h"

static char folder[64];

static const char *in_folder(const char *name)
{
    static char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

/* A file with an mtime of 1000 seconds. */
static void put(const char *name, const char *text, mode_t mode)
{
    test_write_file(folder, name, text);
    assert_int_equal(chmod(in_folder(name), mode), 0);
    struct timespec times[2] = { { .tv_sec = 1000 }, { .tv_sec = 1000, .tv_nsec = 999 } };
    assert_int_equal(utimensat(AT_FDCWD, in_folder(name), times, 0), 0);
}

static void put_folder(const char *name)
{
    assert_int_equal(mkdir(in_folder(name), 0755), 0);
}

static int set_up(void **state)
{
    (void)state;
    umask(022);
    strcpy(folder, "/tmp/test-context-XXXXXX");
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chmod(folder, 0755), 0);
    put("Dockerfile", "FROM scratch\n", 0644);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    char command[100];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

static enum context_state run(struct context *c, struct error *err)
{
    enum context_state s;
    while ((s = context_step(c, 0, err)) == CONTEXT_MORE)
        ;
    return s;
}

static struct context *made(const char *dockerfile)
{
    struct error err = { 0 };
    struct context *c = context_new(folder, dockerfile, &err);
    if (!c || run(c, &err) != CONTEXT_DONE)
        fail_msg("%s", err.text);
    return c;
}

/* The archive as lines "NAME TYPE MODE UID:GID MTIME SIZE [-> TARGET] [= CONTENT]", folders without mtime. */
static void list(const struct context *c, struct buffer *out)
{
    struct text a = context_archive(c);
    char name[5000] = "";
    size_t at = 0;
    for (size_t sum, said; at + 512 <= a.len && a.s[at]; at += 512) {
        const char *h = a.s + at;
        size_t size = strtoul(h + 124, NULL, 8);
        sum = 0;
        for (size_t i = 0; i < 512; i++)
            sum += i >= 148 && i < 156 ? ' ' : (unsigned char)h[i];
        said = strtoul(h + 148, NULL, 8);
        assert_int_equal(sum, said);
        if (h[156] == 'L') { /* GNU: the name of the entry behind it */
            assert_true(size < sizeof name);
            memcpy(name, h + 512, size);
            name[size] = '\0';
        } else {
            if (!*name)
                snprintf(name, sizeof name, "%.100s", h);
            buffer_format(out, "%s %c %lo %lu:%lu %lu %zu", name, h[156], strtoul(h + 100, NULL, 8),
                          strtoul(h + 108, NULL, 8), strtoul(h + 116, NULL, 8),
                          h[156] == '0' ? strtoul(h + 136, NULL, 8) : 0, size);
            if (h[156] == '2')
                buffer_format(out, " -> %.100s", h + 157);
            if (size && size < 100)
                buffer_format(out, " = %.*s", (int)size, h + 512);
            buffer_text(out, "\n");
            *name = '\0';
        }
        at += (size + 511) / 512 * 512;
    }
    assert_int_equal(a.len - at, 1024); /* two blocks of zeros */
}

static void check_list(const struct context *c, const char *expected)
{
    struct buffer out = { 0 };
    list(c, &out);
    assert_string_equal(buffer_string(&out), expected);
    buffer_free(&out);
}

#define DOCKERFILE "Dockerfile 0 644 0:0 1000 13 = FROM scratch\n\n"

static void files_folders_and_links_come_sorted_and_owned_by_root(void **state)
{
    (void)state;
    put_folder("b");
    put("b/run", "x", 0755);
    put_folder("b/deep");
    put("b/deep/z", "", 0600);
    put("b-a", "yy", 0640);
    assert_int_equal(symlink("/etc/passwd", in_folder("a")), 0);
    assert_int_equal(symlink("nowhere", in_folder("b/l")), 0);
    struct context *c = made(NULL);
    check_list(c, DOCKERFILE "a 2 777 0:0 0 0 -> /etc/passwd\nb/ 5 755 0:0 0 0\nb-a 0 640 0:0 1000 2 = yy\n"
                             "b/deep/ 5 755 0:0 0 0\nb/deep/z 0 600 0:0 1000 0\nb/l 2 777 0:0 0 0 -> nowhere\n"
                             "b/run 0 755 0:0 1000 1 = x\n");
    assert_int_equal(context_entries(c), 8);
    assert_string_equal(context_dockerfile(c), "Dockerfile");
    assert_null(context_note(c, 0));
    context_free(c);
}

static void the_same_folder_gives_the_same_bytes_in_steps_or_at_once(void **state)
{
    (void)state;
    char name[20], *text = malloc(300001);
    memset(text, 'q', 300000);
    text[300000] = '\0';
    for (int i = 0; i < 50; i++) {
        snprintf(name, sizeof name, "f%d", i * 37 % 50);
        put(name, i % 10 ? "x" : text, 0644);
    }
    free(text);
    struct context *steps = made(NULL);
    struct error err = { 0 };
    struct context *once = context_new(folder, "Dockerfile", &err);
    assert_int_equal(context_step(once, INT64_MAX, &err), CONTEXT_DONE);
    struct text a = context_archive(steps), b = context_archive(once);
    assert_int_equal(a.len, b.len);
    assert_memory_equal(a.s, b.s, a.len);
    assert_true(a.len > 1500000);
    context_free(steps);
    context_free(once);
}

static void a_step_ends_at_its_deadline(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        char name[20];
        snprintf(name, sizeof name, "large%d", i);
        put(name, "", 0644);
        assert_int_equal(truncate(in_folder(name), 8 << 20), 0);
    }
    struct error err = { 0 };
    struct context *c = context_new(folder, NULL, &err);
    int steps = 1;
    for (int64_t begin = clock_ns(); context_step(c, begin + 1000000, &err) == CONTEXT_MORE; begin = clock_ns())
        steps++;
    assert_int_equal(err.code, 0);
    assert_true(steps > 10); /* 160 MiB in pieces of a millisecond */
    context_free(c);
}

static void names_of_any_bytes_and_length_are_kept(void **state)
{
    (void)state;
    char path[1200] = "", whole[1500];
    struct buffer expected = { 0 };
    for (int i = 0; i < 5; i++) {
        size_t at = strlen(path);
        snprintf(path + at, sizeof path - at, "%s%0200d", i ? "/" : "", 0);
        snprintf(whole, sizeof whole, "%s/%s", folder, path);
        assert_int_equal(mkdir(whole, 0755), 0);
        buffer_format(&expected, "%s/ 5 755 0:0 0 0\n", path);
    }
    put("\xc3\xa9 \xff\n", "x", 0644);
    buffer_text(&expected, DOCKERFILE "\xc3\xa9 \xff\n 0 644 0:0 1000 1 = x\n");
    struct context *c = made(NULL);
    check_list(c, buffer_string(&expected));
    buffer_free(&expected);
    context_free(c);
}

static void what_is_ignored_is_not_even_looked_at(void **state)
{
    (void)state;
    put(".dockerignore", "*\n!a/b/keep\n", 0644);
    put_folder("a");
    put_folder("a/b");
    put_folder("a/c");
    put("a/b/keep", "k", 0644);
    put("a/b/drop", "d", 0644);
    put("a/c/drop", "d", 0644);
    put("drop", "d", 0644);
    put_folder("z");
    static const char *const in[] = { "", "a/b/" };
    for (size_t i = 0; i < 2; i++) {
        char name[20];
        snprintf(name, sizeof name, "%sfifo", in[i]);
        assert_int_equal(mkfifo(in_folder(name), 0600), 0);
        snprintf(name, sizeof name, "%shuge", in[i]);
        put(name, "", 0644);
        assert_int_equal(truncate(in_folder(name), (off_t)3 << 30), 0);
    }
    struct context *c = made(NULL);
    check_list(c, ".dockerignore 0 644 0:0 1000 12 = *\n!a/b/keep\n\n" DOCKERFILE
                  "a/ 5 755 0:0 0 0\na/b/ 5 755 0:0 0 0\na/b/keep 0 644 0:0 1000 1 = k\n");
    assert_null(context_note(c, 0));
    context_free(c);
}

static void sockets_devices_and_fifos_are_left_out_with_a_note(void **state)
{
    (void)state;
    struct sockaddr_un at = { .sun_family = AF_UNIX };
    int s = socket(AF_UNIX, SOCK_STREAM, 0);
    snprintf(at.sun_path, sizeof at.sun_path, "%s/socket\x1b", folder);
    assert_int_equal(bind(s, (struct sockaddr *)&at, sizeof at), 0);
    struct context *c = made(NULL);
    check_list(c, DOCKERFILE);
    assert_string_equal(context_note(c, 0), "left out of the build context: socket\\x1b is a socket");
    assert_null(context_note(c, 1));
    context_free(c);
    close(s);
    for (int i = 0; i < 30; i++) {
        char name[20];
        snprintf(name, sizeof name, "fifo%d", i);
        assert_int_equal(mkfifo(in_folder(name), 0600), 0);
    }
    c = made(NULL);
    size_t notes = 0;
    const char *last = NULL;
    for (const char *n; (n = context_note(c, notes)); notes++)
        last = n;
    assert_int_equal(notes, CONTEXT_NOTES_MAX);
    assert_string_equal(last, "left out of the build context: 12 more like these");
    context_free(c);
}

static void expect_failure(struct context *c, const char *what)
{
    struct error err = { 0 }, again = { 0 };
    assert_int_equal(run(c, &err), CONTEXT_FAILED);
    assert_int_equal(err.code, EXIT_LAUNCH);
    if (!strstr(err.text, what) || !strstr(err.text, folder))
        fail_msg("'%s' is not in '%s'", what, err.text);
    assert_int_equal(context_step(c, 0, &again), CONTEXT_FAILED);
    assert_string_equal(again.text, err.text);
    context_free(c);
}

/* Stops where the first bytes of a large file have been read. */
static struct context *in_the_middle(void)
{
    struct error err = { 0 };
    put("large", "", 0644);
    assert_int_equal(truncate(in_folder("large"), 1 << 20), 0);
    struct context *c = context_new(folder, NULL, &err);
    while (context_archive(c).len < 100000)
        assert_int_equal(context_step(c, 0, &err), CONTEXT_MORE);
    return c;
}

static void a_file_that_changes_while_it_is_read_is_an_error(void **state)
{
    (void)state;
    struct context *c = in_the_middle();
    assert_int_equal(truncate(in_folder("large"), (1 << 20) + 1), 0);
    expect_failure(c, "'large' grew while it was read (it had 1048576 bytes); build again when nothing writes to it");
    c = in_the_middle();
    assert_int_equal(truncate(in_folder("large"), (1 << 20) - 1), 0);
    expect_failure(c, "'large' shrank while it was read (it had 1048576 bytes)");
    c = in_the_middle();
    assert_true(context_archive(c).len < 1 << 20);
    context_free(c); /* and one that nobody wants to the end */
}

/* Stops where everything is found and nothing is written. */
static struct context *found(void)
{
    struct error err = { 0 };
    struct context *c = context_new(folder, NULL, &err);
    while (context_archive(c).len == 0)
        assert_int_equal(context_step(c, 0, &err), CONTEXT_MORE);
    return c;
}

static void a_file_that_vanishes_or_becomes_something_else_is_an_error(void **state)
{
    (void)state;
    put("x", "x", 0644);
    struct context *c = found();
    assert_int_equal(unlink(in_folder("x")), 0);
    expect_failure(c, "'x' vanished while the context was read; build again when nothing changes it");
    put("x", "x", 0644);
    c = found();
    assert_int_equal(unlink(in_folder("x")), 0);
    assert_int_equal(mkfifo(in_folder("x"), 0600), 0);
    expect_failure(c, "'x' became something else while the context was read");
    assert_int_equal(unlink(in_folder("x")), 0);
    put("x", "x", 0644);
    c = found();
    assert_int_equal(unlink(in_folder("x")), 0);
    assert_int_equal(symlink("Dockerfile", in_folder("x")), 0);
    expect_failure(c, "'x' cannot be read: Too many levels of symbolic links");
}

static void what_cannot_be_read_is_an_error(void **state)
{
    (void)state;
    bool is_root = geteuid() == 0;
    struct error err = { 0 };
    put("secret", "s", 0);
    if (is_root)
        assert_int_equal(seteuid(65534), 0);
    struct context *c = context_new(folder, NULL, &err);
    expect_failure(c, "'secret' cannot be read: Permission denied; make it readable, or name it in .dockerignore");
    if (is_root)
        assert_int_equal(seteuid(0), 0);
    assert_int_equal(unlink(in_folder("secret")), 0);
    assert_int_equal(mkdir(in_folder("closed"), 0), 0);
    if (is_root)
        assert_int_equal(seteuid(65534), 0);
    c = context_new(folder, NULL, &err);
    expect_failure(c, "'closed' cannot be listed: Permission denied");
    if (is_root)
        assert_int_equal(seteuid(0), 0);
    put(".dockerignore", "closed\n", 0644);
    if (is_root)
        assert_int_equal(seteuid(65534), 0);
    context_free(made(NULL)); /* what is left out need not be readable */
    if (is_root)
        assert_int_equal(seteuid(0), 0);
    assert_int_equal(rmdir(in_folder("closed")), 0);
}

static void a_context_that_is_too_large_is_refused_before_it_is_read(void **state)
{
    (void)state;
    struct error err = { 0 };
    put("huge.bin", "", 0644);
    put("other", "", 0644);
    assert_int_equal(truncate(in_folder("huge.bin"), (off_t)2 << 30), 0);
    assert_int_equal(truncate(in_folder("other"), 1 << 20), 0);
    struct context *c = context_new(folder, NULL, &err);
    expect_failure(c, "2049.0 MiB in 3 files and folders, more than 1024 MiB (the largest is 'huge.bin', 2048.0 MiB); "
                      "name what the image does not need in .dockerignore");
}

static void expect_refusal(const char *where, const char *dockerfile, const char *what)
{
    struct error err = { 0 };
    struct context *c = context_new(where, dockerfile, &err);
    assert_null(c);
    assert_int_equal(err.code, EXIT_LAUNCH);
    if (!strstr(err.text, what))
        fail_msg("'%s' is not in '%s'", what, err.text);
}

static void a_dockerfile_must_be_in_the_context(void **state)
{
    (void)state;
    char outside[100];
    put_folder("sub");
    put_folder("sub-2");
    put("sub/Own", "FROM scratch\n", 0644);
    assert_int_equal(symlink("../Dockerfile", in_folder("sub/link")), 0);
    assert_int_equal(symlink("sub/Own", in_folder("inner")), 0);
    char sub[200];
    snprintf(sub, sizeof sub, "%s/sub", folder);
    expect_refusal(sub, "../Dockerfile", "the Dockerfile '../Dockerfile' is outside of the build context '/tmp/");
    expect_refusal(sub, "../Dockerfile",
                   "move it into that folder, or set docker.build_context to one that holds both");
    expect_refusal(sub, "link", "the Dockerfile 'link' is outside");
    snprintf(outside, sizeof outside, "%s/Dockerfile", folder);
    expect_refusal(sub, outside, "is outside of the build context");
    put("sub-2/Dockerfile", "FROM scratch\n", 0644);
    expect_refusal(sub, "../sub-2/Dockerfile", "is outside of the build context");
    expect_refusal(folder, "nothere", "the Dockerfile 'nothere' cannot be read: No such file or directory; write one");
    expect_refusal(folder, "sub", "the Dockerfile 'sub' is no file");
    expect_refusal("/nowhere", NULL, "build context '/nowhere': No such file or directory; docker.build_context");
    static const char *const good[][2] = { { "sub/Own", "sub/Own" }, { "./sub/../Dockerfile", "Dockerfile" },
                                           { "inner", "inner" }, { "sub/../inner", "inner" } };
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        struct error err = { 0 };
        struct context *c = context_new(folder, good[i][0], &err);
        assert_non_null(c);
        assert_string_equal(context_dockerfile(c), good[i][1]);
        context_free(c);
    }
    struct error err = { 0 };
    struct context *c = context_new(folder, outside, &err);
    assert_string_equal(context_dockerfile(c), "Dockerfile");
    context_free(c);
    put(".dockerignore", "ok\n[\n", 0644);
    expect_refusal(folder, NULL, "/.dockerignore:2: '['");
}

#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_FOLDER(files_folders_and_links_come_sorted_and_owned_by_root),
        IN_A_FOLDER(the_same_folder_gives_the_same_bytes_in_steps_or_at_once),
        IN_A_FOLDER(a_step_ends_at_its_deadline),
        IN_A_FOLDER(names_of_any_bytes_and_length_are_kept),
        IN_A_FOLDER(what_is_ignored_is_not_even_looked_at),
        IN_A_FOLDER(sockets_devices_and_fifos_are_left_out_with_a_note),
        IN_A_FOLDER(a_file_that_changes_while_it_is_read_is_an_error),
        IN_A_FOLDER(a_file_that_vanishes_or_becomes_something_else_is_an_error),
        IN_A_FOLDER(what_cannot_be_read_is_an_error),
        IN_A_FOLDER(a_context_that_is_too_large_is_refused_before_it_is_read),
        IN_A_FOLDER(a_dockerfile_must_be_in_the_context),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
