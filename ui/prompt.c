/* Questions on the status line, and what becomes of the answers. */
#include <stdlib.h>
#include <string.h>

#include "ui/app.h"
#include "ui/format.h"

const char *prompt_text(enum prompt prompt)
{
    static const char *const texts[] = {
        [PROMPT_NONE] = "",
        [PROMPT_FIND] = "Find: ",
        [PROMPT_STEPS] = "How many quanta: ",
        [PROMPT_UNTIL] = "Run until (2.5s, 100ms, +1s): ",
        [PROMPT_QUIT] = "The run is not over. End it and quit? (y/n) ",
        [PROMPT_RERUN] = "The run is not over. End it and start anew? (y/n) ",
    };
    return texts[prompt];
}

bool prompt_is_question(enum prompt prompt)
{
    return prompt == PROMPT_QUIT || prompt == PROMPT_RERUN;
}

void prompt_open(struct app *app, enum prompt prompt)
{
    bool step = prompt == PROMPT_STEPS || prompt == PROMPT_UNTIL;
    if (!app->session || (step && session_state_over(app->status.state))) {
        app_say(app, ROLE_WARN,
                app->session ? "The run is over; R starts it anew" : "There is no run; R reads the file again");
        return;
    }
    app->prompt = prompt;
    app->prompt_error = NULL;
    editor_set(&app->editor, "");
}

/* What is wrong with the number, or NULL and the command is given. */
static const char *take_steps(struct app *app, const char *text)
{
    char *end;
    text += strspn(text, " ");
    unsigned long long count = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || count == 0)
        return "that is no whole number above 0";
    app_command(app, (struct command){ .kind = COMMAND_STEP, .count = count }, AWAIT_PAUSE);
    return NULL;
}

static const char *take_until(struct app *app, const char *text)
{
    const char *why = NULL;
    simtime time;
    text += strspn(text, " ");
    bool relative = *text == '+';
    if (simtime_parse(text + relative, 1000000, &time, &why) != 0)
        return why;
    if (relative)
        time = time > SIMTIME_MAX - app->status.now ? SIMTIME_MAX : time + app->status.now;
    if (time <= app->status.now)
        return "that time has passed";
    app_command(app, (struct command){ .kind = COMMAND_RUN_TO, .time = time }, AWAIT_PAUSE);
    return NULL;
}

static void accept(struct app *app)
{
    const char *text = app->editor.text;
    switch (app->prompt) {
    case PROMPT_FIND:
        find_start(app, text);
        break;
    case PROMPT_STEPS:
        app->prompt_error = take_steps(app, text);
        break;
    case PROMPT_UNTIL:
        app->prompt_error = take_until(app, text);
        break;
    default:
        break;
    }
    if (!app->prompt_error)
        app->prompt = PROMPT_NONE;
}

static void answer(struct app *app, uint32_t key)
{
    enum prompt question = app->prompt;
    bool again = key == (question == PROMPT_QUIT ? 'q' : 'R');
    app->prompt = PROMPT_NONE;
    if (key == 'y' || key == 'Y' || key == INPUT_ENTER || again || key == 'Q')
        app_end(app, question == PROMPT_QUIT || key == 'Q' ? THEN_QUIT : THEN_RERUN, 0);
}

bool prompt_key(struct app *app, uint32_t key)
{
    if (prompt_is_question(app->prompt)) {
        answer(app, key);
        return true;
    }
    app->prompt_error = NULL;
    if (key == INPUT_ESC || key == 3)
        app->prompt = PROMPT_NONE;
    else if (key == INPUT_ENTER)
        accept(app);
    else if (key == INPUT_BACKSPACE && !app->editor.len)
        app->prompt = PROMPT_NONE;
    else
        return editor_key(&app->editor, key);
    return true;
}
