/* The built-in models: nodes that run inside the program, as events in virtual time. */
#ifndef NODE_MODELS_MODEL_H
#define NODE_MODELS_MODEL_H

#include "base/queue.h"
#include "node/node.h"

#define MODEL_QUEUE_MAX 1000000u /* own future events of one node */

struct model {
    struct node *node;
    const struct model_type *type;
    struct queue *queue; /* arrivals and own events; their data are messages (owned) or NULL */
    simtime until;       /* end of the quantum it works on */
    simtime earliest;    /* that what it sends may have: it was paused, and makes up for that time; 0: it was not */
    void *state;         /* the type's */
    struct buffer_number time; /* of the last row */
};

enum { MODEL_ARRIVAL = 0 /* other kinds of event are the type's own, from 1 */ };

struct model_type {
    const char *metrics_header; /* the first row, without its line end */
    size_t state_size;          /* zeroed */
    int (*start)(struct model *m, struct error *err);
    /* Handles an event at e->time. Owns e->data, a message or NULL. */
    int (*handle)(struct model *m, const struct event *e, struct error *err);
    void (*close)(struct model *m); /* frees what state points to; may be NULL */
};

extern const struct model_type model_sensor, model_gateway, model_cloud;

/* For the types: an own event; what is sent, and rows of metrics, at the time of the event that is handled. */
int model_schedule(struct model *m, simtime at, int kind, struct message *data, struct error *err);
/* A message of `size` bytes to node dst (or a DESTINATION), with a copy of the payload; type is static text. */
struct message *model_send(struct model *m, simtime now, int dst, const char *type, uint32_t size, const char *payload,
                           size_t len);
/* A row "TIME,NAME,": what follows is the caller's, with model_end_row at the end. */
struct buffer *model_row(struct model *m, simtime now, const char *name);
void model_end_row(struct model *m);

/* What the message holds: its reading, or what its JSON says; known is false where it holds none. */
struct reading model_reading(const struct message *m);

/* Machine-learning inference on a reading; the scenario's model must be loaded. */
double inference_probability(const struct ml_model *ml, const struct reading *r);
/* Whether this scenario has the built-in models infer at `where`. */
bool inference_at(const struct scenario *s, enum placement where);
/* At `now`, the result for a reading that came in `m`: the row, the local event with its latency, and the ALERT to the
 * sender where the probability is above the threshold. Returns -1 with *err set where the result is no number. */
int inference_finish(struct model *model, simtime now, const struct message *m, struct error *err);

/* The rows that gateway and cloud share. */
void model_process_row(struct model *m, simtime now, const struct reading *r);
void model_aggregate_row(struct model *m, simtime now, double mean, uint64_t count, double least, double most);
/* A reading cannot be read: told as a local event, so that it is not lost silently. */
void model_ignore(struct model *m, simtime now, const struct message *message, const char *why);

#endif
