/* What a plain YAML scalar is: null, a boolean, a number or text, as YAML 1.1 resolves it (PyYAML's rules), and JSON's
 * numbers besides. */
#ifndef SCENARIO_SCALAR_H
#define SCENARIO_SCALAR_H

#include "scenario/tree.h"

/* Sets kind, truth and number of a scalar whose text and len are set. */
void scalar_resolve(struct arena *arena, struct tree *t);

#endif
