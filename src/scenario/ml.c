/* The ml_inference section, and the models that lockstep itself can run: logistic regressions in JSON. */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/hint.h"
#include "base/json.h"
#include "scenario/load.h"

#define MODEL_BYTES    (1u << 20)
#define MODEL_FEATURES 1000

static const char *section_name(enum placement p)
{
    return p == PLACEMENT_CLOUD ? "cloud_config" : "edge_config";
}

static void ml_tell(const struct load *l, enum severity severity, const char *field, const char *fmt, ...)
    LOCKSTEP_PRINTF(4, 5);

/* A problem of a field of the placement's section. */
static void ml_tell(const struct load *l, enum severity severity, const char *field, const char *fmt, ...)
{
    char text[1000];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    const char *section = section_name(l->s->ml.placement);
    const struct tree *ml = tree_get(l->root, "ml_inference");
    struct place top = { .key = "ml_inference" }, at = { .up = &top, .key = section };
    load_tell(l, severity, &ml_section_table, tree_get(ml, section), &at, field, "%s", text);
}

/* A file of the model's, whole. NULL with *why where it cannot be read. */
static char *read_file(const struct load *l, const char *path, size_t *len, const char **why)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    char *text = arena_alloc(l->scratch, MODEL_BYTES + 1);
    ssize_t n = 0;
    *len = 0;
    while (fd >= 0 && *len <= MODEL_BYTES && (n = read(fd, text + *len, MODEL_BYTES + 1 - *len)) > 0)
        *len += (size_t)n;
    *why = fd < 0 || n < 0 ? strerror(errno) : *len > MODEL_BYTES ? "larger than 1 MiB" : NULL;
    if (fd >= 0)
        close(fd);
    return *why ? NULL : text;
}

/* Numbers of a model, one for each feature; NULL with the problem told. */
static double *read_numbers(const struct load *l, const struct json *model, const char *name, size_t count)
{
    const struct json *list = json_get(model, name);
    double *out = arena_alloc(l->arena, count * sizeof *out);
    bool good = list && json_kind(list) == JSON_ARRAY && json_count(list) == count;
    for (size_t i = 0; good && i < count; i++) {
        out[i] = json_double(json_at(list, i), NAN);
        good = isfinite(out[i]) && (strcmp(name, "scale") != 0 || out[i] != 0);
    }
    if (good)
        return out;
    ml_tell(l, SEVERITY_ERROR, "model_path", "the model's '%s' must be a list of %zu number%s%s, one for each feature",
            name, count, count == 1 ? "" : "s", strcmp(name, "scale") == 0 ? ", not 0" : "");
    return NULL;
}

static char **read_features(const struct load *l, const struct json *model, size_t *count)
{
    const struct json *list = json_get(model, "features");
    *count = list && json_kind(list) == JSON_ARRAY ? json_count(list) : 0;
    bool good = *count > 0 && *count <= MODEL_FEATURES;
    char **names = arena_alloc(l->arena, (*count + 1) * sizeof *names);
    for (size_t i = 0; good && i < *count; i++) {
        const char *name = json_string(json_at(list, i), "");
        names[i] = arena_text(l->arena, name, strlen(name));
        good = *name != '\0';
    }
    if (!good)
        ml_tell(l, SEVERITY_ERROR, "model_path",
                "the model's 'features' must be a list of 1 to %d names, for example "
                "[\"temperature\"]",
                MODEL_FEATURES);
    return good ? names : NULL;
}

static void read_logistic(const struct load *l, const struct json *model)
{
    struct ml_model *m = arena_alloc(l->arena, sizeof *m);
    const char *kind = json_string(json_get(model, "kind"), "");
    size_t count;
    if (strcmp(kind, "logistic") != 0) {
        ml_tell(l, SEVERITY_ERROR, "model_path", "the model's 'kind' must be \"logistic\", not \"%s\"",
                shown(kind).text);
        return;
    }
    m->names = read_features(l, model, &count);
    if (!m->names)
        return;
    m->features = (int)count;
    m->mean = read_numbers(l, model, "mean", count);
    m->scale = read_numbers(l, model, "scale", count);
    m->weights = read_numbers(l, model, "weights", count);
    m->bias = json_double(json_get(model, "bias"), NAN);
    if (!isfinite(m->bias))
        ml_tell(l, SEVERITY_ERROR, "model_path", "the model's 'bias' must be a number");
    l->s->ml.model = m;
}

static bool is_json_path(const char *path)
{
    size_t len = strlen(path);
    return len > 5 && strcmp(path + len - 5, ".json") == 0;
}

static void read_model(const struct load *l)
{
    const char *path = l->s->ml.model_path, *why;
    size_t len;
    if (!is_json_path(path)) {
        if (access(full_path(l, NULL, path), R_OK) != 0)
            ml_tell(l, SEVERITY_ERROR, "model_path", "cannot read the model '%s': %s", shown(path).text,
                    strerror(errno));
        return;
    }
    char *text = read_file(l, full_path(l, NULL, path), &len, &why);
    if (!text) {
        ml_tell(l, SEVERITY_ERROR, "model_path", "cannot read the model '%s': %s", shown(path).text, why);
        return;
    }
    struct json *model = json_parse(text, len, &why);
    if (!model)
        ml_tell(l, SEVERITY_ERROR, "model_path", "the model '%s' is no JSON: %s", shown(path).text, why);
    else
        read_logistic(l, model);
    json_free(model);
}

static void read_section(struct load *l, const struct tree *ml, enum placement placement, const struct place *top)
{
    struct tree *section = tree_get(ml, section_name(placement));
    struct place at = { .up = top, .key = section_name(placement) };
    struct raw_ml raw = { .inference_delay = -1 };
    struct reader reader = { .problems = l->problems, .arena = l->arena };
    bool chosen = placement == l->s->ml.placement;
    schema_defaults(&ml_section_table, l->scratch, &raw);
    if (section)
        schema_read(&reader, &ml_section_table, section, &at, &raw);
    else if (chosen)
        load_tell(l, SEVERITY_ERROR, &ml_table, ml, top, section_name(placement),
                  "is required with placement %s; add for example `%s: { model_path: models/anomaly.json }`",
                  placement_name(placement), section_name(placement));
    if (chosen && section) {
        l->s->ml.model_path = raw.model_path;
        l->s->ml.threshold = raw.threshold;
        l->ml_delay = raw.inference_delay;
    }
}

void ml_read(struct load *l)
{
    struct tree *ml = tree_get(l->root, "ml_inference");
    struct place top = { .key = "ml_inference" };
    struct raw_ml raw = { .placement = PLACEMENT_NONE };
    struct reader reader = { .problems = l->problems, .arena = l->scratch };
    l->ml_delay = -1;
    l->s->ml.threshold = 0.5;
    if (!ml)
        return;
    schema_read(&reader, &ml_table, ml, &top, &raw);
    if (ml->kind != TREE_MAP || raw.placement == PLACEMENT_NONE)
        return;
    l->s->ml.placement = (enum placement)raw.placement;
    read_section(l, ml, PLACEMENT_EDGE, &top);
    read_section(l, ml, PLACEMENT_CLOUD, &top);
    check_json(l, ml, &top);
    struct buffer json = { 0 };
    tree_json(&json, ml);
    l->s->ml.json = arena_text(l->arena, json.data, json.len);
    buffer_free(&json);
    if (l->s->ml.model_path && l->environment)
        read_model(l);
}

simtime ml_inference_delay(const struct load *l)
{
    if (l->ml_delay >= 0)
        return l->ml_delay;
    return l->s->ml.placement == PLACEMENT_CLOUD ? 1000 : 5000;
}

/* A built-in gateway that would send readings to a cloud, and finds none; -1 where there is none. */
static int lost_gateway(const struct load *l)
{
    for (int i = 0; i < l->s->node_count && l->s->ml.placement == PLACEMENT_CLOUD; i++)
        if (l->s->nodes[i].model == MODEL_GATEWAY && l->s->nodes[i].model_config.readings_to < 0 &&
            (l->s->nodes[i].model_config.forward_to >= 0 ||
             !tree_get(tree_get(l->nodes->items[i], "config"), "forward_to")))
            return i;
    return -1;
}

void ml_check(const struct load *l)
{
    const struct scenario *s = l->s;
    bool cloud = s->ml.placement == PLACEMENT_CLOUD;
    const char *kind = cloud ? "cloud" : "gateway";
    int all = 0, built_in = 0;
    for (int i = 0; i < s->node_count; i++) {
        bool would_run = s->nodes[i].type && strcmp(s->nodes[i].type, kind) == 0;
        all += would_run;
        built_in += would_run && s->nodes[i].model != MODEL_NONE;
    }
    if (s->ml.placement == PLACEMENT_NONE ||
        !tree_get(tree_get(l->root, "ml_inference"), section_name(s->ml.placement)))
        return;
    if (lost_gateway(l) >= 0)
        ml_tell(l, SEVERITY_ERROR, "",
                "gateway '%s' finds no cloud to send readings to; add a node of type cloud, or set "
                "config.forward_to",
                s->nodes[lost_gateway(l)].id ? s->nodes[lost_gateway(l)].id : "?");
    else if (!all)
        ml_tell(l, SEVERITY_WARNING, "", "there is no %s that would run the model; add a node of type %s", kind, kind);
    else if (built_in == all && !s->ml.model_path)
        ml_tell(l, SEVERITY_ERROR, "model_path", "is required; add for example `model_path: models/anomaly.json`");
    else if (built_in == all && s->ml.model_path && !is_json_path(s->ml.model_path))
        ml_tell(l, SEVERITY_ERROR, "model_path",
                "'%s' can only be run by nodes of your own; a built-in %s runs logistic models in .json files",
                shown(s->ml.model_path).text, kind);
}
