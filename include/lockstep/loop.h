/* Waiting: for an input, for descriptors, for signals, for a time. The only place where the program blocks. */
#ifndef LOCKSTEP_LOOP_H
#define LOCKSTEP_LOOP_H

#include <stdint.h>

struct loop;

/* Watches these signals (0 ends the list) until loop_free; they then do nothing else. Those that the program was
 * started with as ignored stay ignored. One loop at a time. */
struct loop *loop_new(const int *signals);
void loop_free(struct loop *l); /* the signals have their default effect again; NULL is fine */

/* What ended a wait; a set of flags. LOOP_WAKE_WATCH: a watch, or a timer of loop_timer. */
enum loop_wake { LOOP_WAKE_INPUT = 1, LOOP_WAKE_SIGNAL = 2, LOOP_WAKE_TIMEOUT = 4, LOOP_WAKE_WATCH = 8 };

/* Blocks until input_fd is readable (-1: none; a regular file always is), a signal has come, or timeout_ms have passed
 * (0: only looks; -1: no limit). */
unsigned loop_wait(struct loop *l, int input_fd, int timeout_ms);

/* A descriptor that every wait waits for besides, until loop_unwatch; the caller owns the descriptor and closes it
 * after that. `ready` is called during a wait each time that there is something to read, or room to write, or nobody at
 * the other end any more; it only notes that. A watch of neither waits for nothing. */
struct loop_watch;
enum loop_events { LOOP_READ = 1, LOOP_WRITE = 2 };
struct loop_watch *loop_watch(struct loop *l, int fd, unsigned events, void (*ready)(void *data), void *data);
void loop_watch_for(struct loop_watch *w, unsigned events); /* from now on; a set of loop_events */
void loop_unwatch(struct loop_watch *w);                    /* NULL is fine */

/* A time that every wait waits for besides; it is not set at first. `due` is called during a wait, once for each time
 * that was set; it may set it again. */
struct loop_timer;
struct loop_timer *loop_timer(struct loop *l, void (*due)(void *data), void *data);
/* From now on; 0: at once, in the next wait; -1: not at all. */
void loop_timer_set(struct loop_timer *t, int64_t in_ms);
void loop_timer_free(struct loop_timer *t);               /* NULL is fine */

/* The signal that came first of those not told yet, or 0. One that came twice is told twice. */
int loop_signal(struct loop *l);

#endif
