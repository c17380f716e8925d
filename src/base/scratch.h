/* A folder for results that nobody has named a place for: TMPDIR/lockstep-verify-IDENTITY (base/procfs.h). When the
 * program was killed `lockstep clean` removes it, unless it was kept for a person to look at. */
#ifndef BASE_SCRATCH_H
#define BASE_SCRATCH_H

#include <stdbool.h>

#include "lockstep/error.h"

/* Makes that of this process and returns its path, which the caller frees; NULL with *err set (EXIT_LAUNCH). */
char *scratch_make(struct error *err);
int scratch_keep(const char *path); /* from now on it stays; -1 with errno set */
void scratch_remove(const char *path);

const char *scratch_parent(void); /* TMPDIR, or /tmp */
/* Whether the entry of that name in scratch_parent is one, of this user, not kept, and of a process that is gone. */
bool scratch_is_left(const char *name);

#endif
