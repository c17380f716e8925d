/* One quantum: all nodes that have something to do are granted it, those outside the program first, so that they run at
 * the same time; then their answers enter the network, in node order. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "session/session_state.h"

#define SPIN_NODES         4 /* so many that are awaited, or fewer, are asked for SPIN_NS before sleep … */
#define SPIN_NS            INT64_C(80000)
#define SPIN_PATIENCE      3  /* … but where that was in vain so often in a row, */
#define SPIN_PAUSE         32 /* only once in so many waits */
#define ROUND_MESSAGES_MAX 1000000u /* of all nodes in one quantum: they are in memory until its barrier */

/* That all messages of a quantum are in memory until its barrier has a limit. */
static bool count_sent(struct session *s, const struct node *n)
{
    s->sent += n->answer.sent.count;
    if (s->sent <= ROUND_MESSAGES_MAX)
        return true;
    struct error err = { 0 };
    error_set(&err, EXIT_RUN_FAILED,
              "nodes[%d] %s: with its messages there are more than %u in one quantum; choose a shorter quantum",
              n->index, n->spec->id, ROUND_MESSAGES_MAX);
    session_fail(s, &err);
    return false;
}

static void note_step(struct session *s, const struct node *n, uint64_t events_before, int64_t ns)
{
    s->timing[n->index].last_ns = ns;
    if (n->events != events_before || n->answer.next == NEXT_UNKNOWN)
        histogram_add(&s->timing[n->index].steps, (uint64_t)ns);
}

/* Runs node i, which is inside the program, until it has done its quantum or the deadline has come. Returns the time at
 * its end. */
static int64_t run_node(struct session *s, struct node *n, int64_t began, int64_t deadline)
{
    uint64_t events = n->events;
    struct error err;
    int64_t now;
    error_clear(&err);
    do {
        launcher_work(n, &err);
        now = clock_ns();
    } while (!n->answer.done && n->phase == NODE_BUSY && s->sent + n->answer.sent.count <= ROUND_MESSAGES_MAX &&
             now < deadline);
    s->timing[n->index].total_ns += now - began;
    note_step(s, n, events, now - began);
    return now;
}

/* What a node said enters the network; of one that has failed in this round, nothing. */
static void take_answer(struct session *s, struct node *n)
{
    struct message_list *sent = &n->answer.sent;
    struct buffer *warnings = &n->answer.warnings;
    if (n->phase == NODE_FAILED && !n->answer.done) { /* one that died behind its answer has answered */
        for (size_t i = 0; i < sent->count; i++)
            message_free(sent->items[i]);
    } else {
        for (size_t at = 0, end; at < warnings->len; at = end + 1) {
            end = (size_t)((char *)memchr(warnings->data + at, '\n', warnings->len - at) - warnings->data);
            coordinator_warn(s->coordinator, n->index, (struct text){ warnings->data + at, end - at });
        }
        coordinator_answered(s->coordinator, n->index, n->answer.next);
        for (size_t i = 0; i < sent->count; i++)
            coordinator_send(s->coordinator, sent->items[i]);
    }
    sent->count = 0;
    warnings->len = 0;
}

static int compare_indices(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

/* The nodes' answers enter the network, in node order; then the barrier. */
static void finish_round(struct session *s)
{
    if (s->remote_count) /* they were granted before the others */
        qsort(s->granted, (size_t)s->granted_count, sizeof *s->granted, compare_indices);
    for (int g = 0; g < s->granted_count; g++)
        take_answer(s, launcher_node(s->launcher, s->granted[g]));
    coordinator_end(s->coordinator);
    s->in_round = false;
    if (nodes_handle_failures(s) && session_keep_results(s) && s->until_record &&
        s->results.index.records >= s->until_record) {
        s->limit = now_of(s); /* something has happened: here the run pauses */
        s->until_record = 0;
    }
}

void round_begin(struct session *s)
{
    s->in_round = true;
    s->cursor = 0;
    s->granted_count = 0;
    s->sent = 0;
    s->remotes_granted = s->remote_count == 0;
    s->outstanding = 0;
}

/* Hands node i its messages and lets it go on. Returns whether it does; what fails is dealt with at the barrier. */
static bool grant(struct session *s, struct node *n)
{
    struct error err;
    error_clear(&err);
    s->granted[s->granted_count++] = n->index;
    coordinator_take(s->coordinator, n->index, &n->inbox);
    return launcher_grant(n, now_of(s), s->target, &err) == 0;
}

/* All that run outside the program are granted before any is waited for: they run at the same time. */
static void grant_remotes(struct session *s)
{
    s->remotes_granted = true;
    for (int r = 0; r < s->remote_count; r++) {
        struct node *n = launcher_node(s->launcher, s->remotes[r]);
        struct node_care *care = &s->care[n->index];
        if (n->phase != NODE_IDLE || !coordinator_must_grant(s->coordinator, n->index))
            continue;
        care->events = n->events;
        care->outstanding = grant(s, n);
        s->outstanding += care->outstanding;
    }
}

/* Looks which of those that are waited for have answered, or failed. With `ask` they are asked, else it is known from
 * what the loop has told. False where the run is over by that. */
static bool look_for_answers(struct session *s, bool ask)
{
    int left = s->outstanding;
    for (int r = 0; left > 0 && r < s->remote_count; r++) {
        struct node *n = launcher_node(s->launcher, s->remotes[r]);
        struct node_care *care = &s->care[n->index];
        if (!care->outstanding)
            continue;
        left--;
        if (ask)
            launcher_poll(n);
        if (n->phase == NODE_BUSY)
            continue;
        session_keep_log(s, n);
        int64_t ns = clock_ns() - n->asked_ns;
        care->outstanding = false;
        s->outstanding--;
        s->timing[n->index].total_ns += ns;
        note_step(s, n, care->events, ns);
        if (n->phase == NODE_FAILED ? !nodes_handle_failures(s) : !count_sent(s, n))
            return false;
    }
    return true;
}

/* To go to sleep and be woken costs more than a fast node's answer takes: a few that are still awaited are asked for a
 * moment before. Where that is in vain again and again it is left out most of the time. False where the run is over. */
static bool spin(struct session *s)
{
    if (s->outstanding > SPIN_NODES || (s->spins_lost >= SPIN_PATIENCE && ++s->spins_left_out < SPIN_PAUSE))
        return true;
    int64_t end = clock_ns() + SPIN_NS;
    s->spins_left_out = 0;
    do {
        if (!look_for_answers(s, true))
            return false;
    } while (s->outstanding && clock_ns() < end);
    s->spins_lost = s->outstanding ? s->spins_lost + 1 : 0;
    return true;
}

/* Runs the nodes inside the program, from `now` on the wall clock. True once all have done this quantum. */
static bool run_models(struct session *s, int64_t now, int64_t deadline)
{
    for (; s->cursor < s->scenario->node_count; s->cursor++) {
        if (now >= deadline)
            return false;
        struct node *n = launcher_node(s->launcher, s->cursor);
        if (n->driver->is_remote)
            continue;
        bool granted = n->phase == NODE_BUSY; /* in an earlier slice: its messages were taken then */
        if (!granted && (n->phase != NODE_IDLE || !coordinator_must_grant(s->coordinator, s->cursor)))
            continue;
        if (!granted) {
            s->granted_ns = now;
            granted = grant(s, n);
        }
        if (granted)
            now = run_node(s, n, now, deadline);
        if (n->phase == NODE_FAILED && !nodes_handle_failures(s))
            return false;
        if (n->phase == NODE_BUSY && s->sent + n->answer.sent.count <= ROUND_MESSAGES_MAX)
            return false;
        if (!count_sent(s, n))
            return false;
    }
    return true;
}

void round_go_on(struct session *s, int64_t now, int64_t deadline)
{
    if (!nodes_handle_failures(s))
        return;
    if (!s->remotes_granted)
        grant_remotes(s);
    if (!run_models(s, now, deadline) || !look_for_answers(s, false))
        return;
    if (s->outstanding && !spin(s))
        return;
    if (!s->outstanding && nodes_handle_failures(s)) /* one may have waited for the answers of others */
        finish_round(s);
}
