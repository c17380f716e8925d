#include "node/child.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

#define LOG_STEP   (64u << 10) /* bytes taken of a node's log before others get their turn */
#define LAST_STEPS 16          /* of its log, at most, before it is said to have failed */

static void note_log(void *data)
{
    struct child *c = data;
    c->log_has_news = true;
    node_ready(c->node);
}

static void close_log(struct child *c)
{
    loop_unwatch(c->log_watch);
    c->log_watch = NULL;
    if (c->log_fd >= 0)
        close(c->log_fd);
    c->log_fd = -1;
}

void child_open(struct child *c, struct node *n)
{
    if (c->node) {
        child_last_words(c);
        close_log(c);
    }
    *c = (struct child){ .node = n, .log_fd = -1 };
    n->tail.len = 0;
}

int child_open_pipes(struct child *c, int ours[3], int theirs[3], bool is_spoken_to, struct error *err)
{
    if (pipes_open(ours, theirs, is_spoken_to) < 0) {
        error_set(err, EXIT_RUN_FAILED, "cannot make the pipes to its process: %s", strerror(errno));
        return -1;
    }
    c->log_fd = ours[2];
    c->log_watch = loop_watch(c->node->host->loop, c->log_fd, LOOP_READ, note_log, c);
    return 0;
}

int child_start(struct child *c, int port, int theirs[3], struct error *err)
{
    bool is_lost = guard_is_lost(c->node->host->guard);
    if (!is_lost)
        guard_start(c->node->host->guard, c->node->index, port, theirs);
    pipes_close(theirs, 3);
    if (is_lost) {
        error_set(err, EXIT_RUN_FAILED, "it cannot be started: the guard process of lockstep was ended from outside");
        return -1;
    }
    c->is_running = c->is_there = true;
    return 0;
}

/* Takes some of it; whether there may be more. */
static bool read_some(struct child *c)
{
    struct node *n = c->node;
    c->log_has_news = false;
    if (c->log_fd < 0)
        return false;
    buffer_grow(&n->log, LOG_STEP);
    ssize_t got = read(c->log_fd, n->log.data + n->log.len, LOG_STEP);
    if (got > 0) {
        node_keep_tail(n, n->log.data + n->log.len, (size_t)got);
        n->log.len += (size_t)got;
        return true;
    } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
        close_log(c);
    }
    return false;
}

void child_read_log(struct child *c)
{
    if (read_some(c))
        note_log(c);
}

void child_last_words(struct child *c)
{
    for (int i = 0; i < LAST_STEPS && read_some(c); i++)
        ;
}

void child_news(struct child *c, const struct guard_news *news)
{
    struct node *n = c->node;
    switch (news->kind) {
    case GUARD_STARTED:
        n->pid = news->pid;
        break;
    case GUARD_REFUSED:
        c->is_running = c->is_there = false;
        n->pid = 0;
        c->refused = news->error;
        snprintf(c->refused_what, sizeof c->refused_what, "%s", news->name);
        break;
    case GUARD_EXITED:
        c->is_running = false;
        c->has_exited = true;
        c->status = news->status;
        c->exit_ns = clock_ns();
        n->pid = 0;
        if (n->ending != END_NOT) /* it has ended as it was told; whom it left in its group need not be waited for */
            guard_signal(n->host->guard, n->index, SIGTERM);
        break;
    case GUARD_GONE:
        c->is_running = c->is_there = false;
        n->pid = 0;
        break;
    default:
        break;
    }
}

void child_say_exit(const struct child *c, const char *when, struct error *err)
{
    const char *name = WIFSIGNALED(c->status) ? sigabbrev_np(WTERMSIG(c->status)) : NULL;
    if (name)
        error_set(err, EXIT_RUN_FAILED, "its process was ended by SIG%s %s", name, when);
    else if (WIFSIGNALED(c->status))
        error_set(err, EXIT_RUN_FAILED, "its process was ended by signal %d %s", WTERMSIG(c->status), when);
    else
        error_set(err, EXIT_RUN_FAILED, "its process ended with exit code %d %s", WEXITSTATUS(c->status), when);
}

void child_say_refused(const struct child *c, const char *program, struct error *err)
{
    guard_say_refused(c->refused_what, c->refused, program, err);
}

bool child_is_ended_from_outside(const struct child *c)
{
    int signal = c->has_exited && WIFSIGNALED(c->status) ? WTERMSIG(c->status) : 0;
    return signal == SIGKILL || signal == SIGTERM || signal == SIGINT || signal == SIGHUP;
}

bool child_last_word(const struct child *c, struct error *out)
{
    if (!c->has_exited || child_is_ended_from_outside(c) || (WIFEXITED(c->status) && !WEXITSTATUS(c->status)))
        return false;
    if (WIFEXITED(c->status))
        error_set(out, EXIT_RUN_FAILED, "its process ended with exit code %d, not 0", WEXITSTATUS(c->status));
    else
        error_set(out, EXIT_RUN_FAILED, "its process was ended by SIG%s", sigabbrev_np(WTERMSIG(c->status)));
    return true;
}

void child_signal(struct child *c, int signal)
{
    guard_signal(c->node->host->guard, c->node->index, signal);
}

void child_pause(struct child *c, bool paused)
{
    c->is_paused = paused;
    child_signal(c, paused ? SIGSTOP : SIGCONT);
}

void child_end(struct child *c, enum ending how)
{
    if (c->is_there && how >= END_TERM)
        child_signal(c, how == END_TERM ? SIGTERM : SIGKILL);
    if (c->is_there && (how >= END_TERM || (how == END_ASK && c->is_paused)))
        child_signal(c, SIGCONT); /* one that stands still ends too */
    c->is_paused = false;
    if (how == END_KILL)
        child_close(c);
}

void child_close(struct child *c)
{
    close_log(c);
}
