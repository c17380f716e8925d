/* What /proc tells of processes (proc(5)). */
#ifndef BASE_PROCFS_H
#define BASE_PROCFS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buffer.h"

struct procfs_stat {
    char name[32]; /* as the kernel has it, 15 characters at most */
    char state;    /* R, S, D, T, Z, … */
    pid_t parent, group;
    uint64_t start;     /* when it was started, in ticks since the machine was: with the pid it names it for ever */
    uint64_t cpu_ticks; /* of its threads so far; procfs_ticks_per_second */
    uint64_t memory;    /* resident, bytes */
};
bool procfs_stat(pid_t pid, struct procfs_stat *out); /* false: no such process */
long procfs_ticks_per_second(void);

/* A variable of the environment that it was started with, or false. */
bool procfs_variable(pid_t pid, const char *name, char *value, size_t size);
/* Calls `each` for every process on the machine that may be looked at. */
void procfs_each(void (*each)(void *data, pid_t pid), void *data);
/* Who listens on a TCP port of this machine, as far as this user may know. */
bool procfs_port_holder(int port, pid_t *pid, char *name, size_t size);
/* Appends "PID-STARTTIME". */
void procfs_identity(struct buffer *out, pid_t pid);
/* Whether the process that is named so is there. */
bool procfs_identity_lives(const char *identity);

#endif
