/* What an engine says while it builds or pulls an image: the body of the answer to POST /build and /images/create, a
 * stream of JSON objects. It comes in pieces that are cut anywhere.
 *
 * What was seen of Docker 20.10 and Podman 4.3 (both by API v1.41):
 * - Docker ends an object with \r\n, Podman with \n. `stream` holds any piece of the build's output: half a line, or
 *   several. Docker puts the output on stderr between \x1b[91m and \x1b[0m.
 * - A step is an object of its own: Docker "Step 2/3 : RUN false", its newline in the object behind it; Podman
 *   "STEP 2/3: RUN false\n", with several stages "[2/2] STEP 2/3: RUN false\n", and stages that nothing needs left out.
 * - `aux` {"ID": "sha256:…"}: Docker gives one for each stage, Podman one. The last is the image.
 * - A failed step is `error` and `errorDetail` {code, message} in an answer of status 200. Docker: "The command
 *   '/bin/sh -c false' returned a non-zero code: 1"; Podman, with a newline and no code: "building at STEP "RUN false":
 *   while running runtime: exit status 1". What Docker refuses at once (a syntax error, an image that no registry has)
 *   is {"message": …} with the status 400, 404 or 500; Podman refuses it in the stream with the status 200.
 * - Docker pulls with `status`, the layer's `id` and, while it is downloaded and extracted, `progressDetail` {current,
 *   total}, in a build, too. Podman says nothing of layers while it builds, and a failed pull in one object with an
 *   empty progressDetail. (A pull with Podman that succeeds was not seen.)
 * - An import (fromSrc) answers with the image's id as the `status`. */
#ifndef NODE_IMAGE_OUTPUT_H
#define NODE_IMAGE_OUTPUT_H

#include <stddef.h>

#include "base/buffer.h"
#include "lockstep/error.h"

#define IMAGE_OBJECT_MAX (1u << 20) /* bytes of one object */
#define IMAGE_LINE_MAX   16384u     /* bytes of a line of output; longer ones become several */
#define IMAGE_LAYERS_MAX 512        /* more are not counted */

struct image_output;

enum image_task { IMAGE_BUILD, IMAGE_PULL };

struct image_output *image_output_new(enum image_task task);
void image_output_free(struct image_output *o); /* NULL is fine */

/* Takes a piece of the answer. Returns -1 with *err set where it is not what an engine says. An error that the engine
 * reports is kept for image_output_end. */
int image_output_take(struct image_output *o, const char *s, size_t len, struct error *err);
/* The answer is over. Returns 0; -1 with *err set where the engine reported an error (its words, after the step that
 * was running), or where the answer is not whole. */
int image_output_end(struct image_output *o, struct error *err);

/* Lines for the log, each with its \n, safe to show. The caller takes them after each piece and sets len to 0. */
struct buffer *image_output_log(struct image_output *o);
/* What is being done, safe to show: "step 2 of 5: RUN make", "pulling layers 3 of 7, 41 %"; "" where nothing is known.
 * Good until the next call. */
const char *image_output_progress(struct image_output *o);
/* The images that steps of this build have made, which Docker keeps, without a name or a label, where the build does
 * not come to its end or has several stages; and those that it found and went on from: a mark, an id of
 * IMAGE_SHORT_ID characters, \n. The caller takes them after each piece and sets len to 0. */
#define IMAGE_SHORT_ID 12
#define IMAGE_MADE     '+'
#define IMAGE_FOUND    '='
struct buffer *image_output_made(struct image_output *o);
/* The error that the engine reported, in its words alone; "" where it did not. */
const char *image_output_words(struct image_output *o);
const char *image_output_step(struct image_output *o); /* that was running, as "STEP 2/3: RUN make"; "": none */
/* "sha256:…" of what was built or imported; "" where the engine has not said it, as after a pull. */
const char *image_output_id(const struct image_output *o);

#endif
