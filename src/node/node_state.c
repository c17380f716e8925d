#include "lockstep/session.h"

#include "node/node.h"

const char *node_state_name(enum node_state s)
{
    static const char *const names[] = {
        [NODE_LOADED] = "loaded", [NODE_STARTING] = "starting", [NODE_IDLE] = "idle",
        [NODE_BUSY] = "busy",     [NODE_PAUSED] = "paused",     [NODE_ENDING] = "ending",
        [NODE_FINISHED] = "finished", [NODE_FAILED] = "failed", [NODE_FROZEN] = "frozen",
    };
    return names[s];
}

bool node_is_looked_at(const struct node *n)
{
    return n->is_checked && n->phase == NODE_IDLE;
}

/* One byte more than NODE_TAIL is kept, of what was longer: it tells whether a line begins behind it. */
void node_keep_tail(struct node *n, const char *text, size_t len)
{
    size_t kept = len <= NODE_TAIL ? len : NODE_TAIL + 1;
    buffer_add(&n->tail, text + (len - kept), kept);
    if (n->tail.len > NODE_TAIL + 1)
        buffer_drop(&n->tail, n->tail.len - (NODE_TAIL + 1));
}

const char *node_tail(struct node *n)
{
    const char *text = buffer_string(&n->tail);
    if (n->tail.len <= NODE_TAIL)
        return text;
    const char *newline = strchr(text, '\n');
    return newline && newline[1] ? newline + 1 : text + 1;
}

const char *node_state_word(enum node_state s)
{
    return s == NODE_FROZEN ? "left out" : s == NODE_FINISHED ? "ended" : node_state_name(s);
}
