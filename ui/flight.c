#include "ui/flight.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/json_text.h"

#define TYPE_ROOM 300 /* bytes of a type as it is typed */

static const char *refuse(struct app *app, const char *fmt, ...) LOCKSTEP_PRINTF(2, 3);
static const char *refuse(struct app *app, const char *fmt, ...)
{
    va_list args;
    char keys[KEYMAP_TEXT];
    va_start(args, fmt);
    vsnprintf(app->flight.why, sizeof app->flight.why, keymap_text(&app->config.keys, fmt, true, keys), args);
    va_end(args);
    return app->flight.why;
}

/* The next word of a line; false where there is none, or none that has room. */
static bool next_word(const char **line, char *out, size_t size)
{
    *line += strspn(*line, " ");
    size_t len = strcspn(*line, " ");
    if (!len || len >= size)
        return false;
    memcpy(out, *line, len);
    out[len] = '\0';
    *line += len;
    return true;
}

static bool is_at_end(const char *line)
{
    return line[strspn(line, " ")] == '\0';
}

static bool next_id(const char **line, uint64_t *id)
{
    char word[24], *end;
    if (!next_word(line, word, sizeof word) || strspn(word, "0123456789") != strlen(word))
        return false;
    errno = 0;
    *id = strtoull(word, &end, 10);
    return errno == 0;
}

/* Gives the command to the run. NULL where it was taken. */
static const char *give(struct app *app, const struct command *c)
{
    if (!app->session)
        return refuse(app, "there is no run; {rerun} reads the file again");
    if (!session_command(app->session, c))
        return refuse(app, "%s", session_refusal(app->session));
    app->dirty = true;
    return NULL;
}

/* "message 12 from sensor1 to gateway, TRANSMIT", before anything is done to it. */
static const char *name_of(const struct app *app, uint64_t id, char *buf, size_t size)
{
    struct session_message m;
    if (app->session && session_flight_find(app->session, id, &m))
        snprintf(buf, size, "message %llu from %.64s to %.64s, %.*s", (unsigned long long)id,
                 app->scenario->nodes[m.src].id, app->scenario->nodes[m.dst].id, m.type.len < 40 ? (int)m.type.len : 40,
                 m.type.s);
    else
        snprintf(buf, size, "message %llu", (unsigned long long)id);
    return buf;
}

#define NAME_ROOM 240

static const char *drop(struct app *app, const char *args)
{
    struct command c = { .kind = COMMAND_MESSAGE_DROP };
    char name[NAME_ROOM];
    if (!next_id(&args, &c.id) || !is_at_end(args))
        return "it takes the number of a message: drop ID";
    name_of(app, c.id, name, sizeof name);
    const char *why = give(app, &c);
    if (!why)
        app_say(app, ROLE_INFO, "Dropped %s", name);
    return why;
}

static const char *copy(struct app *app, const char *args)
{
    struct command c = { .kind = COMMAND_MESSAGE_COPY };
    char name[NAME_ROOM];
    if (!next_id(&args, &c.id) || !is_at_end(args))
        return "it takes the number of a message: copy ID";
    const char *why = give(app, &c);
    if (!why)
        app_say(app, ROLE_INFO, "Copied: once more comes %s", name_of(app, c.id, name, sizeof name));
    return why;
}

/* "100ms", or "to 2.5s". NULL where it is one. */
static const char *read_delay(const char *args, struct command *c)
{
    char word[SIMTIME_TEXT];
    const char *why = NULL, *rest = args;
    c->relative = true;
    if (next_word(&rest, word, sizeof word) && !strcmp(word, "to")) {
        c->relative = false;
        args = rest;
    }
    args += strspn(args, " ");
    args += c->relative && *args == '+';
    if (!*args)
        return "it takes by how much, as 100ms, or until when, as `to 2.5s`";
    if (simtime_parse(args, 1000000, &c->time, &why) != 0)
        return why;
    return c->relative && !c->time ? "that is no delay" : NULL;
}

static const char *delay(struct app *app, const char *args)
{
    struct command c = { .kind = COMMAND_MESSAGE_DELAY };
    struct session_message m;
    char name[NAME_ROOM], due[SIMTIME_TEXT];
    if (!next_id(&args, &c.id))
        return "it takes the number of a message and a time: delay ID T, or delay ID to T";
    const char *why = read_delay(args, &c);
    if (!why)
        why = give(app, &c);
    if (why)
        return why;
    if (!session_flight_find(app->session, c.id, &m)) {
        app_say(app, ROLE_WARN, "%s was dropped: its node takes part no more", name_of(app, c.id, name, sizeof name));
        return NULL;
    }
    simtime_format(m.due, due);
    app_say(app, ROLE_INFO, "Arrives at %s now: %s", due, name_of(app, c.id, name, sizeof name));
    return NULL;
}

static const char *edit(struct app *app, const char *args)
{
    struct command c = { .kind = COMMAND_MESSAGE_EDIT };
    char name[NAME_ROOM];
    if (!next_id(&args, &c.id))
        return "it takes the number of a message and a payload: edit ID JSON";
    args += strspn(args, " ");
    c.payload = (struct text){ args, strlen(args) };
    const char *why = give(app, &c);
    if (!why)
        app_say(app, ROLE_INFO, "Changed the payload of %s", name_of(app, c.id, name, sizeof name));
    return why;
}

/* Two nodes by their ids. NULL where they are. */
static const char *read_ends(struct app *app, const char **args, struct command *c)
{
    char word[80];
    int *ends[] = { &c->src, &c->dst };
    if (!app->scenario)
        return refuse(app, "there is no run; {rerun} reads the file again");
    for (int i = 0; i < 2; i++) {
        if (!next_word(args, word, sizeof word))
            return i ? "the destination is missing" : "the source is missing";
        *ends[i] = scenario_find_node(app->scenario, word);
        if (*ends[i] < 0)
            return refuse(app, "there is no node '%s'", word);
    }
    return NULL;
}

/* A word, or a JSON string. Its characters come in `room`. */
static const char *read_type(const char **args, char *room, struct text *type)
{
    struct json_text json;
    struct json_span span;
    *args += strspn(*args, " ");
    if (**args != '"') {
        if (!next_word(args, room, TYPE_ROOM))
            return **args ? "that type is too long" : "the type is missing";
        *type = (struct text){ room, strlen(room) };
        return NULL;
    }
    json_text_begin(&json, *args, strlen(*args));
    if (!json_text_value(&json, &span))
        return "the type begins with a quote and is no JSON text";
    size_t len = json_span_unescape(&span, room, TYPE_ROOM);
    if (len == SIZE_MAX)
        return "that type is too long";
    *args = json.at;
    *type = (struct text){ room, len };
    return NULL;
}

/* "at 2.5s" or "at +100ms", up to the end of the line. NULL where it is so, or where the line ends here. */
static const char *read_at(const char *args, struct command *c)
{
    char word[8];
    const char *why = NULL;
    if (is_at_end(args))
        return NULL;
    if (!next_word(&args, word, sizeof word) || strcmp(word, "at") != 0)
        return "nothing but `at T` may follow the payload";
    args += strspn(args, " ");
    c->relative = *args == '+';
    return simtime_parse(args + c->relative, 1000000, &c->time, &why) == 0 ? NULL : why;
}

static bool begins_with_at(const char *args)
{
    char word[4];
    return next_word(&args, word, sizeof word) && !strcmp(word, "at");
}

static const char *inject(struct app *app, const char *args)
{
    struct command c = { .kind = COMMAND_MESSAGE_INJECT };
    struct json_text json;
    struct json_span value;
    char room[TYPE_ROOM];
    const char *why = read_ends(app, &args, &c);
    if (!why)
        why = read_type(&args, room, &c.type);
    if (why)
        return why;
    if (!is_at_end(args) && !begins_with_at(args)) {
        json_text_begin(&json, args, strlen(args));
        if (!json_text_value(&json, &value))
            return refuse(app, "the payload is not JSON: %s, at its column %zu", json.why,
                          json_text_column(&json) - strspn(args, " "));
        c.payload = (struct text){ value.s, value.len };
        args = json.at;
    }
    why = read_at(args, &c);
    if (!why)
        why = give(app, &c);
    if (!why)
        app_say(app, ROLE_INFO, "Injected a message from %s to %s, %.*s", app->scenario->nodes[c.src].id,
                app->scenario->nodes[c.dst].id, c.type.len < 40 ? (int)c.type.len : 40, c.type.s);
    return why;
}

static const char *read_loss(const char *word, double *loss)
{
    char *end;
    *loss = strtod(word, &end);
    bool good = end != word && !*end && *loss >= 0 && *loss <= 1 && strspn(word, "0123456789.eE-+") == strlen(word);
    return good ? NULL : "loss is a probability, from 0 to 1";
}

/* "latency T loss P", either alone, or both without their names. */
static const char *read_link(const char *args, struct command *c)
{
    char word[SIMTIME_TEXT];
    for (int place = 0; next_word(&args, word, sizeof word); place++) {
        const char *why = NULL;
        bool is_latency = !strcmp(word, "latency"), is_loss = !strcmp(word, "loss");
        if ((is_latency || is_loss) && !next_word(&args, word, sizeof word))
            return is_loss ? "loss needs a probability" : "latency needs a time";
        if (is_loss || (!is_latency && place == 1))
            why = read_loss(word, &c->loss);
        else if (is_latency || place == 0)
            simtime_parse(word, 1000000, &c->latency, &why);
        else
            why = "a link has latency and loss, and nothing else";
        if (why)
            return why;
    }
    return is_at_end(args) ? NULL : "that is no time and no probability";
}

static const char *change_link(struct app *app, const char *args)
{
    struct command c = { .kind = COMMAND_LINK, .latency = -1, .loss = -1 };
    char time[SIMTIME_TEXT];
    const char *why = read_ends(app, &args, &c);
    if (!why)
        why = read_link(args, &c);
    if (!why)
        why = give(app, &c);
    if (why)
        return why;
    session_link(app->session, c.src, c.dst, &c.latency, &c.loss);
    simtime_format(c.latency, time);
    app_say(app, ROLE_INFO, "From %s to %s: latency %s, loss %g", app->scenario->nodes[c.src].id,
            app->scenario->nodes[c.dst].id, time, c.loss);
    return NULL;
}

static const char *save_faults(struct app *app, const char *args)
{
    struct error err = { 0 };
    args += strspn(args, " ");
    if (!app->session)
        return refuse(app, "there is no run; {rerun} reads the file again");
    if (!*args)
        return "it takes the name of a file";
    int count = session_save_faults(app->session, args, &err);
    if (count < 0)
        return refuse(app, "%s", err.text);
    int lines = session_saved_lines(app->session);
    if (lines)
        app_say(app, ROLE_WARN,
                "Saved, but %d of %d changes %s typed to a UART: a scenario cannot say it, %s will differ", lines,
                count, lines == 1 ? "is a line" : "are lines", args);
    else
        app_say(app, ROLE_INFO, "Saved with %d change%s: lockstep --batch %s repeats this run", count,
                count == 1 ? "" : "s", args);
    return NULL;
}

const struct flight_command flight_commands[] = {
    { "drop", "ID", "a message in flight will not arrive", drop },
    { "delay", "ID T | ID to T", "it arrives so much later, or at a time", delay },
    { "copy", "ID", "it arrives once more", copy },
    { "edit", "ID JSON", "its payload is another one", edit },
    { "inject", "SRC DST TYPE [JSON] [at T]", "a new message arrives, now or at a time", inject },
    { "link", "SRC DST [latency T] [loss P]", "a link's latency and loss from now on", change_link },
    { "save-faults", "FILE", "what was done by hand, as a scenario that repeats it", save_faults },
};
const size_t flight_command_count = sizeof flight_commands / sizeof *flight_commands;

bool flight_is_prompt(enum prompt prompt)
{
    return prompt >= PROMPT_FLIGHT_DELAY && prompt <= PROMPT_FLIGHT_SAVE;
}

void flight_format(const struct app *app, struct buffer *out)
{
    unsigned long long id = app->flight.id;
    switch (app->prompt) {
    case PROMPT_FLIGHT_DELAY:
        buffer_format(out, "Delay message %llu by (100ms, or: to 2.5s): ", id);
        break;
    case PROMPT_FLIGHT_EDIT:
        buffer_format(out, "Payload of %llu: ", id);
        break;
    case PROMPT_FLIGHT_INJECT:
        buffer_text(out, "Inject SRC DST TYPE [JSON] [at T]: ");
        break;
    case PROMPT_FLIGHT_LINK:
        buffer_text(out, "Link SRC DST [latency T] [loss P]: ");
        break;
    default:
        buffer_text(out, "Save the scenario with what was done as: ");
        break;
    }
}

const char *flight_accept(struct app *app)
{
    struct buffer args = { 0 };
    const char *text = app->editor.text, *why = NULL;
    buffer_format(&args, "%llu %s", (unsigned long long)app->flight.id, text);
    if (app->prompt == PROMPT_FLIGHT_DELAY)
        why = delay(app, buffer_string(&args));
    else if (app->prompt == PROMPT_FLIGHT_EDIT)
        why = edit(app, buffer_string(&args));
    else if (app->prompt == PROMPT_FLIGHT_INJECT)
        why = inject(app, text);
    else if (app->prompt == PROMPT_FLIGHT_LINK)
        why = change_link(app, text);
    else if (app->prompt == PROMPT_FLIGHT_SAVE)
        why = save_faults(app, text);
    buffer_free(&args);
    return why;
}

static bool is_open(const struct app *app)
{
    enum pane_id top = app_top(app);
    return top == PANE_FLIGHT || top == PANE_MESSAGE;
}

/* The message that a key of the pane is for; false where there is none, which is said. */
static bool selected(struct app *app, struct session_message *m)
{
    if (!is_open(app)) {
        app_say(app, ROLE_WARN, "That is for a message in flight: {flight} shows them");
        return false;
    }
    if (pane_flight_selected(app->panes[PANE_FLIGHT], &app->flight.id) &&
        session_flight_find(app->session, app->flight.id, m))
        return true;
    app_say(app, ROLE_WARN,
            session_flight_count(app->session) ? "This message is in flight no more" : "Nothing is in flight");
    return false;
}

/* What only a paused run takes; else it is said why not. */
static bool can_change(struct app *app)
{
    struct session_status s = { .state = SESSION_LOADED };
    if (app->session)
        session_status(app->session, &s);
    if (s.is_past)
        app_say(app, ROLE_WARN, s.is_recorded ? "This run is recorded: nothing can be changed any more"
                                              : "Messages can be changed at the head of the run: {now} goes there");
    else if (s.state == SESSION_PAUSED)
        return true;
    else if (s.state == SESSION_RUNNING)
        app_say(app, ROLE_WARN, "Messages can be changed while the run is paused: {pause} pauses it");
    else if (!app->session)
        app_say(app, ROLE_WARN, "There is no run; {rerun} reads the file again");
    else if (session_state_over(s.state))
        app_say(app, ROLE_WARN, "The run is over; {rerun} starts it anew");
    else
        app_say(app, ROLE_WARN, "That is not possible while the run is %s", session_state_name(s.state));
    return false;
}

static void do_at_once(struct app *app, const char *(*run)(struct app *app, const char *args))
{
    char id[24];
    snprintf(id, sizeof id, "%llu", (unsigned long long)app->flight.id);
    const char *why = run(app, id);
    if (why)
        app_say(app, ROLE_WARN, "That cannot be done: %s", why);
}

static void ask_payload(struct app *app, const struct session_message *m)
{
    char text[sizeof app->editor.text];
    if (m->payload.len >= sizeof text) {
        app_say(app, ROLE_WARN, "A payload of %zu bytes is too long to be edited here", m->payload.len);
        prompt_refused(app, PROMPT_FLIGHT_EDIT);
        return;
    }
    snprintf(text, sizeof text, "%.*s", (int)m->payload.len, m->payload.len ? m->payload.s : "");
    prompt_open(app, PROMPT_FLIGHT_EDIT);
    editor_offer(&app->editor, text);
}

/* With the selected message's link, as it is. */
static void ask_link(struct app *app)
{
    struct session_message m;
    char text[240] = "", time[SIMTIME_TEXT];
    uint64_t id;
    simtime latency;
    double loss;
    prompt_open(app, PROMPT_FLIGHT_LINK);
    if (!is_open(app) || !pane_flight_selected(app->panes[PANE_FLIGHT], &id) ||
        !session_flight_find(app->session, id, &m) || !session_link(app->session, m.src, m.dst, &latency, &loss))
        return;
    simtime_format(latency, time);
    snprintf(text, sizeof text, "%s %s latency %s loss %g", app->scenario->nodes[m.src].id,
             app->scenario->nodes[m.dst].id, time, loss);
    editor_offer(&app->editor, text);
}

static void act_on_message(struct app *app, enum action action)
{
    struct session_message m;
    if (!can_change(app) || !selected(app, &m)) {
        if (action == ACTION_FLIGHT_DELAY || action == ACTION_FLIGHT_EDIT)
            prompt_refused(app, PROMPT_FLIGHT_DELAY);
        return;
    }
    switch (action) {
    case ACTION_FLIGHT_DROP:
        do_at_once(app, drop);
        break;
    case ACTION_FLIGHT_COPY:
        do_at_once(app, copy);
        break;
    case ACTION_FLIGHT_DELAY:
        prompt_open(app, PROMPT_FLIGHT_DELAY);
        break;
    default:
        ask_payload(app, &m);
        break;
    }
}

bool flight_act_key(struct app *app, enum action action)
{
    switch (action) {
    case ACTION_FLIGHT:
        if (app->session)
            app_toggle(app, PANE_FLIGHT);
        return true;
    case ACTION_FLIGHT_DROP:
    case ACTION_FLIGHT_DELAY:
    case ACTION_FLIGHT_COPY:
    case ACTION_FLIGHT_EDIT:
        act_on_message(app, action);
        return true;
    case ACTION_FLIGHT_INJECT:
    case ACTION_FLIGHT_LINK:
        if (!can_change(app))
            prompt_refused(app, PROMPT_FLIGHT_INJECT);
        else if (action == ACTION_FLIGHT_LINK)
            ask_link(app);
        else
            prompt_open(app, PROMPT_FLIGHT_INJECT);
        return true;
    case ACTION_FLIGHT_SAVE:
        prompt_open(app, PROMPT_FLIGHT_SAVE);
        return true;
    default:
        return false;
    }
}

void flight_show(struct app *app)
{
    struct session_message m;
    if (!app->session || !selected(app, &m))
        return;
    pane_message_show(app->panes[PANE_MESSAGE], m.id);
    app_open(app, PANE_MESSAGE);
}
