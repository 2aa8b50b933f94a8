/* SPDX-License-Identifier: Apache-2.0 */
/*
 * brski_commit.c: one commit for all who wait.
 *
 * A member is copied into memory of its own, because a caller that has waited long enough leaves
 * while the leader may still hold it: the member then belongs to the leader. A member that no
 * leader has taken leaves the queue with the caller and has not run. That memory comes from one
 * allocator that keeps what is given back: APR's own returns each pool to the system, and to unmap
 * memory stops every processor that runs a thread of this process.
 */
#include "brski_commit.h"

#include <apr_allocator.h>
#include <apr_strings.h>
#include <apr_thread_cond.h>
#include <apr_thread_mutex.h>

#include "brski_err.h"

/* So many share a commit; a larger group would make its first members wait for the last. */
#define GROUP_MAX 64
/* Memory that is kept for the next members. */
#define KEEP_OCTETS (1024 * 1024)

typedef enum state_t {
    WAITING,  /* in the queue */
    LEADING,  /* in the queue, and its caller leads the next group */
    TAKEN,    /* in the hands of a leader */
    DONE,     /* the result is there */
    ABANDONED /* in the hands of a leader, its caller gone */
} state_t;

typedef struct member_t {
    apr_pool_t *pool; /* its own */
    const char **args;
    apr_thread_cond_t *turn; /* its state changed */
    state_t state;
    int changed;
    brski_err_t *err;
    struct member_t *next; /* in the queue */
} member_t;

typedef struct group_t {
    member_t *members[GROUP_MAX];
    int count;
} group_t;

struct brski_commit_t {
    brski_commit_host_t host;
    int stmt;
    apr_interval_time_t patience;
    apr_allocator_t *allocator; /* of the members' pools and the leader's, with its own lock */
    apr_thread_mutex_t *mutex; /* of all below, and of each member's state */
    member_t *first, *last;
    apr_time_t led_since; /* 0: nobody leads */
    apr_int64_t turned_away;
};

static apr_status_t destroy_allocator(void *allocator)
{
    apr_allocator_destroy(allocator);
    return APR_SUCCESS;
}

static int make_allocator(brski_commit_t *commit, apr_pool_t *pool)
{
    apr_thread_mutex_t *lock;

    if (apr_allocator_create(&commit->allocator) != APR_SUCCESS) {
        return 0;
    }
    apr_pool_cleanup_register(pool, commit->allocator, destroy_allocator, apr_pool_cleanup_null);
    if (apr_thread_mutex_create(&lock, APR_THREAD_MUTEX_DEFAULT, pool) != APR_SUCCESS) {
        return 0;
    }
    apr_allocator_mutex_set(commit->allocator, lock);
    apr_allocator_max_free_set(commit->allocator, KEEP_OCTETS);
    return 1;
}

brski_err_t *brski_commit_make(brski_commit_t **out, const brski_commit_host_t *host, int stmt,
                               apr_interval_time_t patience, apr_pool_t *pool)
{
    brski_commit_t *commit = apr_pcalloc(pool, sizeof(*commit));

    *out = NULL;
    commit->host = *host;
    commit->stmt = stmt;
    commit->patience = patience;
    if (!make_allocator(commit, pool)
        || apr_thread_mutex_create(&commit->mutex, APR_THREAD_MUTEX_DEFAULT, pool)
               != APR_SUCCESS) {
        return brski_err(BRSKI_E_INTERNAL, NULL, pool, "no mutex for the group commit");
    }
    *out = commit;
    return BRSKI_OK;
}

/* ---- members ---- */

static member_t *make_member(brski_commit_t *commit, const char *const *args, int nargs)
{
    apr_pool_t *pool = NULL;
    member_t *m;
    int i;

    if (apr_pool_create_unmanaged_ex(&pool, NULL, commit->allocator) != APR_SUCCESS) {
        return NULL;
    }
    m = apr_pcalloc(pool, sizeof(*m));
    m->pool = pool;
    m->args = apr_palloc(pool, (apr_size_t)nargs * sizeof(*m->args));
    for (i = 0; i < nargs; i++) {
        m->args[i] = args[i] ? apr_pstrdup(pool, args[i]) : NULL;
    }
    if (apr_thread_cond_create(&m->turn, pool) != APR_SUCCESS) {
        apr_pool_destroy(pool);
        return NULL;
    }
    return m;
}

static void append(brski_commit_t *commit, member_t *m)
{
    if (commit->last) {
        commit->last->next = m;
    }
    else {
        commit->first = m;
    }
    commit->last = m;
}

static member_t *pop(brski_commit_t *commit)
{
    member_t *m = commit->first;

    commit->first = m->next;
    if (!commit->first) {
        commit->last = NULL;
    }
    m->next = NULL;
    return m;
}

static void leave_queue(brski_commit_t *commit, member_t *gone)
{
    member_t *before = NULL, *m;

    for (m = commit->first; m != gone; m = m->next) {
        before = m;
    }
    if (before) {
        before->next = gone->next;
    }
    else {
        commit->first = gone->next;
    }
    if (commit->last == gone) {
        commit->last = before;
    }
}

/* ---- leading ---- */

static void take_group(group_t *group, brski_commit_t *commit, int max)
{
    apr_thread_mutex_lock(commit->mutex);
    for (group->count = 0; commit->first && group->count < max; group->count++) {
        group->members[group->count] = pop(commit);
        group->members[group->count]->state = TAKEN;
    }
    apr_thread_mutex_unlock(commit->mutex);
}

/* The same failure for each; an error lives with its member. */
static void fail_all(group_t *group, const brski_err_t *err)
{
    int i;

    for (i = 0; i < group->count; i++) {
        member_t *m = group->members[i];

        m->changed = 0;
        m->err = brski_err(err->code, NULL, m->pool, "%s", err->detail ? err->detail : err->name);
    }
}

static brski_err_t *run_member(brski_commit_t *commit, brski_dbd_t *db, member_t *m)
{
    return brski_dbd_exec(&m->changed, db, commit->stmt, m->args, m->pool);
}

/*
 * Each in a transaction of its own: when one of a group failed, it must not take the others
 * along.
 */
static void run_singly(brski_commit_t *commit, brski_dbd_t *db, group_t *group)
{
    int i;

    for (i = 0; i < group->count; i++) {
        group->members[i]->err = run_member(commit, db, group->members[i]);
    }
}

static void run_together(brski_commit_t *commit, brski_dbd_t *db, group_t *group, apr_pool_t *pool)
{
    brski_err_t *err = BRSKI_OK;
    int i;

    for (i = 0; i < group->count && !err; i++) {
        err = run_member(commit, db, group->members[i]);
    }
    if (err) {
        brski_dbd_rollback(db, pool);
        run_singly(commit, db, group);
        return;
    }
    err = brski_dbd_commit(db, pool);
    if (err) {
        fail_all(group, err);
    }
}

static int is_alone(brski_commit_t *commit)
{
    int alone;

    apr_thread_mutex_lock(commit->mutex);
    alone = commit->first == commit->last;
    apr_thread_mutex_unlock(commit->mutex);
    return alone;
}

/*
 * With the connection. Nobody is taken before the lock is held: who has no patience while another
 * process holds it can still leave and knows that nothing happened. When it cannot be had, it
 * cannot for all who wait. A leader without followers needs no transaction around its statement.
 */
static void run_with(brski_commit_t *commit, brski_dbd_t *db, group_t *group, apr_pool_t *pool)
{
    brski_err_t *err;

    if (is_alone(commit)) {
        take_group(group, commit, 1);
        run_singly(commit, db, group);
        return;
    }
    err = brski_dbd_begin(db, pool);
    take_group(group, commit, GROUP_MAX);
    if (err) {
        fail_all(group, err);
    }
    else {
        run_together(commit, db, group, pool);
    }
}

static void run_group(brski_commit_t *commit, group_t *group)
{
    apr_pool_t *pool;
    brski_dbd_t *db;
    brski_err_t *err;
    void *loan;

    apr_pool_create_unmanaged_ex(&pool, NULL, commit->allocator);
    err = commit->host.lend(&db, &loan, commit->host.baton, pool);
    if (err) {
        take_group(group, commit, GROUP_MAX);
        fail_all(group, err);
    }
    else {
        run_with(commit, db, group, pool);
        commit->host.take_back(db, loan, commit->host.baton);
    }
    apr_pool_destroy(pool);
}

/* With the mutex held. */
static void hand_out(group_t *group)
{
    int i;

    for (i = 0; i < group->count; i++) {
        member_t *m = group->members[i];

        if (m->state == ABANDONED) {
            apr_pool_destroy(m->pool);
        }
        else {
            m->state = DONE;
            apr_thread_cond_signal(m->turn);
        }
    }
}

/* With the mutex held: the longest waiting leads the next group. */
static void pass_lead(brski_commit_t *commit)
{
    commit->led_since = 0;
    if (commit->first) {
        commit->led_since = apr_time_now();
        commit->first->state = LEADING;
        apr_thread_cond_signal(commit->first->turn);
    }
}

/* The leader stands at the head of the queue, so its own member is in its group. */
static void lead(brski_commit_t *commit)
{
    group_t group;

    run_group(commit, &group);
    apr_thread_mutex_lock(commit->mutex);
    hand_out(&group);
    pass_lead(commit);
    apr_thread_mutex_unlock(commit->mutex);
}

/* ---- waiting ---- */

/* With the mutex held: until there is a result or a lead, or no patience. */
static void await_turn(brski_commit_t *commit, member_t *m)
{
    apr_time_t now = apr_time_now();
    apr_time_t until = now + commit->patience;

    while ((m->state == WAITING || m->state == TAKEN) && now < until) {
        apr_thread_cond_timedwait(m->turn, commit->mutex, until - now);
        now = apr_time_now();
    }
}

/* With the mutex held: nonzero when the leader has been at it for longer than anybody waits. */
static int is_stuck(const brski_commit_t *commit)
{
    return commit->led_since && apr_time_now() - commit->led_since > commit->patience;
}

/*
 * Queue up. The state says what to do next: LEADING, DONE, or with too much waiting WAITING or
 * TAKEN.
 */
static state_t join(brski_commit_t *commit, member_t *m)
{
    state_t state;

    apr_thread_mutex_lock(commit->mutex);
    if (is_stuck(commit)) {
        commit->turned_away++;
        apr_thread_mutex_unlock(commit->mutex);
        return WAITING;
    }
    append(commit, m);
    if (!commit->led_since) {
        commit->led_since = apr_time_now();
        m->state = LEADING;
    }
    await_turn(commit, m);
    state = m->state;
    if (state == WAITING) {
        leave_queue(commit, m);
        commit->turned_away++;
    }
    if (state == TAKEN) {
        m->state = ABANDONED;
        commit->turned_away++;
    }
    apr_thread_mutex_unlock(commit->mutex);
    return state;
}

static brski_err_t *result(int *changed, member_t *m, apr_pool_t *pool)
{
    brski_err_t *err = BRSKI_OK;

    *changed = m->changed;
    if (m->err) {
        err = brski_err(m->err->code, NULL, pool, "%s",
                        m->err->detail ? m->err->detail : m->err->name);
    }
    apr_pool_destroy(m->pool);
    return err;
}

brski_err_t *brski_commit_put(int *changed, brski_commit_t *commit, const char *const *args,
                              int nargs, apr_pool_t *pool)
{
    member_t *m = make_member(commit, args, nargs);
    state_t state;

    *changed = 0;
    if (!m) {
        return brski_err(BRSKI_E_INTERNAL, NULL, pool, "no memory for the group commit");
    }
    state = join(commit, m);
    if (state == WAITING) {
        apr_pool_destroy(m->pool);
        return brski_err(BRSKI_E_STORE_BUSY, NULL, pool,
                         "the database does not take writes in time");
    }
    if (state == TAKEN) {
        return brski_err(BRSKI_E_STORE, NULL, pool, "the database does not finish a write in time");
    }
    if (state == LEADING) {
        lead(commit);
    }
    return result(changed, m, pool);
}

apr_int64_t brski_commit_turned_away(brski_commit_t *commit)
{
    apr_int64_t n;

    apr_thread_mutex_lock(commit->mutex);
    n = commit->turned_away;
    apr_thread_mutex_unlock(commit->mutex);
    return n;
}
