/* A record: something that happened, as plain values, and the sinks that take records. */
#ifndef LOCKSTEP_RECORD_H
#define LOCKSTEP_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "lockstep/error.h"
#include "lockstep/simtime.h"

/* The names are those of events.jsonl: record_kind_name. */
enum record_kind {
    RECORD_RUN,     /* first of a run */
    RECORD_MESSAGE, /* a node sent a message */
    RECORD_LOCAL,   /* a node reported an event without destination */
    RECORD_DROP,    /* a message will not arrive */
    RECORD_NODE,    /* a node's state changed at a barrier */
    RECORD_LINK,    /* a link changed */
    RECORD_COMMAND, /* a person or script changed the simulation */
    RECORD_WARNING, /* something was amended or cut */
    RECORD_END      /* last of a run */
};
#define RECORD_KINDS 9
const char *record_kind_name(enum record_kind kind);

/* Borrowed text with its length; not NUL-terminated. {0} is the empty text. */
struct text {
    const char *s;
    size_t len;
};

static inline bool text_is(struct text t, const char *s)
{
    return t.len == strlen(s) && memcmp(t.s, s, t.len) == 0;
}

/* All kinds share one flat struct; a field that a kind does not use is zero. Every pointer is borrowed and good for
 * the call that passes the record. */
struct record {
    uint64_t n; /* serial within the run, from 0; given by the bus */
    simtime t;  /* when it happened; of a message: when it was sent */
    enum record_kind kind;
    int src_node, dst_node;  /* message, drop, local, link, node: indices; -1 where there is none */
    uint64_t id;             /* message, drop: serial of the message, from 0 */
    struct text src, dst;    /* message, link (and src of local): node ids; node: src is the node */
    struct text type;        /* message, local */
    uint64_t size;           /* message: bytes on the network */
    struct text payload;     /* message, local: one line of JSON; empty where there is none */
    simtime due;             /* message: when it reaches the node; SIMTIME_NEVER: never */
    simtime latency;         /* message: due - t; local results of inference: since the sample; else -1 */
    double loss;             /* link: probability */
    struct text cause;       /* drop: reason; node: cause; link: cause; command, warning: text; end: cause */
    struct text state;       /* node: state; end: outcome */
    uint64_t quanta, messages, dropped, in_flight; /* end */
};

/* What a member of a payload, one that is an object, is asked to be. */
struct payload_member {
    struct text key;   /* .s NULL: nothing is asked for */
    double low, high;  /* a number between these, … */
    bool others_count; /* … or anything that is no number */
};

/* Takes records, in order, and learns of barriers. Sinks are called on one thread. A sink keeps its own failure and
 * tells it at the barrier. */
struct sink {
    void (*record)(struct sink *sink, const struct record *r);
    /* All records up to `now` were given. Returns -1 with *err set when the sink can take no more. May be NULL. */
    int (*barrier)(struct sink *sink, simtime now, struct error *err);
};

#endif
