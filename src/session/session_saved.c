/* What a person has done to the simulation in this run, kept as faults: what repeats it. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/memory.h"
#include "base/whole_file.h"
#include "scenario/emit_faults.h"
#include "session/session_state.h"

#define SAVED_HEAD "# Saved by lockstep: " /* a file that begins so may be replaced */

struct deed {
    struct scenario_fault *fault; /* of its own: it is pointed to; NULL: no fault says it */
    bool is_exact;
    char *note; /* what no fault says */
};

struct by_hand {
    struct deed *items;
    size_t count, capacity;
};

void saved_open(struct session *s)
{
    s->by_hand = mem_alloc(sizeof *s->by_hand);
}

void saved_close(struct session *s)
{
    struct by_hand *b = s->by_hand;
    for (size_t i = 0; b && i < b->count; i++) {
        if (b->items[i].fault) {
            free(b->items[i].fault->type);
            free(b->items[i].fault->payload);
        }
        free(b->items[i].fault);
        free(b->items[i].note);
    }
    if (b)
        free(b->items);
    free(b);
}

static struct deed *next_deed(struct session *s)
{
    struct by_hand *b = s->by_hand;
    b->items = mem_grow(b->items, b->count, &b->capacity, sizeof *b->items);
    b->items[b->count] = (struct deed){ 0 };
    return &b->items[b->count++];
}

/* A line that was typed to a UART: there is no fault for that. */
static void add_text(struct session *s, const struct command *c)
{
    struct buffer note = { 0 };
    char time[SIMTIME_TEXT];
    simtime_format(now_of(s), time);
    buffer_format(&note, "At %s a line was typed to %s, which a scenario cannot say: ", time,
                  s->scenario->nodes[c->node].id);
    json_quote(&note, c->text, strlen(c->text));
    next_deed(s)->note = mem_text(buffer_string(&note));
    buffer_free(&note);
}

const struct scenario_fault *saved_add(struct session *s, const struct scenario_fault *f, bool is_exact)
{
    struct scenario_fault *kept = mem_alloc(sizeof *kept);
    *kept = *f;
    kept->type = mem_text(f->type);
    kept->payload = mem_text(f->payload);
    *next_deed(s) = (struct deed){ .fault = kept, .is_exact = is_exact };
    return kept;
}

void saved_add_node(struct session *s, const struct command *c, bool is_exact)
{
    enum fault_action action = c->kind == COMMAND_NODE_STOP   ? FAULT_STOP
                               : c->kind == COMMAND_NODE_KILL ? FAULT_KILL
                                                              : FAULT_RESTART;
    if (c->kind == COMMAND_NODE_TEXT) {
        add_text(s, c);
        return;
    }
    saved_add(s,
              &(struct scenario_fault){ .at = now_of(s),
                                        .action = action,
                                        .node = c->node,
                                        .src = -1,
                                        .dst = -1,
                                        .latency = -1,
                                        .loss = -1,
                                        .to = -1,
                                        .by_user = true },
              is_exact);
}

int session_saved_lines(const struct session *s)
{
    int lines = 0;
    for (size_t i = 0; s->by_hand && i < s->by_hand->count; i++)
        lines += s->by_hand->items[i].note != NULL;
    return lines;
}

/* The text of the file: the effective scenario, whose last section are its faults, and what was done behind them. */
static void write_text(const struct session *s, struct buffer *out)
{
    const struct by_hand *b = s->by_hand;
    char time[SIMTIME_TEXT];
    simtime_format(now_of(s), time);
    buffer_format(out, SAVED_HEAD "a run of %s with what was done to it by hand, up to %s.\n", s->scenario->name, time);
    int lines = session_saved_lines(s);
    if (lines)
        buffer_format(
            out,
            "# lockstep --batch on this file does not repeat it: %d line%s typed to a UART %s missing, see the end.\n",
            lines, lines == 1 ? "" : "s", lines == 1 ? "is" : "are");
    else
        buffer_text(out, "# lockstep --batch on this file repeats it.\n");
    buffer_text(out, s->scenario->canonical);
    bool has_faults = false;
    for (size_t i = 0; i < b->count; i++)
        has_faults |= b->items[i].fault != NULL;
    if (has_faults && !s->scenario->fault_count)
        buffer_text(out, "faults:\n");
    for (size_t i = 0; i < b->count; i++) {
        if (b->items[i].note) {
            buffer_format(out, "  # %s\n", b->items[i].note);
            continue;
        }
        if (!b->items[i].is_exact)
            buffer_text(out, "  # Done before the node had answered: what it was about to send may differ.\n");
        faults_emit(s->scenario, b->items[i].fault, 1, out);
    }
}

/* Nothing but an earlier file of this kind may be in the way. */
static int check_way(const char *path, struct error *err)
{
    char head[sizeof SAVED_HEAD] = "";
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 && errno == ENOENT)
        return 0;
    bool is_own = fd >= 0 && read(fd, head, sizeof SAVED_HEAD - 1) == (ssize_t)sizeof SAVED_HEAD - 1 &&
                  !memcmp(head, SAVED_HEAD, sizeof SAVED_HEAD - 1);
    if (fd >= 0)
        close(fd);
    if (is_own)
        return 0;
    error_set(err, EXIT_USAGE, "%s is there already, and was not saved by lockstep; choose another name", path);
    return -1;
}

static int fail(struct error *err, const char *path)
{
    error_set(err, EXIT_LAUNCH, "%s cannot be written: %s", path, strerror(errno));
    return -1;
}

int session_save_faults(const struct session *s, const char *path, struct error *err)
{
    struct buffer text = { 0 };
    if (!s->by_hand) {
        error_set(err, EXIT_USAGE, "this is a recorded run: nothing was done to it by hand here");
        return -1;
    }
    if (check_way(path, err) < 0)
        return -1;
    write_text(s, &text);
    int result = whole_file_write(path, text.data, text.len) == 0 ? 0 : fail(err, path);
    buffer_free(&text);
    return result < 0 ? -1 : (int)s->by_hand->count;
}
