/* lockstep_node: a small C library for those who write nodes. It speaks the node protocol (doc/nodes.md) over
 * stdin and stdout, TCP or a Unix socket, whichever lockstep asks for, in both dialects, and keeps the node's own
 * events and the messages that come in the order of their times. It needs libc and libm and nothing else.
 *
 * A node, whole. It reports its battery once a minute and answers every PING:
 *
 *     #include <lockstep/node.h>
 *
 *     static void init(struct lockstep_node *node)
 *     {
 *         lockstep_timer(node, 60000000, 0);
 *     }
 *     static void timer(struct lockstep_node *node, int64_t now, int kind, const void *data)
 *     {
 *         lockstep_send(node, "gateway", "BATTERY", 16, "{\"percent\":93}");
 *         lockstep_timer(node, now + 60000000, kind);
 *     }
 *     static void message(struct lockstep_node *node, int64_t now, const struct lockstep_message *m)
 *     {
 *         if (strcmp(m->type, "PING") == 0)
 *             lockstep_send(node, m->src, "PONG", 16, m->payload);
 *     }
 *     int main(void)
 *     {
 *         static const struct lockstep_behaviour battery = { .init = init, .timer = timer, .message = message };
 *         return lockstep_run(&battery, NULL);
 *     }
 *
 *     cc battery.c $(pkg-config --cflags --libs lockstep-node) -o battery
 *
 * Times are virtual: whole microseconds since the start of the run, 0 to LOCKSTEP_TIME_MAX. Text is UTF-8 and ends in a
 * NUL. What the library hands out is its own, and good until the callback returns unless it says otherwise; what it is
 * given it copies. One thread: call it from its callbacks only. Decimal points must stay points: leave LC_NUMERIC
 * alone. When the system has no memory left the library says so on stderr and aborts. */
#ifndef LOCKSTEP_NODE_H
#define LOCKSTEP_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define LOCKSTEP_NODE_PRINTF(format_at, arguments_at) __attribute__((format(printf, format_at, arguments_at)))
#else
#define LOCKSTEP_NODE_PRINTF(format_at, arguments_at)
#endif

#define LOCKSTEP_NEVER       INT64_MAX                 /* no next event */
#define LOCKSTEP_TIME_MAX    INT64_C(9007199254740991) /* 2^53-1 us, about 285 years */
#define LOCKSTEP_EVENTS_MAX  1000000u                  /* timers and messages that may wait at once */
#define LOCKSTEP_ANSWER_MAX  100000u                   /* messages in one answer */
#define LOCKSTEP_LINE_MAX    (16u << 20)               /* bytes of a line, its newline not counted */
#define LOCKSTEP_JSON_DEPTH  64                        /* arrays and objects inside one another */
#define LOCKSTEP_NUMBER_TEXT 32                        /* bytes that hold any text of lockstep_number */

struct lockstep_node; /* the node, while lockstep_run runs */

/* A message that another node sent to this one. */
struct lockstep_message {
    int64_t time;        /* when it arrives */
    const char *type;    /* "TRANSMIT" */
    const char *src;     /* the sender's id; "" where it was not said */
    const char *payload; /* JSON on one line, its numbers as the sender wrote them; "null" where there is none */
    int64_t size;        /* bytes on the network; 0 where it was not said, as in dialect `service` */
};

/* What the node does: callbacks, each of which may be NULL. A callback that cannot go on calls lockstep_fail. */
struct lockstep_behaviour {
    /* Once, before virtual time begins (or goes on, where lockstep starts the node again): read the configuration, set
     * the first timers. */
    void (*init)(struct lockstep_node *node);
    /* A message's time has come. `now` is its time; over a network without latency that is up to a quantum ago. */
    void (*message)(struct lockstep_node *node, int64_t now, const struct lockstep_message *m);
    /* A timer's time has come. kind was given with it; data is the copy of lockstep_timer_with, or NULL. */
    void (*timer)(struct lockstep_node *node, int64_t now, int kind, const void *data);
    /* Raw access, in place of `message`: called for every grant with all its messages, as they came, those too whose
     * time is `target` or later. Timers before `target` go off afterwards. */
    void (*advance)(struct lockstep_node *node, int64_t target, const struct lockstep_message *messages, size_t count);
    /* Once, at the very end, also after a failure, if init was called: free what the node owns. */
    void (*close)(struct lockstep_node *node);
};

/* Runs the node until lockstep says SHUTDOWN or closes the connection. Returns what main is to return: 0 after a clean
 * end, 1 after a failure (lockstep and stderr were told why), 2 where the environment is not one that lockstep makes.
 * `state` is the caller's, see lockstep_state. While it runs over stdio, descriptor 1 is that of stderr and descriptor
 * 0 is empty, so that a stray printf or a child process cannot get in between; SIGPIPE is ignored. */
int lockstep_run(const struct lockstep_behaviour *behaviour, void *state);

/* The node has failed, with a reason: lockstep is told once the callback returns, and the node ends. The first reason
 * counts. */
void lockstep_fail(struct lockstep_node *node, const char *format, ...) LOCKSTEP_NODE_PRINTF(2, 3);

/* ---- Who and when. Strings are good until lockstep_run returns. ---- */

const char *lockstep_id(const struct lockstep_node *node);
uint64_t lockstep_seed(const struct lockstep_node *node);
const char *lockstep_config(const struct lockstep_node *node);    /* `config` of the node, JSON; "{}" where absent */
const char *lockstep_init_json(const struct lockstep_node *node); /* all that INIT said, JSON: ml_inference too */
void *lockstep_state(const struct lockstep_node *node);           /* what lockstep_run was given */
int64_t lockstep_now(const struct lockstep_node *node);    /* of the event that is handled; in `advance`, see below */
int64_t lockstep_target(const struct lockstep_node *node); /* end of the present grant; what is before it is handled */

/* In `init`, and in `advance` before the timers, lockstep_now is the target of the grant before: 0 at first, and where
 * the node was started once more in the midst of a run the time of that. */

/* ---- What the node does. ---- */

/* An own event at a time not before lockstep_now: `timer` will be called then. Equal times: what came first goes first,
 * timers and messages alike. More than LOCKSTEP_EVENTS_MAX that wait are a failure of the node. */
void lockstep_timer(struct lockstep_node *node, int64_t at, int kind);
/* The same with a copy of `size` bytes that `timer` is handed: a reading that is to be handled later, for example. */
void lockstep_timer_with(struct lockstep_node *node, int64_t at, int kind, const void *data, size_t size);

/* A message to the node `dst`, at lockstep_now. size: bytes on the network, not negative. payload: JSON, NULL for none;
 * blanks and newlines between its parts are taken out. What is no JSON, an empty dst or type, and an answer beyond the
 * limits above are failures of the node. */
void lockstep_send(struct lockstep_node *node, const char *dst, const char *type, int64_t size, const char *payload);
/* The same at a time of its own: for `advance`. Times outside of the present grant are moved into it by lockstep, with
 * a warning. dst NULL: a local event. */
void lockstep_send_at(struct lockstep_node *node, int64_t at, const char *dst, const char *type, int64_t size,
                      const char *payload);
/* A local event: recorded, not sent. */
void lockstep_report(struct lockstep_node *node, const char *type, const char *payload);

/* Opens ID_metrics.csv in the run folder (the environment's LOCKSTEP_RUN_DIR, else the working directory) and writes
 * the header and "\r\n". The library flushes it with every answer and closes it at the end; a row that cannot be
 * written is the node's failure. Called again it returns the same file. NULL where it cannot be opened: the node has
 * failed. */
FILE *lockstep_metrics(struct lockstep_node *node, const char *header);

/* ---- The next own event. ---- */

/* The library tells lockstep with every answer when the node's next timer or waiting message is due, so that quanta in
 * which nothing happens need not be granted. A node with events that the library does not know of says so: */

/* The node does not say when its next event is, from now on: every quantum is granted. With `false` it does again. */
void lockstep_every_quantum(struct lockstep_node *node, bool on);
/* There is an event of the node's own at `at` (LOCKSTEP_NEVER: no other). It counts for this answer only, and the
 * earliest of it, the timers and the waiting messages is told. For `advance`. */
void lockstep_next(struct lockstep_node *node, int64_t at);

/* ---- Randomness: the numbers of Python's random.Random, seeded with the node's id and the scenario's seed. ---- */

double lockstep_random(struct lockstep_node *node); /* [0, 1), 53 bits */
double lockstep_gauss(struct lockstep_node *node, double mean, double deviation);

/* ---- JSON as text. `object` is a valid JSON object, as those that the library hands out; other values have no
 * members. A key that stands there twice counts with its last value. Each of the readers returns false, and leaves *out
 * as it is, where the member is missing or of another kind. ---- */

/* The text of a member: its first byte, and its length in *len; NULL where there is none. Not NUL-terminated. */
const char *lockstep_json_find(const char *object, const char *key, size_t *len);
/* A copy of the member's text, for members that are objects or arrays; the caller frees it. NULL where there is none.
 */
char *lockstep_json_copy(const char *object, const char *key);
bool lockstep_json_double(const char *object, const char *key, double *out);
/* Without a point or an exponent, and within 64 bits. */
bool lockstep_json_int64(const char *object, const char *key, int64_t *out);
bool lockstep_json_bool(const char *object, const char *key, bool *out);
/* Decodes a string into out, with its NUL. false also where it takes more than `size` bytes or holds a NUL. */
bool lockstep_json_string(const char *object, const char *key, char *out, size_t size);
/* A time as the scenario writes it: "250ms", "1.5s", "2min" or a plain number of seconds; *us in microseconds. */
bool lockstep_json_time(const char *object, const char *key, int64_t *us);

/* The shortest text that reads back as the same number, as Python's repr; returns buf. Infinities and what is no
 * number have no JSON: a payload with "inf" or "nan" is refused by lockstep_send. */
const char *lockstep_number(double value, char buf[LOCKSTEP_NUMBER_TEXT]);
/* Writes text as a JSON string, quotes included, and a NUL, as far as `size` reaches. Returns the length that the whole
 * has, as snprintf does: it was cut where that is `size` or more. */
size_t lockstep_quote(char *buf, size_t size, const char *text);

#ifdef __cplusplus
}
#endif

#endif
