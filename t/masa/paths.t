# SPDX-License-Identifier: Apache-2.0
#
# paths.t: which paths and methods are a MASA's: MASABase, MASALegacyPaths, nothing that merely
# ends like an operation, nothing of another namespace, POST alone; and what httpd says of the rest.
use FindBin;
use lib "$FindBin::RealBin/../lib";
use BRSKI::Test;
use BRSKI::Test::Answer;

my $masa = start_masa(name => 'paths', devices => 5, host => <<'EOF_HOST',
MASALegacyPaths On
MASABodyLimit 100000
<Location "/.well-known/est">
    SetHandler masa
    Require all granted
</Location>
<Location "/elsewhere">
    SetHandler masa
    Require all granted
</Location>
EOF_HOST
    more => [
        'base.example' => { host => <<'EOF_BASE' },
MASABase /factory/brski
MASABodyLimit 1024
<Location "/factory/brski">
    SetHandler masa
    Require all granted
</Location>
<Location "/.well-known/est">
    SetHandler masa
    Require all granted
</Location>
EOF_BASE
    ],
    server => <<'EOF_SERVER');
<Location "/.well-known/brski">
    SetHandler masa
    Require all granted
</Location>
EOF_SERVER
my ($lab, $httpd) = ($masa->lab, $masa->httpd);
my $rvr = $lab->rvr(device => 1);
$httpd->expect('AH01630');              # outside of every <Location>
my $none = qr/^There is no such operation here\.$/;

# --- paths ----------------------------------------------------------------

issued($httpd, $httpd->post("$_/requestvoucher", $rvr), "5 serves $_/requestvoucher")
    for '/.well-known/brski', '/.well-known/est';
my %owner = $lab->identity;
audit_log($httpd, $httpd->post("$_/requestauditlog", $rvr, %owner), "5 serves $_/requestauditlog")
    for '/.well-known/brski', '/.well-known/est';
issued($httpd, $httpd->post('/.well-known/brski/requestvoucher?x=y', $rvr), '5 a query does not matter');
issued($httpd, $httpd->post('/.well-known/./brski//requestvoucher', $rvr),
       '5 nor a path that httpd makes this one');

refused($httpd, $httpd->post($_, $rvr), 404, 1050, $none, "5 $_ is no operation")
    for map { ("/.well-known/brski$_", "/.well-known/est$_") }
        '/', '/requestVoucher', '/requestvoucher/', '/requestvoucher/x', '/x/requestvoucher',
        '/requestvouchers', '/simpleenroll', '/cacerts', '/voucher_status', '/enrollstatus';
refused($httpd, $httpd->post('/elsewhere/requestvoucher', $rvr), 404, 1050, $none,
        '5 a path that ends in an operation is none');
refused($httpd, $httpd->post('/elsewhere/.well-known/brski/requestvoucher', $rvr), 404, 1050, $none,
        '5 nor one that has a base inside');
is($httpd->post('/.well-known/brski%2Frequestvoucher', $rvr)->code, 404,
   '5 an encoded slash makes no operation');
is($httpd->post('/.well-known/brskirequestvoucher', $rvr)->code, 403, '5 nor a missing one');

# --- another base ---------------------------------------------------------

my %base = (host => 'base.example');
refused($httpd, $httpd->post('/factory/brski/requestvoucher', $rvr, %base), 413, 1002,
        qr/larger than this server reads/, '2.3.2 MASABase has the operations, with its own MASABodyLimit');
refused($httpd, $httpd->post('/factory/brski/requestauditlog', 'x', %base), 400, 1008,
        qr/not a DER-encoded/, '2.3.2 both of them');
refused($httpd, $httpd->post("$_/requestvoucher", $rvr, %base), 404, 1050, $none,
        "5 with MASABase elsewhere $_ has none") for '/.well-known/brski', '/.well-known/est';
refused($httpd, $httpd->post('requestvoucher', 'x' x 70_000), 400, 1008, qr/not a DER-encoded/,
        '5.5 MASABodyLimit can be raised');

# --- methods --------------------------------------------------------------

for my $operation (qw(requestvoucher requestauditlog)) {
    refused($httpd, $httpd->request($_, "/.well-known/brski/$operation"), 405, 1001,
            qr/^This resource takes POST with a voucher-request as its body\.$/,
            "5.5 $_ of $operation is 405") for qw(GET PUT DELETE PATCH);
}
my $head = $httpd->request('HEAD', '/.well-known/brski/requestvoucher');
is($head->code, 405, '5.5 HEAD is 405');
is($head->content, '', '5.5 and has no body');
is($httpd->request($_, '/.well-known/brski/requestvoucher')->code, 405, "5.5 $_ is 405")
    for qw(OPTIONS BREW);
refused($httpd, $httpd->get('/.well-known/brski/cacerts'), 404, 1050, $none,
        '5 what is no operation is 404 for GET too');

# --- bodies that are none -------------------------------------------------

refused($httpd, $httpd->post('requestvoucher', ''), 400, 1003, qr/^The request has no body/,
        '5.5 an empty body is refused');
refused($httpd, $httpd->post('requestvoucher', undef), 400, 1003, qr/^The request has no body/,
        '5.5 a missing one too');

# --- without TLS ----------------------------------------------------------

my $plain = $httpd->post('requestvoucher', $rvr, tls => 0);
is($plain->code, 404, '5.4 where MASAEngine is off its handler serves nothing');
ok($httpd->log_line(qr/\[masa:error\].*BRSKI2202: SetHandler masa, but MASAEngine On is missing/),
   'and the log says what is missing');
$httpd->expect('BRSKI2202');
done_testing;
