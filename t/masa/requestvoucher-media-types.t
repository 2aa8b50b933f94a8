# SPDX-License-Identifier: Apache-2.0
#
# requestvoucher-media-types.t: Content-Type and Accept of RFC 8995 section 5.6, as RFC 9110 has
# registrars write them: what is read, 415 for what is not, 406 for what a device cannot be given.
use FindBin;
use lib "$FindBin::RealBin/../lib";
use BRSKI::Test;
use BRSKI::Test::Answer;

my $masa = main_server();
my ($lab, $httpd) = ($masa->lab, $masa->httpd);
my $device = $masa->new_device;
my $rvr = $lab->rvr(device => $device);
my $cms = 'application/voucher-cms+json';

# --- Content-Type ---------------------------------------------------------

issued($httpd, $httpd->post('requestvoucher', $rvr, type => $_), "5.6 reads Content-Type $_")
    for $cms, 'Application/Voucher-CMS+JSON', "$cms; charset=utf-8", "$cms ;a=b",
        'application/pkcs7-mime; smime-type=voucher-request', 'application/pkcs7-mime';

# The handler that LWP puts in place of a header field that is not there must not speak for us.
sub bare
{
    my ($header) = @_;
    my $socket = $httpd->connect;
    print {$socket} "POST /.well-known/brski/requestvoucher HTTP/1.1\r\nHost: masa.example\r\n"
        . $header . 'Content-Length: ' . length($rvr) . "\r\nConnection: close\r\n\r\n$rvr";
    local $/;
    return HTTP::Response->parse(scalar <$socket>);
}
refused($httpd, bare(''), 415, 1005, qr/^The request has no Content-Type; send application\/voucher-/,
        '5.6 a missing Content-Type is 415');
refused($httpd, $httpd->post('requestvoucher', $rvr, type => $_), 415, 1005,
        qr/is not a voucher media type that this server reads; send application\/voucher-cms\+json/,
        "5.6 refuses Content-Type '$_'")
    for 'application/json', 'text/plain', 'application/octet-stream', 'voucher-cms+json',
        'application/voucher-cms', 'application/voucher-cms+jsonx', 'application /voucher-cms+json', ';',
        "$cms, text/plain";
refused($httpd, $httpd->post('requestvoucher', $rvr, type => $_), 415, 1005,
        qr{^This server does not read application/voucher\S+ yet; send application/voucher-cms\+json},
        "5.6 $_ is known and not read")
    for 'application/voucher-jws+json', 'application/voucher+cose', 'application/voucher-cose+cbor';

# --- Accept ---------------------------------------------------------------

issued($httpd, $httpd->post('requestvoucher', $rvr, accept => $_), "5.6 serves Accept: $_")
    for $cms, '*/*', 'application/*', "text/html, $cms;q=0.1", 'APPLICATION/VOUCHER-CMS+JSON',
        "application/voucher-jws+json, $cms;q=0.5", "$cms;q=1.000, */*;q=0", 'application/pkcs7-mime',
        'text/plain;a="b,c;d\"", */*', ", ,$cms, ,";
issued($httpd, bare("Content-Type: $cms\r\nAccept:\r\n"), '5.6 serves an empty Accept');
issued($httpd, bare("Content-Type: $cms\r\n"), '5.6 serves a request without Accept');
issued($httpd, bare("Content-Type: $cms\r\nAccept: text/plain\r\nAccept: $cms\r\n"),
       '5.6 serves two fields of Accept');

refused($httpd, $httpd->post('requestvoucher', $rvr, accept => $_), 406, 1007,
        qr{^This device understands vouchers of type application/voucher-cms\+json, which the Accept},
        "5.6 answers Accept: $_ with 406")
    for 'application/voucher-jws+json', 'application/json', 'text/*', "$cms;q=0", '*/*;q=0.0',
        "*/*, $cms;q=0";
refused($httpd, $httpd->post('requestvoucher', $rvr, accept => $_), 415, 1006,
        qr/^The Accept header field could not be understood/, "5.6 answers Accept: $_ with 415")
    for 'nonsense', 'application/', '/', '*/json', "$cms;q=2", "$cms;q=x", "$cms $cms", "$cms;;q",
        'text/plain;a="b';

# What cannot be understood is not judged any further: nobody learns of a device by it.
refused($httpd, $httpd->post('requestvoucher', 'x', accept => 'nonsense'), 415, 1006,
        qr/Accept header field/, '5.6 Accept is looked at before the body');
refused($httpd, $httpd->post('requestvoucher', 'x', accept => 'text/plain'), 400, 1008,
        qr/not a DER-encoded/, '5.6 what a device can be given is looked at when it is known');

# --- the audit log --------------------------------------------------------

my %owner = $lab->identity;
audit_log($httpd, $httpd->post('requestauditlog', $rvr, %owner, accept => $_),
          "5.8 the log comes with Accept: $_") for 'application/json', '*/*';
refused($httpd, $httpd->post('requestauditlog', $rvr, %owner, type => 'text/plain'), 415, 1005,
        qr/is not a voucher media type/, '5.8 the log is asked for with the same Content-Type');
done_testing;
