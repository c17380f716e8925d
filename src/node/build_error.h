/* Why a build failed, so that who wrote the Dockerfile can act: engines say it in the words of what they are made of.
 */
#ifndef NODE_BUILD_ERROR_H
#define NODE_BUILD_ERROR_H

#include "lockstep/error.h"

/* Sets *err (EXIT_LAUNCH): "WHAT: STEP: MEANING (WORDS)". WHAT was asked for; STEP of the Dockerfile, "" where it is
 * not known; WORDS are the engine's, safe to show, without what is of no use to anybody: names of temporary folders,
 * dumps of data structures. Where they are no known ones they stand alone. */
void build_error_say(struct error *err, const char *what, const char *step, const char *words);

#endif
