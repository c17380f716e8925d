/* The only user of curses.h. */
#include "ui/term.h"

#include <curses.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>
#include <wchar.h>

#include "base/clock.h"
#include "base/memory.h"
#include "ui/crash.h"
#include "ui/typed.h"

/* ncurses' macro of this name is of no use here. */
#undef columns

#define PAIRS_MAX       400
#define DOUBLE_CLICK_MS 400

/* The terminal. */
static struct {
    SCREEN *screen;
    int colors;
    const struct theme *theme; /* NULL: as it is built in */
    enum charset charset;
    struct cell *shown; /* what it shows; columns * rows */
    int columns, rows;
    short pairs[PAIRS_MAX][2]; /* colour pairs made so far, from pair 1 on */
    int pair_count, pair_limit;
    int64_t click_ms; /* the last click, and where; 0: none that may be the first of two */
    int click_x, click_y;
    struct typed typed;
} term;

static bool locale_is_utf8(void)
{
    return !strcmp(nl_langinfo(CODESET), "UTF-8");
}

static void open_colors(bool color)
{
    term.colors = 0;
    if (!color || !has_colors() || start_color() != OK)
        return;
    use_default_colors();
    term.colors = COLORS;
    term.pair_limit = COLOR_PAIRS - 1 < PAIRS_MAX ? COLOR_PAIRS - 1 : PAIRS_MAX;
}

static const char *sequence_of(const char *name)
{
    const char *sequence = tigetstr(name);
    return sequence == (const char *)-1 ? NULL : sequence;
}

int term_open(bool color, bool ascii, struct error *err)
{
    setlocale(LC_CTYPE, "");
    const char *name = getenv("TERM");
    crash_prepare(STDIN_FILENO, STDOUT_FILENO);
    term.screen = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) ? newterm(NULL, stdout, stdin) : NULL;
    const char *move = term.screen ? tigetstr("cup") : NULL;
    if (!move || move == (const char *)-1) { /* a terminal on which nothing can be put in its place */
        if (term.screen) {
            endwin();
            delscreen(term.screen);
            term.screen = NULL;
        }
        error_set(err, EXIT_USAGE, "no usable terminal (TERM is %s); --batch runs without one",
                  name ? name : "not set");
        return -1;
    }
    raw();
    noecho();
    nonl();
    keypad(stdscr, TRUE);
    typeahead(-1); /* a frame is drawn whole */
    typed_learn_keys(&term.typed, sequence_of);
    leaveok(stdscr, FALSE);
    curs_set(0);
    mousemask(BUTTON1_PRESSED | BUTTON4_PRESSED | BUTTON5_PRESSED, NULL); /* has it sent; it is read here */
    open_colors(color);
    term.charset = ascii || !locale_is_utf8()                                        ? CHARSET_ASCII
                   : name && (!strcmp(name, "linux") || !strncmp(name, "linux-", 6)) ? CHARSET_CONSOLE
                                                                                     : CHARSET_UNICODE;
    const char *main_screen = tigetstr("rmcup"); /* where there is one screen only, it is at least left clean */
    crash_arm(tigetstr("sgr0"), tigetstr("rmkx"), tigetstr("cnorm"), main_screen ? main_screen : tigetstr("clear"));
    return 0;
}

void term_use_theme(const struct theme *theme)
{
    term.theme = theme;
}

void term_close(void)
{
    if (!term.screen)
        return;
    mousemask(0, NULL);
    curs_set(1);
    erase();
    refresh(); /* a terminal that was made wider may take rows of ours along to the main screen */
    endwin();
    crash_disarm();
    delscreen(term.screen);
    free(term.shown);
    memset(&term, 0, sizeof term);
}

int term_fd(void)
{
    return STDIN_FILENO;
}

enum charset term_charset(void)
{
    return term.charset;
}

void term_size(int *columns, int *rows)
{
    struct winsize size;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0 &&
        (size.ws_col != COLS || size.ws_row != LINES)) {
        resizeterm(size.ws_row < CANVAS_MAX_ROWS ? size.ws_row : CANVAS_MAX_ROWS,
                   size.ws_col < CANVAS_MAX_COLUMNS ? size.ws_col : CANVAS_MAX_COLUMNS);
        term_redraw();
    }
    *columns = COLS;
    *rows = LINES;
}

void term_redraw(void)
{
    free(term.shown);
    term.shown = NULL;
    clearok(curscr, TRUE);
}

/* The colour pair of two colours, made when first used; 0 where there is no room for more. */
static short pair_of(int foreground, int background)
{
    if (foreground == THEME_DEFAULT && background == THEME_DEFAULT)
        return 0;
    for (int i = 0; i < term.pair_count; i++)
        if (term.pairs[i][0] == foreground && term.pairs[i][1] == background)
            return (short)(i + 1);
    if (term.pair_count >= term.pair_limit)
        return 0;
    int pair = ++term.pair_count;
    term.pairs[pair - 1][0] = (short)foreground;
    term.pairs[pair - 1][1] = (short)background;
    init_pair((short)pair, (short)foreground, (short)background);
    return (short)pair;
}

static void put_cell(int x, int y, const struct cell *cell)
{
    struct look look = term.theme
                           ? theme_look_of(term.theme, (enum role)cell->role, (enum ground)cell->ground, term.colors)
                           : theme_look((enum role)cell->role, (enum ground)cell->ground, term.colors);
    attr_t attributes = (look.attributes & ATTRIBUTE_BOLD ? A_BOLD : 0) |
                        (look.attributes & ATTRIBUTE_DIM ? A_DIM : 0) |
                        (look.attributes & ATTRIBUTE_REVERSE ? A_REVERSE : 0) |
                        (look.attributes & ATTRIBUTE_UNDERLINE ? A_UNDERLINE : 0);
    wchar_t text[CELL_CHARS + 1] = { 0 };
    int n = 0;
    for (int i = 0; i < CELL_CHARS && cell->ch[i]; i++)
        if (i == 0 || wcwidth((wchar_t)cell->ch[i]) == 0)
            text[n++] = (wchar_t)cell->ch[i];
    short pair = pair_of(look.foreground, look.background);
    cchar_t out;
    /* Where the system sees another width than the canvas, the character would push the row aside. */
    if (cell->ch[0] >= 0x80 && wcwidth(text[0]) != cell->width) {
        setcchar(&out, L"?", attributes, pair, NULL);
        for (int i = 0; i < cell->width; i++)
            mvadd_wch(y, x + i, &out);
        return;
    }
    setcchar(&out, text, attributes, pair, NULL);
    mvadd_wch(y, x, &out);
}

void term_show(const struct canvas *c)
{
    bool all = !term.shown || term.columns != c->columns || term.rows != c->rows;
    size_t count = (size_t)c->columns * (size_t)c->rows;
    if (all) {
        free(term.shown);
        term.shown = mem_array(count, sizeof *term.shown);
        term.columns = c->columns;
        term.rows = c->rows;
        erase();
    }
    for (size_t i = 0; i < count; i++) {
        const struct cell *cell = &c->cells[i];
        if (!all && !memcmp(cell, &term.shown[i], sizeof *cell))
            continue;
        term.shown[i] = *cell;
        if (cell->width)
            put_cell((int)(i % (size_t)c->columns), (int)(i / (size_t)c->columns), cell);
    }
    /* Where it cannot be hidden, it is at least out of the way. */
    move(c->cursor_x >= 0 ? c->cursor_y : c->rows - 1, c->cursor_x >= 0 ? c->cursor_x : c->columns - 1);
    curs_set(c->cursor_x >= 0);
    refresh();
}

/* Whether a click is the second of two. What counts is when they came, however long the first one's work took. */
static bool is_double(const struct input *in)
{
    int64_t ms = term.typed.came_ms;
    bool is = term.click_ms && ms - term.click_ms <= DOUBLE_CLICK_MS && in->x == term.click_x && in->y == term.click_y;
    term.click_ms = is ? 0 : ms;
    term.click_x = in->x;
    term.click_y = in->y;
    return is;
}

/* By itself, as curses takes the parts of what comes cut for keys, and loses clicks by it. */
static void read_bytes(void)
{
    struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };
    size_t room;
    unsigned char *bytes = typed_room(&term.typed, &room);
    if (!room || poll(&p, 1, 0) <= 0 || !(p.revents & POLLIN))
        return;
    ssize_t count = read(STDIN_FILENO, bytes, room);
    if (count > 0)
        typed_came(&term.typed, (size_t)count, clock_ms());
}

bool term_key(struct input *in)
{
    int64_t ms = clock_ms();
    read_bytes();
    if (!typed_next(&term.typed, ms, in))
        return false;
    if (in->key == INPUT_CLICK && is_double(in))
        in->key = INPUT_DOUBLE_CLICK;
    return true;
}

int term_wait(void)
{
    return typed_wait(&term.typed, clock_ms());
}

bool term_gone(void)
{
    struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };
    return poll(&p, 1, 0) > 0 && (p.revents & (POLLHUP | POLLERR | POLLNVAL));
}

void term_suspend(bool group)
{
    struct sigaction normal = { .sa_handler = SIG_DFL }, old;
    sigset_t stop, mask;
    sigemptyset(&stop);
    sigaddset(&stop, SIGTSTP);
    endwin();
    sigaction(SIGTSTP, &normal, &old);
    kill(group ? 0 : getpid(), SIGTSTP);
    sigprocmask(SIG_UNBLOCK, &stop, &mask); /* stops here at the latest */
    sigprocmask(SIG_SETMASK, &mask, NULL);
    sigaction(SIGTSTP, &old, NULL);
    term_redraw();
    refresh();
}
