/* The command line of check-node. */
#ifndef CHECK_WORDS_H
#define CHECK_WORDS_H

#include <stdbool.h>

#include "check/peer.h"

extern const char words_usage[];

struct words {
    enum transport transport;
    enum dialect dialect;
    int port; /* 0: not given */
    simtime timeout;
    bool verbose, help;
    char *config; /* as one line of JSON; NULL: not given */
    const char *type;
    struct samples samples;
    char **command;
};

/* Returns 0, or -1 with *err set; words_free in both cases. */
int words_parse(struct words *w, int argc, char **argv, struct error *err);
void words_free(struct words *w);

#endif
