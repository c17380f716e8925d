/* Why a program that was to run by transport exec did not: the engine says so where the node's answers are expected. */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/utf8.h"
#include "node/docker.h"

#define LOOK_MS 3000

bool docker_exec_hold(struct docker *d, const struct error *err)
{
    if (!*d->exec_id || d->channel.answers)
        return false;
    d->held = *err;
    d->node->must_look = true;
    exchange_drop(&d->exec_look);
    buffer_format(&d->exec_look.path, "/exec/%s/json", d->exec_id);
    exchange_send(&d->exec_look, d->engine, "GET", LOOK_MS);
    return true;
}

/* The exit code; -1 where it is not known. */
static int exit_code(const struct docker *d)
{
    const char *why;
    const struct http_answer *a = &d->exec_look.answer;
    if (a->failure != HTTP_ANSWERED || a->status != 200)
        return -1;
    struct json *all = json_parse(a->body.data, a->body.len, &why);
    int code = (int)json_int64(json_get(all, "ExitCode"), -1);
    json_free(all);
    return code;
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
        error_set(err, EXIT_RUN_FAILED, "transport exec: the program %s cannot be run: %s", program, buffer_string(&safe));
    buffer_free(&safe);
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
        error_set(err, EXIT_RUN_FAILED, "transport exec: %s ended with exit code %d before it said READY: %s", program, code,
                  d->held.text);
    else
        *err = d->held;
    d->held = (struct error){ 0 };
    return -1;
}
