#include "ui/source.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

int source_read(const char *file, int first, int count, struct source_line *lines)
{
    struct stat st;
    FILE *f = stat(file, &st) == 0 && S_ISREG(st.st_mode) ? fopen(file, "re") : NULL;
    if (!f)
        return 0;
    memset(lines, 0, (size_t)count * sizeof *lines);
    int line = 1, got = 0, c;
    while (line < first + count && (c = getc_unlocked(f)) != EOF) {
        if (line >= first)
            got = line - first + 1;
        if (c == '\n') {
            line++;
        } else if (line >= first && c != '\r') {
            struct source_line *to = &lines[line - first];
            if (to->len < sizeof to->text)
                to->text[to->len++] = (char)c;
        }
    }
    fclose(f);
    return got;
}
