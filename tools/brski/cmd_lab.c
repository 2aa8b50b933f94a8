/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_lab.c: `brski lab DIR` makes all that a MASA and a registrar need to be tried: a
 * manufacturer, a domain with its registrar and CA, a second domain that owns nothing, devices with
 * IDevIDs, the CSV that masactl imports, and configurations of httpd that start.
 */
#include <apr_strings.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../common/opts.h"
#include "../common/say.h"
#include "brski_bytes.h"
#include "brski_json.h"
#include "files.h"
#include "lab.h"
#include "lab_conf.h"
#include "lab_make.h"

#ifndef BRSKI_HTTPD_MODULES
#define BRSKI_HTTPD_MODULES "/usr/lib/apache2/modules"
#endif
#ifndef BRSKI_HTTPD
#define BRSKI_HTTPD "apache2"
#endif
#ifndef BRSKI_MOD_MASA
#define BRSKI_MOD_MASA BRSKI_HTTPD_MODULES "/mod_masa.so"
#endif

#ifndef BRSKI_MOD_EST
#define BRSKI_MOD_EST BRSKI_HTTPD_MODULES "/mod_est.so"
#endif

#define MAX_DEVICES 10000000
#define DAY apr_time_from_sec(86400)

/* ---- the plan ---- */

static int is_plain(const char *text)
{
    return *text &&
           strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
               strlen(text);
}

static brski_err_t *check_words(const lab_plan_t *plan, apr_pool_t *pool)
{
    if (!is_plain(plan->host)) {
        return say_refuse(pool, "--host %s is not a host name.",
                          brski_printable(plan->host, 80, pool));
    }
    if (!is_plain(plan->prefix) || plan->prefix[0] == '.' || strlen(plan->prefix) > 40) {
        return say_refuse(pool, "--prefix takes up to 40 letters, digits, '.', '_' and '-'.");
    }
    if (!is_plain(plan->product) || strlen(plan->product) > 40) {
        return say_refuse(pool, "--product takes up to 40 letters, digits, '.', '_' and '-'.");
    }
    if (strcmp(plan->key, "p256") && strcmp(plan->key, "p384") && strcmp(plan->key, "rsa2048")) {
        return say_refuse(pool, "--key is one of p256, p384, rsa2048.");
    }
    if (strpbrk(plan->customer, ",\"\r\n")) {
        return say_refuse(pool, "--customer must not contain commas, quotes or line ends.");
    }
    return BRSKI_OK;
}

/* httpd started as root runs as this user, who must be able to write the database. */
static brski_err_t *choose_user(lab_plan_t *plan, const char *wanted, apr_pool_t *pool)
{
    struct passwd *pw;
    struct group *gr;

    if (geteuid() != 0) {
        return wanted ? say_refuse(pool,
                                   "--user needs root: only root can start httpd as another user.")
                      : BRSKI_OK;
    }
    pw = getpwnam(wanted ? wanted : "www-data");
    if (!pw && !wanted) {
        pw = getpwnam("nobody");
    }
    if (!pw) {
        return say_refuse(pool, "There is no user %s.", wanted ? wanted : "www-data or nobody");
    }
    plan->user = apr_pstrdup(pool, pw->pw_name);
    gr = getgrgid(pw->pw_gid);
    plan->group = gr ? apr_pstrdup(pool, gr->gr_name)
                     : apr_psprintf(pool, "#%lu", (unsigned long)pw->pw_gid);
    return BRSKI_OK;
}

static const char *or_default(const char *given, const char *fallback)
{
    return given ? given : fallback;
}

static brski_err_t *read_plan(lab_plan_t *plan, call_t *call)
{
    apr_int64_t port, est_port, days;

    memset(plan, 0, sizeof(*plan));
    plan->key = or_default(opt_get(call, "key"), "p256");
    plan->prefix = or_default(opt_get(call, "prefix"), "JADA");
    plan->host = or_default(opt_get(call, "host"), "localhost");
    plan->product = or_default(opt_get(call, "product"), "lab");
    plan->customer = or_default(opt_get(call, "customer"), "");
    plan->modules = or_default(opt_get(call, "modules"), BRSKI_HTTPD_MODULES);
    plan->module = or_default(opt_get(call, "module"), BRSKI_MOD_MASA);
    plan->est_module = or_default(opt_get(call, "est-module"), BRSKI_MOD_EST);
    BRSKI_TRY(opt_int(&plan->devices, call, "devices", 1, MAX_DEVICES, 3));
    BRSKI_TRY(opt_int(&port, call, "port", 1, 65535, 9443));
    BRSKI_TRY(opt_int(&est_port, call, "est-port", 1, 65535, port == 9444 ? 9443 : 9444));
    BRSKI_TRY(opt_int(&days, call, "days", 1, 36500, 365));
    BRSKI_TRY(check_words(plan, call->pool));
    BRSKI_TRY(choose_user(plan, opt_get(call, "user"), call->pool));
    plan->port = (int)port;
    plan->est_port = (int)est_port;
    plan->odd = opt_has(call, "odd");
    plan->digits = (int)strlen(apr_psprintf(call->pool, "%" APR_INT64_T_FMT, plan->devices));
    plan->digits = plan->digits < 4 ? 4 : plan->digits;
    plan->from = call->ctx->now(call->ctx->baton) - DAY;
    plan->until = plan->from + (days + 1) * DAY;
    return BRSKI_OK;
}

static brski_err_t *absolute(const char **out, const char *path, apr_pool_t *pool)
{
    char *real = realpath(path, NULL);

    if (!real) {
        return say_refuse(pool, "Cannot find %s: %s.", brski_printable(path, 200, pool),
                          strerror(errno));
    }
    *out = apr_pstrdup(pool, real);
    free(real);
    return BRSKI_OK;
}

/* ---- directories ---- */

static brski_err_t *hand_to_user(const lab_plan_t *plan, const char *path, apr_pool_t *pool)
{
    struct passwd *pw = plan->user ? getpwnam(plan->user) : NULL;

    if (pw && chown(path, pw->pw_uid, pw->pw_gid) != 0) {
        return say_refuse(pool, "Cannot give %s to %s: %s.", path, plan->user, strerror(errno));
    }
    return BRSKI_OK;
}

static brski_err_t *make_directories(const lab_plan_t *plan, apr_pool_t *pool)
{
    static const char *const names[] = { LAB_MANUFACTURER, LAB_TLS, LAB_DOMAIN, LAB_STRANGER,
                                         LAB_DEVICES, LAB_LOGS, LAB_RUN, LAB_RUN "/est", LAB_DB,
                                         NULL };
    int i;

    for (i = 0; names[i]; i++) {
        BRSKI_TRY(files_mkdir(files_join(plan->dir, names[i], pool), 0755, pool));
    }
    return hand_to_user(plan, files_join(plan->dir, LAB_DB, pool), pool);
}

/* httpd takes a relative path from its own root. What is not there yet may come later. */
static void find_module(const char **module, const char *conf, const char *option, call_t *call)
{
    if (absolute(module, *module, call->pool)) {
        say_warn(call->say, "there is no %s yet, which %s will load (--%s FILE)",
                 brski_printable(*module, 200, call->pool), conf, option);
    }
}

static brski_err_t *make_root(const char **dir, const char *path, apr_pool_t *pool)
{
    int empty;

    BRSKI_TRY(files_dir_empty(&empty, path, pool));
    if (!empty) {
        return say_refuse(
            pool, "%s is not empty; name a directory that is, or one that is not there yet.",
            brski_printable(path, 200, pool));
    }
    BRSKI_TRY(files_mkdir(path, 0755, pool));
    return absolute(dir, path, pool);
}

/* The run user has to pass every directory on the way to the database. */
static void warn_if_closed(const lab_plan_t *plan, call_t *call)
{
    char *path = apr_pstrdup(call->pool, plan->dir), *slash;
    struct stat info;

    while (plan->user && (slash = strrchr(path, '/')) != NULL && slash != path) {
        *slash = '\0';
        if (stat(path, &info) == 0 && !(info.st_mode & S_IXOTH)) {
            say_warn(call->say, "%s is closed to others: httpd running as %s cannot reach the lab's"
                     " database.", path, plan->user);
            return;
        }
    }
}

/* ---- the files that speak of the others ---- */

static const char *url_of(const lab_plan_t *plan, apr_pool_t *pool)
{
    return apr_psprintf(pool, "https://%s:%d", plan->host, plan->port);
}

static const char *registrar_url(const lab_plan_t *plan, apr_pool_t *pool)
{
    return apr_psprintf(pool, "https://%s:%d", plan->host, plan->est_port);
}

static brski_err_t *write_json(const lab_plan_t *plan, apr_pool_t *pool)
{
    brski_json_t *json = brski_json_object(pool);

    brski_json_set_int(json, "version", 1);
    brski_json_set_string(json, "url", url_of(plan, pool));
    brski_json_set_string(json, "registrar_url", registrar_url(plan, pool));
    brski_json_set_string(json, "product", plan->product);
    brski_json_set_string(json, "prefix", plan->prefix);
    brski_json_set_int(json, "devices", plan->devices);
    brski_json_set_string(json, "first_device", lab_make_serial(plan, 1, pool));
    return files_write(
        files_join(plan->dir, LAB_FILE, pool),
        brski_bytes_str(apr_pstrcat(pool, brski_json_text(json, 1, pool), "\n", NULL)),
        FILES_PUBLIC, pool);
}

static brski_err_t *write_text(const lab_plan_t *plan, const char *name, const char *text,
                               apr_pool_t *pool)
{
    return files_write(files_join(plan->dir, name, pool), brski_bytes_str(text), FILES_PUBLIC,
                       pool);
}

static brski_err_t *write_conf(const lab_plan_t *plan, apr_pool_t *pool)
{
    lab_conf_t conf;

    memset(&conf, 0, sizeof(conf));
    conf.dir = plan->dir;
    conf.host = plan->host;
    conf.port = plan->port;
    conf.est_port = plan->est_port;
    conf.product = plan->product;
    conf.modules = plan->modules;
    conf.module = plan->module;
    conf.est_module = plan->est_module;
    conf.user = plan->user;
    conf.group = plan->group;
    BRSKI_TRY(write_text(plan, LAB_MASACTL_CONF,
                         lab_conf_tool(&conf, "masactl", LAB_DB_FILE, pool), pool));
    BRSKI_TRY(write_text(plan, LAB_ESTCTL_CONF,
                         lab_conf_tool(&conf, "estctl", LAB_EST_DB_FILE, pool), pool));
    BRSKI_TRY(write_text(plan, LAB_EST_CONF, lab_conf_est(&conf, pool), pool));
    return write_text(plan, LAB_CONF, lab_conf_text(&conf, pool), pool);
}

/* ---- what was made ---- */

static const struct {
    const char *path;
    const char *what;
} contents[] = {
    { LAB_MANUFACTURER "/root.pem", "manufacturer's root: what devices trust, anchor of vouchers" },
    { LAB_MANUFACTURER "/idevid-ca.pem", "issues the devices' certificates (IDevIDs)" },
    { LAB_MANUFACTURER "/idevid-anchors.pem", "for MASAIDevIDAnchor: both of the above" },
    { LAB_MANUFACTURER "/masa-signer.pem", "signs vouchers; with chain and root" },
    { LAB_MANUFACTURER "/nonceless-signer.pem", "for nonceless vouchers, when you allow them" },
    { LAB_TLS "/server.pem", "the MASA's TLS certificate; tls/ca.pem is its anchor" },
    { LAB_DOMAIN "/registrar.pem", "registrar of the domain, with its root" },
    { LAB_DOMAIN "/ca.pem", "issues the domain's certificates, with its root" },
    { LAB_DOMAIN "/masa-client.pem", "who the registrar is in TLS with MASAs" },
    { LAB_STRANGER "/registrar.pem", "registrar of another domain, which owns nothing" },
    { LAB_DOMAIN "/not-a-registrar.pem", "a certificate without id-kp-cmcRA, to be refused" },
    { LAB_DEVICES "/SERIAL/idevid.pem", "a device's certificate and its issuer" },
    { LAB_DEVICES_CSV, "the devices, for 'masactl device import'" },
    { LAB_CONF, "configuration of httpd: a MASA for all this" },
    { LAB_MASACTL_CONF, "configuration of masactl: the same database" },
    { LAB_EST_CONF, "configuration of httpd: a registrar and EST server for the domain" },
    { LAB_ESTCTL_CONF, "configuration of estctl: its database" },
    { LAB_DB "/", "where their records will be" },
    { LAB_LOGS "/", "what they log" },
    { NULL, NULL }
};

static brski_err_t *write_readme(const lab_plan_t *plan, apr_pool_t *pool)
{
    const char *text = "A lab for BRSKI, made by 'brski lab'. Its keys protect nothing.\n"
                       "Beside each .pem with a key of its own stands NAME.key.\n\n";
    const char *name, *what;
    int i;

    for (i = 0; contents[i].path; i++) {
        text = apr_psprintf(pool, "%s%-36s %s\n", text, contents[i].path, contents[i].what);
    }
    for (i = 0; plan->odd && (name = lab_make_odd_name(i, &what)) != NULL; i++) {
        text = apr_psprintf(pool, "%s" LAB_ODD "/%-32s %s\n", text,
                            apr_pstrcat(pool, name, ".pem", NULL), what);
    }
    return files_write(files_join(plan->dir, LAB_README, pool), brski_bytes_str(text), FILES_PUBLIC,
                       pool);
}

static void tell_people(const lab_plan_t *plan, call_t *call, double seconds)
{
    say_t *say = call->say;
    int i;

    say_line(say, "%s: a lab with %s device%s of type %s, made in %.1f s", plan->dir,
             say_count(plan->devices, call->pool), plan->devices == 1 ? "" : "s", plan->key,
             seconds);
    for (i = 0; contents[i].path; i++) {
        say_line(say, "  %-35s %s", contents[i].path, contents[i].what);
    }
    say_line(say, "Start its MASA, at %s, and ask for a first voucher:", url_of(plan, call->pool));
    say_line(say, "  masactl --config %s/" LAB_MASACTL_CONF " schema apply", plan->dir);
    say_line(say, "  masactl --config %s/" LAB_MASACTL_CONF " device import %s/" LAB_DEVICES_CSV,
             plan->dir, plan->dir);
    say_line(say, "  " BRSKI_HTTPD " -f %s/" LAB_CONF, plan->dir);
    say_line(say, "  brski ask --lab %s --device %s", plan->dir,
             lab_make_serial(plan, 1, call->pool));
    say_line(say, "Start its registrar too, at %s, and join its network:",
             registrar_url(plan, call->pool));
    say_line(say, "  estctl --config %s/" LAB_ESTCTL_CONF " schema apply", plan->dir);
    say_line(say, "  " BRSKI_HTTPD " -f %s/" LAB_EST_CONF, plan->dir);
    say_line(say, "  brski join --lab %s --device %s", plan->dir,
             lab_make_serial(plan, 1, call->pool));
}

static void tell_programs(const lab_plan_t *plan, call_t *call)
{
    brski_json_t *json = brski_json_object(call->pool), *files = brski_json_object(call->pool);
    int i;

    brski_json_set_string(json, "lab", plan->dir);
    brski_json_set_string(json, "url", url_of(plan, call->pool));
    brski_json_set_string(json, "registrar_url", registrar_url(plan, call->pool));
    brski_json_set_string(json, "product", plan->product);
    brski_json_set_int(json, "devices", plan->devices);
    brski_json_set_string(json, "first_device", lab_make_serial(plan, 1, call->pool));
    for (i = 0; contents[i].path; i++) {
        brski_json_set_string(files, contents[i].path, contents[i].what);
    }
    brski_json_set(json, "files", files);
    say_json(call->say, json);
}

/* ---- the command ---- */

static brski_err_t *make_lab(lab_plan_t *plan, call_t *call)
{
    lab_made_t made;

    memset(&made, 0, sizeof(made));
    if (plan->user) {
        umask(022);               /* keys have a mode of their own; the run user reads the rest */
    }
    BRSKI_TRY(make_root(&plan->dir, call->args[0], call->pool));
    BRSKI_TRY(make_directories(plan, call->pool));
    BRSKI_TRY(lab_make_keys(&made, plan, call->pool));
    BRSKI_TRY(hand_to_user(plan, files_join(plan->dir, LAB_DOMAIN "/masa-client.key", call->pool),
                           call->pool));
    if (plan->odd) {
        BRSKI_TRY(lab_make_odd(&made, plan, call->pool));
    }
    BRSKI_TRY(lab_make_devices(&made, plan, call));
    BRSKI_TRY(lab_make_csv(&made, plan, call->pool));
    BRSKI_TRY(write_conf(plan, call->pool));
    BRSKI_TRY(write_readme(plan, call->pool));
    /* last: only a lab that is whole can be opened */
    return write_json(plan, call->pool);
}

static brski_err_t *run(call_t *call)
{
    apr_time_t started = apr_time_now();
    lab_plan_t plan;

    BRSKI_TRY(read_plan(&plan, call));
    find_module(&plan.module, LAB_CONF, "module", call);
    /* who wants a MASA alone needs no mod_est */
    if (opt_has(call, "est-module") || files_exists(plan.est_module, call->pool)) {
        find_module(&plan.est_module, LAB_EST_CONF, "est-module", call);
    }
    BRSKI_TRY(make_lab(&plan, call));
    warn_if_closed(&plan, call);
    tell_people(&plan, call, (double)(apr_time_now() - started) / APR_USEC_PER_SEC);
    tell_programs(&plan, call);
    return BRSKI_OK;
}

static const opt_t options[] = {
    { "devices", 'n', "N", "how many devices (3)" },
    { "key", 0, "TYPE", "p256, p384 or rsa2048 (p256)" },
    { "prefix", 0, "TEXT", "serial numbers begin with it (JADA)" },
    { "odd", 0, NULL, "odd identities too, to test a MASA with" },
    { "product", 0, "NAME", "product line of the devices (lab)" },
    { "customer", 0, "NAME", "customer they were sold to (none)" },
    { "days", 0, "N", "certificates but IDevIDs end after (365)" },
    { "host", 0, "NAME", "the MASA's host name (localhost)" },
    { "port", 0, "N", "the MASA's port, on loopback (9443)" },
    { "est-port", 0, "N", "the registrar's port, on loopback (9444)" },
    { "user", 0, "NAME", "whom httpd runs as, for root (www-data)" },
    { "modules", 0, "DIR", NULL },
    { "module", 0, "FILE", "mod_masa.so, for masa.conf" },
    { "est-module", 0, "FILE", "mod_est.so, for est.conf" },
    { NULL, 0, NULL, NULL }
};

static const command_t commands[] = {
    {"lab", "DIR", 1, 1, "Makes a manufacturer, two domains, devices, and servers' configurations",
     options, "DIR must be absent or empty.", run},
    {NULL, NULL, 0, 0, NULL, NULL, NULL, NULL}};

static command_group_t group = {"lab", "make keys, devices and servers' configurations to try with",
                                1, commands, NULL};
COMMAND_GROUP(group)
