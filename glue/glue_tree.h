/* SPDX-License-Identifier: Apache-2.0 */
/*
 * glue_tree.h: what other modules' directives say about a server. Their structs are private, so the tree of directives that
 * httpd keeps while it reads its configuration is asked: in check_config and post_config, never in a request.
 */
#ifndef GLUE_TREE_H
#define GLUE_TREE_H

#include <httpd.h>
#include <http_config.h>

/**
 * The last directive of a name that holds for a server at its own level: its virtual host's, else the main server's.
 * @param main_server  the main server
 * @return NULL when there is none
 */
const ap_directive_t *glue_tree_last(const server_rec *main_server, const server_rec *s, const char *name);

/**
 * All directives of a name that hold for a server at its own level: its virtual host's, or when that has none the main
 * server's. @return array of const ap_directive_t *
 */
apr_array_header_t *glue_tree_all(const server_rec *main_server, const server_rec *s, const char *name, apr_pool_t *pool);

/** First argument of what glue_tree_last() finds, unquoted; NULL when there is none. */
const char *glue_tree_value(const server_rec *main_server, const server_rec *s, const char *name, apr_pool_t *pool);

/**
 * The first directive of a name that can hold for a server, in sections inside it too, with one of words (NULL-terminated)
 * among its arguments. @return NULL when there is none
 */
const ap_directive_t *glue_tree_says(const server_rec *main_server, const server_rec *s, const char *name,
                                     const char *const *words, apr_pool_t *pool);

/**
 * The first directive of a name inside a section (<Location> and the like) that can hold for a server, with none of words
 * among its arguments. @return NULL when there is none
 */
const ap_directive_t *glue_tree_section_differs(const server_rec *main_server, const server_rec *s, const char *name,
                                                const char *const *words, apr_pool_t *pool);

/** "file:line" of a directive. */
const char *glue_tree_where(const ap_directive_t *d, apr_pool_t *pool);

#endif
