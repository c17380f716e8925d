#include "base/whole_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "base/buffer.h"

/* Also closes the descriptor. */
static bool write_all(int fd, const char *data, size_t len)
{
    size_t done = 0;
    int why = 0;
    while (done < len && !why) {
        ssize_t n = write(fd, data + done, len - done);
        done += n > 0 ? (size_t)n : 0;
        why = n > 0 || (n < 0 && errno == EINTR) ? 0 : n < 0 ? errno : ENOSPC;
    }
    if (close(fd) < 0 && !why)
        why = errno;
    errno = why;
    return !why;
}

int whole_file_write(const char *path, const char *data, size_t len)
{
    struct buffer other = { 0 };
    buffer_format(&other, "%s.%d.tmp", path, (int)getpid());
    const char *name = buffer_string(&other);
    int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    int result = fd >= 0 && write_all(fd, data, len) && rename(name, path) == 0 ? 0 : -1;
    int why = errno;
    if (result < 0 && fd >= 0)
        unlink(name);
    buffer_free(&other);
    errno = why;
    return result;
}
