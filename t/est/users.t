# SPDX-License-Identifier: Apache-2.0
#
# users.t: who may enrol by HTTP authentication: whom httpd authenticated and let in, and nobody whose
# name merely stands in a request.
use FindBin;
use lib "$FindBin::RealBin/../lib";
use BRSKI::Test;
use BRSKI::Test::Answer;
use MIME::Base64 qw(encode_base64);

my $lab = new_lab(devices => 2);
my $users = write_file(new_dir('users') . '/users', 'alice:' . crypt('secret', '$1$ab$') . "\n");
my $auth = <<"EOF_AUTH";
AuthType Basic
        AuthName enrol
        AuthBasicProvider file
        AuthUserFile $users
EOF_AUTH
my $est = start_est(name => 'users', lab => $lab, enrol => <<"EOF_ENROL", est => <<'EOF_EST');
$auth
        <RequireAny>
            Require valid-user
            Require expr "%{SSL_CLIENT_VERIFY} != 'NONE'"
        </RequireAny>
EOF_ENROL
    ESTRequireVoucher Off
    ESTClients device user
    ESTProfile subject "CN=%{cn},O=Test"
    <ESTLabel devices>
        ESTClients device
    </ESTLabel>
EOF_EST
my $httpd = $est->httpd;
my %alice = (headers => { Authorization => 'Basic ' . encode_base64('alice:secret', '') });
my $csr = $est->csr(subject => '/O=Test/CN=alice');

my $issued = $est->enrol('simpleenroll', $csr->{der}, %alice);
is($issued->code, 200, '7030 3.2.3 a user whom httpd let in gets a certificate')
    or diag $issued->as_string;
is($est->enrol('simpleenroll', $est->csr(subject => '/CN=' . $lab->serial(1))->{der},
               $lab->device(1))->code, 200, '7030 3.3.2 so does a device without a password');

$httpd->expect('AH01617', 'AH01618', 'AH01807', 'AH01808');
refused($httpd, $est->enrol('simpleenroll', $csr->{der}), 401, 'httpd',
        qr/^This registrar requires HTTP authentication\.$/, '7030 3.2.3 nobody is asked for a password');
refused($httpd, $est->enrol('simpleenroll', $csr->{der}, headers => {
            Authorization => 'Basic ' . encode_base64('alice:wrong', '') }), 401, 'httpd',
        qr/HTTP authentication/, '7030 3.2.3 a wrong one is none');
refused($httpd, $est->enrol('devices/simpleenroll', $csr->{der}, %alice), 403, 1141, qr/nobody enrols by user/,
        '7030 3.3 where users may not enrol a password is none');

my %now = (cert => write_file("$csr->{dir}/cert.pem", $est->certificate_pem($issued->content)),
           key => $csr->{key});
my $renewed = $est->enrol('simplereenroll', $est->csr(subject => '/O=Test/CN=alice')->{der}, %now);
is($renewed->code, 200, '7030 4.2.2 the certificate renews itself') or diag $renewed->as_string;

# Everybody is let in; who sends a password is known by it.
my $both = start_est(name => 'both', lab => $lab, db => $est->db, enrol => "$auth\n        Require all granted",
                     est => "    ESTRequireVoucher Off\n    ESTClients device user\n"
                            . "    ESTProfile subject \"CN=%{cn},O=Test\"\n");
$both->httpd->expect('AH01617', 'AH01618');
is($both->enrol('simpleenroll', $csr->{der}, %alice)->code, 200,
   '7030 3.2.3 a password is looked at where everybody is let in');
for my $case ([ 'nobody' ], [ 'a wrong password', headers => {
                  Authorization => 'Basic ' . encode_base64('alice:wrong', '') } ]) {
    my ($who, %opt) = @$case;
    my $asked = $both->enrol('simpleenroll', $csr->{der}, %opt);
    is($asked->code, 401, "7030 3.2.3 $who is 401");
    like($asked->header('WWW-Authenticate'), qr/^Basic realm="enrol"/,
         "7030 3.2.3 $who is told how to authenticate");
    is($asked->header('Content-Length'), undef, '7030 3.2.3 in a body that need not be read');
}

# No authentication: a name proves nothing.
my $open = start_est(name => 'open', lab => $lab, db => $est->db, est => "    ESTRequireVoucher Off\n"
                     . "    ESTClients device user\n");
refused($open->httpd, $open->enrol('simpleenroll', $csr->{der}, %alice), 401, 1140, qr/./,
        '7030 3.2.3 a password that httpd did not check is none');
done_testing;
