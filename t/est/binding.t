# SPDX-License-Identifier: Apache-2.0
#
# binding.t: a certification request is bound to its TLS connection by its challengePassword:
# tls-unique in TLS 1.2, tls-exporter in both versions; another connection's value is refused.
use FindBin;
use lib "$FindBin::RealBin/../lib";
use BRSKI::Test;
use BRSKI::Test::Raw;
use HTTP::Response ();
use IO::Select ();
use MIME::Base64 qw(encode_base64);
use Net::SSLeay ();

my $lab = new_lab(devices => 1);
my $est = start_est(name => 'binding', lab => $lab, est => <<'EOF_EST');
    ESTRequireVoucher Off
    <ESTLabel bound>
        ESTPoP required
    </ESTLabel>
    <ESTLabel free>
        ESTPoP off
    </ESTLabel>
EOF_EST
my $httpd = $est->httpd;
my %device = $lab->device(1);
my $subject = '/CN=' . $lab->serial(1);

# tls-exporter, with the empty context of RFC 9266, and tls-unique of a connection of ours.
sub exporter
{
    my ($socket) = @_;
    return Net::SSLeay::export_keying_material($socket->_get_ssl_object, 32,
                                               'EXPORTER-Channel-Binding', '');
}

sub unique
{
    my ($socket) = @_;
    my $finished = '';
    my $length = Net::SSLeay::get_finished($socket->_get_ssl_object, $finished);
    return substr $finished, 0, $length;
}

# A request with this challengePassword over this connection: status.
sub enrol_over
{
    my ($socket, $label, $password) = @_;
    my @request = (subject => $subject);

    if (defined $password) {
        my $conf = new_dir('req') . '/req.cnf';
        write_file($conf, "[req]\ndistinguished_name=dn\nattributes=attr\nprompt=no\n[dn]\nCN="
                   . $lab->serial(1) . "\n[attr]\nchallengePassword=$password\n");
        @request = (subject => '', args => [ '-config', $conf ]);
    }
    my $body = encode_base64($est->csr(@request)->{der}, '');
    BRSKI::Test::Raw::send_all($socket, "POST /.well-known/est/$label/simpleenroll HTTP/1.1\r\n"
        . "Host: registrar.example\r\nContent-Type: application/pkcs10\r\nConnection: close\r\n"
        . 'Content-Length: ' . length($body) . "\r\n\r\n$body");
    my ($text) = BRSKI::Test::Raw::read_all($socket);
    my $response = HTTP::Response->parse($text);
    note($response->content) if $response->code != 200;
    return $response;
}

for my $version ('TLSv1_2', 'TLSv1_3') {
    my $connect = sub { $httpd->connect(%device, tls_version => $version) || die 'no connection' };
    my $code = sub {
        my ($label, $password_of) = @_;
        my $socket = $connect->();
        return enrol_over($socket, $label, $password_of ? $password_of->($socket) : undef)->code;
    };
    my $other = $connect->();

    is($code->('bound', sub { encode_base64(exporter($_[0]), '') }), 200,
       "9266 2 $version: the exporter's value binds");
    is($code->('bound', sub { encode_base64(exporter($other), '') }), 403,
       "7030 3.5 $version: that of another connection is refused");
    is($code->('bound', sub { 'password' }), 403, "7030 3.5 $version: a mere word too");
    is($code->('bound'), 403, "7030 3.5 $version: and nothing, where it is required");
    is($code->('free', sub { 'password' }), 200, "7030 3.5 $version: where it is off nothing is read");
    next if $version ne 'TLSv1_2';
    is($code->('bound', sub { encode_base64(unique($_[0]), '') }), 200,
       "7030 3.5 $version: tls-unique binds");
    is($code->('bound', sub { encode_base64(unique($other), '') }), 403,
       "7030 3.5 $version: that of another connection is refused");
}
my $unique = do { my $s = $httpd->connect(%device, tls_version => 'TLSv1_3');
                  enrol_over($s, 'bound', encode_base64(unique($s), ''))->code };
is($unique, 403, '9266 3 TLSv1_3: there is no tls-unique');
$httpd->expect(qr/BRSKI113[67]/);
done_testing;
