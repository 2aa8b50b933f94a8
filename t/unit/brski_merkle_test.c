/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_merkle_test.c: the tree of a checkpoint against a plain recursive RFC 6962, for every size
 * and place up to a few dozen, and against forged proofs.
 */
#include "brski_event.h"

#include <apr_strings.h>
#include <string.h>

#include "brski_bytes.h"
#include "unit.h"

static brski_head_t head(int i, apr_pool_t *pool)
{
    brski_head_t h = { "thermostat", apr_psprintf(pool, "SN%05d", i), 1, i % 7 + 1,
                       apr_psprintf(pool, "%064x", i) };
    return h;
}

static apr_array_header_t *leaves_of(int n, apr_pool_t *pool)
{
    apr_array_header_t *leaves = apr_array_make(pool, n + 1, sizeof(const char *));
    int i;

    for (i = 0; i < n; i++) {
        brski_head_t h = head(i, pool);

        APR_ARRAY_PUSH(leaves, const char *) = brski_head_leaf(&h, pool);
    }
    return leaves;
}

static const char *root_of(int n, apr_pool_t *pool)
{
    brski_merkle_t *tree = brski_merkle_make(pool);
    int i;

    for (i = 0; i < n; i++) {
        brski_head_t h = head(i, pool);

        brski_merkle_add(tree, &h);
    }
    if (brski_merkle_count(tree) != n) {
        bail_out("count");
    }
    return brski_merkle_root(tree, pool);
}

/* RFC 6962 2.1 word for word. */
static const char *mth(const apr_array_header_t *leaves, int from, int n, apr_pool_t *pool)
{
    int k = 1;
    brski_bytes_t text;

    if (n == 1) {
        return APR_ARRAY_IDX(leaves, from, const char *);
    }
    while (k * 2 < n) {
        k *= 2;
    }
    if (brski_hex_decode(&text, apr_pstrcat(pool, "01", mth(leaves, from, k, pool),
                                            mth(leaves, from + k, n - k, pool), NULL), pool)) {
        bail_out("hex");
    }
    return brski_sha256_hex(text, pool);
}

static void test_known(apr_pool_t *pool)
{
    brski_head_t h = { "p", "s", 1, 2, "ab" };
    const char text[] = "\0" "11:masa-head-1,1:p,1:s,1:1,1:2,2:ab,";

    is_str(root_of(0, pool), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
           "6962-2.1 the root of nothing is the hash of nothing");
    is_str(brski_head_leaf(&h, pool),
           brski_sha256_hex(brski_bytes(text, sizeof(text) - 1), pool),
           "6962-2.1 a leaf is hashed behind an octet of zero");
}

static void test_roots(apr_pool_t *pool)
{
    int n, good = 1;

    for (n = 1; n <= 40; n++) {
        good = good && !strcmp(root_of(n, pool), mth(leaves_of(n, pool), 0, n, pool));
    }
    ok(good, "6962-2.1 the root made in one pass is the tree's, up to 40 leaves");
}

static void test_proofs(apr_pool_t *pool)
{
    int n, i, good = 1, wrong = 0;

    for (n = 1; n <= 33; n++) {
        apr_array_header_t *leaves = leaves_of(n, pool);
        const char *root = root_of(n, pool);

        for (i = 0; i < n; i++) {
            apr_array_header_t *proof = brski_merkle_proof(leaves, i, pool);
            const char *leaf = APR_ARRAY_IDX(leaves, i, const char *);

            good = good && brski_merkle_proof_check(leaf, i, n, proof, root, pool);
            wrong |= n > 1 && brski_merkle_proof_check(leaf, (i + 1) % n, n, proof, root, pool);
        }
    }
    ok(good, "6962-2.1.1 every leaf's proof leads to the root, up to 33 leaves");
    ok(!wrong, "6962-2.1.1 a proof of another place does not");
}

#define REFUSED(leaf, index, count, proof, root, what)                                       \
    ok(!brski_merkle_proof_check(leaf, index, count, proof, root, pool), "6962-2.1.1 refuses " what)

static void test_forged(apr_pool_t *pool)
{
    apr_array_header_t *leaves = leaves_of(11, pool);
    apr_array_header_t *proof = brski_merkle_proof(leaves, 6, pool), *other;
    const char *leaf = APR_ARRAY_IDX(leaves, 6, const char *);
    const char *root = root_of(11, pool);

    REFUSED(APR_ARRAY_IDX(leaves, 7, const char *), 6, 11, proof, root, "another leaf");
    REFUSED(leaf, 6, 11, proof, root_of(12, pool), "another root");
    REFUSED(leaf, 6, 7, proof, root, "another count");
    REFUSED(leaf, 6, 0, proof, root, "a count of 0");
    REFUSED(leaf, -1, 11, proof, root, "place -1");
    REFUSED("zz", 6, 11, proof, root, "what is no hex");
    REFUSED("ab", 6, 11, proof, root, "a short hash");
    other = apr_array_copy(pool, proof);
    apr_array_pop(other);
    REFUSED(leaf, 6, 11, other, root, "a short proof");
    other = apr_array_copy(pool, proof);
    APR_ARRAY_PUSH(other, const char *) = leaf;
    REFUSED(leaf, 6, 11, other, root, "a long proof");
    other = apr_array_copy(pool, proof);
    APR_ARRAY_IDX(other, 1, const char *) = leaf;
    REFUSED(leaf, 6, 11, other, root, "an altered proof");
    is_int(brski_merkle_proof(leaves, 11, pool)->nelts, 0, "6962-2.1.1 no proof for outside");
}

int main(void)
{
    apr_pool_t *pool = unit_start();

    test_known(pool);
    test_roots(pool);
    test_proofs(pool);
    test_forged(pool);
    return done_testing();
}
