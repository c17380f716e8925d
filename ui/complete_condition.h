/* What a condition may go on with, as far as that is known. */
#ifndef UI_COMPLETE_CONDITION_H
#define UI_COMPLETE_CONDITION_H

#include "lockstep/store.h"
#include "ui/command_line.h"

/* Where the words come from. Everything is borrowed. */
struct known {
    const struct scenario *scenario; /* ids of nodes; NULL: none */
    struct store *store;             /* types, causes and keys of payloads, of its first and last records; NULL: none */
    unsigned needs;                  /* of enum condition_needs: what the condition may ask for */
    bool is_break;                   /* words of a breakpoint may stand before it */
};

/* For the word that ends at byte `cursor` of the text. */
void condition_complete(const struct known *known, const char *text, size_t cursor, struct candidates *out);

#endif
