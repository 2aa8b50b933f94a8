/* SPDX-License-Identifier: Apache-2.0 */
/*
 * glue_tree.c: walks httpd's tree of directives, as glue_tree.h says. A virtual host is recognised
 * by the file and line of its section, which httpd notes in its server_rec.
 */
#include "glue_tree.h"

#include <apr_strings.h>
#include <util_cfgtree.h>

static int is_host(const ap_directive_t *d)
{
    return !ap_cstr_casecmp(d->directive, "<VirtualHost");
}

static int is_host_of(const ap_directive_t *d, const server_rec *s)
{
    return is_host(d) && s->defn_name && s->defn_line_number == (unsigned)d->line_num
        && !strcmp(s->defn_name, d->filename);
}

/* The first directive of a server's own level. */
static const ap_directive_t *level_of(const server_rec *main_server, const server_rec *s)
{
    const ap_directive_t *d = ap_conftree;

    if (s == main_server) {
        return d;
    }
    while (d && !is_host_of(d, s)) {
        d = d->next;
    }
    return d ? d->first_child : NULL;
}

static const ap_directive_t *last_of(const ap_directive_t *level, const char *name)
{
    const ap_directive_t *found = NULL;

    for (; level; level = level->next) {
        if (!ap_cstr_casecmp(level->directive, name)) {
            found = level;
        }
    }
    return found;
}

const ap_directive_t *glue_tree_last(const server_rec *main_server, const server_rec *s,
                                     const char *name)
{
    const ap_directive_t *found = last_of(level_of(main_server, s), name);

    return found || s == main_server ? found : last_of(ap_conftree, name);
}

static void add_all(apr_array_header_t *found, const ap_directive_t *level, const char *name)
{
    for (; level; level = level->next) {
        if (!ap_cstr_casecmp(level->directive, name)) {
            APR_ARRAY_PUSH(found, const ap_directive_t *) = level;
        }
    }
}

apr_array_header_t *glue_tree_all(const server_rec *main_server, const server_rec *s,
                                  const char *name, apr_pool_t *pool)
{
    apr_array_header_t *found = apr_array_make(pool, 2, sizeof(const ap_directive_t *));

    add_all(found, level_of(main_server, s), name);
    if (!found->nelts && s != main_server) {
        add_all(found, ap_conftree, name);
    }
    return found;
}

const char *glue_tree_value(const server_rec *main_server, const server_rec *s, const char *name,
                            apr_pool_t *pool)
{
    const ap_directive_t *d = glue_tree_last(main_server, s, name);
    const char *args = d ? d->args : NULL;

    return args ? ap_getword_conf(pool, &args) : NULL;
}

static int has_word(const ap_directive_t *d, const char *const *words, apr_pool_t *pool)
{
    const char *args = d->args;
    const char *arg;
    int i;

    while (args && *args) {
        arg = ap_getword_conf(pool, &args);
        for (i = 0; words[i]; i++) {
            if (!ap_cstr_casecmp(arg, words[i])) {
                return 1;
            }
        }
    }
    return 0;
}

/* What is looked for: in directives of this name from this depth on, an argument among words or
 * none. */
typedef struct glue_tree_search_t {
    const char *name;
    const char *const *words;
    int wanted;
    int from_depth;
    apr_pool_t *pool;
} glue_tree_search_t;

static const ap_directive_t *find_in(const ap_directive_t *level, int depth,
                                     const glue_tree_search_t *search)
{
    const ap_directive_t *found = NULL;

    for (; level && !found; level = level->next) {
        if (depth >= search->from_depth && !ap_cstr_casecmp(level->directive, search->name)
            && has_word(level, search->words, search->pool) == search->wanted) {
            found = level;
        }
        else if (level->first_child && !is_host(level)) {
            found = find_in(level->first_child, depth + 1, search);
        }
    }
    return found;
}

/* What stands in the main server, or in its sections, holds in its virtual hosts too. */
static const ap_directive_t *find_for(const server_rec *main_server, const server_rec *s,
                                      const glue_tree_search_t *search)
{
    const ap_directive_t *found = find_in(level_of(main_server, s), 0, search);

    return found || s == main_server ? found : find_in(ap_conftree, 0, search);
}

const ap_directive_t *glue_tree_says(const server_rec *main_server, const server_rec *s,
                                     const char *name, const char *const *words, apr_pool_t *pool)
{
    const glue_tree_search_t search = { name, words, 1, 0, pool };

    return find_for(main_server, s, &search);
}

const ap_directive_t *glue_tree_section_differs(const server_rec *main_server, const server_rec *s,
                                                const char *name, const char *const *words,
                                                apr_pool_t *pool)
{
    const glue_tree_search_t search = { name, words, 0, 1, pool };

    return find_for(main_server, s, &search);
}

const char *glue_tree_where(const ap_directive_t *d, apr_pool_t *pool)
{
    return apr_psprintf(pool, "%s:%d", d->filename, d->line_num);
}
