#include "ui/keys.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/utf8.h"

#define CTRL(c) ((c)&0x1f)
#define LIVE    (CONTEXT_PAUSED | CONTEXT_RUNNING)
#define RUN     (LIVE | CONTEXT_STARTING | CONTEXT_ENDING | CONTEXT_OVER)
#define ALL     (RUN | CONTEXT_BROKEN | CONTEXT_DETAIL | CONTEXT_LOG | CONTEXT_POPUP | CONTEXT_WARNINGS)

#define PLACES (CONTEXT_FINDING | CONTEXT_DETAIL | CONTEXT_LOG | CONTEXT_POPUP | CONTEXT_WARNINGS | CONTEXT_PROMPT)

/* In the order of importance for the key bar, which shows as many as there is room for. */
/* clang-format off */
const struct binding key_table[] = {
    { { ' ', 'p' }, ACTION_PAUSE, "Space p", .help = "run or pause; while it is pausing: go on",
      .label = "run", .bar = LIVE | CONTEXT_STARTING | CONTEXT_BEFORE_END, .other = "pause",
      .other_in = CONTEXT_RUNNING, .group = "Run" },
    { { 's' }, ACTION_STEP, "s", .help = "one quantum", .label = "step",
      .bar = CONTEXT_PAUSED | CONTEXT_BEFORE_END },
    { { '.' }, ACTION_NEXT, ".", .help = "to the next quantum in which something happens",
      .label = "event", .bar = CONTEXT_PAUSED },
    { { 'N' }, ACTION_STEP_N, "N", .help = "n quanta (during a find: the match before)",
      .label = "step n", .bar = CONTEXT_PAUSED | CONTEXT_FINDING, .other = "previous", .other_in = CONTEXT_FINDING },
    { { 'c', INPUT_F1 + 4 }, ACTION_CONTINUE, "c F5", .help = "run on to the end" },
    { { 'u' }, ACTION_UNTIL, "u", .help = "run until a time: 2.5s, 100ms, or from here: +1s",
      .label = "until", .bar = LIVE },
    { { 'b' }, ACTION_BREAKS, "b", .help = "breakpoints: pause at a condition or a time",
      .label = "break", .bar = LIVE },
    { { INPUT_DELETE }, .action = ACTION_DELETE },
    { { 'R' }, ACTION_RERUN, "R", .help = "read the file again, start anew, paused",
      .label = "rerun", .bar = CONTEXT_OVER | CONTEXT_BROKEN, .other = "reload", .other_in = CONTEXT_BROKEN },
    { { 'a' }, ACTION_ABORT, "a", .help = "end the run here, cleanly",
      .label = "abort", .bar = CONTEXT_RUNNING | CONTEXT_STARTING },
    { { 'S' }, ACTION_BACK_STEP, "S", .help = "one quantum back: look at the run as it was",
      .label = "back", .bar = CONTEXT_PAST | CONTEXT_PAUSED | CONTEXT_OVER, .group = "Time" },
    { { ',' }, ACTION_BACK_NEXT, ",", .help = "back to where something happened before",
      .label = "event back", .bar = CONTEXT_PAST },
    { { 'C' }, ACTION_BACK_RUN, "C", .help = "back to the breakpoint before, or to the begin" },
    { { 'v' }, ACTION_VIEW, "v", .help = "to the moment of the selected event", .label = "view", .bar = CONTEXT_PAST },
    { { 'V' }, ACTION_HEAD, "V", .help = "to the last moment, where the nodes are",
      .label = "now", .bar = CONTEXT_PAST },
    { { 'T' }, ACTION_TIMELINE, "T", .help = "the timeline; Left and Right move through time",
      .label = "timeline", .bar = CONTEXT_PAST | CONTEXT_TIMELINE, .other = "close", .other_in = CONTEXT_TIMELINE },
    { { '+', '=' }, ACTION_NARROW, "+ -", .help = "on the timeline: a shorter time, a longer one",
      .label = "scale", .bar = CONTEXT_TIMELINE },
    { { '-' }, .action = ACTION_WIDEN },
    { { 'm' }, ACTION_CHAIN, "m", .help = "what the selected message came of, and led to" },
    { { 'K' }, ACTION_WATCHES, "K", .help = "what watched fields are, per node; :watch adds one",
      .label = "close", .bar = CONTEXT_WATCHES },
    { { INPUT_ENTER }, ACTION_ENTER, "Enter", .help = "the selected node, or the whole event",
      .label = "detail", .bar = RUN | CONTEXT_PROMPT, .other = "accept", .other_in = CONTEXT_PROMPT, .group = "Look" },
    { { '/' }, ACTION_FIND, "/", .help = "find a text in this list, or a condition anywhere",
      .label = "find", .bar = RUN | CONTEXT_LOG },
    { { 'f' }, ACTION_FILTER, "f", .help = "show only events for which a condition holds",
      .label = "filter", .bar = RUN },
    { { 'n' }, ACTION_FIND_NEXT, "n", .help = "the next match (N: the one before)",
      .label = "next", .bar = CONTEXT_FINDING },
    { { 'l' }, ACTION_LOG, "l", .help = "its log, and back; in Barrier: of who is waited for",
      .label = "log", .bar = CONTEXT_PROCESSES | CONTEXT_BARRIER },
    { { 'F' }, ACTION_FOLLOW, "F", .help = "follow the newest event or line, or stay",
      .label = "follow", .bar = CONTEXT_RUNNING | CONTEXT_LOG },
    { { 'z' }, ACTION_ZOOM, "z", .help = "the pane alone on the screen, and back", .label = "zoom", .bar = RUN },
    { { 't' }, ACTION_FOLD, "t", .help = "fold or unfold the tier" },
    { { 'w' }, ACTION_PROBLEMS, "w", .help = "problems and warnings of scenario and run, and back",
      .label = "warnings", .bar = CONTEXT_WARNINGS | CONTEXT_TROUBLED, .other = "back", .other_in = CONTEXT_WARNINGS },
    { { '>' }, ACTION_SORT_NEXT, "< > o", .help = "sort Nodes, Health by the column beside; reverse" },
    { { '<' }, .action = ACTION_SORT_PREVIOUS },
    { { 'o' }, .action = ACTION_SORT_REVERSE },
    { { 'e' }, ACTION_EXPORT, "e", .help = "export what the pane shows: .txt, .json, .csv" },
    { { ':' }, ACTION_COMMAND, ":", .help = "a command line; Tab completes, :help lists" },
    { { INPUT_ESC }, ACTION_BACK, "Esc", .help = "close what is open, end the find",
      .label = "back", .bar = PLACES, .other = "cancel", .other_in = CONTEXT_PROMPT },
    { { 'x' }, ACTION_NODE_STOP, "x", .help = "stop the selected node; the run goes on without it",
      .label = "stop node", .bar = CONTEXT_NODES_LIVE, .group = "Node" },
    { { 'X' }, ACTION_NODE_KILL, "X", .help = "kill it: a failure, with what its on_failure says" },
    { { 'r' }, ACTION_NODE_RESTART, "r", .help = "end it and start it anew; also one that was stopped",
      .label = "restart node", .bar = CONTEXT_NODES_LIVE },
    { { 'i' }, ACTION_FLIGHT, "i", .help = "the messages in flight, and back",
      .label = "back", .bar = CONTEXT_FLIGHT, .group = "In flight" },
    { { 'd' }, ACTION_FLIGHT_DROP, "d", .help = "drop the selected message (the run must be paused)",
      .label = "drop", .bar = CONTEXT_FLIGHT_MESSAGE },
    { { 'D' }, ACTION_FLIGHT_DELAY, "D", .help = "delay it: by 100ms, or to 2.5s",
      .label = "delay", .bar = CONTEXT_FLIGHT_MESSAGE },
    { { 'y' }, ACTION_FLIGHT_COPY, "y", .help = "have it arrive once more",
      .label = "copy", .bar = CONTEXT_FLIGHT_MESSAGE },
    { { 'E' }, ACTION_FLIGHT_EDIT, "E", .help = "edit its payload", .label = "edit", .bar = CONTEXT_FLIGHT_MESSAGE },
    { { 'I' }, ACTION_FLIGHT_INJECT, "I", .help = "put a new message in, now or at a time",
      .label = "inject", .bar = CONTEXT_FLIGHT_OPEN },
    { { 'L' }, ACTION_FLIGHT_LINK, "L", .help = "change a link's latency and loss",
      .label = "link", .bar = CONTEXT_FLIGHT_OPEN },
    { { 'W' }, ACTION_FLIGHT_SAVE, "W", .help = "save what was done by hand, as a scenario",
      .label = "save", .bar = CONTEXT_FLIGHT_SAVED },
    { { INPUT_TAB }, ACTION_PANE_NEXT, "Tab", .help = "the next pane (Shift-Tab: before); completes words",
      .label = "pane", .bar = RUN | CONTEXT_DETAIL | CONTEXT_COMPLETES, .other = "complete",
      .other_in = CONTEXT_COMPLETES, .group = "Move" },
    { { INPUT_BACK_TAB }, .action = ACTION_PANE_PREVIOUS },
    { { '1' }, ACTION_PANE_1, "1-5", .help = "Nodes, Events, Health, Barrier, node detail" },
    { { '2' }, .action = ACTION_PANE_2 },
    { { '3' }, .action = ACTION_PANE_3 },
    { { '4' }, .action = ACTION_PANE_4 },
    { { '5' }, .action = ACTION_PANE_5 },
    { { INPUT_DOWN, 'j' }, ACTION_DOWN, "Up/Down j k", .help = "up and down",
      .label = "move", .bar = CONTEXT_BROKEN | CONTEXT_WARNINGS | CONTEXT_POPUP },
    { { INPUT_UP, 'k' }, .action = ACTION_UP },
    { { INPUT_RIGHT }, ACTION_RIGHT, "Left/Right", .help = "fold, unfold; in details: the node or event beside",
      .label = "other node", .bar = CONTEXT_DETAIL | CONTEXT_LOG | CONTEXT_TIMELINE,
      .other = "in time", .other_in = CONTEXT_TIMELINE },
    { { INPUT_LEFT }, .action = ACTION_LEFT },
    { { INPUT_PAGE_DOWN, CTRL('f') }, ACTION_PAGE_DOWN, "PgDn PgUp", .help = "a page down, up" },
    { { INPUT_PAGE_UP, CTRL('b') }, .action = ACTION_PAGE_UP },
    { { 'g', INPUT_HOME }, ACTION_TOP, "g G", .help = "to the first, to the last (Home, End)" },
    { { 'G', INPUT_END }, .action = ACTION_BOTTOM },
    { { 'q' }, ACTION_QUIT, "q", .help = "quit (asks while the run is not over)",
      .label = "quit", .bar = ALL, .group = "Leave" },
    { { 'Q' }, ACTION_QUIT_NOW, "Q", .help = "quit at once, still cleanly" },
    { { CTRL('c') }, ACTION_INTERRUPT, "Ctrl-C", .help = "abort cleanly; once more: at once, and leave",
      .label = "end at once", .bar = CONTEXT_ENDING },
    { { CTRL('z') }, ACTION_SUSPEND, "Ctrl-Z", .help = "to the shell; fg comes back" },
    { { CTRL('l') }, ACTION_REDRAW, "Ctrl-L", .help = "draw the screen anew" },
    { { CTRL('\\') }, .action = ACTION_FORCE },
    { { '?', INPUT_F1, 'h' }, ACTION_HELP, "? F1 h", .help = "this help",
      .label = "help", .bar = ALL & ~(unsigned)CONTEXT_POPUP },
    { { INPUT_CLICK }, ACTION_CLICK, "Mouse", .help = "a click selects or acts as its key; twice: Enter" },
    { { INPUT_WHEEL_UP }, .action = ACTION_WHEEL_UP },
    { { INPUT_WHEEL_DOWN }, .action = ACTION_WHEEL_DOWN },
};
/* clang-format on */
const size_t key_table_count = sizeof key_table / sizeof *key_table;

enum action key_action(uint32_t key)
{
    for (size_t i = 0; key && i < key_table_count; i++)
        for (size_t k = 0; k < sizeof key_table[i].keys / sizeof *key_table[i].keys; k++)
            if (key_table[i].keys[k] == key)
                return key_table[i].action;
    return ACTION_NONE;
}

/* Of a key's names the first is the one that is shown. */
static const struct {
    const char *name;
    uint32_t key;
} key_names[] = {
    { "Space", ' ' },
    { "Enter", INPUT_ENTER },
    { "Return", INPUT_ENTER },
    { "Esc", INPUT_ESC },
    { "Escape", INPUT_ESC },
    { "Tab", INPUT_TAB },
    { "Shift-Tab", INPUT_BACK_TAB },
    { "BTab", INPUT_BACK_TAB },
    { "Up", INPUT_UP },
    { "Down", INPUT_DOWN },
    { "Left", INPUT_LEFT },
    { "Right", INPUT_RIGHT },
    { "Home", INPUT_HOME },
    { "End", INPUT_END },
    { "PgUp", INPUT_PAGE_UP },
    { "PageUp", INPUT_PAGE_UP },
    { "PgDn", INPUT_PAGE_DOWN },
    { "PageDown", INPUT_PAGE_DOWN },
    { "Backspace", INPUT_BACKSPACE },
    { "Delete", INPUT_DELETE },
    { "Insert", INPUT_INSERT },
};

uint32_t key_named(const char *name)
{
    size_t len = strlen(name);
    uint32_t c = 0;
    if (len && utf8_decode(name, len, &c) == len)
        return utf8_is_safe(c) ? c : INPUT_NONE;
    for (size_t i = 0; i < sizeof key_names / sizeof *key_names; i++)
        if (!strcasecmp(name, key_names[i].name))
            return key_names[i].key;
    if ((*name == 'F' || *name == 'f') && len <= 3 && strspn(name + 1, "0123456789") == len - 1) {
        uint32_t n = 0;
        for (const char *d = name + 1; *d; d++)
            n = n * 10 + (uint32_t)(*d - '0');
        return n >= 1 && n <= 12 ? INPUT_F1 + n - 1 : INPUT_NONE;
    }
    const char *letter = !strncasecmp(name, "Ctrl-", 5) ? name + 5 : !strncmp(name, "C-", 2) ? name + 2 : "";
    bool control = strlen(letter) == 1 && ((*letter | 0x20) >= 'a' && (*letter | 0x20) <= 'z');
    return control ? (uint32_t)CTRL(*letter) : !strcmp(letter, "\\") ? (uint32_t)CTRL('\\') : INPUT_NONE;
}

const char *key_name(uint32_t key, char buf[KEY_NAME])
{
    char bytes[5] = "";
    for (size_t i = 0; i < sizeof key_names / sizeof *key_names; i++)
        if (key_names[i].key == key)
            return key_names[i].name;
    if (key >= INPUT_F1 && key <= INPUT_F12)
        snprintf(buf, KEY_NAME, "F%u", (unsigned)(key - INPUT_F1 + 1));
    else if (key < 0x20)
        snprintf(buf, KEY_NAME, "Ctrl-%c", (char)(key | 0x40));
    else if (key < INPUT_FIRST && utf8_encode(key, bytes) > 0)
        snprintf(buf, KEY_NAME, "%s", bytes);
    else
        snprintf(buf, KEY_NAME, "?");
    return buf;
}
