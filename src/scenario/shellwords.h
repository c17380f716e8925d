/* Splits a command line as a POSIX shell splits words: blanks, quotes and backslashes count, nothing is expanded. */
#ifndef SCENARIO_SHELLWORDS_H
#define SCENARIO_SHELLWORDS_H

#include "base/arena.h"
#include "lockstep/scenario.h"

/* NULL with *why set (static text) where a quote is open, or there is no word. */
string_list shellwords_split(struct arena *arena, const char *text, const char **why);

#endif
