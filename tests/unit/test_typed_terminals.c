/* Each key that the database of terminals knows of is one key, known here or not, and nothing of it is left behind. */
#include "check.h"

#include <fnmatch.h>
#include <glob.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ui/typed.h"

#define CAPABILITIES 600
#define LONGEST      64

/* A terminal's keys, of the one that is looked at. */
static struct {
    struct {
        char name[32], bytes[LONGEST];
    } keys[CAPABILITIES];
    int count;
} terminal;

static const char *const people_use[] = { "xterm*", "konsole*", "rxvt*",  "urxvt*",   "linux*",     "screen*", "tmux*",
                                          "vt100*", "vt220*",   "gnome*", "vte*",     "putty*",     "st",      "st-*",
                                          "kitty*", "foot*",    "mintty", "mintty-*", "alacritty*", "wezterm*" };
/* Terminals and modes of another manner, where a letter behind an ESC, or behind a single byte of 8 bits, is a key. */
static const char *const others[] = { "vt100+*", "*-8bit",  "vt220-8", "*52*",      "*-hp*",  "*-sco",
                                      "*+sco",   "*-m[12]", "*-m1b",   "*minitel*", "screen2" };
/* Of the mouse, and of the focus. */
static const char *const no_keys[] = { "kmous", "kxIN", "kxOUT" };

/* A value as infocmp writes it, without what ends it: \E, \n, \,, \033, ^A. */
static void decode(const char *s, char bytes[LONGEST])
{
    static const char letters[] = "EnrtbfslE", codes[] = "\033\n\r\t\b\f \n\033";
    size_t n = 0;
    while (*s && n + 1 < LONGEST) {
        if (*s == '^' && s[1]) {
            bytes[n++] = s[1] == '?' ? 127 : s[1] & 0x1f;
            s += 2;
        } else if (*s == '\\' && s[1] >= '0' && s[1] <= '7') {
            char *end, octal[4] = { s[1], s[2], s[2] ? s[3] : '\0', '\0' };
            bytes[n++] = (char)strtol(octal, &end, 8);
            s += 1 + (end - octal);
        } else if (*s == '\\' && s[1]) {
            const char *letter = strchr(letters, s[1]);
            bytes[n++] = letter ? codes[letter - letters] : s[1];
            s += 2;
        } else {
            bytes[n++] = *s++;
        }
    }
    bytes[n] = '\0';
}

static bool is_one_of(const char *name, const char *const *patterns, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (fnmatch(patterns[i], name, 0) == 0)
            return true;
    return false;
}

static void read_terminal(const char *name)
{
    char command[200], line[400], value[300];
    snprintf(command, sizeof command, "infocmp -1 -x '%s' 2>/dev/null", name);
    FILE *f = popen(command, "r");
    assert_non_null(f);
    terminal.count = 0;
    while (fgets(line, sizeof line, f)) {
        assert_true(terminal.count < CAPABILITIES);
        char *key = terminal.keys[terminal.count].name;
        if (sscanf(line, " %31[^=, ]=%299[^\n]", key, value) != 2 || *key != 'k' ||
            is_one_of(key, no_keys, sizeof no_keys / sizeof *no_keys))
            continue;
        value[strlen(value) - 1] = '\0'; /* the comma */
        decode(value, terminal.keys[terminal.count++].bytes);
    }
    assert_int_equal(pclose(f), 0);
}

static const char *sequence_of(const char *name)
{
    for (int i = 0; i < terminal.count; i++)
        if (!strcmp(terminal.keys[i].name, name))
            return terminal.keys[i].bytes;
    return NULL;
}

/* At once, or a byte at a time with as much time between them as a slow line takes. */
static void check_key(const char *entry, const char *name, const char *bytes, int64_t gap)
{
    struct typed t = { 0 };
    struct input in;
    int64_t ms = 1000;
    int keys = 0;
    typed_learn_keys(&t, sequence_of);
    for (size_t len = gap ? 1 : strlen(bytes); *bytes; bytes += len, ms += gap) {
        size_t room;
        memcpy(typed_room(&t, &room), bytes, len);
        typed_came(&t, len, ms);
        while (typed_next(&t, ms, &in))
            keys++;
    }
    while (typed_next(&t, ms + TYPED_ESCAPE_MS, &in))
        keys++;
    if (keys != 1 || t.len)
        fail_msg("%s of %s: %d keys, and %zu bytes are left", name, entry, keys, t.len);
}

/* Returns how many entries there are. */
static int check_entries(const char *directory, const char *pattern)
{
    char path[100];
    glob_t files;
    int count = 0;
    snprintf(path, sizeof path, "%s/?/%s", directory, pattern);
    if (glob(path, 0, NULL, &files) != 0)
        return 0;
    for (size_t i = 0; i < files.gl_pathc; i++) {
        const char *entry = strrchr(files.gl_pathv[i], '/') + 1;
        if (is_one_of(entry, others, sizeof others / sizeof *others))
            continue;
        read_terminal(entry);
        for (int k = 0; k < terminal.count; k++) {
            check_key(entry, terminal.keys[k].name, terminal.keys[k].bytes, 0);
            check_key(entry, terminal.keys[k].name, terminal.keys[k].bytes, TYPED_ESCAPE_MS - 1);
        }
        count++;
    }
    globfree(&files);
    return count;
}

static void each_key_of_each_terminal_is_one_key(void **state)
{
    (void)state;
    static const char *const directories[] = { "/etc/terminfo", "/lib/terminfo", "/usr/share/terminfo" };
    int all = 0;
    for (size_t i = 0; i < sizeof people_use / sizeof *people_use; i++) {
        int count = 0;
        for (size_t d = 0; d < sizeof directories / sizeof *directories; d++)
            count += check_entries(directories[d], people_use[i]);
        if (!count)
            print_message("not looked at, as this machine has no entry: %s\n", people_use[i]);
        all += count;
    }
    print_message("%d entries were looked at\n", all);
    assert_true(all > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_key_of_each_terminal_is_one_key),
    };
    setlocale(LC_CTYPE, "C.UTF-8");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
