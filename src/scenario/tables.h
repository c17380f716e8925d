/* The tables of everything that a scenario may hold. */
#ifndef SCENARIO_TABLES_H
#define SCENARIO_TABLES_H

#include "lockstep/scenario.h"
#include "scenario/schema.h"

extern const struct table root_table;       /* struct scenario */
extern const struct table simulation_table; /* struct scenario */
extern const struct table network_table;    /* struct scenario */
extern const struct table node_table;       /* struct scenario_node */
extern const struct table docker_table;     /* struct scenario_node */

/* A link, a fault, a model's configuration and an ML section as they are written, ids not yet looked up. */
struct raw_link {
    char *src, *dst;
    simtime latency; /* -1: the network's default */
    double loss;     /* -1: likewise */
};
extern const struct table link_table;

struct raw_fault {
    simtime at, latency, duration; /* latency -1: unchanged */
    char *node;
    string_list link;
    int action;  /* enum fault_action; FAULT_LINK: not given */
    double loss; /* -1: unchanged */
    int by;      /* 1: by a person */
    uint64_t message; /* FAULT_NO_MESSAGE: not given */
    char *src, *dst, *type, *payload;
    simtime to; /* -1: not given */
};
#define FAULT_NO_MESSAGE UINT64_MAX
extern const struct table fault_table;

struct raw_model_config {
    simtime interval, processing_delay;
    simtime inference_delay;
    char *destination, *forward_to;
    bool reply;
};
extern const struct table sensor_table, gateway_table, cloud_table;

struct raw_ml {
    int placement;
    char *model_path;
    double threshold;
    simtime inference_delay; /* -1: by placement */
};
extern const struct table ml_table;         /* struct raw_ml */
extern const struct table ml_section_table; /* struct raw_ml */

/* The table of a built-in model's `config`. */
const struct table *model_table(enum builtin_model model);

#endif
