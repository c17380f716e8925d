#include "node/engine_own.h"

#include <string.h>

#include "base/procfs.h"
#include "node/container.h"
#include "node/image_output.h"

#define BUILD_STEPS_MAX 1000
#define NO_NAME         "<none>:<none>"

void engine_own_free(struct engine_own *o)
{
    buffer_free(&o->named);
    buffer_free(&o->in_use);
    buffer_free(&o->others);
}

const char *engine_plain_id(const char *id)
{
    return id + (strncmp(id, "sha256:", 7) == 0 ? 7 : 0);
}

static const char *text_of(const struct json *item, const char *key)
{
    return json_string(json_get(item, key), "");
}

static const char *label_of(const struct json *item, const char *label)
{
    return json_string(json_get(json_get(item, "Labels"), label), NULL);
}

/* Docker writes both with "sha256:", Podman only one of them. */
static bool is_same(const char *id, const char *other)
{
    return *id && !strcmp(engine_plain_id(id), engine_plain_id(other));
}

/* One of the runs that are cleaned after. */
static bool is_meant(const struct engine_own *o, const char *run)
{
    return o->sweep->run ? !strcmp(run, o->sweep->run) : !procfs_identity_lives(run);
}

bool engine_own_thing(const struct engine_own *o, const struct json *item)
{
    const char *run = label_of(item, CONTAINER_LABEL_RUN), *host = label_of(item, CONTAINER_LABEL_HOST);
    if (!run || !host || strcmp(host, o->host) != 0)
        return false;
    return is_meant(o, run);
}

bool engine_own_container(const struct engine_own *o, const struct json *item)
{
    return label_of(item, CONTAINER_LABEL_NODE) && engine_own_thing(o, item);
}

bool engine_own_volume(const struct engine_own *o, const struct json *item)
{
    int start = 0, end = 0;
    char run[64];
    const char *name = text_of(item, "Name");
    if (label_of(item, CONTAINER_LABEL_RUN))
        return engine_own_thing(o, item);
    if (sscanf(name, "lockstep-%n%*[0-9]-%*[0-9]%n-", &start, &end) < 0 || !end || name[end] != '-' ||
        end - start >= (int)sizeof run)
        return false;
    snprintf(run, sizeof run, "%.*s", end - start, name + start);
    return is_meant(o, run);
}

/* --- Images --- */

bool engine_has_name(const struct json *image)
{
    return strcmp(json_string(json_at(json_get(image, "RepoTags"), 0), NO_NAME), NO_NAME) != 0;
}

/* "docker.io/library/HEX-tmp:latest", of 64 digits. */
static bool is_podmans_name(const char *name)
{
    const char *slash = strrchr(name, '/'), *digits = slash ? slash + 1 : name;
    size_t len = strspn(digits, "0123456789abcdef");
    return len == 64 && !strcmp(digits + len, "-tmp:latest");
}

/* That a step of a build does not have: of an image that is done, whoever gave it. */
static bool is_lasting_name(const char *name)
{
    return strcmp(name, NO_NAME) != 0 && !is_podmans_name(name);
}

static bool is_runs_name(const struct json *image, const char *name)
{
    const char *run = label_of(image, CONTAINER_LABEL_RUN);
    struct buffer own = { 0 };
    buffer_format(&own, "lockstep-%s:", run ? run : "");
    bool yes = run && strstr(name, buffer_string(&own));
    buffer_free(&own);
    return yes;
}

bool engine_own_name(const struct json *image, const char *name)
{
    return is_runs_name(image, name) || is_podmans_name(name);
}

static bool is_in(const struct buffer *ids, const char *id)
{
    struct buffer line = { 0 };
    buffer_format(&line, "%s\n", engine_plain_id(id));
    bool yes = *id && ids->len && strstr(ids->data, buffer_string(&line));
    buffer_free(&line);
    return yes;
}

void engine_own_note_names(struct engine_own *o, const struct json *images)
{
    for (size_t i = 0; i < json_count(images); i++) {
        const struct json *item = json_at(images, i), *names = json_get(item, "RepoTags");
        bool is_named = false;
        for (size_t k = 0; label_of(item, CONTAINER_LABEL_RUN) && k < json_count(names); k++)
            is_named |= is_lasting_name(json_string(json_at(names, k), NO_NAME));
        if (is_named && !is_in(&o->named, text_of(item, "Id")))
            buffer_format(&o->named, "%s\n", engine_plain_id(text_of(item, "Id")));
    }
    buffer_string(&o->named);
}

static const struct json *child_of(const struct json *images, const char *id)
{
    for (size_t i = 0; i < json_count(images); i++)
        if (is_same(text_of(json_at(images, i), "ParentId"), id))
            return json_at(images, i);
    return NULL;
}

static const struct json *image_with(const struct json *images, const char *id)
{
    for (size_t i = 0; *id && i < json_count(images); i++)
        if (is_same(text_of(json_at(images, i), "Id"), id))
            return json_at(images, i);
    return NULL;
}

/* A build of the run ends where its image has its name. What follows is of somebody who took that image to begin with,
 * and may have given it a name of theirs, so that it is there still. */
static bool is_made_of_a_named_one(const struct engine_own *o, const struct json *images, const struct json *item)
{
    for (int depth = 0; item && depth < BUILD_STEPS_MAX; depth++) {
        const char *parent = text_of(item, "ParentId");
        if (is_in(&o->named, parent))
            return true;
        item = image_with(images, parent);
    }
    return false;
}

bool engine_own_image(const struct engine_own *o, const struct json *images, const struct json *item)
{
    return engine_own_thing(o, item) && !is_made_of_a_named_one(o, images, item);
}

/* --- What a build leaves that has no label --- */

/* Whether it was noted with this mark; 0: with any. */
static bool is_noted(const struct engine_sweep *s, const char *id, char mark)
{
    for (size_t i = 0; *id && i < s->built_count; i++)
        if ((!mark || s->built[i][0] == mark) &&
            !strncmp(engine_plain_id(id), s->built[i] + 1, strlen(s->built[i] + 1)))
            return true;
    return false;
}

/* What a step of a build of the run has made: it was noted, or is newer than the run and made of what was noted. */
static bool is_of_a_build(const struct engine_sweep *s, const struct json *images, const struct json *item)
{
    for (int depth = 0; item && depth < BUILD_STEPS_MAX; depth++) {
        const char *parent = text_of(item, "ParentId");
        if (is_noted(s, text_of(item, "Id"), IMAGE_MADE))
            return true;
        if (engine_has_name(item) || json_int64(json_get(item, "Created"), 0) < s->since_s)
            return false;
        if (is_noted(s, parent, 0))
            return true;
        item = image_with(images, parent);
    }
    return false;
}

bool engine_own_leftover(const struct engine_own *o, const struct json *images, const struct json *item)
{
    return !engine_has_name(item) && is_of_a_build(o->sweep, images, item) && !child_of(images, text_of(item, "Id"));
}

bool engine_own_may_be_builder(const struct engine_own *o, const struct json *item)
{
    return json_int64(json_get(item, "Created"), 0) >= o->sweep->since_s && !label_of(item, CONTAINER_LABEL_NODE) &&
           !is_in(&o->others, text_of(item, "Id"));
}

/* "lockstep.RUN.HOST:ADDRESS", of a run that is meant, of this machine. */
static bool is_build_mark(const struct engine_own *o, const char *extra_host)
{
    char run[64] = "";
    struct buffer mark = { 0 };
    if (sscanf(extra_host, "lockstep.%63[0-9-].", run) != 1)
        return false;
    container_build_mark(&mark, run, o->host);
    size_t len = strcspn(extra_host, ":");
    bool yes = len == mark.len && !memcmp(mark.data, extra_host, len);
    buffer_free(&mark);
    return yes && is_meant(o, run);
}

bool engine_own_builder(struct engine_own *o, const struct json *container)
{
    const struct json *hosts = json_get(json_get(container, "HostConfig"), "ExtraHosts");
    for (size_t i = 0; i < json_count(hosts); i++)
        if (is_build_mark(o, json_string(json_at(hosts, i), "")))
            return true;
    buffer_format(&o->others, "%s\n", text_of(container, "Id"));
    buffer_string(&o->others);
    return false;
}

bool engine_own_step(const struct engine_own *o, const struct json *item)
{
    char image[ENGINE_SHORT_ID + 1];
    snprintf(image, sizeof image, "%s", engine_plain_id(text_of(item, "ImageID")));
    return !strcmp(text_of(item, "State"), "storage") && strlen(image) == ENGINE_SHORT_ID && is_in(&o->in_use, image);
}
