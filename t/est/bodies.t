# SPDX-License-Identifier: Apache-2.0
#
# bodies.t: what an EST server reads (base64 in any shape, PEM, DER, whatever the header fields say)
# and what it writes: base64 on one line with its length and no more than that.
use FindBin;
use lib "$FindBin::RealBin/../lib";
use BRSKI::Test;
use BRSKI::Test::Answer;
use BRSKI::Test::Raw;
use MIME::Base64 qw(encode_base64);

my $lab = new_lab(devices => 2);
my $est = start_est(name => 'bodies', lab => $lab, est => "    ESTRequireVoucher Off\n");
my $httpd = $est->httpd;
my %device = $lab->device(1);
my $csr = $est->csr(subject => '/CN=' . $lab->serial(1));
my $line = encode_base64($csr->{der}, '');

sub issued_for
{
    my ($body, $label, %opt) = @_;
    my $response = $est->enrol('simpleenroll', $body, raw => 1, %device, %opt);

    is($response->code, 200, $label) or diag $response->as_string;
    return $response;
}

# --- in -------------------------------------------------------------------

issued_for($line, '8951 3.1 base64 on one line');
issued_for(encode_base64($csr->{der}), '8951 3.1 in lines');
issued_for(encode_base64($csr->{der}, "\r\n"), '8951 3.1 ended by CR and LF');
issued_for(join(" \t\n", split //, $line), '8951 3.1 with white space anywhere');
issued_for($csr->{pem}, '7030 4.2.1 PEM is understood');
issued_for($csr->{der}, '7030 4.2.1 DER is understood');
issued_for($line, "8951 3.1 whatever Content-Transfer-Encoding says: $_",
           headers => { 'Content-Transfer-Encoding' => $_ }) for qw(base64 binary 8bit nonsense);
issued_for($line, "7030 4.2.1 Content-Type $_", type => $_)
    for 'application/pkcs10', 'Application/PKCS10', 'application/pkcs10; charset=us-ascii',
        'application/pkcs10;smime-type=x';
issued_for($line, '7030 4.2.1 no Content-Type', type => undef);
is((exchange($httpd, "POST /.well-known/est/simpleenroll HTTP/1.1\r\nHost: registrar.example\r\n"
             . "Content-Type: application/pkcs10\r\nTransfer-Encoding: chunked\r\n"
             . "Connection: close\r\n\r\n" . sprintf("%x\r\n%s\r\n0\r\n\r\n", length $line, $line),
             %device))[0]->code, 200, '7030 4.2.1 in chunks');

refused($httpd, $est->enrol('simpleenroll', $line, raw => 1, %device, type => $_), 415, 1005,
        qr/./, "7030 4.2.1 another media type is refused: $_")
    for 'application/pkcs7-mime', 'text/plain', 'application/pkcs10x';
refused($httpd, $est->enrol('simpleenroll', $_->[0], raw => 1, %device), 400, $_->[1], $_->[2], $_->[3])
    for [ '', 1003, qr/no body; a certification request was expected/, '7030 4.2.1 nothing' ],
        [ '@@@@', 1130, qr/./, '7030 4.2.1 no base64' ],
        [ substr($line, 0, -7), 1130, qr/./, '7030 4.2.1 base64 cut short' ],
        [ encode_base64('hello', ''), 1131, qr/./, '7030 4.2.1 base64 of something else' ],
        [ encode_base64($csr->{der} . 'x', ''), 1131, qr/./, '7030 4.2.1 something after the request' ],
        [ (read_file($device{cert}) =~ /\A(.*?-----END CERTIFICATE-----\n)/s)[0], 1131, qr/certificate/,
          '7030 4.2.1 a certificate in its place' ];

refused($httpd, $est->enrol('simpleenroll', 'A' x 65_537, raw => 1, %device), 413, 1002,
        qr/larger than this server reads/, '7030 4.2.1 more than ESTBodyLimit');
my ($announced) = exchange($httpd, "POST /.well-known/est/simpleenroll HTTP/1.1\r\n"
    . "Host: registrar.example\r\nContent-Type: application/pkcs10\r\n"
    . "Content-Length: 999999999\r\n\r\n", %device);
is($announced->code, 413, '7030 4.2.1 announced alone is enough');
my ($short) = exchange($httpd, "POST /.well-known/est/simpleenroll HTTP/1.1\r\n"
    . "Host: registrar.example\r\nContent-Type: application/pkcs10\r\n"
    . "Content-Length: 500\r\n\r\nMIIB", %device, half => 1);
ok(!$short || $short->code == 400 || $short->code == 0, '7030 4.2.1 a body that ends early is no request');

# --- out ------------------------------------------------------------------

for my $case ([ 'cacerts', 'application/pkcs7-mime' ], [ 'csrattrs', 'application/csrattrs' ]) {
    my ($operation, $type) = @$case;
    my $response = $est->get($operation);

    is($response->header('Content-Type'), $type, "8951 3.2 $operation: media type");
    like($response->content, qr{\A[A-Za-z0-9+/]+=*\z}, "8951 3.1 $operation: base64 on one line");
    is($response->header('Content-Length'), length $response->content,
       "7030 4.1.3 $operation: with its length");
    is($response->header('Content-Transfer-Encoding'), 'base64',
       "8951 3.1 $operation: Content-Transfer-Encoding, for clients that want it");
}
my $issued = issued_for($line, '7030 4.2.3 the same request again');
is($issued->header('Content-Type'), 'application/pkcs7-mime; smime-type=certs-only',
   '7030 4.2.3 media type');
like($issued->content, qr{\A[A-Za-z0-9+/]+=*\z}, '8951 3.1 base64 on one line');
is($issued->header('Content-Length'), length $issued->content, '7030 4.2.3 with its length');
is($issued->header('Transfer-Encoding'), undef, '7030 4.2.3 not in chunks');
is(() = $est->certificates($issued->content) =~ /^Certificate:/mg, 1,
   '7030 4.2.3 the certificate alone');

# The same without the header field that RFC 8951 makes superfluous.
my $new = start_est(name => 'new', lab => $lab, db => $est->db, est => <<'EOF_EST');
    ESTRequireVoucher Off
    ESTContentTransferEncoding Off
EOF_EST
is($new->get($_)->header('Content-Transfer-Encoding'), undef,
   "8951 3.1 ESTContentTransferEncoding Off does not say it: $_") for qw(cacerts csrattrs);
is($new->enrol('simpleenroll', $csr->{der}, %device)->header('Content-Transfer-Encoding'), undef,
   '8951 3.1 nor with a certificate');
done_testing;
