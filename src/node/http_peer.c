#include "node/http_peer.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "scenario/engine_address.h"

#define PORT_PLAIN 2375
#define PORT_TLS   2376
#define HOST_MAX   255 /* RFC 1035 */

void http_peer_free(struct http_peer *p)
{
    free(p->address);
    free(p->shown);
    free(p->socket);
    free(p->host);
    free(p->ca);
    free(p->cert);
    free(p->key);
    *p = (struct http_peer){ 0 };
}

static int bad(struct error *err, const char *address, const char *why)
{
    error_set(err, EXIT_INVALID, "the engine's address '%.200s' %s", address, why);
    return -1;
}

static int parse_unix(struct http_peer *p, const char *address, struct error *err)
{
    const char *path = address + strlen("unix://");
    if (*path != '/')
        return bad(err, address, "has no absolute path: unix:///var/run/docker.sock has one");
    if (strlen(path) >= sizeof((struct sockaddr_un *)0)->sun_path)
        return bad(err, address, "has a path of more than 107 bytes, which no Unix socket can have; a symbolic link to "
                                 "its folder makes it shorter");
    p->socket = mem_text(path);
    return 0;
}

/* The length of the host part, 0 where there is none that can be one. */
static size_t host_length(const char *s)
{
    size_t n = 0;
    if (*s == '[') {
        n = 1 + strspn(s + 1, "0123456789abcdefABCDEF:.");
        return n > 1 && s[n] == ']' ? n + 1 : 0;
    }
    while (isalnum((unsigned char)s[n]) || s[n] == '-' || s[n] == '.' || s[n] == '_')
        n++;
    return n <= HOST_MAX ? n : 0;
}

static int parse_tcp(struct http_peer *p, const char *address, bool tls, struct error *err)
{
    const char *s = address + strlen("tcp://");
    size_t n = host_length(s);
    if (!n)
        return bad(err, address, "has no host that can be one: tcp://HOST:PORT, an IPv6 address in brackets");
    p->host = mem_text_n(s, n);
    p->port = tls ? PORT_TLS : PORT_PLAIN;
    s += n;
    if (*s == ':') {
        char *end;
        long port = isdigit((unsigned char)s[1]) ? strtol(s + 1, &end, 10) : 0;
        if (port < 1 || port > 65535)
            return bad(err, address, "has no port from 1 to 65535 behind its last ':'");
        p->port = (int)port;
        s = end;
    }
    if (strcmp(s, "") != 0 && strcmp(s, "/") != 0)
        return bad(err, address, "goes on behind its host and port; tcp://HOST:PORT is all that there may be");
    return 0;
}

static char *certificate(const char *folder, const char *name, struct error *err)
{
    struct buffer path = { 0 };
    buffer_format(&path, "%s/%s", folder, name);
    if (access(buffer_string(&path), R_OK) < 0)
        error_set(err, EXIT_INVALID, "cannot read %s: %s; a folder of certificates (DOCKER_CERT_PATH) has ca.pem, "
                  "cert.pem and key.pem in it", path.data, strerror(errno));
    return path.data;
}

int http_peer_parse(struct http_peer *p, const char *address, const char *certificates, struct error *err)
{
    bool tls = certificates && *certificates;
    int result = -1;
    *p = (struct http_peer){ 0 };
    if (strncmp(address, "unix://", 7) == 0) {
        result = parse_unix(p, address, err);
    } else if (strncmp(address, "tcp://", 6) == 0) {
        result = parse_tcp(p, address, tls, err);
    } else if (strncmp(address, "ssh://", 6) == 0) {
        bad(err, address, "is reached by ssh, which lockstep does not speak; forward the socket "
                          "(ssh -nNT -L /tmp/engine.sock:/var/run/docker.sock HOST) and use unix:///tmp/engine.sock");
    } else if (strncmp(address, "http://", 7) == 0 || strncmp(address, "https://", 8) == 0) {
        bad(err, address, "is to begin with tcp://; TLS is used where there is a folder of certificates "
                          "(DOCKER_CERT_PATH)");
    } else if (*address == '/') {
        bad(err, address, "is a path; put unix:// before it");
    } else {
        bad(err, address, "is neither unix:///PATH nor tcp://HOST:PORT");
    }
    if (result == 0 && p->host && tls) {
        p->ca = certificate(certificates, "ca.pem", err);
        p->cert = certificate(certificates, "cert.pem", err);
        p->key = certificate(certificates, "key.pem", err);
        result = err->code ? -1 : 0;
    }
    if (result < 0)
        http_peer_free(p);
    else
        p->address = mem_text(address);
    p->shown = result < 0 ? NULL : mem_text(address);
    return result;
}

void http_peer_came_from(struct http_peer *p, const char *origin)
{
    struct buffer shown = { 0 };
    buffer_format(&shown, "%s (%s)", p->address, origin);
    free(p->shown);
    buffer_string(&shown);
    p->shown = shown.data;
    p->origin = origin;
}

bool http_peer_is_same(const struct http_peer *a, const struct http_peer *b)
{
    if (a->socket || b->socket)
        return a->socket && b->socket && strcmp(a->socket, b->socket) == 0;
    return a->port == b->port && strcasecmp(a->host, b->host) == 0;
}

const char *http_peer_advice(const struct http_peer *p, int error)
{
    if (p->socket)
        return engine_socket_advice(error, p->origin);
    switch (error) {
    case ECONNREFUSED:
        return "connection refused: nobody listens on that port; is the engine running, and does it listen on TCP?";
    case EHOSTUNREACH:
    case ENETUNREACH:
        return "there is no way to that host; is it up, and are both in one network?";
    default:
        return NULL;
    }
}
