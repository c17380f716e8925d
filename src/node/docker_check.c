/* What an engine knows before anything is started: what it is itself, and the images that it has. */
#include <stdio.h>

#include "base/clock.h"
#include "node/docker.h"

static int say_late(const struct node *n, const char *what, struct error *err)
{
    double limit_s = (double)n->spec->timeout_start / 1e6;
    error_set(err, EXIT_LAUNCH, "no answer of the engine to '%s' within %g s", what, limit_s);
    return -1;
}

static int check(struct node *n, int64_t since_ns, struct error *err)
{
    struct engine *e = engines_of(n->host->engines, n->index);
    int64_t limit_ns = since_ns + n->spec->timeout_start * 1000;
    bool is_late = clock_ns() >= limit_ns;
    int met = engine_is_met(e, err);
    node_look(n, limit_ns);
    if (met < 0)
        return -1;
    if (!met) {
        engine_meet(e);
        return is_late ? say_late(n, "version", err) : 0;
    }
    if (n->spec->docker.build_context)
        return 1;
    int known = asset_check(assets_need(e->assets, ASSET_IMAGE, n->spec->docker.image, n), err);
    return !known && is_late ? say_late(n, "look for image", err) : known;
}

/* Of several that cannot be started the first is told, whichever engine was quicker. */
int docker_check(struct node *const *nodes, int count, int64_t since_ns, int *failed, struct error *err)
{
    int known = 1;
    for (int i = 0; i < count; i++) {
        struct error why = { 0 };
        int can = nodes[i]->driver == &driver_docker ? check(nodes[i], since_ns, &why) : 1;
        if (can < 0 && known) {
            *err = why;
            err->code = EXIT_LAUNCH;
            *failed = nodes[i]->index;
            return -1;
        }
        known &= can > 0;
    }
    return known;
}
