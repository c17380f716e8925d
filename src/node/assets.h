/* What containers need of their engine besides themselves: images, networks, volumes. Each is looked for once, for all
 * nodes that name it; what is not there is made, for this run alone and marked as its own, and removed at the end. */
#ifndef NODE_ASSETS_H
#define NODE_ASSETS_H

#include "node/engine.h"

enum asset_kind { ASSET_IMAGE, ASSET_NETWORK, ASSET_VOLUME };
enum asset_state { ASSET_WORKING, ASSET_READY, ASSET_FAILED };

struct assets;
struct asset; /* lives as long as its assets */
struct assets *assets_new(struct engine *e, const struct scenario *s); /* both borrowed */
void assets_free(struct assets *a);

/* What node n needs under this name; begins to look for it. An image with docker.build_context is built. */
struct asset *assets_need(struct assets *a, enum asset_kind kind, const char *name, struct node *n);
/* Goes on with it, for some milliseconds at most; the nodes of the engine are ready when there is more to do.
 * ASSET_FAILED sets *err. */
enum asset_state asset_go_on(struct asset *x, struct error *err);
const char *asset_name(const struct asset *x);     /* once ready: as the engine knows it */
/* 1: it is known whether the engine has it, 0: not yet; -1 with *err set: it cannot be used. Nothing is made. */
int asset_check(struct asset *x, struct error *err);
const char *
asset_architecture(const struct asset *x);           /* of an image that was found or pulled: "arm64"; "": not known */
const char *asset_given_name(const struct asset *x); /* as in the scenario */
bool asset_is_ready(const struct asset *x);
/* Whether an answer of the engine is awaited that takes no time by itself; *what says to what: "create network net". */
bool asset_asks(const struct asset *x, char *what, size_t size);
const char *asset_progress(const struct asset *x); /* what is being done; "" where nothing is known */

/* Removes what was made, once no container needs it any more. To be called again until it is true: nothing of it is
 * left, or can be removed within some tries, or with `give_up` at all; that is told by engine_leave. A build that was
 * broken off may go on to the end of the step that runs: that is waited for as long as timeouts.stop. */
bool assets_end(struct assets *a, bool give_up);

#endif
