#include "check.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "ui/commands.h"

static struct scenario *scenario;

static int load(void **state)
{
    (void)state;
    struct problems problems = { 0 };
    scenario = scenario_load(LOCKSTEP_SOURCE_DIR "/scenarios/m0_baseline.yaml", NULL, 0, &problems);
    problems_clear(&problems);
    return scenario ? 0 : -1;
}

static int unload(void **state)
{
    (void)state;
    scenario_free(scenario);
    return 0;
}

/* Its texts are good until the next line. */
static struct command_call parse(const char *line)
{
    static struct command_call call;
    struct command_error err = { 0 };
    if (!command_parse(&command_table, scenario, line, &call, &err))
        fail_msg("%s: column %zu: %s", line, err.column, err.text);
    return call;
}

static void a_line_becomes_a_command_and_its_arguments(void **state)
{
    (void)state;
    struct command_call call = parse("  until   +1.5s ");
    assert_string_equal(call.row->name, "until");
    assert_int_equal(call.count, 1);
    assert_true(call.values[0].relative);
    assert_int_equal(call.values[0].time, 1500000);
    call = parse(":step 12");
    assert_int_equal(call.values[0].count, 12);
    assert_int_equal(parse("step").count, 0);
    assert_int_equal(parse("node sensor2").values[0].node, scenario_find_node(scenario, "sensor2"));
    assert_int_equal(parse("pane health").values[0].word, 2);
    assert_float_equal(parse("pace 2.5").values[0].number, 2.5, 0);
    call = parse("find  a b  c ");
    assert_string_equal(call.values[0].text, "a b  c");
    assert_string_equal(parse("c").row->name, "run");
    assert_string_equal(parse("q!").row->name, "quit-now");
    assert_null(parse("  ").row);
    assert_null(parse(":").row);
}

static void what_is_wrong_is_told_with_its_column(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        size_t column;
        const char *text;
    } bad[] = {
        { "stpe", 1, "unknown command 'stpe'; did you mean 'step'?" },
        { ":  relun", 3, "unknown command 'relun'; did you mean 'rerun'?" },
        { "frobnicate", 1, "unknown command 'frobnicate'; :help lists them" },
        { "help stpe", 6, "unknown command 'stpe'; did you mean 'step'?" },
        { "step -1", 6, "'-1' is no whole number above 0" },
        { "step 0", 6, "'0' is no whole number above 0" },
        { "step 99999999999999999999", 6, "'99999999999999999999' is no whole number above 0" },
        { "step 1 2", 8, "'2' is more than step takes" },
        { "run é  now", 5, "'é  now' is more than run takes" },
        { "until", 6, "T is missing: until T" },
        { "until soon", 7, "'soon': " },
        { "node sensr1", 6, "node 'sensr1' does not exist; did you mean 'sensor1'?" },
        { "pace fast", 6, "'fast' is no number from 0 up" },
        { "pace -1", 6, "'-1' is no number from 0 up" },
        { "pace nan", 6, "'nan' is no number from 0 up" },
        { "pane helth", 6, "'helth' is none of: nodes events health barrier detail; did you mean 'health'?" },
        { "pane xyz", 6, "'xyz' is none of: nodes events health barrier detail" },
        { "find", 5, "TEXT is missing: find TEXT" },
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct command_call call;
        struct command_error err = { 0 };
        assert_false(command_parse(&command_table, scenario, bad[i].line, &call, &err));
        assert_int_equal(err.column, bad[i].column);
        if (strncmp(err.text, bad[i].text, strlen(bad[i].text)) != 0)
            fail_msg("%s: %s", bad[i].line, err.text);
    }
}

static bool nothing(struct app *app, const struct command_call *call, struct command_error *err)
{
    (void)app, (void)call, (void)err;
    return true;
}

static void arguments_follow_one_another(void **state)
{
    (void)state;
    static const struct command_row rows[] = {
        { "two",
          NULL,
          { { .kind = ARGUMENT_WORD, .name = "WORD", .words = "ä b" },
            { .kind = ARGUMENT_COUNT, .name = "N", .optional = true },
            { .kind = ARGUMENT_TEXT, .name = "TEXT", .optional = true } },
          .help = "for the test",
          .run = nothing },
    };
    static const struct command_table table = { rows, 1 };
    struct command_call call;
    struct command_error err;
    struct buffer text = { 0 };
    struct candidates c;
    assert_true(command_parse(&table, scenario, "two b 7  c  d", &call, &err));
    assert_int_equal(call.count, 3);
    assert_int_equal(call.values[0].word, 1);
    assert_int_equal(call.values[1].count, 7);
    assert_string_equal(call.values[2].text, "c  d");
    assert_int_equal(call.values[2].column, 10);
    assert_true(command_parse(&table, scenario, "two b", &call, &err));
    assert_int_equal(call.count, 1);
    assert_false(command_parse(&table, scenario, "two ä x", &call, &err));
    assert_int_equal(err.column, 7); /* characters, not bytes */
    assert_false(command_parse(&table, scenario, "two", &call, &err));
    assert_string_equal(err.text, "WORD is missing: two WORD [N] [TEXT]");
    command_complete(&table, scenario, "two ", 4, &c);
    assert_int_equal(c.count, 2);
    assert_int_equal(c.common, 0);
    candidates_free(&c);
    command_manual(&table, &text);
    assert_string_equal(buffer_string(&text), ".It Ic two Ar WORD Op Ar N Op Ar TEXT\nfor the test.\n");
    buffer_free(&text);
}

static void any_bytes_are_a_line(void **state)
{
    (void)state;
    uint64_t seed = test_seed() | 1;
    static const char pieces[][12] = { "step", "node ", "sensor1", " ",  "\t", ":",      "5",     "\xff",
                                       "日本", "find ", "pane ",   "1s", "+",  "until ", "pace ", "help " };
    for (int round = 0; round < 20000; round++) {
        char line[COMMAND_LINE_MAX + 40] = "";
        for (uint64_t i = test_random(&seed) % (round % 100 ? 8 : 400), len = 0; i > 0; i--) {
            const char *piece = pieces[test_random(&seed) % (sizeof pieces / sizeof *pieces)];
            if (len + strlen(piece) < sizeof line)
                strcpy(line + len, piece);
            len = strlen(line);
        }
        struct command_call call;
        struct command_error err = { 0 };
        struct candidates c;
        if (!command_parse(&command_table, scenario, line, &call, &err))
            assert_true(err.column >= 1 && err.column <= strlen(line) + 1 && *err.text);
        size_t cursor = test_random(&seed) % (strlen(line) + 1);
        command_complete(&command_table, scenario, line, cursor, &c);
        assert_true(c.from <= cursor);
        candidates_free(&c);
    }
}

/* The candidates with commas between them. */
static const char *complete(const char *line, size_t *from, struct buffer *out)
{
    struct candidates c;
    command_complete(&command_table, scenario, line, strlen(line), &c);
    out->len = 0;
    for (size_t i = 0; i < c.count; i++)
        buffer_format(out, "%s%s", i ? "," : "", c.items[i]);
    *from = c.from;
    candidates_free(&c);
    return buffer_string(out);
}

static void words_are_completed_by_what_stands_there(void **state)
{
    (void)state;
    struct buffer b = { 0 };
    size_t from;
    assert_string_equal(complete("st", &from, &b), "step,step-back,stop");
    assert_int_equal(from, 0);
    assert_string_equal(complete(" ste", &from, &b), "step,step-back");
    assert_int_equal(from, 1);
    assert_string_equal(complete("node sen", &from, &b), "sensor1,sensor2,sensor3");
    assert_int_equal(from, 5);
    assert_string_equal(complete("node ", &from, &b), "sensor1,sensor2,sensor3,gateway");
    assert_string_equal(complete("node gateway ", &from, &b), "");
    assert_string_equal(complete("pane b", &from, &b), "barrier");
    assert_string_equal(complete("help ru", &from, &b), "run,run-back");
    assert_string_equal(complete("find sen", &from, &b), "");
    assert_string_equal(complete("nonsense sen", &from, &b), "");
    buffer_free(&b);
}

static void names_of_files_are_completed_folder_by_folder(void **state)
{
    (void)state;
    char dir[] = "/tmp/test_commands_XXXXXX";
    assert_non_null(mkdtemp(dir));
    struct buffer path = { 0 };
    static const char *const names[] = { "beta one.csv", "beta.txt", ".hidden", "sub/inside.json", "x\xff.csv" };
    for (size_t i = 0; i < 5; i++) {
        path.len = 0;
        buffer_format(&path, "%s/sub", dir);
        mkdir(buffer_string(&path), 0700);
        path.len = 0;
        buffer_format(&path, "%s/%s", dir, names[i]);
        FILE *f = fopen(buffer_string(&path), "we");
        assert_non_null(f);
        fclose(f);
    }
    struct candidates c = { 0 };
    path.len = 0;
    buffer_format(&path, "%s/be", dir);
    candidates_file(buffer_string(&path), &c);
    assert_int_equal(c.count, 2);
    assert_string_equal(c.items[0] + strlen(dir), "/beta one.csv");
    assert_int_equal(c.common, strlen(dir) + 5);
    candidates_free(&c);
    path.len = 0;
    buffer_format(&path, "%s/", dir);
    candidates_file(buffer_string(&path), &c);
    assert_int_equal(c.count, 3); /* neither the hidden one nor the one that is no text */
    assert_string_equal(c.items[2] + strlen(dir), "/sub/");
    candidates_free(&c);
    path.len = 0;
    buffer_format(&path, "rm -r %s", dir);
    assert_int_equal(system(buffer_string(&path)), 0);
    buffer_free(&path);
}

static void every_row_of_the_table_is_whole(void **state)
{
    (void)state;
    for (size_t i = 0; i < command_table.count; i++) {
        const struct command_row *row = &command_table.rows[i];
        assert_non_null(row->help);
        assert_true(strlen(row->help) <= 50); /* two columns of the help have room for it */
        assert_true(!row->run != (row->action == ACTION_NONE));
        assert_ptr_equal(command_find(&command_table, row->name), row);
        bool last = false, optional = false;
        for (int k = 0; k < COMMAND_ARGUMENTS && row->arguments[k].kind != ARGUMENT_NONE; k++) {
            const struct argument_form *form = &row->arguments[k];
            assert_false(last); /* nothing follows what takes the rest of the line */
            assert_true(form->optional || !optional);
            assert_non_null(form->name);
            assert_true(form->kind == ARGUMENT_ROUTE || (form->kind == ARGUMENT_WORD) == (form->words != NULL));
            last = form->kind >= ARGUMENT_FILE;
            optional = form->optional;
        }
    }
}

#define MANUAL       LOCKSTEP_SOURCE_DIR "/doc/lockstep.1"
#define MANUAL_BEGIN ".\\\" commands: begin\n"
#define MANUAL_END   ".\\\" commands: end\n"

/* UPDATE=1 writes it there. */
static void the_man_page_has_the_table(void **state)
{
    (void)state;
    struct buffer page = { 0 }, wanted = { 0 };
    char bytes[4096];
    FILE *f = fopen(MANUAL, "re");
    assert_non_null(f);
    for (size_t n; (n = fread(bytes, 1, sizeof bytes, f)) > 0;)
        buffer_add(&page, bytes, n);
    fclose(f);
    const char *begin = strstr(buffer_string(&page), MANUAL_BEGIN);
    assert_non_null(begin);
    const char *end = strstr(begin, MANUAL_END);
    assert_non_null(end);
    begin += strlen(MANUAL_BEGIN);
    command_manual(&command_table, &wanted);
    if (getenv("UPDATE") && *getenv("UPDATE")) {
        f = fopen(MANUAL, "we");
        assert_non_null(f);
        fprintf(f, "%.*s%s%s", (int)(begin - page.data), page.data, buffer_string(&wanted), end);
        fclose(f);
    } else if ((size_t)(end - begin) != wanted.len || memcmp(begin, wanted.data, wanted.len) != 0) {
        fail_msg("doc/lockstep.1 has not the commands of the table: UPDATE=1 test_commands writes them there");
    }
    buffer_free(&page);
    buffer_free(&wanted);
}

static void the_history_goes_back_and_forth(void **state)
{
    (void)state;
    struct recall h = { 0 };
    assert_null(recall_move(&h, true, "x"));
    recall_add(&h, "one");
    recall_add(&h, "two");
    recall_add(&h, "two");
    recall_add(&h, "");
    recall_add(&h, "bad\x01");
    assert_int_equal(h.count, 2);
    assert_null(recall_move(&h, false, "x"));
    assert_string_equal(recall_move(&h, true, "typed"), "two");
    assert_string_equal(recall_move(&h, true, "two"), "one");
    assert_null(recall_move(&h, true, "one"));
    assert_string_equal(recall_move(&h, false, "one"), "two");
    assert_string_equal(recall_move(&h, false, "two"), "typed");
    assert_null(recall_move(&h, false, "typed"));
    recall_free(&h);
}

static void the_history_is_kept_in_a_file(void **state)
{
    (void)state;
    char dir[] = "/tmp/test_commands_XXXXXX", file[80], line[20];
    assert_non_null(mkdtemp(dir));
    snprintf(file, sizeof file, "%s/a/b/history", dir);
    setenv("LOCKSTEP_HISTORY", file, 1);
    struct recall h, other;
    recall_open(&h, false);
    assert_int_equal(h.count, 0);
    for (int i = 0; i < RECALL_MOST + 20; i++) {
        snprintf(line, sizeof line, "step %d", i + 1);
        recall_add(&h, line);
    }
    recall_open(&other, false);
    assert_int_equal(other.count, RECALL_MOST);
    assert_string_equal(other.lines[0], "step 21");
    recall_add(&other, "of the other");
    recall_add(&h, "mine");
    assert_string_equal(h.lines[h.count - 2], "of the other");
    recall_free(&other);
    struct stat st;
    assert_int_equal(stat(file, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    recall_free(&h);
    FILE *f = fopen(file, "we"); /* what is no line is left out */
    assert_non_null(f);
    fprintf(f, "good\n\x1b[2J\n\xff\n\nlast");
    fclose(f);
    recall_open(&h, false);
    assert_int_equal(h.count, 2);
    assert_string_equal(h.lines[1], "last");
    recall_free(&h);
    char link[80];
    snprintf(link, sizeof link, "%s/link", dir);
    assert_int_equal(symlink("a/b/history", link), 0);
    setenv("LOCKSTEP_HISTORY", link, 1); /* a link stays one */
    recall_open(&h, false);
    recall_add(&h, "linked");
    recall_free(&h);
    assert_int_equal(lstat(link, &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    setenv("LOCKSTEP_HISTORY", file, 1);
    recall_open(&h, false);
    assert_string_equal(h.lines[h.count - 1], "linked");
    recall_free(&h);
    snprintf(link, sizeof link, "%s/pipe", dir);
    assert_int_equal(mkfifo(link, 0600), 0);
    setenv("LOCKSTEP_HISTORY", link, 1); /* what is no file stays what it is */
    recall_open(&h, false);
    recall_add(&h, "one");
    recall_free(&h);
    assert_int_equal(stat(link, &st), 0);
    assert_true(S_ISFIFO(st.st_mode));
    setenv("LOCKSTEP_HISTORY", dir, 1); /* a folder cannot be written */
    recall_open(&h, false);
    recall_add(&h, "one");
    recall_add(&h, "two");
    assert_int_equal(h.count, 2);
    recall_free(&h);
    unsetenv("LOCKSTEP_HISTORY");
    recall_open(&h, false);
    assert_null(h.file);
    recall_free(&h);
    setenv("XDG_STATE_HOME", dir, 1);
    recall_open(&h, true);
    assert_memory_equal(h.file, dir, strlen(dir));
    assert_string_equal(h.file + strlen(dir), "/lockstep/history");
    recall_free(&h);
    unlink(file);
    char command[80];
    snprintf(command, sizeof command, "rm -r %s", dir);
    assert_int_equal(system(command), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_becomes_a_command_and_its_arguments),
        cmocka_unit_test(what_is_wrong_is_told_with_its_column),
        cmocka_unit_test(arguments_follow_one_another),
        cmocka_unit_test(any_bytes_are_a_line),
        cmocka_unit_test(words_are_completed_by_what_stands_there),
        cmocka_unit_test(names_of_files_are_completed_folder_by_folder),
        cmocka_unit_test(every_row_of_the_table_is_whole),
        cmocka_unit_test(the_man_page_has_the_table),
        cmocka_unit_test(the_history_goes_back_and_forth),
        cmocka_unit_test(the_history_is_kept_in_a_file),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
