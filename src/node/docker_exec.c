/* Why a program that was to run by transport exec did not: the engine says so where the node's answers are expected. */
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "node/docker.h"

#define LOOK_MS 3000

bool docker_exec_hold(struct docker *d, const struct error *err)
{
    if (!*d->exec_id || d->channel.answers)
        return false;
    d->held = *err;
    d->node->must_look = true;
    docker_exec_ask(d);
    return true;
}

/* The exit code; -1 where it is not known, or there is none yet. */
static int exit_code(const struct docker *d)
{
    const struct http_answer *a = &d->exec_look.answer;
    return a->failure == HTTP_ANSWERED && a->status == 200 ? container_exec_code(&a->body) : -1;
}

/* What the engine wrote in place of the program: Docker as output, Podman as errors. */
static void say_unrun(struct docker *d, struct error *err)
{
    const char *program = d->node->spec->docker.exec[0], *said = d->exec_said;
    struct buffer safe = { 0 };
    utf8_escape(&safe, said, strcspn(said, "\n"));
    if (strstr(said, "no such file") || strstr(said, "not found"))
        error_set(err, EXIT_RUN_FAILED, "transport exec: the program %s is not in the image", program);
    else
        error_set(err, EXIT_RUN_FAILED, "transport exec: the program %s cannot be run: %s", program,
                  buffer_string(&safe));
    buffer_free(&safe);
}

void docker_exec_ask(struct docker *d)
{
    exchange_drop(&d->exec_look);
    buffer_format(&d->exec_look.path, "/exec/%s/json", d->exec_id);
    exchange_send(&d->exec_look, d->engine, "GET", LOOK_MS);
}

void docker_exec_say_end(const struct docker *d, struct error *err)
{
    char when[64];
    channel_doing(&d->channel, when, sizeof when);
    error_set(err, EXIT_RUN_FAILED, "transport exec: %s ended with exit code %d %s", d->node->spec->docker.exec[0],
              d->exec_code, when);
}

/* With its container it is killed, too, and that is the better cause. */
bool docker_exec_end(struct docker *d, bool late, struct error *err)
{
    d->exec_code = d->exec_look.done ? exit_code(d) : -1;
    bool is_killed = d->exec_code == 137 || d->exec_code == 143;
    if (d->exec_code < 0 || (is_killed && !late))
        return false;
    docker_exec_say_end(d, err);
    return true;
}

int docker_exec_judge(struct docker *d, struct error *err)
{
    const char *program = d->node->spec->docker.exec[0];
    stream_drain(&d->output);
    if (!d->exec_look.done)
        return 0;
    int code = exit_code(d);
    *err = (struct error){ 0 };
    if ((code == 126 || code == 127) && (strstr(d->exec_said, "exec failed") || strstr(d->exec_said, "cannot exec")))
        say_unrun(d, err);
    else if (code > 0)
        error_set(err, EXIT_RUN_FAILED, "transport exec: %s ended with exit code %d before it said READY: %s", program,
                  code, d->held.text);
    else
        *err = d->held;
    d->held = (struct error){ 0 };
    return -1;
}
