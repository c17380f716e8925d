#include "lockstep/session.h"

const char *node_state_name(enum node_state s)
{
    static const char *const names[] = {
        [NODE_LOADED] = "loaded", [NODE_STARTING] = "starting", [NODE_IDLE] = "idle",
        [NODE_BUSY] = "busy",     [NODE_PAUSED] = "paused",     [NODE_ENDING] = "ending",
        [NODE_FINISHED] = "finished", [NODE_FAILED] = "failed", [NODE_FROZEN] = "frozen",
    };
    return names[s];
}
