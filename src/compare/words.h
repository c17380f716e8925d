/* What is said of two runs. Everything that comes from their files is escaped. */
#ifndef COMPARE_WORDS_H
#define COMPARE_WORDS_H

#include <stdio.h>

#include "compare/difference.h"

/* As text for people. */
void words_print(FILE *to, const struct difference *d, bool color);
/* One JSON object. */
void words_json(FILE *to, const struct difference *d);

#endif
