/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_owner_test.c: each ownership policy against each kind of requester.
 */
#include "brski_owner.h"

#include "unit.h"

static brski_customer_t alice = { "alice", "spki:00", NULL };
static brski_customer_t bob = { "bob", "spki:11", NULL };

static brski_err_t *ask(int *verified, const brski_owner_t *owner, const char *sold_to,
                        const brski_customer_t *customer, apr_pool_t *pool)
{
    brski_device_t device = { 0 };
    brski_owner_question_t question = { 0 };

    device.customer = sold_to;
    question.device = &device;
    question.customer = customer;
    *verified = -1;
    return owner->authorize(verified, &question, pool);
}

static void test_any(apr_pool_t *pool)
{
    int verified;

    is_ok(ask(&verified, &brski_owner_any, NULL, NULL, pool), "5.5.4 any: an unknown registrar");
    is_int(verified, 0, "5.5.5 any: an unknown registrar's ownership is not verified");
    is_ok(ask(&verified, &brski_owner_any, "bob", &alice, pool), "5.5.4 any: another's device");
    is_int(verified, 0, "5.5.5 any: another customer's device is not verified");
    is_ok(ask(&verified, &brski_owner_any, "alice", &alice, pool), "5.5.4 any: one's own device");
    is_int(verified, 1, "5.5.5 any: what the sales record names is verified");
    is_ok(ask(&verified, &brski_owner_any, "", &alice, pool), "5.5.4 any: sold to nobody");
    is_int(verified, 0, "5.5.5 any: an empty sales record verifies nothing");
}

static void test_customer(apr_pool_t *pool)
{
    int verified;

    is_err(ask(&verified, &brski_owner_customer, NULL, NULL, pool), NOT_AUTHENTICATED,
           "5.5.4 customer: refuses an unknown registrar");
    is_ok(ask(&verified, &brski_owner_customer, NULL, &bob, pool), "5.5.4 customer: any customer");
    is_int(verified, 0, "5.5.5 customer: without a sales record nothing is verified");
    is_ok(ask(&verified, &brski_owner_customer, "bob", &bob, pool), "5.5.4 customer: the buyer");
    is_int(verified, 1, "5.5.5 customer: the buyer is verified");
}

static void test_sold(apr_pool_t *pool)
{
    int verified;

    is_err(ask(&verified, &brski_owner_sold, "bob", NULL, pool), NOT_AUTHENTICATED,
           "5.5.4 sold: refuses an unknown registrar");
    is_err(ask(&verified, &brski_owner_sold, "bob", &alice, pool), NOT_OWNER,
           "5.5.4 sold: refuses another customer");
    is_err(ask(&verified, &brski_owner_sold, NULL, &alice, pool), NOT_OWNER,
           "5.5.4 sold: refuses what was sold to nobody");
    is_ok(ask(&verified, &brski_owner_sold, "bob", &bob, pool), "5.5.4 sold: the buyer");
    is_int(verified, 1, "5.5.5 sold: the buyer is verified");
}

int main(void)
{
    apr_pool_t *pool = unit_start();

    test_any(pool);
    test_customer(pool);
    test_sold(pool);
    return done_testing();
}
