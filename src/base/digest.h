/* SHA-256 (FIPS 180-4). The only user of OpenSSL's libcrypto. */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#define DIGEST_HEX 65 /* 64 hex digits and a NUL */

struct digest;
struct digest *digest_new(void);
void digest_add(struct digest *d, const void *data, size_t len);
void digest_end(struct digest *d, char hex[DIGEST_HEX]); /* frees d */

void digest_hex(const void *data, size_t len, char hex[DIGEST_HEX]);
uint64_t digest_first64(const char *text); /* the first 8 bytes of the digest, big-endian */

#endif
