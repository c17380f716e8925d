/* A scenario as plain constant data, loaded from YAML and checked.
 *
 * The file format is described in the README and in lockstep(1). Three spellings are read (the canonical one, that of
 * xEdgeSim's loader and that of its harness report); all end in this one struct. */
#ifndef LOCKSTEP_SCENARIO_H
#define LOCKSTEP_SCENARIO_H

#include <stdbool.h>
#include <stdint.h>

#include "lockstep/error.h"
#include "lockstep/simtime.h"

enum tier { TIER_DEVICE, TIER_EDGE, TIER_CLOUD };
enum implementation { IMPLEMENTATION_MODEL, IMPLEMENTATION_PROCESS, IMPLEMENTATION_DOCKER, IMPLEMENTATION_RENODE };
enum network_model { NETWORK_DIRECT, NETWORK_LATENCY };
enum placement { PLACEMENT_NONE, PLACEMENT_EDGE, PLACEMENT_CLOUD };
enum on_failure { ON_FAILURE_ABORT, ON_FAILURE_CONTINUE, ON_FAILURE_RESTART };
enum transport { TRANSPORT_STDIO, TRANSPORT_TCP, TRANSPORT_UNIX, TRANSPORT_ATTACH, TRANSPORT_EXEC };
enum fault_action {
    FAULT_KILL, /* this and what follows: of a node */
    FAULT_PAUSE,
    FAULT_RESUME,
    FAULT_RESTART,
    FAULT_STOP,
    FAULT_DROP, /* this and what follows: of a message in flight */
    FAULT_DELAY,
    FAULT_COPY,
    FAULT_EDIT,
    FAULT_INJECT, /* a new message */
    FAULT_LINK
};
enum dialect { DIALECT_NODE, DIALECT_SERVICE };

/* The words of the file format, by the enums' values: "device", "model", "direct", … */
const char *tier_name(enum tier t);
const char *implementation_name(enum implementation i);
const char *network_model_name(enum network_model m);
const char *placement_name(enum placement p);
const char *on_failure_name(enum on_failure f);
const char *transport_name(enum transport t);

/* A list of strings, NULL-terminated; NULL: absent. */
typedef char **string_list;

/* A pair of `environment`, `volumes` as a map, …: a NULL-terminated pair of parallel lists. */
struct string_map {
    string_list keys, values;
};

/* The built-in behaviours; MODEL_NONE for nodes that bring their own. */
enum builtin_model { MODEL_NONE, MODEL_SENSOR, MODEL_GATEWAY, MODEL_CLOUD };

/* What the built-in models read from `config`; node indices are -1 where there is none. */
struct model_config {
    simtime interval;         /* sensor: between samples; default 1 s, > 0 */
    int destination;          /* sensor: node index; default the node `gateway`, else the first of type gateway */
    int forward_to;           /* gateway: where aggregates go; -1: nowhere */
    int readings_to;          /* gateway with placement cloud: where readings go (forward_to, else the first cloud) */
    simtime processing_delay; /* cloud: default 5 ms */
    bool reply;               /* cloud: answer with ACK */
    simtime inference_delay;  /* gateway and cloud with ml_inference: default 5 ms on the edge, 1 ms in the cloud */
};

/* Fields of `docker:`; text fields are NULL where absent. */
struct docker_config {
    char *image, *build_context, *dockerfile, *network, *engine;
    string_list command, exec;
    struct string_map ports; /* host port (or "") → container port */
    struct string_map environment;
    string_list volumes; /* "HOST:CONTAINER[:MODE]" */
    double cpus;         /* 0: no limit */
    int64_t memory;      /* bytes; 0: no limit */
    bool freeze;         /* paused while the run is paused; default true */
    struct {
        string_list command; /* NULL: none, the image's own counts */
        simtime interval, timeout;
        int retries;
    } healthcheck;
};

/* How virtual time passes in Renode: through its External Control port where it has one, else by commands of its
 * monitor; or by one of them in any case. */
enum time_control { TIME_CONTROL_AUTO, TIME_CONTROL_EXTERNAL, TIME_CONTROL_MONITOR };

/* Fields of a Renode node; NULL where absent. */
struct renode_config {
    char *platform, *firmware, *script, *uart, *program;
    string_list uarts; /* further ones */
    string_list setup;
    int monitor_port; /* 0: a free one */
    enum time_control time_control;
};

struct scenario_node {
    char *id;
    char *type; /* as written, aliases made canonical: "sensor" */
    enum tier tier;
    enum implementation implementation;
    enum builtin_model model; /* MODEL_NONE unless implementation is model */
    struct model_config model_config;
    char *config_json; /* `config` as one line of JSON, "{}" where absent; numbers as they were written */
    struct mark mark;  /* of the node in the file; the file's name belongs to the scenario */
    simtime timeout_start, timeout_step, timeout_stop;
    enum on_failure on_failure;
    int restart_max;
    simtime restart_backoff;
    enum transport transport;
    enum dialect dialect;
    string_list command; /* argument vector; NULL: none */
    int port;            /* 0: none */
    struct string_map environment;
    char *working_dir;
    int limit_open_files;     /* of a process; 0: the one that lockstep was started with */
    int64_t limit_file_size;  /* bytes that a file may have which it writes; 0: none */
    struct docker_config docker;
    struct renode_config renode;
};

struct scenario_link {
    int src, dst; /* node indices; one direction */
    simtime latency;
    double loss; /* 0 … 1 */
};

struct scenario_fault {
    simtime at;
    enum fault_action action;
    int node;           /* -1: of none */
    int src, dst;       /* of a link, of a new message; -1 otherwise */
    simtime latency;    /* -1: unchanged */
    double loss;        /* -1: unchanged */
    simtime duration;   /* `for`: of a link, 0: to the end; of a delay: by how much, 0: `to` says until when */
    bool by_user;       /* of a node or a link: recorded as if a person had done it */
    uint64_t message;   /* the id of a message in flight */
    simtime to;         /* of a delay and of a new message: when it arrives; -1: not given */
    char *type;         /* of a new message */
    char *payload;      /* one line of JSON, of a new message or a changed one; NULL: none */
};

/* A logistic regression: p = 1 / (1 + exp(-(sum of weights * (x - mean) / scale + bias))). */
struct ml_model {
    int features;
    char **names;
    double *mean, *scale, *weights;
    double bias;
};

struct ml_inference {
    enum placement placement; /* PLACEMENT_NONE: the section is absent */
    char *json;               /* the whole section as one line of JSON, for INIT */
    char *model_path;         /* as written; NULL where there is none */
    struct ml_model *model;   /* loaded, where model_path ends in .json; else NULL */
    double threshold;         /* default 0.5 */
};

struct scenario {
    char *name, *description; /* description may be NULL */
    char *file;               /* the path it was loaded from */
    char *base_dir;           /* absolute; relative paths start here */
    simtime duration, quantum;
    uint64_t seed; /* 0 … 2^63-1 */
    double pace;   /* 0: as fast as it goes */
    enum network_model network;
    simtime default_latency;
    double default_loss;
    int link_count;
    struct scenario_link *links; /* in file order */
    struct ml_inference ml;
    int node_count;
    struct scenario_node *nodes; /* in file order */
    int fault_count;
    struct scenario_fault *faults;
    char *canonical;  /* the effective scenario in canonical YAML; loading it gives this scenario again */
    char digest[65];  /* SHA-256, hex, of `canonical` without base_dir, pace and description, and of the loaded ML
                         model: of what decides the run */
    void *index;      /* of ids; for scenario_find_node */
};

/* A value that replaces or adds one of the file. `path` as in problems ("nodes[0].config.interval", or with an id:
 * "nodes.sensor1.config.interval"), `value` a YAML value; `origin` is the option, for messages: "--set", "--seed". */
struct scenario_override {
    const char *path, *value, *origin;
};

/* Whether the value of an override of a field of `simulation` is what that field holds: a time, a number, a seed. That
 * can be told before there is a scenario; whether the scenario allows it is for scenario_load to say. -1 with *err set
 * (EXIT_USAGE), its origin in front. */
int scenario_check_option(const struct scenario_override *o, struct error *err);

#define SCENARIO_MAX_BYTES (16u << 20) /* a larger file is refused */
#define SCENARIO_MAX_NODES 100000

/* Loads and checks a file. Every problem found is added to *problems, sorted by place; a scenario is returned when
 * none of them is an error, else NULL. Free it with scenario_free. */
struct scenario *scenario_load(const char *file, const struct scenario_override *overrides, size_t override_count,
                               struct problems *problems);
/* The scenario of a run that was recorded, from its run folder: without a look at the files, programs, ports and
 * engines of this machine, which need not be those of the run. */
struct scenario *scenario_load_recorded(const char *file, struct problems *problems);
void scenario_free(struct scenario *s); /* NULL is fine */

/* The index of a node by its id, or -1. */
int scenario_find_node(const struct scenario *s, const char *id);

#endif
