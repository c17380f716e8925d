#include "check.h"

#include "base/utf8.h"
#include "node/image_output.h"

/* Answers as Docker 20.10 and Podman 4.3 gave them, with shorter texts where these say nothing. */

#define ID "0b9c2219c83fc066df1f49e48b76fe9945d6d4a69891b7851d493586dca89534"

static const char docker_good[] =
    "{\"stream\":\"Step 1/3 : FROM scratch\"}\r\n{\"stream\":\"\\n\"}\r\n{\"stream\":\" ---\\u003e \\n\"}\r\n"
    "{\"stream\":\"Step 2/3 : COPY busybox /bin/sh\"}\r\n{\"stream\":\"\\n\"}\r\n"
    "{\"stream\":\" ---\\u003e 22b4fd5a77c1\\n\"}\r\n"
    "{\"aux\":{\"ID\":\"sha256:572ce81db0c5ca31135675d564688ab977833d900e67cc8f4da2a1dd759b64ff\"}}\r\n"
    "{\"stream\":\"Step 3/3 : RUN echo hello; echo oops \\u003e\\u00262; printf 'half'\"}\r\n{\"stream\":\"\\n\"}\r\n"
    "{\"stream\":\" ---\\u003e Running in 39ff8342d34c\\n\"}\r\n"
    "{\"stream\":\"\\u001b[91moops\\n\\u001b[0m\"}\r\n{\"stream\":\"hello\\nhalf\"}\r\n"
    "{\"stream\":\"Removing intermediate container 39ff8342d34c\\n\"}\r\n"
    "{\"stream\":\" ---\\u003e 0b9c2219c83f\\n\"}\r\n{\"aux\":{\"ID\":\"sha256:" ID "\"}}\r\n"
    "{\"stream\":\"Successfully built 0b9c2219c83f\\n\"}\r\n{\"stream\":\"Successfully tagged lab/good:1\\n\"}\r\n";
static const char docker_good_log[] =
    "Step 1/3 : FROM scratch\n ---> \nStep 2/3 : COPY busybox /bin/sh\n ---> 22b4fd5a77c1\n"
    "Step 3/3 : RUN echo hello; echo oops >&2; printf 'half'\n ---> Running in 39ff8342d34c\noops\nhello\nhalf\n"
    "Removing intermediate container 39ff8342d34c\n ---> 0b9c2219c83f\nSuccessfully built 0b9c2219c83f\n"
    "Successfully tagged lab/good:1\n";

static const char docker_failing[] =
    "{\"stream\":\"Step 3/3 : RUN false\"}\r\n{\"stream\":\"\\n\"}\r\n"
    "{\"stream\":\" ---\\u003e Running in 63c10c0ecaf2\\n\"}\r\n"
    "{\"stream\":\"Removing intermediate container 63c10c0ecaf2\\n\"}\r\n"
    "{\"errorDetail\":{\"code\":1,\"message\":\"The command '/bin/sh -c false' returned a non-zero code: 1\"},"
    "\"error\":\"The command '/bin/sh -c false' returned a non-zero code: 1\"}\r\n";

static const char docker_missing[] =
    "{\"stream\":\"Step 2/2 : COPY nothere /bin/busybox\"}\r\n{\"stream\":\"\\n\"}\r\n"
    "{\"errorDetail\":{\"message\":\"COPY failed: file not found in build context or excluded by .dockerignore: stat "
    "nothere: file does not exist\"},\"error\":\"COPY failed: file not found in build context or excluded by "
    ".dockerignore: stat nothere: file does not exist\"}\r\n";

static const char docker_syntax[] = "{\"message\":\"dockerfile parse error line 2: unknown instruction: COPPY\"}\n";

static const char docker_pull_refused[] =
    "{\"message\":\"Get \\\"http://localhost:1/v2/\\\": dial tcp 127.0.0.1:1: connect: connection refused\"}\n";

static const char podman_good[] =
    "{\"stream\":\"[2/2] STEP 1/3: FROM scratch AS two\\n\"}\n"
    "{\"stream\":\"[2/2] STEP 2/3: COPY busybox /bin/sh\\n\"}\n"
    "{\"stream\":\"--\\u003e af576bf0631\\n\"}\n{\"stream\":\"[2/2] STEP 3/3: RUN echo in two\\n\"}\n"
    "{\"stream\":\"in two\"}\n{\"stream\":\"[2/2] COMMIT docker.io/lab/two:1\\n\"}\n"
    "{\"stream\":\"--\\u003e 0b9c2219c83\\n\"}\n{\"stream\":\"" ID "\\n\"}\n{\"aux\":{\"ID\":\"sha256:" ID "\"}}\n"
    "{\"stream\":\"Successfully built 0b9c2219c83f\\n\"}\n";
static const char podman_good_log[] =
    "[2/2] STEP 1/3: FROM scratch AS two\n[2/2] STEP 2/3: COPY busybox /bin/sh\n--> af576bf0631\n"
    "[2/2] STEP 3/3: RUN echo in two\nin two\n[2/2] COMMIT docker.io/lab/two:1\n--> 0b9c2219c83\n" ID "\n"
    "Successfully built 0b9c2219c83f\n";

static const char podman_failing[] =
    "{\"stream\":\"STEP 3/3: RUN false\\n\"}\n{\"stream\":\"/bin/sh: \"}\n{\"stream\":\"can't open 'x'\\n\"}\n"
    "{\"errorDetail\":{\"message\":\"building at STEP \\\"RUN false\\\": while running runtime: exit status 1\\n\"},"
    "\"error\":\"building at STEP \\\"RUN false\\\": while running runtime: exit status 1\\n\"}\n";

static const char podman_pull_refused[] =
    "{\"progressDetail\":{},\"errorDetail\":{\"message\":\"initializing source docker://localhost:1/none:1: connection "
    "refused\"},\"error\":\"initializing source docker://localhost:1/none:1: connection refused\"}\n";

static const char docker_pull[] =
    "{\"status\":\"Pulling from lab/p\",\"id\":\"1\"}\r\n"
    "{\"status\":\"Pulling fs layer\",\"progressDetail\":{},\"id\":\"316f873a2223\"}\r\n"
    "{\"status\":\"Already exists\",\"progressDetail\":{},\"id\":\"bf78d01517c0\"}\r\n"
    "{\"status\":\"Downloading\",\"progressDetail\":{\"current\":250000,\"total\":1000000},\"progress\":\"[=\\u003e ]  "
    "250kB/1MB\",\"id\":\"316f873a2223\"}\r\n"
    "{\"status\":\"Verifying Checksum\",\"progressDetail\":{},\"id\":\"316f873a2223\"}\r\n"
    "{\"status\":\"Extracting\",\"progressDetail\":{\"current\":3,\"total\":10},\"id\":\"316f873a2223\"}\r\n"
    "{\"status\":\"Pull complete\",\"progressDetail\":{},\"id\":\"316f873a2223\"}\r\n"
    "{\"status\":\"Digest: sha256:803d6c88\"}\r\n{\"status\":\"Status: Downloaded newer image for lab/p:1\"}\r\n";
static const char docker_pull_log[] =
    "1: Pulling from lab/p\nbf78d01517c0: Already exists\n316f873a2223: Pull complete\nDigest: sha256:803d6c88\n"
    "Status: Downloaded newer image for lab/p:1\n";

static const char docker_import[] = "{\"status\":\"sha256:" ID "\"}\r\n";
static const char podman_import[] =
    "{\"status\":\"sha256:" ID "\",\"progress\":\"\",\"progressDetail\":{},\"id\":\"sha256:" ID "\"}\n";

/* Takes an answer in pieces of 1 to `most` bytes, each in a block of its own. *err has what came of it. */
static void take(struct image_output *o, const char *s, size_t most, uint64_t *random, struct error *err)
{
    size_t len = strlen(s);
    for (size_t at = 0, n; at < len && !err->code; at += n) {
        n = most > 1 ? test_random(random) % most + 1 : 1;
        n = n < len - at ? n : len - at;
        char *piece = malloc(n);
        memcpy(piece, s + at, n);
        int taken = image_output_take(o, piece, n, err);
        assert_int_equal(taken, err->code ? -1 : 0);
        free(piece);
    }
}

static void check(enum image_task task, const char *answer, const char *log, const char *error, const char *id)
{
    static const size_t most[] = { 1, 7, 60, 100000 };
    uint64_t random = 7;
    for (size_t i = 0; i < sizeof most / sizeof most[0]; i++) {
        struct image_output *o = image_output_new(task);
        struct error err = { 0 };
        take(o, answer, most[i], &random, &err);
        int end = image_output_end(o, &err);
        assert_int_equal(end, error ? -1 : 0);
        assert_string_equal(err.text, error ? error : "");
        assert_string_equal(image_output_id(o), id);
        if (log)
            assert_string_equal(buffer_string(image_output_log(o)), log);
        image_output_free(o);
    }
}

static void a_build_gives_its_log_and_the_id_of_the_last_stage(void **state)
{
    (void)state;
    check(IMAGE_BUILD, docker_good, docker_good_log, NULL, "sha256:" ID);
    check(IMAGE_BUILD, podman_good, podman_good_log, NULL, "sha256:" ID);
}

static void an_error_comes_in_the_engines_words_behind_its_step(void **state)
{
    (void)state;
    check(IMAGE_BUILD, docker_failing, NULL,
          "Step 3/3 : RUN false: The command '/bin/sh -c false' returned a non-zero code: 1", "");
    check(IMAGE_BUILD, docker_missing, NULL,
          "Step 2/2 : COPY nothere /bin/busybox: COPY failed: file not found in build context or excluded by "
          ".dockerignore: stat nothere: file does not exist", "");
    check(IMAGE_BUILD, docker_syntax, "dockerfile parse error line 2: unknown instruction: COPPY\n",
          "dockerfile parse error line 2: unknown instruction: COPPY", "");
    check(IMAGE_BUILD, podman_failing,
          "STEP 3/3: RUN false\n/bin/sh: can't open 'x'\n"
          "building at STEP \"RUN false\": while running runtime: exit status 1\n",
          "STEP 3/3: RUN false: building at STEP \"RUN false\": while running runtime: exit status 1", "");
    check(IMAGE_PULL, podman_pull_refused, NULL,
          "initializing source docker://localhost:1/none:1: connection refused", "");
    check(IMAGE_PULL, docker_pull_refused, NULL,
          "Get \"http://localhost:1/v2/\": dial tcp 127.0.0.1:1: connect: connection refused", "");
    check(IMAGE_PULL, "{\"error\":\" \\n\"}", NULL, "the engine reports an error and does not say which", "");
    check(IMAGE_PULL, "{\"error\":\"one\"}{\"error\":\"two\"}", "one\ntwo\n", "one", "");
}

static void a_pull_tells_of_whole_layers_and_an_import_of_its_id(void **state)
{
    (void)state;
    check(IMAGE_PULL, docker_pull, docker_pull_log, NULL, "");
    check(IMAGE_PULL, docker_import, "sha256:" ID "\n", NULL, "sha256:" ID);
    check(IMAGE_PULL, podman_import, "sha256:" ID "\n", NULL, "sha256:" ID);
}

/* After each object of an answer: what is being done. */
static void check_progress(const char *answer, const char *expected)
{
    struct image_output *o = image_output_new(IMAGE_PULL);
    struct error err = { 0 };
    struct buffer all = { 0 };
    for (const char *s = answer, *end; *s; s = end) {
        end = strchr(s, '\n') + 1;
        assert_int_equal(image_output_take(o, s, (size_t)(end - s), &err), 0);
        buffer_format(&all, "%s|", image_output_progress(o));
    }
    assert_string_equal(buffer_string(&all), expected);
    buffer_free(&all);
    image_output_free(o);
}

static void progress_says_what_is_being_done_and_how_far_it_is(void **state)
{
    (void)state;
    check_progress(docker_pull, "|pulling layers 0 of 1, 0 %|pulling layers 1 of 2, 50 %|pulling layers 1 of 2, 62 %|"
                                "extracting layers 1 of 2, 50 %|extracting layers 1 of 2, 65 %|"
                                "pulling layers 2 of 2, 100 %|pulling layers 2 of 2, 100 %|"
                                "pulling layers 2 of 2, 100 %|");
    check_progress("{\"stream\":\"Step 1/2 : FROM x\"}\n"
                   "{\"status\":\"Downloading\",\"progressDetail\":{\"current\":9,\"total\":4},\"id\":\"a\"}\n"
                   "{\"stream\":\"Step 2/2 : RUN \\u001b[2J\"}\n{\"stream\":\"[1/2] STEP 3/4: COPY a b\\n\"}\n",
                   "step 1 of 2: FROM x|step 1 of 2: FROM x; pulling layers 0 of 1, 100 %|step 2 of 2: RUN \\x1b[2J|"
                   "stage 1 of 2, step 3 of 4: COPY a b|");
    check_progress("{\"stream\":\"Step one : x\"}\n{\"stream\":\"[a] STEP 1/2: x\"}\n{\"stream\":\"Step 1/2 x\"}\n"
                   "{\"stream\":\"Step 1\"}\n", "||||");
}

static void text_from_a_build_is_made_safe(void **state)
{
    (void)state;
    check(IMAGE_PULL, "{\"stream\":\"a\\u0000b\\u001b]0;x\\u0007\\tc\\u202e\\n 10 %\\r 20 %\\r\\n\\r\\n\"}"
                      "{\"stream\":\"\\u001b[1;31mred\\u001b[0m\"}",
          "a\\x00b\\x1b]0;x\\x07\\tc\\u202e\n 20 %\n\nred\n", NULL, "");
    check(IMAGE_PULL, "{\"stream\":\"\\\"}{[\\\\\"}{\"other\":[{\"a\":\"]\"}],\"stream\":\"b\\n\"}",
          "\"}{[\\b\n", NULL, "");
}

static void a_line_without_an_end_is_cut_between_characters(void **state)
{
    (void)state;
    struct image_output *o = image_output_new(IMAGE_PULL);
    struct error err = { 0 };
    for (int i = 0; i < 30000; i++) {
        assert_int_equal(image_output_take(o, "{\"stream\":\"\xe2\x82\xac\"}", 16, &err), 0);
        assert_true(image_output_log(o)->len < 2 * IMAGE_LINE_MAX * (1 + (size_t)i / 5461));
    }
    assert_int_equal(image_output_end(o, &err), 0);
    struct buffer *log = image_output_log(o);
    size_t lines = 0, first = 0;
    for (size_t i = 0; i < log->len; i++)
        if (log->data[i] == '\n' && lines++ == 0)
            first = i;
    assert_int_equal(lines, 6);
    assert_int_equal(first, IMAGE_LINE_MAX / 3 * 3);
    assert_int_equal(log->len, 30000 * 3 + 6);
    assert_int_equal(utf8_check(log->data, log->len), log->len);
    image_output_free(o);
}

static void what_is_no_answer_of_an_engine_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *answer, *error;
    } bad[] = {
        { "<html>no</html>", "'<html>no</html>' is no JSON object" },
        { "{\"stream\":\"a\"}\r\n404 page not found\n", "'404 page not found\\n' is no JSON object" },
        { "{\"stream\":\"a\",}", "a name in double quotes is missing" },
        { "{\"stream\":\"a\"]}", "a , or } is missing" },
        { "[1]", "'[1]' is no JSON object" },
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct image_output *o = image_output_new(IMAGE_BUILD);
        struct error err = { 0 }, again = { 0 };
        assert_int_equal(image_output_take(o, bad[i].answer, strlen(bad[i].answer), &err), -1);
        assert_int_equal(err.code, EXIT_LAUNCH);
        if (!strstr(err.text, bad[i].error))
            fail_msg("'%s' is not in '%s'", bad[i].error, err.text);
        assert_int_equal(image_output_take(o, "{}", 2, &again), -1);
        assert_int_equal(image_output_end(o, &again), -1);
        image_output_free(o);
    }
}

static void an_answer_that_ends_too_early_is_an_error(void **state)
{
    (void)state;
    check(IMAGE_BUILD, "{\"stream\":\"Step 1/2 : FROM x\"}\n{\"stre", "Step 1/2 : FROM x\n",
          "the engine's answer ends in the middle, at Step 1/2 : FROM x", "");
    check(IMAGE_BUILD, "{\"stream\":\"Step 1/2 : FROM x\"}\n", NULL,
          "the engine ended the build without an image, at Step 1/2 : FROM x", "");
    check(IMAGE_BUILD, "", "", "the engine ended the build without an image", "");
    check(IMAGE_PULL, "", "", NULL, "");
    check(IMAGE_BUILD, "{\"aux\":{\"ID\":\"sha256:1234\"}}", NULL, "the engine ended the build without an image", "");
}

static void everything_is_bounded(void **state)
{
    (void)state;
    struct image_output *o = image_output_new(IMAGE_PULL);
    struct error err = { 0 };
    char piece[4096];
    memset(piece, 'x', sizeof piece);
    assert_int_equal(image_output_take(o, "{\"stream\":\"", 11, &err), 0);
    size_t taken = 0;
    while (image_output_take(o, piece, sizeof piece, &err) == 0)
        assert_true((taken += sizeof piece) <= IMAGE_OBJECT_MAX);
    assert_non_null(strstr(err.text, "an object of more than 1 MiB"));
    image_output_free(o);

    struct error none = { 0 };
    o = image_output_new(IMAGE_PULL);
    for (int i = 0; i < 2 * IMAGE_LAYERS_MAX; i++) {
        int len = snprintf(piece, sizeof piece, "{\"status\":\"Waiting\",\"id\":\"%d\"}", i);
        assert_int_equal(image_output_take(o, piece, (size_t)len, &none), 0);
    }
    assert_string_equal(image_output_progress(o), "pulling layers 0 of 512, 0 %");
    int len = snprintf(piece, sizeof piece, "{\"stream\":\"Step 1/1 : RUN %0600d\"}{\"error\":\"%01500d\"}", 0, 0);
    assert_int_equal(image_output_take(o, piece, (size_t)len, &none), 0);
    assert_true(strlen(image_output_progress(o)) < 300);
    assert_int_equal(image_output_end(o, &none), -1);
    assert_non_null(strstr(none.text, "0…: 000"));
    image_output_free(o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_build_gives_its_log_and_the_id_of_the_last_stage),
        cmocka_unit_test(an_error_comes_in_the_engines_words_behind_its_step),
        cmocka_unit_test(a_pull_tells_of_whole_layers_and_an_import_of_its_id),
        cmocka_unit_test(progress_says_what_is_being_done_and_how_far_it_is),
        cmocka_unit_test(text_from_a_build_is_made_safe),
        cmocka_unit_test(a_line_without_an_end_is_cut_between_characters),
        cmocka_unit_test(what_is_no_answer_of_an_engine_is_refused),
        cmocka_unit_test(an_answer_that_ends_too_early_is_an_error),
        cmocka_unit_test(everything_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
