/* The process of a node: what it writes is taken as the node's log, and how it ended is known. For the drivers that
 * have one. */
#ifndef NODE_CHILD_H
#define NODE_CHILD_H

#include "lockstep/loop.h"
#include "node/guard.h"
#include "node/node.h"
#include "node/pipes.h"

struct child {
    struct node *node;
    int log_fd; /* -1: none */
    struct loop_watch *log_watch;
    bool log_has_news;
    bool is_running; /* its process was asked for, and has not exited */
    bool is_there;   /* … and somebody is in its group */
    bool is_paused;
    bool has_exited;
    int status;      /* of the exit */
    int64_t exit_ns; /* when it was known */
    int refused;     /* errno: its command could not be run */
    char refused_what[GUARD_TEXT];
};

/* Begins anew; what an earlier start left open is closed, its last words in the log. */
void child_open(struct child *c, struct node *n);

/* As pipes_open, but for ours[2], the log, which is the child's. -1 with *err set. */
int child_open_pipes(struct child *c, int ours[3], int theirs[3], bool is_spoken_to, struct error *err);
/* Has the guard start it (guard_start) with these as stdin, stdout and stderr, and closes them. -1 with *err set. */
int child_start(struct child *c, int port, int theirs[3], struct error *err);

/* The driver's `news`: to be given all of them. */
void child_news(struct child *c, const struct guard_news *news);
/* Takes what it has written, a bounded piece of it; calls node_ready where there may be more. */
void child_read_log(struct child *c);
/* Takes the rest: what it wrote last says why it failed. */
void child_last_words(struct child *c);

/* Why it is not there any more, for messages; `when`: "while it …". child_say_refused only where c->refused is set. */
void child_say_exit(const struct child *c, const char *when, struct error *err);
void child_say_refused(const struct child *c, const char *program, struct error *err);
bool child_is_ended_from_outside(const struct child *c); /* by a signal that somebody sent */
/* The driver's `last_word`: not of what it was made to end by. */
bool child_last_word(const struct child *c, struct error *out);

void child_signal(struct child *c, int signal);
void child_pause(struct child *c, bool paused);
/* What of the driver's `end` is the same for all: it goes on where it stands still, then come the signals. How it is
 * asked to end, and how its input ends, is the driver's. */
void child_end(struct child *c, enum ending how);
void child_close(struct child *c);

#endif
