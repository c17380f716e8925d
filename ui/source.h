/* Lines of a text file, for showing where a problem is. */
#ifndef UI_SOURCE_H
#define UI_SOURCE_H

#include <stddef.h>

#define SOURCE_LINE 2048 /* bytes of a line that are kept */

struct source_line {
    char text[SOURCE_LINE];
    size_t len; /* 0 also for a line that is not there */
};

/* Reads `count` lines from line `first` (from 1) on. Returns how many there are; 0 for what is no readable file. */
int source_read(const char *file, int first, int count, struct source_line *lines);

#endif
