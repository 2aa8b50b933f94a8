# SPDX-License-Identifier: Apache-2.0
#
# crl.t: SetHandler est-crl: the revocation list of a label's CA, with and without TLS; made anew when
# something was revoked; caches are told how long it is good, and who has it is not sent it again.
use FindBin;
use lib "$FindBin::RealBin/../lib";
use BRSKI::Test;

my $lab = new_lab(devices => 2);
my ($ca, $key) = BRSKI::Test::Est->new_ca('Other CA');
my $est = start_est(name => 'crl', lab => $lab, est => <<"EOF_EST", server => <<'EOF_SERVER');
    ESTRequireVoucher Off
    <ESTLabel other>
        ESTCA local $ca $key
    </ESTLabel>
EOF_EST
<Location "/plain">
    SetHandler est-crl
    Require all granted
</Location>
EOF_SERVER
my $httpd = $est->httpd;

sub text_of
{
    my ($response) = @_;
    my $file = write_file(new_dir('crl') . '/crl', $response->content);
    my ($status, $text) = run_command([ qw(openssl crl -inform DER -text -noout -in), $file ]);
    return $status ? "status $status: $text" : $text;
}

my $first = $httpd->get('/crl');
is($first->code, 200, '5280 5 a list') or diag $first->as_string;
is($first->header('Content-Type'), 'application/pkix-crl', '2585 4.2 of its media type');
like(text_of($first), qr/Issuer: .*Lab Domain.*No Revoked Certificates/s, '5280 5 of the CA, empty');
ok($first->header($_), "9111 5.3 it says $_") for qw(Expires ETag Last-Modified);
is($httpd->get('/crl', headers => { 'If-None-Match' => $first->header('ETag') })->code, 304,
   '9110 13.1.2 who has it is told so');
is($httpd->get('/crl', headers => { 'If-Modified-Since' => $first->header('Last-Modified') })->code,
   304, '9110 13.1.3 by its time too');
is($httpd->get('/crl')->content, $first->content, '5280 5 it is the same until something happens');
like(text_of($httpd->get('/crl?other')), qr/Issuer: CN *= *Other CA/, '5280 5 a label has its own');
is($httpd->get('/crl?nobody')->code, 404, '7030 3.2.2 what is no label has none');
is($httpd->request('POST', '/crl')->code, 405, '9110 9.3.1 it is read, not written');
is($httpd->request('HEAD', '/crl')->header('Content-Length'), length $first->content,
   '9110 9.3.2 HEAD tells its length');
is($httpd->get('/plain', tls => 0)->content, $first->content,
   '5280 8 it is told without TLS too, where there is one engine');

# Revoked: a new list with a higher number.
my $csr = $est->csr(subject => '/CN=' . $lab->serial(1));
my $issued = $est->enrol('simpleenroll', $csr->{der}, $lab->device(1));
is($issued->code, 200, '7030 4.2.3 a certificate') or diag $issued->as_string;
my ($serial) = $est->certificates($issued->content) =~ /Serial Number:\s*([0-9a-f:]+)/;
(my $hex = $serial) =~ s/://g;
$est->estctl('cert', 'revoke', $hex);
my $second = $httpd->get('/crl');
like(text_of($second), qr/Serial Number: \Q@{[ uc $hex ]}\E/, '5280 5.1.2.6 what was revoked is on it');
my ($before, $after) = map { hex((text_of($_) =~ /X509v3 CRL Number:\s*(?:0x)?(\w+)/)[0]) } $first, $second;
cmp_ok($after, '>', $before, '5280 5.2.3 under a higher number');
is($est->enrol('simplereenroll', $csr->{der},
               cert => write_file("$csr->{dir}/cert.pem", $est->certificate_pem($issued->content)),
               key => $csr->{key})->code, 403, '7030 4.2.2 and it renews nothing');
done_testing;
