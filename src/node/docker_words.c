/* Why a container did not come to run its program, or has ended: in words for who wrote the scenario, the engine's
 * behind. */
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "node/docker.h"

#define SETTLES_NS  INT64_C(600000000) /* until it is known of one that was killed by whom, and whether it is removed */
#define PROGRAM_MAX 100 /* bytes of a program's name that are shown */

/* How runc, crun and the init program of Docker (tini) say that they could not run NAME: what is before it, and behind.
 */
static const struct {
    const char *before, *behind;
} sayings[] = {
    { "exec: \"", "\": " },
    { "executable file `", "` " },
    { "] exec ", " failed: " },
    { "exec /", ": " },
};

/* The name, safe to show. Returns the reason behind it; NULL: it is something else that is said. */
static const char *find_program(const char *text, struct buffer *name)
{
    for (size_t i = 0; i < sizeof sayings / sizeof sayings[0]; i++) {
        const char *begin = strstr(text, sayings[i].before), *end;
        if (!begin)
            continue;
        begin += strlen(sayings[i].before) - (sayings[i].before[strlen(sayings[i].before) - 1] == '/');
        end = strstr(begin, sayings[i].behind);
        if (!end || end == begin || memchr(begin, '\n', (size_t)(end - begin)))
            continue;
        utf8_escape(name, begin, (size_t)(end - begin) < PROGRAM_MAX ? (size_t)(end - begin) : PROGRAM_MAX);
        buffer_string(name);
        return end + strlen(sayings[i].behind);
    }
    return NULL;
}

static bool has(const char *text, const char *words)
{
    return strcasestr(text, words) != NULL;
}

/* What is wrong with the program, and what to do; NULL: that is not known. */
static const char *what_is_wrong(const char *reason, const char *text)
{
    bool is_looked_for = strstr(text, "exec: \"") || strstr(text, "file `"); /* by its name alone */
    if (has(reason, "exec format error"))
        return "is no program that this machine can run: it was made for another, or is a script without #! in its "
               "first line";
    if (has(reason, "permission denied"))
        return "may not be run: it is a folder, or lacks the x permission";
    if (!has(reason, "no such file") && !has(reason, "not found"))
        return NULL;
    if (is_looked_for)
        return "is not in it";
    return strstr(text, "] exec ")
               ? "(or what it needs: the interpreter behind its #!, its dynamic loader) is not in it"
               : "is in it, but not what it needs: the interpreter behind its #!, its dynamic loader";
}

/* An image of another architecture explains all of these. */
static bool say_foreign(const struct docker *d, const char *said, struct error *err)
{
    const char *image = asset_architecture(d->image), *machine = d->engine->architecture;
    if (engine_may_run(d->engine, image))
        return false;
    error_set(err, EXIT_RUN_FAILED,
              "its image %s is for %s, and the engine's machine is %s; take or build one for %s, or let "
              "the machine run programs of %s (qemu-user with binfmt_misc) (%s)",
              d->node->spec->docker.image, image, machine, machine, image, said);
    return true;
}

bool docker_say_unrun(const struct docker *d, const char *text, const char *said, struct error *err)
{
    struct buffer name = { 0 };
    const struct docker_config *c = &d->node->spec->docker;
    const char *reason = d->image ? find_program(text, &name) : NULL, *wrong = NULL;
    bool known = reason && say_foreign(d, said, err);
    if (reason && !known)
        wrong = what_is_wrong(reason, text);
    if (wrong)
        error_set(err, EXIT_RUN_FAILED, "image %s: the program %s %s; correct %s, or build another image (%s)",
                  c->image, name.data, wrong,
                  c->command ? "docker.command" : "the image's CMD or ENTRYPOINT, or set docker.command", said);
    buffer_free(&name);
    return known || wrong;
}

/* The first line of what it wrote that tells of that. */
static bool say_by_log(const struct docker *d, const char *when, struct error *err)
{
    struct buffer text = { 0 }, line = { 0 };
    char said[400];
    const char *at;
    buffer_text(&text, d->state.why);
    buffer_text(&text, "\n");
    buffer_add(&text, d->node->tail.data, d->node->tail.len);
    at = strstr(buffer_string(&text), "exec ");
    while (at && at > text.data && at[-1] != '\n')
        at--;
    if (at)
        utf8_escape(&line, at, strcspn(at, "\n"));
    snprintf(said, sizeof said, "its container ended with exit code %d %s: %s", d->state.exit_code, when,
             buffer_string(&line));
    bool known = at && docker_say_unrun(d, at, said, err);
    buffer_free(&text);
    buffer_free(&line);
    return known;
}

/* Of one that has just ended there may be more to know: by whom it was killed, and whether it is being removed, as
 * engines tell that a little later; and what it said last. */
int64_t docker_settled_ns(const struct docker *d)
{
    if (d->node->ending != END_NOT)
        return d->seen_ns;
    if (container_was_killed(&d->state))
        return d->seen_ns + SETTLES_NS;
    return d->seen_ns + (d->is_ready || stream_is_silent(&d->output) ? 0 : DOCKER_ENDS_NS);
}

void docker_say_end(const struct docker *d, struct error *err)
{
    char when[64];
    int code = d->state.exit_code;
    enum container_killer killer = d->node->was_killed            ? KILLER_SOMEONE
                                   : engine_is_heard(d->engine) ? KILLER_UNHEARD_OF
                                                                : KILLER_NOT_KNOWN;
    channel_doing(&d->channel, when, sizeof when);
    if (!d->is_ready && (code == 1 || code == 126 || code == 127) && say_by_log(d, when, err))
        return;
    container_say_end(&d->state, d->node->spec, killer, when, err);
}

/* The name of a container is the run's own, but nobody keeps others from taking it. */
static bool say_taken(const struct docker *d, const char *said, struct error *err)
{
    if (d->step != DOCKER_CREATE || !strstr(said, "name") || !strstr(said, "already in use"))
        return false;
    error_set(err, EXIT_RUN_FAILED,
              "another container on the engine has its name, %s; remove that one, or start the run again, "
              "for which it has another name (%s)",
              d->name, said);
    return true;
}

void docker_explain(const struct docker *d, struct error *err)
{
    struct error why = *err;
    *err = (struct error){ 0 };
    if ((d->step == DOCKER_START || d->step == DOCKER_ATTACH) && docker_say_unrun(d, why.text, why.text, err))
        return;
    if (say_taken(d, why.text, err))
        return;
    *err = why;
    engine_advise(err);
}
