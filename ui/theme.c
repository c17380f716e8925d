#include "ui/theme.h"

#include <stddef.h>

#define BOLD      ATTRIBUTE_BOLD
#define DIM       ATTRIBUTE_DIM
#define REVERSE   ATTRIBUTE_REVERSE
#define UNDERLINE ATTRIBUTE_UNDERLINE
#define NONE      THEME_DEFAULT

enum basic { BLACK, RED, GREEN, YELLOW, BLUE, MAGENTA, CYAN, WHITE };

/* Colours with 256 of them, with 8, and the attributes for each way; blue is left to backgrounds where there are 8. */
static const struct {
    short rich, basic;
    unsigned char rich_attributes, basic_attributes, mono_attributes;
} roles[ROLE_COUNT] = {
    [ROLE_TEXT] = { NONE, NONE, 0, 0, 0 },
    [ROLE_DIM] = { 244, NONE, 0, DIM, DIM },
    [ROLE_STRONG] = { NONE, NONE, BOLD, BOLD, BOLD },
    [ROLE_BORDER] = { 239, NONE, 0, DIM, DIM },
    [ROLE_BORDER_FOCUS] = { 74, CYAN, 0, 0, 0 },
    [ROLE_TITLE] = { 249, NONE, 0, 0, 0 },
    [ROLE_TITLE_FOCUS] = { 117, CYAN, BOLD, BOLD, BOLD },
    [ROLE_BRAND] = { 117, CYAN, BOLD, BOLD, BOLD },
    [ROLE_KEY] = { 117, CYAN, BOLD, BOLD, BOLD },
    [ROLE_LABEL] = { 250, NONE, 0, 0, 0 },
    [ROLE_HEADING] = { 109, CYAN, 0, 0, UNDERLINE },
    [ROLE_GOOD] = { 114, GREEN, 0, 0, 0 },
    [ROLE_BUSY] = { 221, YELLOW, 0, 0, BOLD },
    [ROLE_WARN] = { 215, YELLOW, 0, BOLD, BOLD },
    [ROLE_BAD] = { 203, RED, BOLD, BOLD, BOLD },
    [ROLE_INFO] = { 110, CYAN, 0, 0, 0 },
    [ROLE_TIME] = { 246, NONE, 0, DIM, 0 },
    [ROLE_BAR_FULL] = { 74, CYAN, 0, BOLD, BOLD },
    [ROLE_BAR_EMPTY] = { 240, NONE, 0, DIM, DIM },
    [ROLE_JSON_KEY] = { 245, NONE, 0, DIM, DIM },
    [ROLE_JSON_STRING] = { 150, GREEN, 0, 0, 0 },
    [ROLE_JSON_NUMBER] = { 253, NONE, 0, 0, 0 },
    [ROLE_BADGE_DARK] = { 233, BLACK, BOLD, 0, BOLD },
    [ROLE_BADGE_LIGHT] = { 231, WHITE, BOLD, BOLD, BOLD },
    [ROLE_NODE_FIRST + 0] = { 80, CYAN, 0, 0, 0 },
    [ROLE_NODE_FIRST + 1] = { 180, YELLOW, 0, 0, 0 },
    [ROLE_NODE_FIRST + 2] = { 146, MAGENTA, 0, 0, 0 },
    [ROLE_NODE_FIRST + 3] = { 115, GREEN, 0, 0, 0 },
    [ROLE_NODE_FIRST + 4] = { 111, CYAN, 0, BOLD, 0 },
    [ROLE_NODE_FIRST + 5] = { 187, WHITE, 0, 0, 0 },
    [ROLE_TYPE_FIRST + 0] = { 75, CYAN, BOLD, BOLD, BOLD },
    [ROLE_TYPE_FIRST + 1] = { 141, MAGENTA, BOLD, BOLD, BOLD },
    [ROLE_TYPE_FIRST + 2] = { 78, GREEN, BOLD, BOLD, BOLD },
    [ROLE_TYPE_FIRST + 3] = { 216, YELLOW, BOLD, 0, BOLD },
    [ROLE_TYPE_FIRST + 4] = { 176, MAGENTA, BOLD, 0, BOLD },
    [ROLE_TYPE_FIRST + 5] = { 186, WHITE, BOLD, BOLD, BOLD },
};

static const struct {
    short rich, basic;
    unsigned char mono_attributes;
} grounds[GROUND_COUNT] = {
    [GROUND_NONE] = { NONE, NONE, 0 },
    [GROUND_BAR] = { 236, NONE, 0 },
    [GROUND_SELECT] = { 24, BLUE, REVERSE },
    [GROUND_SELECT_DIM] = { 237, NONE, UNDERLINE },
    [GROUND_MATCH] = { 94, YELLOW, REVERSE },
    [GROUND_BADGE_IDLE] = { 243, WHITE, REVERSE },
    [GROUND_BADGE_PAUSED] = { 179, YELLOW, REVERSE },
    [GROUND_BADGE_RUNNING] = { 114, GREEN, REVERSE },
    [GROUND_BADGE_FINISHED] = { 74, CYAN, REVERSE },
    [GROUND_BADGE_FAILED] = { 160, RED, REVERSE },
    [GROUND_BADGE_ABORTED] = { 139, MAGENTA, REVERSE },
    [GROUND_BADGE_PAST] = { 147, MAGENTA, REVERSE },
};

struct look theme_look(enum role role, enum ground ground, int colors)
{
    struct look l = { NONE, NONE, 0 };
    if (colors >= 256) {
        l = (struct look){ roles[role].rich, grounds[ground].rich, roles[role].rich_attributes };
        /* Greys that are calm on the terminal's ground would drown in a selection. */
        if ((ground == GROUND_SELECT || ground == GROUND_MATCH) && l.foreground >= 239 && l.foreground <= 249)
            l.foreground = 252;
    } else if (colors >= 8) {
        l = (struct look){ roles[role].basic, grounds[ground].basic, roles[role].basic_attributes };
        if (l.background != NONE) {
            l.attributes &= ~(unsigned)DIM;
            if (l.foreground == NONE || l.foreground == l.background)
                l.foreground = ground == GROUND_MATCH ? BLACK : WHITE;
        }
        if (ground == GROUND_SELECT_DIM)
            l.attributes |= UNDERLINE;
    } else {
        l.attributes = roles[role].mono_attributes | grounds[ground].mono_attributes;
        if (l.attributes & REVERSE)
            l.attributes &= ~(unsigned)DIM;
    }
    return l;
}

enum role theme_node_role(int node)
{
    return node < 0 ? ROLE_TEXT : (enum role)(ROLE_NODE_FIRST + node % ROLE_NODES);
}

enum role theme_type_role(const char *type, uint64_t len)
{
    uint32_t h = 2166136261u; /* FNV-1a */
    for (uint64_t i = 0; i < len; i++)
        h = (h ^ (unsigned char)type[i]) * 16777619u;
    return (enum role)(ROLE_TYPE_FIRST + (h >> 7) % ROLE_TYPES);
}
