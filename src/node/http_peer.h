/* Where a container engine listens. */
#ifndef NODE_HTTP_PEER_H
#define NODE_HTTP_PEER_H

#include <stdbool.h>

#include "lockstep/error.h"

/* Owns its strings. */
struct http_peer {
    char *address; /* "unix:///run/docker.sock", "tcp://build:2376" */
    char *shown;   /* for messages: the address, and who says that it is there */
    const char *origin; /* as engine_address_origin; NULL: not known */
    char *socket;  /* the path of a Unix socket; NULL: host and port */
    char *host;    /* a name, or an IP address; IPv6 in brackets */
    int port;
    char *ca, *cert, *key; /* the files for TLS, whose peer must prove its name by ca; NULL: no TLS */
};

/* Understands an address as in DOCKER_HOST: unix:///PATH, or tcp://HOST[:PORT], whose port is 2376 with TLS and 2375
 * without where none is given. `certificates` is a folder with ca.pem, cert.pem and key.pem, as in DOCKER_CERT_PATH;
 * NULL or "": no TLS. It does not count for a Unix socket, as with Docker. Returns -1 with *err set; *p
 * is then empty. */
int http_peer_parse(struct http_peer *p, const char *address, const char *certificates, struct error *err);
void http_peer_came_from(struct http_peer *p, const char *origin); /* static text, for messages */
bool http_peer_is_same(const struct http_peer *a, const struct http_peer *b); /* one socket, or one port of a host */
void http_peer_free(struct http_peer *p); /* leaves it empty */

/* What it means that no connection came about for this errno, and what to do; NULL where there is nothing
 * to be said. */
const char *http_peer_advice(const struct http_peer *p, int error);

#endif
