#include "node/pipes.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

void pipes_close(int *fds, int count)
{
    for (int i = 0; i < count; i++) {
        if (fds[i] >= 0)
            close(fds[i]);
        fds[i] = -1;
    }
}

static bool open_pipe(int ours[3], int theirs[3], int i)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) < 0)
        return false;
    ours[i] = ends[i == 0]; /* the end that is written to */
    theirs[i] = ends[i != 0];
    return fcntl(ours[i], F_SETFL, O_NONBLOCK) == 0;
}

static bool open_nothing(int theirs[3])
{
    theirs[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
    theirs[1] = fcntl(theirs[2], F_DUPFD_CLOEXEC, 0);
    return theirs[0] >= 0 && theirs[1] >= 0;
}

int pipes_open(int ours[3], int theirs[3], bool is_spoken_to)
{
    for (int i = 0; i < 3; i++)
        ours[i] = theirs[i] = -1;
    if (open_pipe(ours, theirs, 2) &&
        (is_spoken_to ? open_pipe(ours, theirs, 0) && open_pipe(ours, theirs, 1) : open_nothing(theirs)))
        return 0;
    int error = errno;
    pipes_close(ours, 3);
    pipes_close(theirs, 3);
    errno = error;
    return -1;
}
