#include "check/ports.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/procfs.h"
#include "node/guard.h"

#define SOCKETS_MOST 256 /* of a node's that are looked at */
#define LISTENING    0x0a

struct sockets {
    const char *identity;
    uint64_t inodes[SOCKETS_MOST];
    size_t count;
};

static void add_sockets(void *data, pid_t pid)
{
    struct sockets *s = data;
    char path[64], link[64], run[GUARD_TEXT];
    if (!procfs_variable(pid, GUARD_RUN_VARIABLE, run, sizeof run) || strcmp(run, s->identity) != 0)
        return;
    snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
    DIR *folder = opendir(path);
    if (!folder)
        return;
    for (const struct dirent *entry; s->count < SOCKETS_MOST && (entry = readdir(folder));) {
        ssize_t n = readlinkat(dirfd(folder), entry->d_name, link, sizeof link - 1);
        if (n <= 0)
            continue;
        link[n] = '\0';
        s->count += sscanf(link, "socket:[%" SCNu64 "]", &s->inodes[s->count]) == 1;
    }
    closedir(folder);
}

static bool has(const struct sockets *s, uint64_t inode)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->inodes[i] == inode)
            return true;
    return false;
}

/* An address is words of 32 bits in hexadecimal, each in this machine's order of a number that is in the network's. */
static void add_address(struct buffer *out, const char *hex, unsigned port)
{
    char text[INET6_ADDRSTRLEN];
    uint32_t words[4] = { 0 };
    bool is_six = strlen(hex) > 8;
    for (int i = 0; i < (is_six ? 4 : 1); i++)
        sscanf(hex + (size_t)i * 8, "%8" SCNx32, &words[i]);
    inet_ntop(is_six ? AF_INET6 : AF_INET, words, text, sizeof text);
    buffer_format(out, is_six ? "%s[%s]:%u" : "%s%s:%u", out->len ? ", " : "", text, port);
}

static void add_listening(const struct sockets *s, const char *file, struct buffer *out, int *first)
{
    char line[512], hex[33];
    FILE *f = fopen(file, "re");
    while (f && fgets(line, sizeof line, f)) {
        unsigned port, state;
        uint64_t inode;
        if (sscanf(line, " %*d: %32[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x %*s %*s %*s %*u %*d %" SCNu64, hex, &port,
                   &state, &inode) != 4 ||
            state != LISTENING || !has(s, inode))
            continue;
        if (!*first)
            *first = (int)port;
        add_address(out, hex, port);
    }
    if (f)
        fclose(f);
}

void ports_find(const char *identity, struct buffer *out, int *first)
{
    struct sockets s = { .identity = identity };
    procfs_each(add_sockets, &s);
    *first = 0;
    if (!s.count)
        return;
    add_listening(&s, "/proc/net/tcp", out, first);
    add_listening(&s, "/proc/net/tcp6", out, first);
}
