#include "base/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

struct digest {
    EVP_MD_CTX *context;
};

static void must(int ok)
{
    if (!ok) {
        fputs("lockstep: libcrypto gives no SHA-256\n", stderr);
        abort();
    }
}

struct digest *digest_new(void)
{
    struct digest *d = mem_alloc(sizeof *d);
    /* without the system's configuration, which takes longer to read than a small scenario takes to run */
    must(OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL));
    d->context = EVP_MD_CTX_new();
    must(d->context && EVP_DigestInit_ex(d->context, EVP_sha256(), NULL));
    return d;
}

void digest_add(struct digest *d, const void *data, size_t len)
{
    if (len)
        must(EVP_DigestUpdate(d->context, data, len));
}

static void finish(struct digest *d, unsigned char bytes[32])
{
    must(EVP_DigestFinal_ex(d->context, bytes, NULL));
    EVP_MD_CTX_free(d->context);
    free(d);
}

void digest_end(struct digest *d, char hex[DIGEST_HEX])
{
    unsigned char bytes[32];
    finish(d, bytes);
    for (int i = 0; i < 32; i++)
        snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
}

void digest_hex(const void *data, size_t len, char hex[DIGEST_HEX])
{
    struct digest *d = digest_new();
    digest_add(d, data, len);
    digest_end(d, hex);
}

uint64_t digest_first64(const char *text)
{
    unsigned char bytes[32];
    struct digest *d = digest_new();
    digest_add(d, text, strlen(text));
    finish(d, bytes);
    uint64_t v = 0;
    for (int i = 0; i < 8; i++)
        v = v << 8 | bytes[i];
    return v;
}
