/* What clicks and the wheel do. */
#include "ui/app.h"

bool mouse_takes(uint32_t key)
{
    return key == INPUT_CLICK || key == INPUT_DOUBLE_CLICK || key == INPUT_WHEEL_UP || key == INPUT_WHEEL_DOWN;
}

/* The key that stands there in the key bar; INPUT_NONE where none does. */
static uint32_t bar_key_at(const struct app *app, const struct input *in)
{
    if (!rect_contains(&app->layout.bar, in->x, in->y) || app->layout.too_small)
        return INPUT_NONE;
    for (int i = 0; i < app->bar_count; i++)
        if (in->x >= app->bar[i].from && in->x < app->bar[i].to)
            return app->bar[i].key;
    return INPUT_NONE;
}

/* The pane that is there, or what is open above all panes. */
static enum pane_id target_of(const struct app *app, const struct input *in)
{
    if (app->open_count)
        return app_top(app);
    for (int i = 0; i < MAIN_PANES; i++)
        if (rect_contains(&app->layout.panes[i], in->x, in->y))
            return (enum pane_id)i;
    return PANE_NONE;
}

/* The row above a list's first one, where that is not the frame. */
static void click_heading(struct app *app, enum pane_id target, const struct input *in)
{
    struct pane *p = app->panes[target];
    if ((target != PANE_HEALTH && target != PANE_NODES) || in->y != p->list.screen_y - 1)
        return;
    const struct rect *frame = &app->layout.panes[target];
    if (in->y == frame->y)
        return;
    if (target == PANE_HEALTH)
        pane_health_click(p, in->x - frame->x - 1);
    else
        pane_nodes_click(p, in->x - frame->x - 1);
}

static void click(struct app *app, enum pane_id target, const struct input *in)
{
    struct view v = app_view(app);
    struct pane *p = app->panes[target];
    if (target < MAIN_PANES)
        app->focus = target;
    simtime at = target == PANE_TIMELINE ? pane_timeline_at(p, in->x) : -1;
    if (at >= 0)
        app_command(app, (struct command){ .kind = COMMAND_VIEW, .time = at }, AWAIT_NOTHING);
    click_heading(app, target, in);
    if (!list_click(&p->list, in->y))
        return;
    if (target == PANE_EVENTS)
        p->ops->act(p, &v, ACTION_CLICK);
    if (in->key == INPUT_DOUBLE_CLICK && app->prompt == PROMPT_NONE)
        app_act(app, ACTION_ENTER);
}

uint32_t mouse_act(struct app *app, const struct input *in)
{
    bool wheel = in->key == INPUT_WHEEL_UP || in->key == INPUT_WHEEL_DOWN;
    uint32_t key = wheel ? INPUT_NONE : bar_key_at(app, in);
    enum pane_id target = key ? PANE_NONE : target_of(app, in);
    if (target == PANE_NONE)
        return key;
    if (wheel) {
        struct view v = app_view(app);
        struct pane *p = app->panes[target];
        p->ops->act(p, &v, in->key == INPUT_WHEEL_UP ? ACTION_WHEEL_UP : ACTION_WHEEL_DOWN);
    } else {
        click(app, target, in);
    }
    return INPUT_NONE;
}
