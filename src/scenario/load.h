/* One load of a scenario: what its steps share. Problems are told, never returned; a step works with what is there. */
#ifndef SCENARIO_LOAD_H
#define SCENARIO_LOAD_H

#include "scenario/tables.h"

struct load {
    struct scenario *s;
    struct arena *arena; /* the scenario's; `scratch` holds the tree and goes with the load */
    struct arena *scratch;
    struct problems *problems;
    const struct scenario_override *overrides;
    size_t override_count;
    bool environment; /* look at files, programs, ports and engines of this machine */
    struct tree *root;
    struct tree *nodes; /* a list; NULL where there is none */
    simtime ml_delay;   /* inference_delay of the ML section; -1: not given */
};

/* aliases.c: fields of the other spellings move to where the canonical one has them; a map of nodes becomes a list. */
void aliases_settle(struct load *l);

/* overrides.c */
void overrides_apply(struct load *l);

/* nodes.c */
void nodes_read(struct load *l);
void nodes_connect(struct load *l); /* models' configurations; after nodes_read and ml_read */
void nodes_defaults(struct arena *arena, struct scenario_node *n);
void nodes_fallbacks(struct scenario_node *n, bool port_given); /* those that depend on type and implementation */

/* network.c · faults.c */
void links_read(struct load *l);
void faults_read(struct load *l);
/* The list below a field, NULL where it is absent, empty or no list (which is told). */
const struct tree *load_list(const struct load *l, const struct tree *map, const char *name, const char *path);

/* ml.c */
void ml_read(struct load *l);
simtime ml_inference_delay(const struct load *l); /* of nodes that set none */
void ml_check(const struct load *l);              /* whether there are nodes that can run the model */

/* validate.c: checks across fields · ports.c: of those, ports · environment.c: checks against this machine */
void validate(struct load *l);
void ports_check(const struct load *l);
void environment_check(struct load *l);

/* emit.c: `canonical` and `digest` of a good scenario. */
void emit(struct load *l);

/* The place of node i: two places, the upper one kept by the caller. */
struct place node_place(const struct load *l, size_t i, struct place *nodes);

/* Tells a problem of a field below a map, at the field's value if it is there, else at what is nearest above it.
 * `field` is a path of canonical names ("docker.ports"), "" for the map itself. */
void load_tell(const struct load *l, enum severity severity, const struct table *table, const struct tree *map,
               const struct place *place, const char *field, const char *fmt, ...) LOCKSTEP_PRINTF(7, 8);
void node_tell(const struct load *l, enum severity severity, int node, const char *field, const char *fmt, ...)
    LOCKSTEP_PRINTF(5, 6);
void root_tell(const struct load *l, enum severity severity, const char *field, const char *fmt, ...)
    LOCKSTEP_PRINTF(4, 5);

/* The index of a node that a text names; -1 with the problem told ("node 'gatway' does not exist; …"). */
int find_node_or_tell(const struct load *l, const char *id, struct mark mark, const struct place *place);

/* Numbers that JSON cannot hold, below a value that is handed on as JSON. */
void check_json(const struct load *l, const struct tree *t, const struct place *place);

/* An absolute path from one that may start at `from` (base_dir where NULL); in the scratch arena. */
char *full_path(const struct load *l, const char *from, const char *path);

#endif
