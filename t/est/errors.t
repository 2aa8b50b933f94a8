# SPDX-License-Identifier: Apache-2.0
#
# errors.t: whatever a registrar refuses, and whatever httpd refuses on its paths, is a status, a
# line of text with the request's id, and a line in the log.
use FindBin;
use lib "$FindBin::RealBin/../lib";
use BRSKI::Test;
use BRSKI::Test::Answer;
use BRSKI::Test::Raw;

my $lab = new_lab(devices => 3);
my $est = start_est(name => 'errors', lab => $lab, host => <<'EOF_HOST');
ErrorDocument 403 "a page for people"
ErrorDocument 404 /nice.html
<Location "/.well-known/brski/enrollstatus">
    SetHandler est
    Require all denied
</Location>
<Location "/.well-known/est/csrattrs">
    SetHandler est
    AuthType Basic
    AuthName x
    AuthBasicProvider file
    AuthUserFile /dev/null
    Require valid-user
</Location>
<Location "/.well-known/brski/voucher_status">
    SetHandler est
    LimitRequestBody 10
    Require all granted
</Location>
EOF_HOST
my $httpd = $est->httpd;
my %device = $lab->device(1);
my $csr = $est->csr(subject => '/CN=' . $lab->serial(1))->{der};

# --- ours -----------------------------------------------------------------

refused($httpd, $httpd->post('requestvoucher', $lab->pvr(device => 1)), 401, 1124,
        qr/must authenticate with its IDevID/, '5.2 a pledge without certificate');
refused($httpd, $httpd->post('requestvoucher', 'x', $lab->identity('stranger')), 404, 1125,
        qr/Devices of this manufacturer do not join/, '5.3 one of an unknown manufacturer');
refused($httpd, $httpd->post('requestvoucher', $lab->pvr(device => 1), %device, type => 'text/plain'),
        415, 1005, qr/media type/, '5.3 another media type');
refused($httpd, $httpd->post('requestvoucher', '', %device), 400, 1003,
        qr/no body; a signed voucher-request was expected/, '5.2 nothing');
refused($httpd, $httpd->post('requestvoucher', 'x', %device), 400, 1008, qr/./, '5.2 garbage');
refused($httpd, $est->enrol('simpleenroll', $csr), 401, 1140, qr/must authenticate/,
        '7030 3.2.3 an enrolment by nobody');
refused($httpd, $est->enrol('simpleenroll', $csr, %device), 403, 1115, qr/no voucher/,
        '5.9 an enrolment of a device that has no voucher');

# --- proximity ------------------------------------------------------------

# The pledge was shown another registrar's certificate: somebody stands between.
my $relayed = $lab->pvr(device => 1, domain => 'stranger');
my $request = "POST /.well-known/brski/requestvoucher HTTP/1.1\r\nHost: registrar.example\r\n"
    . "Content-Type: application/voucher-cms+json\r\nContent-Length: " . length($relayed)
    . "\r\n\r\n$relayed";
$httpd->expect('BRSKI1108');
my @answers = exchange($httpd, $request . "GET /.well-known/est/cacerts HTTP/1.1\r\n"
                       . "Host: registrar.example\r\n\r\n", %device);
is(join(' ', map { $_->code } @answers), '401', '5.2 a relayed request is 401 and ends the connection');
like($answers[0]->content, qr/proximity-registrar-cert is not the certificate/, '5.2 which says why');
is($answers[0]->header('WWW-Authenticate'), undef, '5.2 no HTTP authentication would help');

# --- httpd's --------------------------------------------------------------

$httpd->expect('AH01630', 'AH01617', 'AH01618', 'AH01797');
refused($httpd, $httpd->post('enrollstatus', '{}', %device, type => 'application/json'), 403, 'httpd',
        qr/access rules do not let this client in/, '7030 4.2.3 a rule of the administrator');
refused($httpd, $est->get('csrattrs'), 401, 'httpd', qr/^This registrar requires HTTP authentication\.$/,
        '7030 3.2.3 HTTP authentication');
refused($httpd, $httpd->post('voucher_status', '{"version":1,"status":true}', %device,
                             type => 'application/json'), 413, 'httpd',
        qr/larger than this server reads/, '5.7 LimitRequestBody');
my ($bad) = exchange($httpd, "POST /.well-known/est/simpleenroll HTTP/1.1\r\n\r\n", %device);
is($bad->code, 400, '7030 4.2 a request that is none of HTTP\'s');
done_testing;
