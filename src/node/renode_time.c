/* Time of a node in Renode: it passes by RunFor, its clock is compared, and while it stands still what its processor
 * has done is counted. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "node/renode.h"

#define COUNT_NS INT64_C(1000000000) /* between two counts of instructions */

/* A quantum is one RunFor, also where no message can reach the node for many. A RunFor over several (with the lookahead
 * of Chandy, Misra and Bryant: the least latency of the links from and to the node) cannot give the same records: what
 * the UART's file holds at its end does not tell in which quantum a line ended. That is the time of a message that has
 * none, or one of an earlier quantum: (quantum 1 ms) a line with "time":3900 that ends at 3950 us is of 3900, one that
 * ends at 4050 us of 4999. It is also the barrier at which a breakpoint on the log stops. Nor is it known in which
 * quantum a processor crashed: its RunFor never returns. Either would need the firmware, or Renode, to say more. */
static void run(struct renode *r)
{
    char command[80];
    r->stage = RENODE_RUNNING;
    if (r->by_monitor) {
        snprintf(command, sizeof command, "emulation RunFor \"%" PRId64 ".%06" PRId64 "\"", r->ran_us / 1000000,
                 r->ran_us % 1000000);
        renode_ask(r, command, strlen(command));
        return;
    }
    external_control_run_for(&r->control_client.out, (uint64_t)r->ran_us);
    tcp_client_send(&r->control_client);
}

/* By the monitor also where the other port is of no use any more. */
void renode_ask_clock(struct renode *r)
{
    static const char command[] = "currentTime";
    enum external_control_kind last = r->control.kind;
    r->stage = RENODE_CHECKING;
    if (r->by_monitor || !r->control_client.is_open || last == EXTERNAL_CONTROL_FATAL ||
        last == EXTERNAL_CONTROL_VIOLATION) {
        renode_ask(r, command, sizeof command - 1);
        return;
    }
    external_control_get_time(&r->control_client.out);
    tcp_client_send(&r->control_client);
}

/* What is written to its UARTs goes first, while its time stands still. */
void renode_write_or_run(struct renode *r)
{
    if (renode_uarts_write(r))
        r->stage = RENODE_WRITING;
    else
        run(r);
}

/* What it costs is a look at the monitor while its time stands still; the firmware does not see it. */
static void count(struct renode *r)
{
    static const char command[] = "sysbus.cpu ExecutedInstructions";
    r->counts = false;
    r->counted_ns = clock_ns();
    r->stage = RENODE_COUNTING;
    renode_ask(r, command, sizeof command - 1);
}

static int finish_quantum(struct renode *r, struct error *err)
{
    struct node *n = r->node;
    if (renode_uarts_read(r, err) < 0)
        return -1;
    r->stage = RENODE_READY;
    r->protocol.expect = EXPECT_MESSAGES;
    n->answer.next = -1;
    n->clock = n->start_time + r->clock_us - r->begun_us;
    int result = protocol_take(&r->protocol, n, (struct text){ r->messages.data, r->messages.len }, err);
    if (result == 0 && r->counts)
        count(r);
    return result;
}

static void quit(struct renode *r)
{
    static const char command[] = "quit";
    r->stage = RENODE_QUITTING;
    renode_ask(r, command, sizeof command - 1);
}

/* Its clock and ours must agree. */
static int judge_clock(struct renode *r, int64_t clock, struct error *err)
{
    struct node *n = r->node;
    struct error why = { 0 };
    r->checked_us = clock;
    if (clock == r->clock_us)
        return r->failure.code ? -1 : 0;
    if (r->failure.code) {
        size_t len = strlen(r->failure.text);
        snprintf(r->failure.text + len, sizeof r->failure.text - len,
                 "; the clock of its Renode stands at %" PRId64 " us, and %" PRId64 " us were granted to it before",
                 clock, r->clock_us);
        return -1;
    }
    error_set(&why, EXIT_RUN_FAILED,
              "the clock of its Renode stands at %" PRId64 " us, and %" PRId64 " us were granted to it; something else "
              "let its time pass, or stopped it",
              clock, r->clock_us);
    r->clock_is_told = true;
    if (n->ending != END_NOT && !n->breach.code)
        n->breach = why;
    *err = why;
    return n->ending != END_NOT ? 0 : -1;
}

/* It stands still at a barrier. Where its instructions are being counted it is asked behind that. */
void renode_check(struct node *n)
{
    struct renode *r = n->state;
    if (!r || !r->has_clock || (r->stage != RENODE_READY && r->stage != RENODE_COUNTING) || r->child.is_paused ||
        r->clock_is_told || r->checked_us == r->clock_us)
        return;
    n->is_checked = true;
    if (r->stage != RENODE_READY)
        return;
    r->checks_rest = true;
    renode_ask_clock(r);
}

/* Its clock is looked at once more before that. */
void renode_end(struct renode *r)
{
    renode_check(r->node);
    if (r->stage == RENODE_READY && r->monitor_client.is_open)
        quit(r);
}

/* It stands still: what has come up meanwhile is done. */
static void go_on(struct renode *r)
{
    struct node *n = r->node;
    bool is_checked = n->is_checked;
    r->stage = RENODE_READY;
    n->is_checked = false;
    if (n->ending != END_NOT)
        renode_end(r);
    else if (is_checked) /* behind a count */
        renode_check(n);
    else if (n->phase == NODE_BUSY) /* a grant came */
        renode_write_or_run(r);
}

void renode_take_count(struct renode *r)
{
    uint64_t count = 0;
    int64_t us = r->clock_us - r->begun_us;
    struct buffer why = { 0 };
    bool told = !monitor_error(&r->monitor.reply, &why, NULL) && monitor_number(&r->monitor.reply, &count);
    buffer_free(&why);
    r->cannot_count = !told; /* no processor of that name */
    r->mips = !told || count < r->counted || us <= r->counted_us
                  ? -1
                  : (double)(count - r->counted) / (double)(us - r->counted_us);
    r->counted = count;
    r->counted_us = us;
    go_on(r);
}

int renode_take_clock(struct renode *r, int64_t clock, struct error *err)
{
    struct node *n = r->node;
    if (!r->has_clock) {
        r->has_clock = true;
        r->clock_us = r->checked_us = r->begun_us = clock;
        n->clock = n->start_time;
        r->stage = RENODE_READY;
        n->activity = NULL;
        n->answer.next = -1;
        n->answer.done = true;
        return 0;
    }
    if (judge_clock(r, clock, err) < 0)
        return -1;
    if (!r->checks_rest)
        return finish_quantum(r, err);
    r->checks_rest = n->is_checked = false;
    go_on(r);
    return 0;
}

int renode_time_has_passed(struct renode *r, struct error *err)
{
    r->clock_us += r->ran_us;
    if (r->protocol.until < r->node->scenario->duration)
        return finish_quantum(r, err);
    renode_ask_clock(r); /* the last one */
    return 0;
}

/* It has failed. Its clock may say why, where it can still be asked; that is not waited for long. */
int renode_fail(struct renode *r, struct error *err)
{
    struct node *n = r->node;
    if (r->failure.code)
        *err = r->failure;
    if (r->failure.code || r->clock_is_told || !r->has_clock || !r->child.is_running || !r->monitor_client.is_open)
        return -1;
    r->failure = *err;
    error_clear(err);
    r->failed_ns = clock_ns();
    n->again_ns = r->failed_ns + RENODE_LAST_WORDS_NS;
    node_look(n, n->again_ns);
    renode_ask_clock(r);
    return 0;
}

bool renode_processor(struct node *n, double *mips)
{
    struct renode *r = n->state;
    if (!r || !r->has_clock)
        return false;
    bool moved = r->clock_us - r->begun_us != r->counted_us;
    if (moved && !r->cannot_count && !r->child.is_paused && clock_ns() >= r->counted_ns + COUNT_NS) {
        r->counts = true;
        if (r->stage == RENODE_READY && n->phase == NODE_IDLE && n->ending == END_NOT)
            count(r);
    }
    *mips = r->mips;
    return r->mips >= 0;
}
