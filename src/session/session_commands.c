/* What a person does to a node: at the next barrier, or, where it owes an answer, at once. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "session/session_state.h"

static const char *const command_words[] = {
    [COMMAND_NODE_STOP] = "stop",
    [COMMAND_NODE_KILL] = "kill",
    [COMMAND_NODE_RESTART] = "restart",
    [COMMAND_NODE_TEXT] = "uart",
};
static const char *const command_causes[] = { [COMMAND_NODE_STOP] = "stopped by the user",
                                              [COMMAND_NODE_KILL] = "killed by the user",
                                              [COMMAND_NODE_RESTART] = "restarted by the user" };

const char *commands_word(enum command_kind kind)
{
    return command_words[kind];
}

void commands_publish(struct session *s, const struct command *c)
{
    struct buffer text = { 0 };
    buffer_format(&text, "%s %s", command_words[c->kind], s->scenario->nodes[c->node].id);
    if (c->kind == COMMAND_NODE_TEXT) {
        buffer_format(&text, "%s%s: ", c->uart ? " " : "", c->uart ? c->uart : "");
        json_quote(&text, c->text, strlen(c->text));
    }
    coordinator_publish_command(s->coordinator, buffer_string(&text));
    buffer_free(&text);
}

/* Whether it is a line that this node can be given. */
static bool can_type(const struct session *s, const struct command *c)
{
    struct node *n = node_of(s, c->node);
    bool runs = n->phase == NODE_IDLE || n->phase == NODE_BUSY || n->phase == NODE_PAUSED;
    size_t len = c->text ? strlen(c->text) : COMMAND_TEXT_MAX + 1;
    if (!runs || !n->driver->type || len > COMMAND_TEXT_MAX || utf8_check(c->text, len) != len)
        return false;
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)c->text[i] < ' ' || c->text[i] == 0x7f)
            return false;
    return n->driver->type(n, c->uart, NULL);
}

/* A node that owes an answer may owe it for long: it is ended now, and at the barrier comes of that what was wanted. */
static bool end_now(struct session *s, const struct command *c)
{
    enum node_state phase = node_of(s, c->node)->phase;
    if (phase != NODE_BUSY && phase != NODE_STARTING)
        return false;
    s->care[c->node].command = *c;
    s->care[c->node].commanded = true;
    nodes_end(s, c->node, command_causes[c->kind], c->kind == COMMAND_NODE_STOP);
    return true;
}

/* A name as the scenario has it, which outlives the command. */
static const char *uart_of(const struct renode_config *r, const char *name)
{
    for (int i = 0; name && r->uarts && r->uarts[i]; i++)
        if (!strcmp(r->uarts[i], name))
            return r->uarts[i];
    return name ? r->uart : NULL;
}

bool commands_take(struct session *s, const struct command *c)
{
    bool moves = s->state == SESSION_PAUSED || s->state == SESSION_RUNNING;
    if (!moves || c->node < 0 || c->node >= s->scenario->node_count || s->command_count == SESSION_COMMANDS)
        return false;
    if (node_of(s, c->node)->phase == NODE_FROZEN && c->kind != COMMAND_NODE_RESTART)
        return false;
    if (c->kind == COMMAND_NODE_TEXT ? !can_type(s, c) : end_now(s, c))
        return c->kind != COMMAND_NODE_TEXT;
    s->command_texts[s->command_count] = mem_text(c->text);
    s->commands[s->command_count] = *c;
    s->commands[s->command_count++].uart = uart_of(&s->scenario->nodes[c->node].renode, c->uart);
    return true;
}

bool commands_act(struct session *s, const struct command *c)
{
    enum node_state phase = node_of(s, c->node)->phase;
    bool is_frozen = phase == NODE_FROZEN && c->kind == COMMAND_NODE_RESTART && !s->care[c->node].restarting;
    if (phase != NODE_IDLE && phase != NODE_PAUSED && !is_frozen)
        return false;
    if (c->kind == COMMAND_NODE_TEXT && !node_of(s, c->node)->driver->type(node_of(s, c->node), c->uart, c->text))
        return false;
    commands_publish(s, c);
    if (c->kind == COMMAND_NODE_STOP)
        nodes_stop(s, c->node, command_causes[c->kind]);
    else if (c->kind == COMMAND_NODE_KILL)
        nodes_end(s, c->node, command_causes[c->kind], false);
    else if (c->kind == COMMAND_NODE_RESTART)
        nodes_restart(s, c->node, command_causes[c->kind]);
    return true;
}

void commands_obey(struct session *s)
{
    bool goes_on = true;
    for (int i = 0; i < s->command_count; i++) {
        s->commands[i].text = s->command_texts[i];
        if (goes_on && commands_act(s, &s->commands[i]))
            saved_add_node(s, &s->commands[i], true);
        else if (goes_on && s->commands[i].kind == COMMAND_NODE_TEXT)
            nodes_warn(s, s->commands[i].node, "a line that was typed to %s is lost: the node does not take it now",
                       s->commands[i].uart ? s->commands[i].uart : "its UART");
        free(s->command_texts[i]);
        goes_on = goes_on && nodes_handle_failures(s);
    }
    s->command_count = 0;
}

void commands_close(struct session *s)
{
    for (int i = 0; i < s->command_count; i++)
        free(s->command_texts[i]);
}
