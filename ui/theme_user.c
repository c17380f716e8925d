#include "ui/theme_user.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hint.h"

static const char *const role_names[ROLE_COUNT] = {
    [ROLE_TEXT] = "text",
    [ROLE_DIM] = "dim",
    [ROLE_STRONG] = "strong",
    [ROLE_BORDER] = "border",
    [ROLE_BORDER_FOCUS] = "border-focus",
    [ROLE_TITLE] = "title",
    [ROLE_TITLE_FOCUS] = "title-focus",
    [ROLE_BRAND] = "brand",
    [ROLE_KEY] = "key",
    [ROLE_LABEL] = "label",
    [ROLE_HEADING] = "heading",
    [ROLE_GOOD] = "good",
    [ROLE_BUSY] = "busy",
    [ROLE_WARN] = "warn",
    [ROLE_BAD] = "bad",
    [ROLE_INFO] = "info",
    [ROLE_TIME] = "time",
    [ROLE_BAR_FULL] = "bar-full",
    [ROLE_BAR_EMPTY] = "bar-empty",
    [ROLE_JSON_KEY] = "json-key",
    [ROLE_JSON_STRING] = "json-string",
    [ROLE_JSON_NUMBER] = "json-number",
    [ROLE_BADGE_DARK] = "badge-dark",
    [ROLE_BADGE_LIGHT] = "badge-light",
    [ROLE_NODE_FIRST + 0] = "node-1",
    [ROLE_NODE_FIRST + 1] = "node-2",
    [ROLE_NODE_FIRST + 2] = "node-3",
    [ROLE_NODE_FIRST + 3] = "node-4",
    [ROLE_NODE_FIRST + 4] = "node-5",
    [ROLE_NODE_FIRST + 5] = "node-6",
    [ROLE_TYPE_FIRST + 0] = "type-1",
    [ROLE_TYPE_FIRST + 1] = "type-2",
    [ROLE_TYPE_FIRST + 2] = "type-3",
    [ROLE_TYPE_FIRST + 3] = "type-4",
    [ROLE_TYPE_FIRST + 4] = "type-5",
    [ROLE_TYPE_FIRST + 5] = "type-6",
};

static const char *const ground_names[GROUND_COUNT] = {
    [GROUND_BAR] = "on-bar",
    [GROUND_SELECT] = "on-selection",
    [GROUND_SELECT_DIM] = "on-selection-elsewhere",
    [GROUND_MATCH] = "on-match",
    [GROUND_BADGE_IDLE] = "on-idle",
    [GROUND_BADGE_PAUSED] = "on-paused",
    [GROUND_BADGE_RUNNING] = "on-running",
    [GROUND_BADGE_FINISHED] = "on-finished",
    [GROUND_BADGE_FAILED] = "on-failed",
    [GROUND_BADGE_ABORTED] = "on-aborted",
};

static const char *const color_names[] = { "black", "red", "green", "yellow", "blue", "magenta", "cyan", "white" };
#define BASIC 8

static const struct {
    const char *name;
    enum attribute attribute;
} attributes[] = {
    { "bold", ATTRIBUTE_BOLD },
    { "dim", ATTRIBUTE_DIM },
    { "reverse", ATTRIBUTE_REVERSE },
    { "underline", ATTRIBUTE_UNDERLINE },
};
#define ATTRIBUTES (sizeof attributes / sizeof *attributes)

const char *theme_role_name(enum role role)
{
    return role_names[role];
}

const char *theme_ground_name(enum ground ground)
{
    return ground_names[ground];
}

struct rgb {
    int r, g, b;
};

/* What a colour of the 256 looks like, as xterm has them. */
static struct rgb rgb_of(int color)
{
    static const struct rgb basic[16] = { { 0, 0, 0 },       { 205, 0, 0 },   { 0, 205, 0 },   { 205, 205, 0 },
                                          { 0, 0, 238 },     { 205, 0, 205 }, { 0, 205, 205 }, { 229, 229, 229 },
                                          { 127, 127, 127 }, { 255, 0, 0 },   { 0, 255, 0 },   { 255, 255, 0 },
                                          { 92, 92, 255 },   { 255, 0, 255 }, { 0, 255, 255 }, { 255, 255, 255 } };
    static const int levels[6] = { 0, 95, 135, 175, 215, 255 };
    if (color < 16)
        return basic[color];
    if (color >= 232)
        return (struct rgb){ 8 + (color - 232) * 10, 8 + (color - 232) * 10, 8 + (color - 232) * 10 };
    return (struct rgb){ levels[(color - 16) / 36], levels[(color - 16) / 6 % 6], levels[(color - 16) % 6] };
}

/* Of the colours from `first` up to `end`. */
static int nearest(struct rgb to, int first, int end)
{
    int best = first, least = INT32_MAX;
    for (int c = first; c < end; c++) {
        struct rgb x = rgb_of(c);
        int d = (x.r - to.r) * (x.r - to.r) + (x.g - to.g) * (x.g - to.g) + (x.b - to.b) * (x.b - to.b);
        if (d < least) {
            least = d;
            best = c;
        }
    }
    return best;
}

/* "yellow", "bright-yellow", "default", 0 … 255, "#ff8800" (the nearest of the 256). False where it is none. */
static bool read_color(const char *word, int *color)
{
    unsigned value;
    char end;
    bool bright = !strncmp(word, "bright-", 7);
    *color = THEME_DEFAULT;
    if (!strcmp(word, "default"))
        return true;
    for (int i = 0; i < BASIC; i++)
        if (!strcmp(word + (bright ? 7 : 0), color_names[i])) {
            *color = i + (bright ? BASIC : 0);
            return true;
        }
    if (*word == '#' && strlen(word) == 7 && strspn(word + 1, "0123456789abcdefABCDEF") == 6) {
        value = (unsigned)strtoul(word + 1, NULL, 16);
        *color = nearest((struct rgb){ (int)(value >> 16), (int)(value >> 8 & 255), (int)(value & 255) }, 16, 256);
        return true;
    }
    if (strspn(word, "0123456789") != strlen(word) || strlen(word) > 3 || sscanf(word, "%u%c", &value, &end) != 1 ||
        value > 255)
        return false;
    *color = (int)value;
    return true;
}

static bool take_word(struct theme_change *change, const char *word, bool is_ground)
{
    int color;
    for (size_t i = 0; !is_ground && i < ATTRIBUTES; i++)
        if (!strcmp(word, attributes[i].name)) {
            change->has_attributes = true;
            change->attributes |= attributes[i].attribute;
            return true;
        }
    if (change->has_color || !read_color(word, &color))
        return false;
    change->has_color = true;
    change->color = color;
    return true;
}

static void tell(const struct setting *s, const char *word, bool second, bool is_ground, struct problems *problems)
{
    struct hint hint = { .word = word };
    for (int i = 0; i < BASIC; i++)
        hint_consider(&hint, color_names[i], color_names[i]);
    for (size_t i = 0; !is_ground && i < ATTRIBUTES; i++)
        hint_consider(&hint, attributes[i].name, attributes[i].name);
    int color;
    if (second && read_color(word, &color))
        problems_add(problems, SEVERITY_WARNING, s->value_at, s->name, "'%s' is a second colour", shown(word).text);
    else
        problems_add(problems, SEVERITY_WARNING, s->value_at, s->name, "'%s' is no colour%s%s", shown(word).text,
                     is_ground ? "" : " and no attribute",
                     hint.best ? hint_text(&hint).text
                               : "; write a name as red or bright-red, a number up to 255, or '#ff8800' in quotes");
}

static struct theme_change *change_of(struct theme *t, const struct setting *s, bool *is_ground,
                                      struct problems *problems)
{
    struct hint hint = { .word = s->name };
    for (int i = 0; i < ROLE_COUNT; i++) {
        if (!strcmp(role_names[i], s->name)) {
            *is_ground = false;
            return &t->roles[i];
        }
        hint_consider(&hint, role_names[i], role_names[i]);
    }
    for (int i = 0; i < GROUND_COUNT; i++) {
        if (ground_names[i] && !strcmp(ground_names[i], s->name)) {
            *is_ground = true;
            return &t->grounds[i];
        }
        if (ground_names[i])
            hint_consider(&hint, ground_names[i], ground_names[i]);
    }
    problems_add(problems, SEVERITY_WARNING, s->at, s->name, "nothing on the screen is called so%s",
                 hint_text(&hint).text);
    return NULL;
}

void theme_set(struct theme *t, const struct settings *settings, struct problems *problems)
{
    for (size_t i = 0; i < settings->count; i++) {
        const struct setting *s = &settings->items[i];
        bool is_ground, well = true;
        struct theme_change *change = change_of(t, s, &is_ground, problems), wanted = { 0 };
        for (size_t w = 0; change && w < s->count; w++)
            if (!take_word(&wanted, s->words[w], is_ground)) {
                tell(s, s->words[w], wanted.has_color, is_ground, problems);
                well = false;
            }
        if (change && well)
            *change = wanted;
        if (change && well && !s->count)
            problems_add(problems, SEVERITY_WARNING, s->at, s->name, "a colour is missing");
    }
}

static int color_among(int color, int colors)
{
    if (color == THEME_DEFAULT || color < colors)
        return color;
    return color < 16 ? color % BASIC : nearest(rgb_of(color), 0, BASIC);
}

struct look theme_look_of(const struct theme *t, enum role role, enum ground ground, int colors)
{
    struct look look = theme_look(role, ground, colors);
    const struct theme_change *r = &t->roles[role], *g = &t->grounds[ground];
    if (colors >= BASIC && r->has_color)
        look.foreground = color_among(r->color, colors);
    if (r->has_attributes || (r->has_color && colors >= BASIC)) { /* what is written stands for all that was */
        unsigned of_ground = theme_look(ROLE_TEXT, ground, colors).attributes;
        look.attributes = r->attributes | of_ground;
    }
    if (colors >= BASIC && g->has_color)
        look.background = color_among(g->color, colors);
    return look;
}
