/* A node that is firmware in Renode: what driver_renode.c and renode_start.c share. */
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
    RENODE_CHECKING     /* what its clock says */
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
    struct buffer setup;    /* commands, each with its \n */
    size_t setup_at;        /* of the one that is asked */
    struct buffer input;    /* bytes for the UART, written up to input_at */
    size_t input_at;
    int uart_fd;            /* what the firmware has written; -1: not there yet */
    struct uart_output uart;
    struct buffer messages; /* of this quantum, as a JSON array */
    struct protocol protocol;
    bool has_clock;         /* `clock_us` is known */
    int64_t clock_us;       /* what its clock must say: its own time at the start, and all that was granted since */
    int64_t ran_us;         /* of the RunFor that is awaited */
    bool checks_rest;       /* the check is for a pause or the end, not of a grant */
    int64_t closed_ns;      /* when it closed a connection; 0: it has not */
    char cpu_abort[200];    /* the line of its log that says that its processor has crashed; "" */
};

/* renode_start.c: its process and the commands that make its machine. */
int renode_launch(struct renode *r, struct error *err);
/* The command that is asked, cut to what fits; "" behind the last. */
void renode_command(const struct renode *r, char *out, size_t size);
/* Asks the command at setup_at; false behind the last. */
bool renode_ask_setup(struct renode *r);
/* Its reply is there. Returns 1 where all are done, 0 to go on, -1 with *err set. */
int renode_take_setup(struct renode *r, struct error *err);
void renode_ask(struct renode *r, const char *commands, size_t len); /* of the monitor */

#endif
