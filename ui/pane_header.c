/* The first line: what runs, in which state, how far it is. */
#include <stdio.h>
#include <string.h>

#include "ui/format.h"
#include "ui/screen.h"

#define PIECE_MAX 64
#define BAR_LEAST 8

enum piece_id {
    PIECE_BRAND,
    PIECE_FILE,
    PIECE_BADGE,
    PIECE_TIME,
    PIECE_OF,
    PIECE_BAR,
    PIECE_PERCENT,
    PIECE_SPEED,
    PIECE_QUANTUM,
    PIECE_SEED,
    PIECES
};

struct piece {
    char text[PIECE_MAX];
    int width; /* 0: left out; never changes while a run goes on, so that nothing jumps */
    enum role role;
};

static enum ground badge_ground(enum session_state s)
{
    static const enum ground grounds[] = {
        [SESSION_LOADED] = GROUND_BADGE_IDLE,   [SESSION_STARTING] = GROUND_BADGE_IDLE,
        [SESSION_PAUSED] = GROUND_BADGE_PAUSED, [SESSION_RUNNING] = GROUND_BADGE_RUNNING,
        [SESSION_ENDING] = GROUND_BADGE_IDLE,   [SESSION_FINISHED] = GROUND_BADGE_FINISHED,
        [SESSION_FAILED] = GROUND_BADGE_FAILED, [SESSION_ABORTED] = GROUND_BADGE_ABORTED,
    };
    return grounds[s];
}

static void set(struct piece *p, int width, enum role role, const char *text)
{
    snprintf(p->text, sizeof p->text, "%s", text);
    p->role = role;
    p->width = width > 0 ? width : (int)strlen(p->text);
}

/* Not how the run stands, or how it ended. */
static bool is_earlier(const struct view *v)
{
    return v->session && v->status->is_past && !session_state_over(v->status->state);
}

static void make_badge(const struct view *v, struct piece *p)
{
    char text[PIECE_MAX];
    const char *word = v->session ? session_state_name(v->status->state) : v->launch->code ? "FAILED" : "INVALID";
    word = v->pausing ? "PAUSING" : is_earlier(v) ? v->status->is_recorded ? "REPLAY" : "PAST" : word;
    int pad = 8 - (int)strlen(word);
    snprintf(text, sizeof text, "%*s%s%*s", 1 + pad / 2, "", word, 1 + (pad + 1) / 2, "");
    bool dark = v->session && v->status->state != SESSION_FAILED && v->status->state != SESSION_STARTING &&
                v->status->state != SESSION_ENDING;
    set(p, 0, dark ? ROLE_BADGE_DARK : ROLE_BADGE_LIGHT, text);
}

static void make_pieces(const struct view *v, struct piece p[PIECES])
{
    char text[PIECE_MAX], x[FORMAT_TEXT];
    const char *slash = strrchr(v->file, '/');
    set(&p[PIECE_BRAND], 0, ROLE_BRAND, "lockstep");
    set(&p[PIECE_FILE], 0, ROLE_STRONG, slash && slash[1] ? slash + 1 : v->file);
    make_badge(v, &p[PIECE_BADGE]);
    if (!v->session)
        return;
    const struct session_status *s = v->status;
    simtime duration = v->scenario->duration;
    int clock = (int)strlen(format_clock(duration, x));
    set(&p[PIECE_TIME], clock, ROLE_STRONG, format_clock(s->now, x));
    snprintf(text, sizeof text, "of %s", format_spaced(duration, x));
    set(&p[PIECE_OF], 0, ROLE_DIM, text);
    double part = duration > 0 ? (double)s->now / (double)duration : 0;
    snprintf(text, sizeof text, "%3d %%", (int)(part * 100));
    set(&p[PIECE_PERCENT], 5, ROLE_TEXT, text);
    p[PIECE_BAR].width = BAR_LEAST;
    bool running = s->state == SESSION_RUNNING, known = v->wall && s->speed > 0;
    set(&p[PIECE_SPEED], 8, ROLE_TEXT, !running ? "" : known ? format_speed(s->speed, x) : WALL_HIDDEN);
    snprintf(text, sizeof text, "q %s", format_spaced(v->scenario->quantum, x));
    set(&p[PIECE_QUANTUM], 0, ROLE_DIM, text);
    snprintf(text, sizeof text, "seed %llu", (unsigned long long)v->scenario->seed);
    set(&p[PIECE_SEED], 0, ROLE_DIM, text);
}

static int total(const struct piece p[PIECES])
{
    int width = 1;
    for (int i = 0; i < PIECES; i++)
        width += p[i].width ? p[i].width + 2 : 0;
    return width;
}

/* Leaves out what counts least until the rest fits; the bar takes what is left. */
static void fit(struct piece p[PIECES], int width)
{
    static const enum piece_id least[] = { PIECE_SEED, PIECE_BRAND, PIECE_QUANTUM, PIECE_SPEED,
                                           PIECE_OF,   PIECE_BAR,   PIECE_PERCENT };
    if (p[PIECE_FILE].width > 28)
        p[PIECE_FILE].width = 28;
    for (size_t i = 0; i < sizeof least / sizeof *least && total(p) > width; i++) {
        if (least[i] == PIECE_BAR && p[PIECE_FILE].width > 16)
            p[PIECE_FILE].width = 16;
        if (total(p) > width)
            p[least[i]].width = 0;
    }
    int over = total(p) - width;
    if (over > 0 && p[PIECE_FILE].width > over)
        p[PIECE_FILE].width -= over;
    if (p[PIECE_BAR].width && over < 0)
        p[PIECE_BAR].width -= over;
}

static void draw_piece(const struct view *v, const struct area *a, int x, enum piece_id id, const struct piece *p)
{
    if (id == PIECE_BAR) {
        simtime duration = v->scenario->duration;
        area_progress(a, x, 0, p->width, duration > 0 ? (double)v->status->now / (double)duration : 0);
    } else if (id == PIECE_TIME || id == PIECE_SPEED) {
        area_right(a, x, 0, p->width, p->role, p->text);
    } else {
        area_text(a, x, 0, p->width, p->role, p->text, strlen(p->text));
    }
    if (id == PIECE_BADGE)
        area_paint(a, x, 0, p->width,
                   !v->session     ? GROUND_BADGE_FAILED
                   : is_earlier(v) ? GROUND_BADGE_PAST
                                   : badge_ground(v->status->state));
}

void header_draw(const struct view *v, const struct area *a)
{
    struct piece pieces[PIECES] = { 0 };
    struct area bar = *a;
    bar.ground = GROUND_BAR;
    area_clear(&bar);
    make_pieces(v, pieces);
    fit(pieces, a->width);
    int x = 1;
    for (int i = 0; i < PIECES; i++) {
        if (!pieces[i].width)
            continue;
        draw_piece(v, &bar, x, (enum piece_id)i, &pieces[i]);
        x += pieces[i].width + 2;
    }
}
