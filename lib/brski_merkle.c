/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_merkle.c: the tree of a checkpoint: RFC 6962 section 2.1 over the heads of a tenant's
 * chains. The root is made in one pass with one pending hash a level; a proof shows one device's
 * head in it and nothing of the others but hashes.
 */
#include "brski_event.h"

#include <apr_strings.h>
#include <string.h>

#include "brski_bytes.h"
#include "brski_err.h"

#define HEAD_FORMAT "masa-head-1"
#define HASH_LEN BRSKI_SHA256_LEN
#define LEVELS 63

/* RFC 6962 2.1: a leaf and a node never hash alike. */
#define LEAF_PREFIX 0x00
#define NODE_PREFIX 0x01

typedef struct digest_t {
    unsigned char octets[HASH_LEN];
} digest_t;

struct brski_merkle_t {
    apr_int64_t count;
    digest_t pending[LEVELS];         /* [i]: a whole subtree of 2^i leaves, if count has bit i */
    apr_pool_t *scratch;              /* cleared with each leaf */
};

static digest_t sha256(const unsigned char *data, apr_size_t len, apr_pool_t *pool)
{
    brski_bytes_t hash = brski_sha256(brski_bytes(data, len), pool);
    digest_t d;

    memcpy(d.octets, hash.data, HASH_LEN);
    return d;
}

static digest_t node(const digest_t *left, const digest_t *right, apr_pool_t *pool)
{
    unsigned char both[1 + 2 * HASH_LEN];

    both[0] = NODE_PREFIX;
    memcpy(both + 1, left->octets, HASH_LEN);
    memcpy(both + 1 + HASH_LEN, right->octets, HASH_LEN);
    return sha256(both, sizeof(both), pool);
}

static const char *hex(const digest_t *d, apr_pool_t *pool)
{
    return brski_hex(brski_bytes(d->octets, HASH_LEN), pool);
}

/* Nonzero when text is the hex of a digest. */
static int unhex(digest_t *d, const char *text, apr_pool_t *pool)
{
    brski_bytes_t octets;

    if (!text || brski_hex_decode(&octets, text, pool) || octets.len != HASH_LEN) {
        return 0;
    }
    memcpy(d->octets, octets.data, HASH_LEN);
    return 1;
}

static const char *netstring(const char *text, apr_pool_t *pool)
{
    return apr_psprintf(pool, "%" APR_SIZE_T_FMT ":%s,", strlen(text), text);
}

static const char *netstring_int(apr_int64_t value, apr_pool_t *pool)
{
    return netstring(apr_psprintf(pool, "%" APR_INT64_T_FMT, value), pool);
}

static digest_t head_digest(const brski_head_t *head, apr_pool_t *pool)
{
    char *text = apr_pstrcat(pool, " ", netstring(HEAD_FORMAT, pool),
                             netstring(head->product, pool), netstring(head->serial_number, pool),
                             netstring_int(head->epoch, pool), netstring_int(head->seq, pool),
                             netstring(head->hash, pool), NULL);
    apr_size_t len = strlen(text);

    text[0] = LEAF_PREFIX;
    return sha256((unsigned char *)text, len, pool);
}

const char *brski_head_leaf(const brski_head_t *head, apr_pool_t *pool)
{
    digest_t d = head_digest(head, pool);

    return hex(&d, pool);
}

/* ---- the root in one pass ---- */

brski_merkle_t *brski_merkle_make(apr_pool_t *pool)
{
    brski_merkle_t *tree = apr_pcalloc(pool, sizeof(*tree));

    apr_pool_create(&tree->scratch, pool);
    return tree;
}

void brski_merkle_add(brski_merkle_t *tree, const brski_head_t *head)
{
    digest_t d = head_digest(head, tree->scratch);
    int level;

    /* as a carry in binary addition: two whole subtrees of a size become one of twice the size */
    for (level = 0; tree->count & (APR_INT64_C(1) << level); level++) {
        d = node(&tree->pending[level], &d, tree->scratch);
    }
    tree->pending[level] = d;
    tree->count++;
    apr_pool_clear(tree->scratch);
}

apr_int64_t brski_merkle_count(const brski_merkle_t *tree)
{
    return tree->count;
}

const char *brski_merkle_root(const brski_merkle_t *tree, apr_pool_t *pool)
{
    digest_t root;
    int level, have = 0;

    for (level = 0; level < LEVELS; level++) {
        if (!(tree->count & (APR_INT64_C(1) << level))) {
            continue;
        }
        root = have ? node(&tree->pending[level], &root, pool) : tree->pending[level];
        have = 1;
    }
    if (!have) {
        root = sha256((const unsigned char *)"", 0, pool);
    }
    return hex(&root, pool);
}

/* ---- proofs ---- */

/* The largest power of two smaller than n, for n > 1. */
static apr_int64_t split(apr_int64_t n)
{
    apr_int64_t k = 1;

    while (k < n - k) {
        k *= 2;
    }
    return k;
}

/* MTH of n leaves from the first on. */
static digest_t subtree(const digest_t *leaves, apr_int64_t n, apr_pool_t *pool)
{
    digest_t left, right;
    apr_int64_t k;

    if (n == 1) {
        return leaves[0];
    }
    k = split(n);
    left = subtree(leaves, k, pool);
    right = subtree(leaves + k, n - k, pool);
    return node(&left, &right, pool);
}

/* RFC 6962 2.1.1: PATH(m, D[n]), the sibling nearest the leaf first. */
static void path(apr_array_header_t *proof, const digest_t *leaves, apr_int64_t n, apr_int64_t m,
                 apr_pool_t *pool)
{
    apr_int64_t k;
    digest_t sibling;

    if (n == 1) {
        return;
    }
    k = split(n);
    if (m < k) {
        path(proof, leaves, k, m, pool);
        sibling = subtree(leaves + k, n - k, pool);
    }
    else {
        path(proof, leaves + k, n - k, m - k, pool);
        sibling = subtree(leaves, k, pool);
    }
    APR_ARRAY_PUSH(proof, const char *) = hex(&sibling, proof->pool);
}

apr_array_header_t *brski_merkle_proof(const apr_array_header_t *leaves, apr_int64_t index,
                                       apr_pool_t *pool)
{
    apr_array_header_t *proof = apr_array_make(pool, 32, sizeof(const char *));
    apr_pool_t *scratch;
    digest_t *digests;
    int i;

    if (index < 0 || index >= leaves->nelts) {
        return proof;
    }
    apr_pool_create(&scratch, pool);
    digests = apr_palloc(scratch, sizeof(*digests) * (apr_size_t)leaves->nelts);
    for (i = 0; i < leaves->nelts; i++) {
        if (!unhex(&digests[i], APR_ARRAY_IDX(leaves, i, const char *), scratch)) {
            apr_pool_destroy(scratch);
            return proof;
        }
    }
    path(proof, digests, leaves->nelts, index, scratch);
    apr_pool_destroy(scratch);
    return proof;
}

int brski_merkle_proof_check(const char *leaf, apr_int64_t index, apr_int64_t count,
                             const apr_array_header_t *proof, const char *root, apr_pool_t *pool)
{
    apr_int64_t fn = index, sn = count - 1;
    digest_t r, sibling, want;
    int i;

    if (index < 0 || index >= count || !unhex(&r, leaf, pool) || !unhex(&want, root, pool)) {
        return 0;
    }
    /* RFC 9162 2.1.3.2: fn and sn are the places of the node and of the last node on its level */
    for (i = 0; i < proof->nelts; i++) {
        if (sn == 0 || !unhex(&sibling, APR_ARRAY_IDX(proof, i, const char *), pool)) {
            return 0;
        }
        if ((fn & 1) || fn == sn) {
            r = node(&sibling, &r, pool);
            while (!(fn & 1) && fn != 0) {
                fn >>= 1;
                sn >>= 1;
            }
        }
        else {
            r = node(&r, &sibling, pool);
        }
        fn >>= 1;
        sn >>= 1;
    }
    return sn == 0 && memcmp(r.octets, want.octets, HASH_LEN) == 0;
}
