/* The conversation with one process: INIT, quanta, and what is wrong with the answers. */
#ifndef CHECK_TALK_H
#define CHECK_TALK_H

#include "check/peer.h"
#include "node/protocol.h"

/* Something that a node did at some moment of some conversation: the first time counts. */
struct finding {
    bool found;
    struct buffer sent, came, what;
};

/* What is noticed in all conversations together. */
struct findings {
    struct finding time;   /* of a message is not in its quantum */
    struct finding source; /* of a message is not the node */
    struct finding past;   /* next_us before the target */
    struct finding early;  /* a message before the next_us that was promised */
    struct finding left;   /* processes that were left behind */
    bool says_next;
    struct buffer log; /* what a process that failed wrote last to stderr; else the last process that wrote some */
    bool log_of_failure;
};
void findings_free(struct findings *f);

enum fault { FAULT_NONE, FAULT_START, FAULT_WRONG, FAULT_LATE, FAULT_HELD, FAULT_HALF, FAULT_END };

struct talk {
    struct peer peer;
    struct subject *subject;
    struct findings *findings;
    struct node node;
    struct protocol protocol;
    bool is_open;
    simtime now;
    simtime promise; /* the next_us that it said last; -1: none */
    int64_t asked_ns, took_ns;
    struct buffer sent;    /* the last request */
    struct buffer came;    /* what came as answer, the beginning of it */
    size_t lines;          /* that came as answer */
    size_t answers;        /* whole ones, READY is the first */
    size_t samples;        /* messages of the user that were sent */
    size_t given;          /* messages of the last request, */
    size_t messages;       /* and of all that were answered */
    bool in_pieces;        /* the last request was sent so */
    bool has_wrong;        /* the last exchange failed by a line, */
    struct buffer wrong;   /* which is this one */
    enum fault fault;      /* of the last exchange, */
    struct error failure;  /* and in words */
    struct buffer *record; /* requests and answers go here too; NULL: they do not */
};

/* Starts a process, and says INIT with these (NULL: without). Returns whether READY came. */
struct hello {
    const char *config, *ml;
    uint64_t seed;
};
#define HELLO_PLAIN (&(struct hello){ .seed = 42 })
bool talk_open(struct talk *t, struct subject *s, struct findings *f, const struct hello *hello);
void talk_close(struct talk *t); /* ends the process at once, and frees; a talk that is not open is fine */

/* For the next ADVANCE. `time` is as the network gives it: not after the present. */
void talk_message(struct talk *t, simtime time, const char *type, const char *payload);
/* The next one of the messages that the user gave; where there are none, a plain one. */
void talk_sample(struct talk *t, simtime time);
bool talk_advance(struct talk *t, simtime quantum); /* whether a good answer came */
bool talk_advance_in_pieces(struct talk *t, simtime quantum);
/* Asks this process what the other one was asked last, and as that was. */
bool talk_repeat(struct talk *t, const struct talk *other);
bool talk_is_quiet(struct talk *t, int64_t ns); /* whether nothing more comes for so long */

/* The end. Returns whether its process ended in time; t->peer.status is then how. */
enum goodbye { GOODBYE_SHUTDOWN, GOODBYE_END_OF_INPUT };
bool talk_end(struct talk *t, enum goodbye how);

#endif
