/* How far a run has come, on stderr: a bar that is redrawn on a terminal, a line now and then elsewhere. */
#ifndef BATCH_PROGRESS_H
#define BATCH_PROGRESS_H

#include "lockstep/session.h"

struct progress {
    bool terminal, ascii, color;
    bool drawn;          /* a bar stands on the line */
    int64_t last_ms;    /* when it was shown */
};

void progress_begin(struct progress *p, bool color, bool ascii);
void progress_show(struct progress *p, const struct session *s);
void progress_clear(struct progress *p); /* takes the bar away */

#endif
