/* One process of the command that is checked: started, spoken to in bytes and lines, ended. Everything waits here. */
#ifndef CHECK_PEER_H
#define CHECK_PEER_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/buffer.h"
#include "lockstep/record.h"
#include "lockstep/scenario.h"
#include "node/guard.h"
#include "node/wire.h"

/* Messages that the node understands, as the user gave them. */
struct sample {
    char *type, *payload;
};
struct samples {
    struct sample *items;
    size_t count, capacity;
};

/* What is checked, and how; made once from the command line. */
struct subject {
    struct scenario *scenario;  /* owned: of two nodes, the one that is checked and one that messages come from */
    struct scenario_node *node; /* the first of them */
    const char *type;           /* of messages that are no samples */
    struct samples samples;     /* borrowed */
    bool any_port;              /* tcp: a free port for each process */
    bool verbose;
    int64_t limit_ns; /* until it is ready, and for one answer */
    int64_t stop_ns;  /* and until it has ended */
};

/* Why there is no process that can be spoken to, where there is none. */
enum trouble {
    TROUBLE_SYSTEM, /* the machine's */
    TROUBLE_COMMAND,
    TROUBLE_PORT,   /* somebody else listens there */
    TROUBLE_LISTEN, /* the node does not listen where it should */
    TROUBLE_ENDED   /* … and has ended */
};

struct peer {
    const struct subject *subject;
    struct guard *guard;       /* NULL: nothing was started */
    char *dir;                 /* its run folder; here is its Unix socket too */
    int in_fd, out_fd, log_fd; /* -1: none; of a socket in_fd is out_fd */
    struct wire in;
    struct buffer out; /* not sent yet from `sent` on */
    size_t sent;
    struct buffer log; /* the end of what it wrote to stderr */
    pid_t pid;
    bool is_answered; /* the guard has said what came of starting it */
    bool has_exited, is_gone, is_swept;
    bool is_closed;           /* its output has ended */
    int status;               /* of the exit */
    struct error refusal;     /* its command could not be run */
    enum trouble trouble;
    struct buffer listens;    /* where it listens instead: "127.0.0.1:6000, …" */
    int listens_port;         /* the first of them; 0: nowhere */
    int left;                 /* processes that it left behind, */
    struct buffer left_names; /* and their names and pids */
};

/* Starts the process and connects to it. Returns 0, or -1 with *err set; peer_close in both cases. */
int peer_open(struct peer *p, struct subject *s, struct error *err);
/* Ends it and all that is left of it, at once. What it wrote stays readable until peer_free. */
void peer_close(struct peer *p);
void peer_free(struct peer *p);

void peer_say(struct peer *p, const char *s, size_t len); /* sent as there is room, during waits */
void peer_close_input(struct peer *p);                    /* the node reads the end of input */
/* Waits for anything to happen, and takes it in. False: `until_ns` (clock_ns) has come. */
bool peer_wait(struct peer *p, int64_t until_ns);
bool peer_wait_exit(struct peer *p, int64_t until_ns);
/* Names the processes that are still there half a second after the node has ended. */
void peer_find_left(struct peer *p);

#endif
