#include "base/hint.h"

#include <ctype.h>
#include <getopt.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define LONGEST 40 /* bytes; longer words have no near ones */
#define PART    3  /* bytes that are told apart from chance, of a word that is a part of another */
#define BY_PART 50 /* the distance of such a word: behind all that are near */
#define SHOWN   60

static int least(int a, int b)
{
    return a < b ? a : b;
}

/* Edits between two words: a letter more, less, other, or two swapped. Case does not count. */
static int distance(const char *a, const char *b)
{
    int rows[3][LONGEST + 1];
    int *before = rows[0], *last = rows[1], *now = rows[2];
    int na = (int)strlen(a), nb = (int)strlen(b);
    for (int j = 0; j <= nb; j++)
        last[j] = j;
    for (int i = 1; i <= na; i++) {
        now[0] = i;
        for (int j = 1; j <= nb; j++) {
            int other = tolower((unsigned char)a[i - 1]) != tolower((unsigned char)b[j - 1]);
            now[j] = least(least(last[j] + 1, now[j - 1] + 1), last[j - 1] + other);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                now[j] = least(now[j], before[j - 2] + 1);
        }
        int *spare = before;
        before = last;
        last = now;
        now = spare;
    }
    return last[nb];
}

/* Whether `word` is how `name` begins, or one of the words that name has with '_' or '-' between them. */
static bool is_part(const char *word, size_t len, const char *name)
{
    if (len < PART)
        return false;
    if (strncasecmp(word, name, len) == 0)
        return true;
    for (const char *at = name; (at = strpbrk(at, "_-")) != NULL;)
        if (strncasecmp(word, ++at, len) == 0 && (!at[len] || strchr("_-", at[len])))
            return true;
    return false;
}

void hint_consider(struct hint *h, const char *candidate, const char *meaning)
{
    size_t len = strlen(h->word), other = strlen(candidate);
    if (!len || !other || len > LONGEST || other > LONGEST)
        return;
    size_t longer = len > other ? len : other;
    int limit = longer < 4 ? 1 : longer < 8 ? 2 : 3;
    int d = distance(h->word, candidate);
    if (d > limit || d >= (int)longer)
        d = is_part(h->word, len, candidate) ? BY_PART : INT_MAX;
    if (d < (h->best ? h->distance : INT_MAX)) {
        h->best = meaning;
        h->distance = d;
    }
}

struct shown hint_text(const struct hint *h)
{
    struct shown s = { "" };
    if (h->best)
        snprintf(s.text, sizeof s.text, "; did you mean '%s'?", h->best);
    return s;
}

struct shown hint_option(const char *written, const struct option *longs)
{
    char name[LONGEST + 2];
    struct shown s = { "" };
    struct hint hint = { .word = name };
    written += strspn(written, "-");
    snprintf(name, sizeof name, "%.*s", (int)strcspn(written, "="), written);
    for (; longs->name; longs++)
        hint_consider(&hint, longs->name, longs->name);
    if (hint.best)
        snprintf(s.text, sizeof s.text, "; did you mean '--%s'?", hint.best);
    return s;
}

struct shown shown(const char *text)
{
    struct shown s;
    size_t len = strlen(text);
    if (len > SHOWN) {
        len = SHOWN;
        while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
            len--;
        snprintf(s.text, sizeof s.text, "%.*s…", (int)len, text);
    } else {
        memcpy(s.text, text, len + 1);
    }
    return s;
}
