/* A moment: how a run and its nodes stood at a barrier, as far as that depends on virtual time. Everything is a number,
 * so that moments are compared, written and read by one rule. */
#ifndef TRACE_MOMENT_H
#define TRACE_MOMENT_H

#include <stdint.h>

#define MOMENT_CAUSE_MAX 240 /* bytes of a cause that are kept; events.jsonl has all of it */

enum moment_run_field {
    MOMENT_NOW,        /* virtual time, us */
    MOMENT_SKIPPED,    /* quanta so far that were skipped */
    MOMENT_RECORDS,    /* so far */
    MOMENT_MESSAGES,
    MOMENT_DROPPED,
    MOMENT_IN_FLIGHT,
    MOMENT_WARNINGS,
    MOMENT_INFERENCES, /* results of machine-learning inference so far, and their virtual latencies, us */
    MOMENT_INFERENCE_P50,
    MOMENT_INFERENCE_P99,
    MOMENT_INFERENCE_MAX
};
#define MOMENT_RUN_FIELDS 11

enum moment_node_field {
    MOMENT_STATE, /* enum node_state */
    MOMENT_NEXT,
    MOMENT_LAST_ACTIVE,
    MOMENT_EVENTS,
    MOMENT_IN,
    MOMENT_OUT,
    MOMENT_LOST,
    MOMENT_QUEUE,
    MOMENT_RESTARTS,
    MOMENT_METRICS, /* bytes of its metrics file */
    MOMENT_LOG      /* bytes of its log */
};
#define MOMENT_NODE_FIELDS 11

struct moment_run {
    int64_t v[MOMENT_RUN_FIELDS];
};

struct moment_node {
    int64_t v[MOMENT_NODE_FIELDS];
};

#endif
