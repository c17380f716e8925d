/* What the benchmark's sections share. */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bench {
    char lockstep[PATH_MAX];  /* the program that is measured */
    char scenarios[PATH_MAX]; /* the folder of its examples */
    char work[PATH_MAX];      /* a folder of our own for run folders, removed at the end */
    bool is_short;            /* a minute of the large scenario instead of an hour */
};

/* A section prints its lines; false where something could not be run or a result was not what it must be. */
bool bench_baseline(const struct bench *b);
bool bench_large(const struct bench *b);
bool bench_queue(const struct bench *b);
bool bench_nodes(const struct bench *b);
bool bench_containers(const struct bench *b);
bool bench_renode(const struct bench *b);
bool bench_ui(const struct bench *b);
bool bench_past(const struct bench *b);
bool bench_recorded(const struct bench *b);
bool bench_conditions(const struct bench *b);

/* nodes.c: this program as a node that answers each request at once; does not return. */
void bench_node(void);

/* process.c */
struct outcome {
    double seconds;      /* from before the fork until the end was known */
    double cpu_seconds;  /* of all its threads, system time included */
    long rss_kib;        /* peak resident memory */
    int status;          /* as of wait4 */
};
/* Runs a program to its end under the usual limit of 1,024 open files, its output thrown away. False with a line on
 * stderr where it could not be started or did not end with exit code 0. */
bool process_run(char *const argv[], struct outcome *out);
/* Runs a program in a terminal of 120x36 that is read to the last byte, until the file has a line of kind `end`;
 * *seconds: until then. Then the key Q ends the program if `is_ui`. */
bool process_until_end(char *const argv[], const char *events, bool is_ui, double *seconds);
double now_seconds(void);

/* files.c; all paths are shorter than PATH_MAX or the program ends with a message */
void path_join(char out[PATH_MAX], const char *folder, const char *name);
/* "WORK/NAME-NUMBER": a run folder that was not there before. */
void path_of_run(char out[PATH_MAX], const struct bench *b, const char *name, int number);
bool remove_folder(const char *path);
/* Makes the files of a folder empty and leaves them there until the end of the benchmark: ext4 is slow to make files
 * for some minutes after as many were removed, and that would be measured too. */
bool empty_folder(const char *path);
/* Lines and bytes of a file; false with a line on stderr where it cannot be read. */
bool count_lines(const char *path, uint64_t *lines, uint64_t *bytes);
/* Writes the files of a folder anew, byte for byte, into another one; *bytes in all, *seconds for it. What events.jsonl
 * holds goes through SHA-256, as in a run. */
bool copy_folder(const char *from, const char *to, uint64_t *bytes, double *seconds);

/* A figure of the first line of FOLDER/NAME that has the text `with` in it: the number behind `key`. False with a line
 * on stderr where there is none. */
bool find_number(const char *folder, const char *name, const char *with, const char *key, double *value);

struct sample {
    double best, median;
};
struct sample sample_of(double *values, size_t count); /* sorts them */
const char *held(bool yes);                            /* "held" or "NOT HELD" */

#endif
