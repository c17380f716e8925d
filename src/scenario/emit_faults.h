/* Faults as rows of the list `faults:`. */
#ifndef SCENARIO_EMIT_FAULTS_H
#define SCENARIO_EMIT_FAULTS_H

#include "base/buffer.h"
#include "lockstep/scenario.h"

/* A row a fault, as the canonical text has them: "  - { at: 3s, … }". Reading them gives the same faults again. */
void faults_emit(const struct scenario *s, const struct scenario_fault *faults, size_t count, struct buffer *out);

#endif
