/* Reads values that are lists of texts or pairs of texts. All return false with the problem told. */
#ifndef SCENARIO_FIELD_LIST_H
#define SCENARIO_FIELD_LIST_H

#include "lockstep/scenario.h"
#include "scenario/schema.h"

bool field_read_list(const struct reader *r, enum field_kind kind, const struct tree *v, const struct place *place,
                     string_list *out);
bool field_read_pairs(const struct reader *r, const struct tree *v, const struct place *place, struct string_map *out);
bool field_read_ports(const struct reader *r, const struct tree *v, const struct place *place, struct string_map *out);
bool field_read_volumes(const struct reader *r, const struct tree *v, const struct place *place, string_list *out);

#endif
