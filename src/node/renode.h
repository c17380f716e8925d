/* A node that is firmware in Renode: what driver_renode.c and the files renode_*.c share. */
#ifndef NODE_RENODE_H
#define NODE_RENODE_H

#include "node/child.h"
#include "node/external_control.h"
#include "node/monitor.h"
#include "node/protocol.h"
#include "node/tcp_client.h"
#include "node/uart_output.h"

/* What is asked of Renode, one thing at a time. */
enum renode_stage {
    RENODE_CONNECTING,  /* to its monitor */
    RENODE_SETTING_UP,  /* the commands of renode_setup */
    RENODE_HANDSHAKE,   /* with the External Control port */
    RENODE_READY,       /* nothing */
    RENODE_WRITING,     /* messages to its UART */
    RENODE_RUNNING,     /* time */
    RENODE_CHECKING,    /* what its clock says */
    RENODE_COUNTING,    /* how many instructions its processor has done */
    RENODE_QUITTING     /* to end */
};

struct renode;

/* A UART of its machine. */
struct renode_uart {
    struct renode *renode;
    const char *name; /* the scenario's */
    int fd;           /* what the firmware has written to it; -1: not there yet */
    struct uart_output output;
    struct buffer input; /* bytes for the firmware, written up to `written` */
    size_t written;
};

struct renode {
    struct node *node;
    struct child child;
    struct tcp_client monitor_client, control_client;
    struct monitor monitor;
    struct external_control control;
    enum renode_stage stage;
    bool by_monitor; /* time passes by the monitor's RunFor: there is no External Control port */
    int control_port;
    unsigned launches;      /* of this start */
    unsigned controls;      /* how often it was asked for an External Control port */
    bool port_is_taken;     /* its log says that somebody else has the monitor's port */
    struct buffer setup;    /* commands, each with its \n */
    size_t setup_at;        /* of the one that is asked */
    struct renode_uart *uarts; /* the first is the one that messages to the node are written to */
    int uart_count;
    struct buffer messages; /* of this quantum, as a JSON array */
    struct protocol protocol;
    bool has_clock;         /* `clock_us` is known */
    int64_t clock_us;       /* what its clock must say: its own time at the start, and all that was granted since */
    int64_t ran_us;         /* of the RunFor that is awaited */
    int64_t checked_us;     /* what it said when it was last looked at; -1: not yet */
    int64_t begun_us;       /* what it said at its start */
    int64_t ahead_us;       /* the quantum's virtual time minus the firmware's, whose 0 is its own start */
    bool checks_rest;       /* the check is of a node that stands still, not of a grant */
    struct error failure;   /* code is set: it has failed, and its clock is asked for before that is told … */
    int64_t failed_ns;      /* … since when */
    bool clock_is_told;     /* of the failure: there is nothing more to ask */
    bool counts;            /* its instructions are to be asked for … */
    bool cannot_count;      /* … which it has refused */
    int64_t counted_ns;     /* when they were last; 0: never */
    int64_t counted_us;     /* its clock then, and how many they were */
    uint64_t counted;
    double mips;            /* -1: not known */
    int64_t closed_ns;      /* when it closed a connection; 0: it has not */
    struct buffer log_rest; /* of its log: the line that has no end yet, or the end of that */
    char cpu_abort[200];    /* the line of its log that says that its processor has crashed; "" */
    bool abort_is_whole;    /* that line has its end */
    char log_error[200];    /* the last line of its log in this quantum that tells of an error; "" */
};

/* renode_start.c: its process and the commands that make its machine. */
int renode_launch(struct renode *r, struct error *err);
/* Its log has news. */
void renode_read_log(struct renode *r);
/* It is about to be said why it has failed: all that is there of its log is read. */
void renode_last_words(struct renode *r);
/* Adds what its log says of errors, if anything. */
void renode_add_log(const struct renode *r, struct error *err);
/* It has exited as its port was taken by somebody else in the meantime: it may be launched again, with another one. */
bool renode_may_launch_again(const struct renode *r);
/* Whether it is our Renode to which the monitor's connection goes. */
bool renode_is_ours(const struct renode *r);
/* The command that is asked, cut to what fits; "" behind the last. */
void renode_command(const struct renode *r, char *out, size_t size);
/* Asks the command at setup_at; false behind the last. */
bool renode_ask_setup(struct renode *r);
/* Its reply is there. Returns 1 where all are done, 0 to go on, -1 with *err set. */
int renode_take_setup(struct renode *r, struct error *err);
void renode_ask(struct renode *r, const char *commands, size_t len); /* of the monitor */

/* renode_time.c: what is asked of it while it stands still, and to let its time pass. */
#define RENODE_LAST_WORDS_NS INT64_C(2000000000) /* how long it is waited for what tells more of a failure */
void renode_write_or_run(struct renode *r); /* what is to be written to its UARTs goes first */
int renode_time_has_passed(struct renode *r, struct error *err);
void renode_ask_clock(struct renode *r);
int renode_take_clock(struct renode *r, int64_t clock, struct error *err); /* which must be as it was granted */
void renode_check(struct node *n); /* has its clock looked at, at a barrier */
void renode_end(struct renode *r); /* the same before it is told to quit */
/* It has failed. Its clock may say why: where it can still be asked it is, which takes a moment. Then -1, with what it
 * says added to *err. */
int renode_fail(struct renode *r, struct error *err);
bool renode_processor(struct node *n, double *mips); /* the driver's */
void renode_take_count(struct renode *r);

/* renode_uart.c: what the firmware writes, and what is written to it. */
void renode_uarts_open(struct renode *r); /* the scenario's; what an earlier start left is closed */
void renode_uarts_close(struct renode *r);
/* Appends the commands after which Renode writes to files what the UARTs say; then these can be opened. -1 with *err
 * set. */
int renode_uarts_setup(const struct renode *r, struct buffer *out, struct error *err);
int renode_uarts_begin(struct renode *r, struct error *err);
/* What was written since the last time: messages go to r->messages, UART by UART, other lines to the log. */
int renode_uarts_read(struct renode *r, struct error *err);
/* The node is told to end, or has ended: what was written since goes to the log, messages too, and a line without an
 * end. */
void renode_uarts_end(struct renode *r);
/* A line for a UART of that name (NULL: the first), or no line (NULL). False: there is no such UART, or it has too
 * much. */
bool renode_uarts_type(struct renode *r, const char *name, const char *text);
/* Asks the monitor to write the next piece of input; false where nothing is left. */
bool renode_uarts_write(struct renode *r);

#endif
