/* What engines say of a Dockerfile, in words for who wrote it. The texts are those of Docker 20.10 and Podman 4.3. */
#include "check.h"

#include "node/build_error.h"

static void explained(const char *step, const char *words, const char *expected)
{
    struct error err = { 0 };
    char whole[sizeof err.text];
    build_error_say(&err, "build image a", step, words);
    snprintf(whole, sizeof whole, "build image a: %s%s%s", step, *step ? ": " : "", expected);
    assert_string_equal(err.text, whole);
    assert_int_equal(err.code, EXIT_LAUNCH);
}

static void our_words_come_before_the_engines(void **state)
{
    (void)state;
    explained("Step 5/5 : COPY x /",
              "COPY failed: file not found in build context or excluded by .dockerignore: stat x: file does not exist",
              "there is no such file in docker.build_context, or .dockerignore leaves it out (COPY failed: file not "
              "found in build "
              "context or excluded by .dockerignore: stat x: file does not exist)");
    explained("STEP 5/5: COPY x /",
              "building at STEP \"COPY x /\": checking on sources under \"/var/tmp/libpod_builder1426275576/build\": "
              "copier: stat: "
              "\"/x\": no such file or directory",
              "there is no such file in docker.build_context, or .dockerignore leaves it out (copier: stat: \"/x\": no "
              "such file or "
              "directory)");
    explained("STEP 5/5: COPY ../x /",
              "building at STEP \"COPY ../x /\": checking on sources under \"/var/tmp/b/build\": possible escaping "
              "context directory "
              "error: copier: stat: \"/x\": no such file or directory",
              "a file outside of docker.build_context cannot be had; move it into that folder (possible escaping "
              "context directory "
              "error: copier: stat: \"/x\": no such file or directory)");
    explained("STEP 2/2: RUN exit 9", "building at STEP \"RUN exit 9\": while running runtime: exit status 9",
              "the command failed; what it said is in the node's log (while running runtime: exit status 9)");
    explained("Step 1/1 : FROM h:1/x", "Get \"http://h:1/v2/\": dial tcp 127.0.0.1:1: connect: connection refused",
              "the image in FROM is not on the engine, and could not be pulled; build or load it first (Get "
              "\"http://h:1/v2/\": dial "
              "tcp 127.0.0.1:1: connect: connection refused)");
}

static void what_is_of_no_use_is_left_out(void **state)
{
    (void)state;
    explained("STEP 5/5: COPPY x /",
              "building at STEP \"COPPY \": Build error: Unknown instruction: \"COPPY\" "
              "&imagebuilder.Step{Env:[]string{\"PATH=/bin\"}, "
              "Command:\"coppy\"}",
              "a Dockerfile has no such instruction; look at its spelling (Unknown instruction: \"COPPY\" "
              "&imagebuilder.Step{…})");
    explained("", "dockerfile parse error line 5: unknown instruction: COPPY (400)",
              "a Dockerfile has no such instruction; look at its spelling (dockerfile parse error line 5: unknown "
              "instruction: COPPY "
              "(400))");
}

static void it_is_short_and_whole(void **state)
{
    (void)state;
    char words[3000] = "";
    for (size_t i = 0; i + 3 < sizeof words; i += 2)
        strcat(words, "é");
    struct error err = { 0 };
    build_error_say(&err, "build image a", "", words);
    assert_int_equal(strlen(err.text), strlen("build image a: ") + 400 + strlen("…"));
    assert_string_equal(err.text + strlen(err.text) - strlen("é…"), "é…");
    explained("",
              "copier.request{Request:\"GET\", Globs:[]string{\"/big\"}, Root:\"/a/b/c/d/e\"}: write /big: no space "
              "left on device",
              "no space left on device (copier.request{…}: write /big: no space left on device)");
    explained("", "a{b} is {c:1}", "a{b} is {c:1}");
}

static void what_is_not_known_stays_as_it_is(void **state)
{
    (void)state;
    explained("", "the moon is in the way (500)", "the moon is in the way (500)");
    explained("STEP 2/2: ENV", "building at STEP \"ENV \": ENV requires at least one argument",
              "ENV requires at least one argument");
    explained("STEP 2/2: ENV", "building at STEP \"ENV", "building at STEP \"ENV");
    explained("", "", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(our_words_come_before_the_engines),
        cmocka_unit_test(what_is_of_no_use_is_left_out),
        cmocka_unit_test(it_is_short_and_whole),
        cmocka_unit_test(what_is_not_known_stays_as_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
