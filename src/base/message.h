/* A message between nodes: what sim routes and drivers carry. */
#ifndef BASE_MESSAGE_H
#define BASE_MESSAGE_H

#include <stdbool.h>

#include "lockstep/record.h"

/* Destinations that are no node. */
enum { DESTINATION_NONE = -1 /* a local event */, DESTINATION_ALL = -2 /* "*" */, DESTINATION_UNKNOWN = -3 };

/* What a built-in model wants to know of a payload, so that it need not read JSON that another one wrote. */
struct reading {
    bool known;        /* the payload holds a reading */
    double value;      /* `temperature` */
    int64_t sample_id; /* `sample_id` */
};

struct message {
    struct message_pool *pool; /* that it goes back to; NULL: none */
    struct message *next_free; /* while it is there */
    simtime time;   /* sent; once the network has taken it: when it reaches its destination */
    simtime sent;   /* given by the coordinator */
    simtime origin; /* of the sample that it goes back to */
    uint64_t id;    /* given by the coordinator, and so are: */
    uint64_t record; /* the one that tells of it */
    uint64_t edit;   /* the one of the command that its payload is from; 0: from its sender */
    int src, dst;   /* node indices, or a DESTINATION */
    uint32_t size;  /* bytes on the network */
    simtime latency; /* local events that end a chain: since the sample; else -1 */
    struct reading reading;
    struct text type, unknown_dst, payload; /* static text, or inside this block */
    char text[];
};

/* Messages that were freed, kept for the next ones: a busy run makes and frees a million a second. It must outlive its
 * messages. */
struct message_pool *message_pool_new(void);
void message_pool_free(struct message_pool *p); /* NULL is fine */

/* A message with `room` bytes for texts of its own, from the pool where there is one. One owner; freed with
 * message_free. */
struct message *message_new(struct message_pool *pool, size_t room);
void message_free(struct message *m); /* NULL is fine */

/* Messages in a row; they own what they hold until it is taken. */
struct message_list {
    struct message **items;
    size_t count, capacity;
};
void message_list_add(struct message_list *list, struct message *m);
void message_list_free(struct message_list *list); /* and the messages in it */

#endif
