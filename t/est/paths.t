# SPDX-License-Identifier: Apache-2.0
#
# paths.t: which paths and methods are a registrar's and an EST server's: labels, ESTLegacyPaths,
# nothing that merely ends like an operation, and what httpd says of the rest.
use FindBin;
use lib "$FindBin::RealBin/../lib";
use BRSKI::Test;
use BRSKI::Test::Answer;

my $lab = new_lab(devices => 2);
my ($ca, $key) = BRSKI::Test::Est->new_ca('VPN CA');
my $est = start_est(name => 'paths', lab => $lab, est => <<"EOF_EST", host => <<'EOF_HOST',
    ESTRequireVoucher Off
    <ESTLabel vpn>
        ESTCA local $ca $key
        ESTProfile subject "CN=%{serial},OU=vpn"
    </ESTLabel>
EOF_EST
<Location "/elsewhere">
    SetHandler est
    Require all granted
</Location>
EOF_HOST
    server => <<'EOF_SERVER');
<Location "/.well-known">
    SetHandler est
    Require all granted
</Location>
EOF_SERVER
my $httpd = $est->httpd;
my %device = $lab->device(1);
my $csr = $est->csr(subject => '/CN=' . $lab->serial(1))->{der};
my $none = qr/^There is no such operation here\.$/;
my $label = qr/^There is no such label here\.$/;
$httpd->expect('AH01630', 'BRSKI3202');

# --- labels ---------------------------------------------------------------

sub issuer
{
    my ($response) = @_;
    return $response->as_string if $response->code != 200;
    my ($issuer) = $est->certificates($response->content) =~ /Issuer: (.*)/;
    return $issuer;
}

like(issuer($est->enrol('simpleenroll', $csr, %device)), qr/Lab Domain/,
     '7030 3.2.2 without a label the server\'s CA issues');
like(issuer($est->enrol('vpn/simpleenroll', $csr, %device)), qr/VPN CA/,
     '7030 3.2.2 with one the label\'s');
like($est->certificates($est->get('vpn/cacerts')->content), qr/VPN CA/,
     '7030 4.1 and its certificates are told');
is($est->get('vpn/csrattrs')->code, 200, '7030 4.5 and its attributes');

refused($httpd, $est->enrol("$_/simpleenroll", $csr, %device), 404, 1142, $label,
        "7030 3.2.2 $_ is no label") for qw(VPN vpn2 default simpleenroll);
refused($httpd, $est->get("$_/cacerts"), 404, 1142, $label, "7030 3.2.2 nor for cacerts: $_")
    for qw(VPN %76pnx);
is($est->get('%76pn/cacerts')->code, 200, '7030 3.2.2 an encoded label is the label');
is($est->get('/cacerts')->code, 200, '7030 3.2.2 slashes that httpd merges are one');

# --- paths ----------------------------------------------------------------

refused($httpd, $est->enrol($_, $csr, %device), 404, 1050, $none, "7030 3.2.2 $_ is no operation")
    for '', 'simpleEnroll', 'simpleenroll/', 'simpleenroll/x', 'vpn/', 'vpn', 'vpn/x/simpleenroll',
        'x/vpn/simpleenroll', 'simpleenrolls', 'serverkeygen', 'vpn/serverkeygen', 'fullcmc',
        'requestvoucher', 'voucher_status', 'enrollstatus', 'vpn/requestvoucher', 'requestauditlog';
refused($httpd, $httpd->post($_, 'x', %device), 404, 1050, $none, "5 $_ is no operation")
    for '/.well-known/brski/', '/.well-known/brski/simpleenroll', '/.well-known/brski/cacerts',
        '/.well-known/brski/requestauditlog', '/.well-known/brski/requestvoucher/',
        '/.well-known/brski/vpn/requestvoucher', '/.well-known/brski/voucher-status';
refused($httpd, $est->enrol('/elsewhere/simpleenroll', $csr, %device), 404, 1050, $none,
        '7030 3.2.2 a path that ends in an operation is none');
refused($httpd, $est->enrol('/elsewhere/.well-known/est/simpleenroll', $csr, %device), 404, 1050,
        $none, '7030 3.2.2 nor one that has the base inside');
is($est->enrol('/.well-known/est/simpleenroll?x=y', $csr, %device)->code, 200,
   '7030 3.2.2 a query does not matter');
is($est->enrol('/.well-known/est%2Fsimpleenroll', $csr, %device)->code, 404,
   '7030 3.2.2 an encoded slash makes no operation');
is($httpd->get('/.well-known/est/cacerts', tls => 0)->code, 404,
   '3.3 a server without ESTEngine has no operation');
ok($httpd->log_line('BRSKI3202'), 'which is told to its administrator');

# --- methods --------------------------------------------------------------

for my $operation (qw(requestvoucher voucher_status enrollstatus)) {
    refused($httpd, $httpd->request($_, "/.well-known/brski/$operation", %device), 405, 1001,
            qr/^This resource takes POST with a [a-z -]+ as its body\.$/,
            "5 $_ of $operation is 405") for qw(GET PUT);
}
for my $operation (qw(simpleenroll simplereenroll)) {
    refused($httpd, $httpd->request($_, "/.well-known/est/$operation", %device), 405, 1001,
            qr/^This resource takes POST with a certification request as its body\.$/,
            "7030 4.2 $_ of $operation is 405") for qw(GET DELETE);
}
for my $operation (qw(cacerts csrattrs)) {
    refused($httpd, $httpd->request($_, "/.well-known/est/$operation", %device), 405, 1001,
            qr/^This resource takes GET\.$/, "7030 4.1.2 $_ of $operation is 405") for qw(POST PUT);
    my $head = $httpd->request('HEAD', "/.well-known/est/$operation");
    is($head->code . ' ' . length $head->content, '200 0', "7030 4.1.2 HEAD of $operation is as GET");
}

# --- the old paths --------------------------------------------------------

my $old = start_est(name => 'legacy', lab => $lab, est => "    ESTLegacyPaths On\n");
refused($old->httpd, $old->httpd->post("/.well-known/est/$_", '{}', type => 'application/json'),
        401, 1124, qr/^The device must authenticate/,
        "8.3.1 ESTLegacyPaths On serves $_ below /.well-known/est") for qw(requestvoucher);
isnt($old->httpd->post("/.well-known/est/$_", '{}', type => 'application/json')->code, 404,
     "8.3.1 and $_") for qw(voucher_status enrollstatus);
refused($old->httpd, $old->httpd->post('/.well-known/est/vpn/requestvoucher', '{}'), 404, 1050, $none,
        '8.3.1 but with no label');
is($old->get('cacerts')->code, 200, '8.3.1 beside the EST operations');
done_testing;
