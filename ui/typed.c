#include "ui/typed.h"

#include <stdio.h>
#include <string.h>

#define ESC 27

void typed_learn(struct typed *t, const char *sequence, uint32_t key)
{
    if (!sequence || strlen(sequence) < 2 || t->sequence_count == TYPED_SEQUENCES)
        return;
    t->sequences[t->sequence_count].bytes = sequence;
    t->sequences[t->sequence_count++].key = key;
}

/* Beside those that most terminals send. */
void typed_learn_keys(struct typed *t, const char *(*sequence_of)(const char *name))
{
    static const struct {
        const char *name;
        uint32_t key;
    } keys[] = {
        { "kcuu1", INPUT_UP },      { "kcud1", INPUT_DOWN },    { "kcub1", INPUT_LEFT },   { "kcuf1", INPUT_RIGHT },
        { "khome", INPUT_HOME },    { "kend", INPUT_END },      { "kpp", INPUT_PAGE_UP },  { "knp", INPUT_PAGE_DOWN },
        { "kent", INPUT_ENTER },    { "kcbt", INPUT_BACK_TAB }, { "kdch1", INPUT_DELETE }, { "kich1", INPUT_INSERT },
        { "kbs", INPUT_BACKSPACE }, { "ka1", INPUT_HOME },      { "ka3", INPUT_PAGE_UP },  { "kc1", INPUT_END },
        { "kc3", INPUT_PAGE_DOWN },
    };
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        typed_learn(t, sequence_of(keys[i].name), keys[i].key);
    for (uint32_t i = 0; i < 12; i++) {
        char name[8];
        snprintf(name, sizeof name, "kf%u", (unsigned)i + 1);
        typed_learn(t, sequence_of(name), INPUT_F1 + i);
    }
}

/* One byte is kept for an ESC that is put back. */
unsigned char *typed_room(struct typed *t, size_t *size)
{
    *size = sizeof t->bytes - t->len - 1;
    return t->bytes + t->len;
}

void typed_came(struct typed *t, size_t count, int64_t ms)
{
    if (ms - t->came_ms > TYPED_PASTE_MS)
        t->is_paste = false;
    t->len += count;
    t->came_ms = ms;
}

static uint32_t plain_key(wchar_t key)
{
    switch (key) {
    case '\r':
    case '\n':
        return INPUT_ENTER;
    case '\t':
        return INPUT_TAB;
    case ESC:
        return INPUT_ESC;
    case 8:
    case 127:
        return INPUT_BACKSPACE;
    case 0:
        return INPUT_UNKNOWN;
    default:
        return (uint32_t)key;
    }
}

/* One more byte of a character. Returns INPUT_NONE where more of them are to come. */
static uint32_t take_byte(struct typed *t, unsigned char byte)
{
    wchar_t character = 0;
    bool begun = !mbsinit(&t->partial);
    size_t length = mbrtowc(&character, &(char){ (char)byte }, 1, &t->partial);
    if (length == (size_t)-2)
        return INPUT_NONE;
    if (length != (size_t)-1)
        return plain_key(character);
    memset(&t->partial, 0, sizeof t->partial);
    return begun ? take_byte(t, byte) : INPUT_UNKNOWN; /* what came before is broken off: this byte begins anew */
}

/* The longest of the terminal's own sequences that has come whole: its length, or 0. *longer: what has come may be the
 * begin of another. */
static size_t learned(const struct typed *t, uint32_t *key, bool *longer)
{
    size_t best = 0;
    *longer = false;
    for (int i = 0; i < t->sequence_count; i++) {
        size_t len = strlen(t->sequences[i].bytes), common = len < t->len ? len : t->len;
        if (memcmp(t->bytes, t->sequences[i].bytes, common) != 0)
            continue;
        if (len > t->len) {
            *longer = true;
        } else if (len > best) {
            best = len;
            *key = t->sequences[i].key;
        }
    }
    return best;
}

struct sequence {
    enum { SEQUENCE_NONE, SEQUENCE_BEGUN, SEQUENCE_BROKEN, SEQUENCE_WHOLE } is;
    size_t len; /* without the ESC */
};

/* A place in the oldest manner: three bytes behind "[M". */
static struct sequence measure_place(const unsigned char *s, size_t n)
{
    for (size_t i = 2; i < n && i < 5; i++)
        if (s[i] < ' ')
            return (struct sequence){ SEQUENCE_BROKEN, i };
    return (struct sequence){ n < 5 ? SEQUENCE_BEGUN : SEQUENCE_WHOLE, 5 };
}

#define LONGEST      200              /* far beyond what a terminal sends … */
#define LONGEST_TEXT (TYPED_ROOM - 8) /* … but for text, which must find room */

/* What a terminal answers in text: "]11;rgb:…", "P1$r…", "_G…". Other characters behind it: a key with Alt. */
static bool begins_text(const unsigned char *s, size_t n)
{
    if (!n || !memchr("]P_", s[0], 3))
        return false;
    if (n == 1)
        return true;
    return s[0] == ']'   ? memchr("0123456789lL", s[1], 12) != NULL
           : s[0] == 'P' ? s[1] > ' ' && s[1] < '@'
                         : s[1] == 'G';
}

/* It ends with BEL, or an ESC and a backslash. */
static struct sequence measure_text(const unsigned char *s, size_t n)
{
    size_t i = 1;
    while (i < n && i < LONGEST_TEXT && s[i] >= ' ')
        i++;
    if (i == n || (s[i] == ESC && i + 1 == n))
        return (struct sequence){ SEQUENCE_BEGUN, n };
    if (s[i] == 7)
        return (struct sequence){ SEQUENCE_WHOLE, i + 1 };
    bool ends = s[i] == ESC && s[i + 1] == '\\';
    return (struct sequence){ ends ? SEQUENCE_WHOLE : SEQUENCE_BROKEN, ends ? i + 2 : i };
}

/* "OP", and with modifiers, as some send them: "O2P", "O1;2P". */
static struct sequence measure_shifted(const unsigned char *s, size_t n)
{
    size_t i = 1;
    while (i < n && i < LONGEST && ((s[i] >= '0' && s[i] <= '9') || s[i] == ';'))
        i++;
    if (i == n)
        return (struct sequence){ SEQUENCE_BEGUN, i };
    bool ends = i < LONGEST && s[i] > ' ' && s[i] < 127;
    return (struct sequence){ ends ? SEQUENCE_WHOLE : SEQUENCE_BROKEN, ends ? i + 1 : i };
}

/* rxvt ends the number of a key with "$" where Shift is held: "[3$". Others have more behind it: "[?1;2$y". */
static bool is_shifted_number(const unsigned char *s, size_t end)
{
    return s[end] == '$' && end > 1 && strspn((const char *)s + 1, "0123456789") == end - 1;
}

/* What stands behind an ESC. */
static struct sequence measure(const unsigned char *s, size_t n)
{
    if (n && s[0] == 'O')
        return measure_shifted(s, n);
    if (begins_text(s, n))
        return measure_text(s, n);
    if (!n || s[0] != '[')
        return (struct sequence){ SEQUENCE_NONE, 0 };
    if (n > 1 && s[1] == 'M')
        return measure_place(s, n);
    size_t i = n > 1 && s[1] == '[' ? 2 : 1; /* the console's function keys */
    for (; i < n && i < LONGEST; i++) {
        if ((s[i] >= 0x40 && s[i] < 127) || is_shifted_number(s, i))
            return (struct sequence){ SEQUENCE_WHOLE, i + 1 };
        if (s[i] < 0x20 || s[i] > 0x3f)
            return (struct sequence){ SEQUENCE_BROKEN, i };
    }
    return (struct sequence){ i < LONGEST ? SEQUENCE_BEGUN : SEQUENCE_BROKEN, i };
}

/* A button as terminals number it; what is no press of the first one and no wheel is nothing. */
static void take_mouse(int button, int x, int y, struct input *in)
{
    int without_modifiers = button & ~(4 | 8 | 16);
    in->key = without_modifiers == 0    ? INPUT_CLICK
              : without_modifiers == 64 ? INPUT_WHEEL_UP
              : without_modifiers == 65 ? INPUT_WHEEL_DOWN
                                        : INPUT_NONE;
    in->x = x - 1;
    in->y = y - 1;
}

/* Of keys with a number: "[5~". */
static uint32_t numbered_key(int number)
{
    static const struct {
        int number;
        uint32_t key;
    } keys[] = { { 1, INPUT_HOME },    { 2, INPUT_INSERT },    { 3, INPUT_DELETE }, { 4, INPUT_END },
                 { 5, INPUT_PAGE_UP }, { 6, INPUT_PAGE_DOWN }, { 7, INPUT_HOME },   { 8, INPUT_END } };
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (keys[i].number == number)
            return keys[i].key;
    static const int functions[] = { 11, 12, 13, 14, 15, 17, 18, 19, 20, 21, 23, 24 };
    for (uint32_t i = 0; i < sizeof functions / sizeof *functions; i++)
        if (functions[i] == number)
            return INPUT_F1 + i;
    return INPUT_UNKNOWN;
}

/* Of keys with a letter: "[A", "OA". */
static uint32_t lettered_key(unsigned char letter)
{
    static const struct {
        unsigned char letter;
        uint32_t key;
    } keys[] = { { 'A', INPUT_UP },   { 'B', INPUT_DOWN },   { 'C', INPUT_RIGHT },  { 'D', INPUT_LEFT },
                 { 'H', INPUT_HOME }, { 'F', INPUT_END },    { 'M', INPUT_ENTER },  { 'Z', INPUT_BACK_TAB },
                 { 'P', INPUT_F1 },   { 'Q', INPUT_F1 + 1 }, { 'R', INPUT_F1 + 2 }, { 'S', INPUT_F1 + 3 } };
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (keys[i].letter == letter)
            return keys[i].key;
    return INPUT_UNKNOWN;
}

/* Whether a sequence tells something of the terminal: it answers, perhaps what another program asked for, or it has got
 * the focus or lost it. */
static bool is_told(const unsigned char *s, size_t len)
{
    unsigned char last = s[len - 1];
    if (s[0] != '[')
        return s[0] != 'O';
    if (len == 2)
        return last == 'I' || last == 'O';
    bool is_key = s[1] == '1' && s[2] == ';'; /* F3 with modifiers; else it is where the cursor is */
    return memchr("?=", s[1], 2) || memchr("cnty", last, 4) || (last == 'R' && !is_key);
}

/* A whole sequence without its ESC. A key that means nothing here is INPUT_UNKNOWN. */
static void take_sequence(const unsigned char *s, size_t len, struct input *in)
{
    char text[LONGEST + 1];
    int a, b, c, end = 0;
    if (is_told(s, len))
        return;
    memcpy(text, s, len);
    text[len] = '\0';
    if (s[1] == 'M' && len == 5) {
        take_mouse(s[2] - 32, s[3] - 32, s[4] - 32, in);
    } else if (sscanf(text, "[<%3d;%5d;%5d%n", &a, &b, &c, &end) == 3 && (size_t)end + 1 == len) {
        if (text[end] == 'M') /* the others are of buttons that are let go */
            take_mouse(a, b, c, in);
    } else if (s[1] == '[' && len == 3 && s[2] >= 'A' && s[2] <= 'E') {
        in->key = INPUT_F1 + (uint32_t)(s[2] - 'A');
    } else if (len == 2) {
        in->key = lettered_key(s[1]);
    } else {
        bool numbered = sscanf(text, "[%3d~%n", &a, &end) == 1 && (size_t)end == len;
        in->key = numbered ? numbered_key(a) : INPUT_UNKNOWN;
    }
}

/* Where a paste begins and ends; another program may have asked for being told. */
static bool take_paste(struct typed *t, size_t len)
{
    bool begins = len == 5 && !memcmp(t->bytes + 1, "[200~", 5), ends = len == 5 && !memcmp(t->bytes + 1, "[201~", 5);
    t->is_paste = begins || (t->is_paste && !ends);
    return begins || ends;
}

/* An ESC and what stands behind it. Returns how many bytes that was; 0: more must come, or time pass. */
static size_t take_escape(struct typed *t, int64_t ms, struct input *in)
{
    struct sequence next = measure(t->bytes + 1, t->len - 1);
    int64_t waited = ms - t->came_ms;
    memset(&t->partial, 0, sizeof t->partial);
    switch (next.is) {
    case SEQUENCE_NONE:
        if (t->len == 1 && waited < TYPED_ESCAPE_MS)
            return 0;
        t->escaped = t->len == 1;
        t->escaped_ms = ms;
        in->key = INPUT_ESC;
        return 1;
    case SEQUENCE_BEGUN:
        if (waited < TYPED_REST_MS)
            return 0;
        if (t->len == 2 && begins_text(t->bytes + 1, 1)) { /* nor is it text that begins: Alt was held */
            in->key = INPUT_ESC;
            return 1;
        }
        return t->is_rest && t->len == 2 ? 1 : t->len; /* a single "[" was typed; all else is a sequence's begin */
    case SEQUENCE_WHOLE:
        if (!take_paste(t, next.len))
            take_sequence(t->bytes + 1, next.len, in);
        break;
    default:
        break;
    }
    return 1 + next.len;
}

/* Returns how many bytes were taken; 0: more must come, or time pass. */
static size_t take(struct typed *t, int64_t ms, struct input *in)
{
    bool longer, waited = ms - t->came_ms >= TYPED_ESCAPE_MS;
    size_t len = learned(t, &in->key, &longer);
    if (longer && !waited)
        return 0;
    if (len)
        return len;
    if (t->bytes[0] == ESC)
        return take_escape(t, ms, in);
    in->key = take_byte(t, t->bytes[0]);
    return 1;
}

/* A capital O alone is not enough: a person types one. A terminal sends it together with what follows. */
static bool looks_like_rest(const struct typed *t)
{
    struct sequence next = measure(t->bytes, t->len);
    return t->bytes[0] == '[' || next.is == SEQUENCE_WHOLE || (next.is == SEQUENCE_BEGUN && t->len > 1);
}

/* What comes behind an ESC that was taken for a key, and looks like the rest of its sequence, is that. */
static void put_escape_back(struct typed *t)
{
    bool is_rest = t->escaped && looks_like_rest(t) && t->came_ms - t->escaped_ms <= TYPED_REST_MS;
    t->escaped = false;
    if (!is_rest)
        return;
    memmove(t->bytes + 1, t->bytes, t->len++);
    t->bytes[0] = ESC;
    t->is_rest = true;
}

bool typed_next(struct typed *t, int64_t ms, struct input *in)
{
    *in = (struct input){ 0 };
    while (t->len) {
        put_escape_back(t);
        size_t taken = take(t, ms, in);
        if (!taken)
            return false;
        t->is_rest = false;
        t->len -= taken;
        memmove(t->bytes, t->bytes + taken, t->len);
        in->is_pasted = t->is_paste;
        if (in->key)
            return true;
    }
    return false;
}

int typed_wait(const struct typed *t, int64_t ms)
{
    if (!t->len)
        return -1;
    int64_t left = t->came_ms + TYPED_ESCAPE_MS - ms;
    left = left > 0 ? left : t->came_ms + TYPED_REST_MS - ms;
    return left > 1 ? (int)left : 1;
}
