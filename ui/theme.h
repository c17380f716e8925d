/* What things on the screen mean, and the colours and attributes that say it. Knows no terminal library. */
#ifndef UI_THEME_H
#define UI_THEME_H

#include <stdint.h>

/* The meaning of a piece of text. */
enum role {
    ROLE_TEXT,
    ROLE_DIM,
    ROLE_STRONG,
    ROLE_BORDER,
    ROLE_BORDER_FOCUS,
    ROLE_TITLE,
    ROLE_TITLE_FOCUS,
    ROLE_BRAND,
    ROLE_KEY,
    ROLE_LABEL,
    ROLE_HEADING,
    ROLE_GOOD,
    ROLE_BUSY,
    ROLE_WARN,
    ROLE_BAD,
    ROLE_INFO,
    ROLE_TIME,
    ROLE_BAR_FULL,
    ROLE_BAR_EMPTY,
    ROLE_JSON_KEY,
    ROLE_JSON_STRING,
    ROLE_JSON_NUMBER,
    ROLE_BADGE_DARK,                       /* on light badges */
    ROLE_BADGE_LIGHT,                      /* on dark badges */
    ROLE_NODE_FIRST,                       /* stable colours for nodes: ROLE_NODE_FIRST + i % ROLE_NODES */
    ROLE_TYPE_FIRST = ROLE_NODE_FIRST + 6, /* and for message types */
    ROLE_COUNT = ROLE_TYPE_FIRST + 6
};
#define ROLE_NODES 6
#define ROLE_TYPES 6

/* What a piece of text stands on. */
enum ground {
    GROUND_NONE,
    GROUND_BAR,        /* header and key bar */
    GROUND_SELECT,     /* selected row of the focused pane */
    GROUND_SELECT_DIM, /* of another pane */
    GROUND_MATCH,      /* text that was looked for */
    GROUND_BADGE_IDLE,
    GROUND_BADGE_PAUSED,
    GROUND_BADGE_RUNNING,
    GROUND_BADGE_FINISHED,
    GROUND_BADGE_FAILED,
    GROUND_BADGE_ABORTED,
    GROUND_BADGE_PAST,
    GROUND_COUNT
};

enum attribute { ATTRIBUTE_BOLD = 1, ATTRIBUTE_DIM = 2, ATTRIBUTE_REVERSE = 4, ATTRIBUTE_UNDERLINE = 8 };

#define THEME_DEFAULT (-1) /* the terminal's own colour */

struct look {
    int foreground, background; /* colour numbers, or THEME_DEFAULT */
    unsigned attributes;        /* of enum attribute */
};

/* `colors`: how many the terminal has; below 8 only attributes are used. */
struct look theme_look(enum role role, enum ground ground, int colors);

enum role theme_node_role(int node);                       /* -1: ROLE_TEXT */
enum role theme_type_role(const char *type, uint64_t len); /* the same for the same type, always */

#endif
