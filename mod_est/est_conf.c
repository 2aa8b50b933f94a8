/* SPDX-License-Identifier: Apache-2.0 */
/*
 * est_conf.c: the directive table, merge and defaults, and the setters of what belongs to the whole
 * server. A setter refuses what it can judge by itself and says directive, value and what would be
 * right; files, keys and names that belong together are judged by est_check.c when all has been
 * read.
 */
#include "est_conf_set.h"

#include <stddef.h>

#include <apr_lib.h>
#include <apr_network_io.h>
#include <apr_strings.h>

extern module AP_MODULE_DECLARE_DATA est_module;

const est_conf_t est_defaults = {
    .engine = EST_ENGINE_OFF,
    .tenant = "default",
    .legacy = 0,
    .label = {
        .name = "",
        .require_voucher = 1,
        .approve = 0,
        .clients = EST_CLIENTS_DEVICE | EST_CLIENTS_USER,
        .pop = BRSKI_POP_OPTIONAL,
        .reenroll_same_key = 1,
        .reenroll_grace = 0,
        .reenroll_before = 0
    },
    .audit = { .withhold = 0, .revoke = 1 },
    .recheck = 0,
    .recheck_revokes = 0,
    .addresses = EST_ADDRESSES_PUBLIC,
    .masa_timeout = apr_time_from_sec(30),
    .rvr_chain = BRSKI_RVR_CHAIN,
    .answer_within = apr_time_from_sec(1),
    .workers = 8,
    .waiters = 8,
    .telemetry_wait = apr_time_from_sec(5 * 60),
    .request_retention = apr_time_from_sec(5 * 24 * 60 * 60),
    .skew = apr_time_from_sec(5 * 60),
    .transfer_encoding = 1,
    .body_limit = 64 * 1024,
    .database_workers = 10,
    .database_patience = apr_time_from_sec(2),
    .certificate_cache = 1000
};

est_conf_t *est_conf(const server_rec *s)
{
    return ap_get_module_config(s->module_config, &est_module);
}

void *est_conf_create(apr_pool_t *pool, server_rec *s)
{
    est_conf_t *c = apr_pcalloc(pool, sizeof(*c));

    (void)s;
    c->engine = EST_UNSET;
    c->legacy = EST_UNSET;
    c->recheck = EST_UNSET;
    c->recheck_revokes = EST_UNSET;
    c->addresses = EST_UNSET;
    c->masa_timeout = EST_UNSET;
    c->rvr_chain = EST_UNSET;
    c->answer_within = EST_UNSET;
    c->workers = EST_UNSET;
    c->waiters = EST_UNSET;
    c->telemetry_wait = EST_UNSET;
    c->request_retention = EST_UNSET;
    c->skew = EST_UNSET;
    c->transfer_encoding = EST_UNSET;
    c->body_limit = EST_UNSET;
    c->database_workers = EST_UNSET;
    c->database_patience = EST_UNSET;
    c->certificate_cache = EST_UNSET;
    c->manufacturers = apr_array_make(pool, 2, sizeof(est_manufacturer_conf_t *));
    c->certificates = apr_array_make(pool, 2, sizeof(est_certificate_conf_t *));
    c->labels = apr_array_make(pool, 2, sizeof(est_label_conf_t *));
    est_conf_label_unset(&c->label);
    c->label.name = "";
    est_conf_audit_unset(&c->audit);
    return c;
}

#define MERGE(field) merged->field = a->field != EST_UNSET ? a->field : b->field
#define MERGE_TEXT(field) merged->field = a->field ? a->field : b->field
#define MERGE_LIST(field) merged->field = apr_array_append(pool, b->field, a->field)

void *est_conf_merge(apr_pool_t *pool, void *base, void *add)
{
    const est_conf_t *b = base;
    const est_conf_t *a = add;
    est_conf_t *merged = apr_pcalloc(pool, sizeof(*merged));

    MERGE(engine);
    MERGE_TEXT(tenant);
    MERGE(legacy);
    MERGE_LIST(manufacturers);
    MERGE_LIST(certificates);
    est_conf_label_merge(&merged->label, &b->label, &a->label);
    MERGE_LIST(labels);
    est_conf_audit_merge(&merged->audit, &b->audit, &a->audit);
    MERGE(recheck);
    MERGE(recheck_revokes);
    MERGE(addresses);
    MERGE_TEXT(networks);
    MERGE_TEXT(network_words);
    MERGE_TEXT(proxy);
    MERGE_TEXT(resolve);
    MERGE(masa_timeout);
    MERGE(rvr_chain);
    MERGE_TEXT(notify);
    MERGE(answer_within);
    MERGE(workers);
    MERGE(waiters);
    MERGE(telemetry_wait);
    MERGE(request_retention);
    MERGE(skew);
    MERGE(transfer_encoding);
    MERGE(body_limit);
    MERGE(database_workers);
    MERGE(database_patience);
    MERGE(certificate_cache);
    return merged;
}

/* ---- what the setters' files share ---- */

est_conf_t *est_conf_of(const cmd_parms *cmd)
{
    return est_conf(cmd->server);
}

const char *est_conf_add_file(apr_array_header_t **list, cmd_parms *cmd, const char *arg)
{
    const char *path;
    const char *problem = glue_conf_file(&path, cmd, arg);

    if (!*list) {
        *list = apr_array_make(cmd->pool, 1, sizeof(const char *));
    }
    if (!problem) {
        APR_ARRAY_PUSH(*list, const char *) = path;
    }
    return problem;
}

void est_conf_add_words(apr_array_header_t **list, cmd_parms *cmd, int argc, char *const argv[])
{
    int i;

    if (!*list) {
        *list = apr_array_make(cmd->pool, argc, sizeof(const char *));
    }
    if (argc == 1 && !ap_cstr_casecmp(argv[0], "none")) {
        apr_array_clear(*list);
        return;
    }
    for (i = 0; i < argc; i++) {
        APR_ARRAY_PUSH(*list, const char *) = argv[i];
    }
}

const char *est_conf_key_file(const char **path, const cmd_parms *cmd, const char *uri)
{
    const char *p = uri;

    while (apr_isalnum(*p) || *p == '+' || *p == '-') {
        p++;
    }
    if (*p == ':' && p - uri > 1) {
        if (strncmp(uri, "file:", 5)) {
            return apr_psprintf(cmd->pool, "%s: '%s': keys of this kind are not in this version; "
                                "name a PEM file", cmd->cmd->name, uri);
        }
        uri += strncmp(uri, "file://", 7) ? 5 : 7;
    }
    return glue_conf_file(path, cmd, uri);
}

const char *est_conf_walk(cmd_parms *cmd, const char *const *names)
{
    const ap_directive_t *d;
    int i;

    for (d = cmd->directive->first_child; d; d = d->next) {
        for (i = 0; names[i] && ap_cstr_casecmp(names[i], d->directive); i++) {
            ;
        }
        if (!names[i]) {
            cmd->err_directive = d;
            return apr_psprintf(cmd->pool, "%s does not belong inside %s>", d->directive,
                                cmd->cmd->name);
        }
    }
    return ap_walk_config(cmd->directive->first_child, cmd, cmd->context);
}

/* ---- of the whole server ---- */

#define FIELD(type, base, offset) ((type *)((char *)(base) + (apr_size_t)(offset)))
#define OFFSET(field) ((void *)offsetof(est_conf_t, field))

static const char *set_flag(cmd_parms *cmd, void *dir, int on)
{
    (void)dir;
    *FIELD(int, est_conf_of(cmd), cmd->info) = on;
    return NULL;
}

static const char *set_duration(cmd_parms *cmd, void *dir, const char *arg)
{
    (void)dir;
    return glue_conf_duration(FIELD(apr_interval_time_t, est_conf_of(cmd), cmd->info), cmd, arg);
}

/* As set_duration(), of at least a second: shorter is a switch that turns something off. */
static const char *set_seconds(cmd_parms *cmd, void *dir, const char *arg)
{
    apr_interval_time_t *value = FIELD(apr_interval_time_t, est_conf_of(cmd), cmd->info);
    const char *problem = set_duration(cmd, dir, arg);

    if (!problem && *value < apr_time_from_sec(1)) {
        return apr_psprintf(cmd->pool, "%s: '%s' is too short; write 1s or more", cmd->cmd->name,
                            arg);
    }
    return problem;
}

static const char *set_engine(cmd_parms *cmd, void *dir, int on)
{
    (void)dir;
    est_conf_of(cmd)->engine = on ? EST_ENGINE_ON : EST_ENGINE_OFF;
    return NULL;
}

static const char *set_tenant(cmd_parms *cmd, void *dir, const char *arg)
{
    (void)dir;
    est_conf_of(cmd)->tenant = arg;
    return glue_conf_name(cmd, arg);
}

static const char *add_certificate(cmd_parms *cmd, void *dir, const char *chain, const char *key)
{
    est_certificate_conf_t *certificate = apr_pcalloc(cmd->pool, sizeof(*certificate));
    const char *problem = glue_conf_file(&certificate->chain_file, cmd, chain);

    (void)dir;
    problem = problem ? problem : est_conf_key_file(&certificate->key_file, cmd, key);
    certificate->where = glue_conf_where(cmd);
    APR_ARRAY_PUSH(est_conf_of(cmd)->certificates, est_certificate_conf_t *) = certificate;
    return problem;
}

static const char *set_pin_candidates(cmd_parms *cmd, void *dir, const char *arg)
{
    static const glue_word_t words[] = {
        { "chain", BRSKI_RVR_CHAIN }, { "registrar", BRSKI_RVR_EE }, { NULL, 0 }
    };

    (void)dir;
    return glue_conf_word(&est_conf_of(cmd)->rvr_chain, cmd, words, arg);
}

/* ---- towards the MASA ---- */

/* ADDR or ADDR/LEN. */
static const char *add_network(est_conf_t *c, cmd_parms *cmd, const char *arg)
{
    const char *slash = ap_strchr_c(arg, '/');
    const char *address = slash ? apr_pstrmemdup(cmd->pool, arg, slash - arg) : arg;
    apr_ipsubnet_t *network;

    if (apr_ipsubnet_create(&network, address, slash ? slash + 1 : NULL, cmd->pool)
        != APR_SUCCESS || !strpbrk(address, ".:") || apr_isalpha(address[strlen(address) - 1])) {
        return apr_psprintf(cmd->pool, "%s: '%s' is neither public, any nor an address; write one "
                            "such as 10.1.2.3, 192.168.0.0/16 or fd00::/8", cmd->cmd->name, arg);
    }
    APR_ARRAY_PUSH(c->networks, apr_ipsubnet_t *) = network;
    APR_ARRAY_PUSH(c->network_words, const char *) = arg;
    return NULL;
}

static const char *set_addresses(cmd_parms *cmd, void *dir, int argc, char *const argv[])
{
    est_conf_t *c = est_conf_of(cmd);
    const char *problem = NULL;
    int i;

    (void)dir;
    if (argc < 1) {
        return "ESTMASAAddresses: write public, any, or addresses of networks such as 10.0.0.0/8";
    }
    if (argc == 1 && (!ap_cstr_casecmp(argv[0], "any") || !ap_cstr_casecmp(argv[0], "public"))) {
        c->addresses = ap_cstr_casecmp(argv[0], "any") ? EST_ADDRESSES_PUBLIC : EST_ADDRESSES_ANY;
        return NULL;
    }
    c->addresses = EST_ADDRESSES_LISTED;
    if (!c->networks) {
        c->networks = apr_array_make(cmd->pool, argc, sizeof(apr_ipsubnet_t *));
        c->network_words = apr_array_make(cmd->pool, argc, sizeof(const char *));
    }
    for (i = 0; i < argc && !problem; i++) {
        problem = ap_cstr_casecmp(argv[i], "public") ? add_network(c, cmd, argv[i]) : NULL;
    }
    return problem;
}

static const char *set_proxy(cmd_parms *cmd, void *dir, const char *arg)
{
    (void)dir;
    if (strncmp(arg, "http://", 7) && strncmp(arg, "https://", 8)) {
        return apr_psprintf(cmd->pool, "ESTMASAProxy: '%s' is not a proxy; write it as "
                            "http://proxy.example:3128", arg);
    }
    est_conf_of(cmd)->proxy = arg;
    return NULL;
}

static const char *set_resolve(cmd_parms *cmd, void *dir, const char *arg)
{
    const char *port = ap_strchr_c(arg, ':');
    const char *address = port ? ap_strchr_c(port + 1, ':') : NULL;

    (void)dir;
    if (!address || port == arg || address == port + 1 || !address[1]
        || strspn(port + 1, "0123456789") != (apr_size_t)(address - port - 1)) {
        return apr_psprintf(cmd->pool, "ESTMASAResolve: '%s' says not where a name is; write "
                            "HOST:PORT:ADDRESS, such as masa.example:443:192.0.2.7", arg);
    }
    est_conf_of(cmd)->resolve = arg;
    return NULL;
}

static const char *set_notify(cmd_parms *cmd, void *dir, int argc, char *const argv[])
{
    est_conf_t *c = est_conf_of(cmd);
    const char *problem, *path;

    (void)dir;
    if (argc < 1) {
        return "ESTNotify: write a program's path, and its arguments";
    }
    problem = glue_conf_file(&path, cmd, argv[0]);
    c->notify = NULL;
    est_conf_add_words(&c->notify, cmd, argc, argv);
    if (!problem) {
        APR_ARRAY_IDX(c->notify, 0, const char *) = path;
    }
    return problem;
}

/* ---- limits ---- */

static const char *set_answer_within(cmd_parms *cmd, void *dir, const char *arg)
{
    const char *problem = set_duration(cmd, dir, arg);

    if (!problem && est_conf_of(cmd)->answer_within > apr_time_from_sec(30)) {
        return apr_psprintf(cmd->pool, "ESTAnswerWithin: '%s' would hold a server's thread for "
                            "too long; write 30s or less", arg);
    }
    return problem;
}

static const char *set_workers(cmd_parms *cmd, void *dir, const char *arg)
{
    (void)dir;
    return glue_conf_number(&est_conf_of(cmd)->workers, cmd, arg, 1, 256);
}

static const char *set_waiters(cmd_parms *cmd, void *dir, const char *arg)
{
    (void)dir;
    return glue_conf_number(&est_conf_of(cmd)->waiters, cmd, arg, 0, 10000);
}

static const char *set_database_workers(cmd_parms *cmd, void *dir, const char *arg)
{
    (void)dir;
    return glue_conf_number(&est_conf_of(cmd)->database_workers, cmd, arg, 1, 10000);
}

static const char *set_certificate_cache(cmd_parms *cmd, void *dir, const char *arg)
{
    (void)dir;
    return glue_conf_number(&est_conf_of(cmd)->certificate_cache, cmd, arg, 0, 1000000);
}

static const char *set_body_limit(cmd_parms *cmd, void *dir, const char *arg)
{
    (void)dir;
    return glue_conf_number(&est_conf_of(cmd)->body_limit, cmd, arg, 1024, 16 * 1024 * 1024);
}

/* ---- what this version refuses ---- */

static const char *set_server_keygen(cmd_parms *cmd, void *dir, int on)
{
    (void)cmd;
    (void)dir;
    return on ? "ESTServerKeygen: 'On' (keys made here for clients) is not in this version; write "
                "Off, clients make their own keys"
              : NULL;
}

/* Without these directives a registrar must end its devices' TLS itself: the proximity of a device
 * is the certificate that it saw (RFC 8995 5.2). */
static const char *refuse_proxy(cmd_parms *cmd, void *dir, int argc, char *const argv[])
{
    (void)dir;
    (void)argc;
    (void)argv;
    return apr_psprintf(cmd->pool, "%s: registrars behind a TLS terminator are not in this "
                        "version; let devices' TLS end at this server (a balancer may forward TCP)",
                        cmd->cmd->name);
}

/* ---- the table ---- */

const command_rec est_commands[] = {
    AP_INIT_FLAG("ESTEngine", set_engine, NULL, RSRC_CONF,
                 "On: this server or virtual host is a registrar and EST server; Off (default)"),
    AP_INIT_TAKE1("ESTTenant", set_tenant, NULL, RSRC_CONF,
                  "name under which the records are kept (default: default)"),
    AP_INIT_FLAG("ESTLegacyPaths", set_flag, OFFSET(legacy), RSRC_CONF,
                 "On: requestvoucher and status reports below /.well-known/est are served too"),
    AP_INIT_RAW_ARGS("<ESTManufacturer", est_set_manufacturer_section, NULL, RSRC_CONF,
                     "container of one manufacturer's directives: <ESTManufacturer NAME>"),
    AP_INIT_TAKE1("ESTIDevIDAnchor", est_set_idevid_anchor, NULL, RSRC_CONF,
                  "PEM file of anchors that this manufacturer's IDevIDs chain to; repeatable"),
    AP_INIT_TAKE1("ESTVoucherAnchor", est_set_voucher_anchor, NULL, RSRC_CONF,
                  "PEM file of anchors that its vouchers' signers chain to; or tofu"),
    AP_INIT_TAKE1("ESTMASATLSAnchor", est_set_tls_anchor, NULL, RSRC_CONF,
                  "PEM file of anchors of its MASA's TLS server; webpki (default); or tofu"),
    AP_INIT_TAKE1("ESTMASAURL", est_set_masa_url, NULL, RSRC_CONF,
                  "URL of its MASA, in place of the one in the IDevID"),
    AP_INIT_TAKE2("ESTMASAClientCertificate", est_set_masa_certificate, NULL, RSRC_CONF,
                  "CHAIN.pem KEY: the TLS client certificate towards its MASA"),
    AP_INIT_TAKE1("ESTMASALogin", est_set_masa_login, NULL, RSRC_CONF,
                  "file with USER:PASSWORD for its MASA"),
    AP_INIT_FLAG("ESTIgnoreIDevIDExpiry", est_set_ignore_expiry, NULL, RSRC_CONF,
                 "On: IDevIDs may have outlived their certificate; Off (default)"),
    AP_INIT_TAKE1("ESTSerialFrom", est_set_serial_from, NULL, RSRC_CONF,
                  "x520 (default), cn or hwmodule: where an IDevID names its serial-number"),
    AP_INIT_TAKE1("ESTPledges", est_set_pledges, NULL, RSRC_CONF,
                  "listed (default), approve or any: which of its devices may join"),
    AP_INIT_TAKE2("ESTRegistrarCertificate", add_certificate, NULL, RSRC_CONF,
                  "CHAIN.pem KEY: signs requests of pledges that were shown it; repeatable"),
    AP_INIT_TAKE1("ESTPinCandidates", set_pin_candidates, NULL, RSRC_CONF,
                  "chain (default) or registrar: certificates that a MASA may pin"),
    AP_INIT_RAW_ARGS("<ESTLabel", est_set_label_section, NULL, RSRC_CONF,
                     "container of one label's directives: <ESTLabel NAME>"),
    AP_INIT_TAKE_ARGV("ESTCA", est_set_ca, NULL, RSRC_CONF,
                      "local CHAIN.pem KEY [crl=URL] [ocsp=URL]: the CA that issues"),
    AP_INIT_TAKE_ARGV("ESTProfile", est_set_profile, NULL, RSRC_CONF,
                      "SETTING VALUE...: what stands in certificates; repeatable"),
    AP_INIT_FLAG("ESTRequireVoucher", est_set_require_voucher, NULL, RSRC_CONF,
                 "On (default): a device that comes with its IDevID needs a voucher from here"),
    AP_INIT_FLAG("ESTApprove", est_set_approve, NULL, RSRC_CONF,
                 "On: enrolments wait for estctl cert approve; Off (default)"),
    AP_INIT_TAKE_ARGV("ESTClients", est_set_clients, NULL, RSRC_CONF,
                      "device, user: who may enrol beside holders of its certificates"),
    AP_INIT_TAKE1("ESTClientAnchor", est_set_client_anchor, NULL, RSRC_CONF,
                  "PEM file of anchors of other client certificates that may enrol; repeatable"),
    AP_INIT_TAKE1("ESTPoP", est_set_pop, NULL, RSRC_CONF,
                  "optional (default), required or off: requests bound to their connection"),
    AP_INIT_ITERATE("ESTReenroll", est_set_reenroll, NULL, RSRC_CONF,
                    "same-key (default) or new-key, grace=DURATION, before=DURATION"),
    AP_INIT_TAKE_ARGV("ESTAuditPolicy", est_set_audit_policy, NULL, RSRC_CONF,
                      "RULE VALUE...: which history of a device is accepted; repeatable"),
    AP_INIT_TAKE12("ESTAuditRecheck", est_set_audit_recheck, NULL, RSRC_CONF,
                   "DURATION|off [revoke]: look at the audit log again so often (default off)"),
    AP_INIT_TAKE_ARGV("ESTMASAAddresses", set_addresses, NULL, RSRC_CONF,
                      "public (default), any, or networks beside: where a MASA URL may point"),
    AP_INIT_TAKE1("ESTMASAProxy", set_proxy, NULL, RSRC_CONF,
                  "URL of the proxy to MASAs; then only configured names are asked"),
    AP_INIT_TAKE1("ESTMASAResolve", set_resolve, NULL, RSRC_CONF,
                  "HOST:PORT:ADDRESS: this MASA is there, whatever DNS says"),
    AP_INIT_TAKE1("ESTMASATimeout", set_seconds, OFFSET(masa_timeout), RSRC_CONF,
                  "how long one question to a MASA may take (default 30s)"),
    AP_INIT_TAKE_ARGV("ESTNotify", set_notify, NULL, RSRC_CONF,
                      "PROGRAM [ARGUMENT...]: run for what a human should know"),
    AP_INIT_TAKE1("ESTAnswerWithin", set_answer_within, OFFSET(answer_within), RSRC_CONF,
                  "how long a device waits for its voucher before it gets 202 (default 1s)"),
    AP_INIT_TAKE1("ESTWorkers", set_workers, NULL, RSRC_CONF,
                  "threads of a process that ask MASAs (default 8)"),
    AP_INIT_TAKE1("ESTWaiters", set_waiters, NULL, RSRC_CONF,
                  "devices that may wait for ESTAnswerWithin at once (default 8)"),
    AP_INIT_TAKE1("ESTTelemetryWait", set_seconds, OFFSET(telemetry_wait), RSRC_CONF,
                  "voucher_status is missed after so long (default 5min)"),
    AP_INIT_TAKE1("ESTRequestRetention", set_seconds, OFFSET(request_retention), RSRC_CONF,
                  "how long a device's request and its voucher are kept (default 5d)"),
    AP_INIT_TAKE1("ESTClockSkew", set_duration, OFFSET(skew), RSRC_CONF,
                  "how far others' clocks may be off (default 5min)"),
    AP_INIT_FLAG("ESTContentTransferEncoding", set_flag, OFFSET(transfer_encoding), RSRC_CONF,
                 "Off: answers do not say Content-Transfer-Encoding: base64; On (default)"),
    AP_INIT_TAKE1("ESTBodyLimit", set_body_limit, NULL, RSRC_CONF,
                  "octets of a request body that are read (default 65536)"),
    AP_INIT_TAKE1("ESTDatabaseWorkers", set_database_workers, NULL, RSRC_CONF,
                  "how many threads of a process use the database at once (default 10)"),
    AP_INIT_TAKE1("ESTDatabasePatience", set_seconds, OFFSET(database_patience), RSRC_CONF,
                  "how long to wait for the database before 503 is answered (default 2s)"),
    AP_INIT_TAKE1("ESTCertificateCache", set_certificate_cache, NULL, RSRC_CONF,
                  "how many parsed certificates a process keeps (default 1000; 0: none)"),
    AP_INIT_FLAG("ESTServerKeygen", set_server_keygen, NULL, RSRC_CONF,
                 "Off (default): no keys are made for clients; On is not in this version"),
    AP_INIT_TAKE_ARGV("ESTTrustedProxy", refuse_proxy, NULL, RSRC_CONF,
                      "addresses of TLS terminators; not in this version"),
    AP_INIT_TAKE_ARGV("ESTClientCertHeader", refuse_proxy, NULL, RSRC_CONF,
                      "header of a forwarded client certificate; not in this version"),
    AP_INIT_TAKE_ARGV("ESTProxyCertificate", refuse_proxy, NULL, RSRC_CONF,
                      "certificate that a TLS terminator shows; not in this version"),
    { NULL, { NULL }, NULL, 0, RAW_ARGS, NULL }
};
