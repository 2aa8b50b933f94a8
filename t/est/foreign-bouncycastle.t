# SPDX-License-Identifier: Apache-2.0
#
# foreign-bouncycastle.t: BouncyCastle's EST client (t/foreign/EstClient.java): CA certificates, attributes,
# enrolment with a password and with an IDevID, renewal.
use FindBin;
use lib "$FindBin::RealBin/../lib";
use BRSKI::Test;

my @jars = grep { -e } map { "/usr/share/java/$_.jar" } qw(bcpkix bcprov bcutil);
my ($javac) = run_command([ qw(javac -version) ]);
plan(skip_all => 'BouncyCastle needs packages openjdk-17-jdk-headless and libbcpkix-java')
    if $javac || @jars != 3;

my $classes = new_dir('java');
my $path = join(':', @jars, $classes);
my ($status, $said) = run_command([ 'javac', '-cp', join(':', @jars), '-d', $classes,
                                    top_srcdir() . '/t/foreign/EstClient.java' ]);
is($status, 0, 'the client compiles') or BAIL_OUT($said);

my $lab = new_lab(devices => 2);
my $users = write_file(new_dir('users') . '/users', 'alice:' . crypt('secret', '$1$ab$') . "\n");
my $est = start_est(name => 'bouncycastle', lab => $lab, enrol => <<"EOF_ENROL", est => <<'EOF_EST');
AuthType Basic
        AuthName enrol
        AuthBasicProvider file
        AuthUserFile $users
        Require all granted
EOF_ENROL
    ESTRequireVoucher Off
    ESTClients device user
    ESTProfile subject "CN=%{cn},O=Test"
    ESTProfile key p256 p384 rsa2048
EOF_EST
my $server = 'localhost:' . $est->httpd->tls_port;
my $anchor = $lab->path('domain/root.pem');

($status, $said) = client(qw(password alice secret), 'O=Test,CN=alice');
is($status, 0, '7030 3.2.3 BouncyCastle enrols with a password') or diag $said;
like($said, qr/^cacerts [1-9]/m, '7030 4.1.3 after it has taken the CA certificates');
like($said, qr/^csrattrs some/m, '7030 4.5.2 and the attributes');
like($said, qr/^certificate O=Test,CN=alice$/m, '7030 4.2.3 its certificate is that of the profile');

my %device = $lab->device(1);
my $serial = $lab->serial(1);
($status, $said) = client('certificate', $device{cert}, $device{key}, "O=Test,CN=$serial", 'enroll');
is($status, 0, '7030 3.3.2 BouncyCastle enrols with an IDevID') or diag $said;
like($said, qr/^certificate O=Test,CN=\Q$serial\E$/m, '7030 4.2.3 for the device');

my $csr = $est->csr(subject => '/CN=' . $lab->serial(2));
my $issued = $est->enrol('simpleenroll', $csr->{der}, $lab->device(2));
is($issued->code, 200, '7030 4.2.3 a certificate to renew') or diag $issued->as_string;
my $chain = write_file("$csr->{dir}/cert.pem", $est->certificate_pem($issued->content));
($status, $said) = client('certificate', $chain, $csr->{key}, 'O=Test,CN=' . $lab->serial(2),
                          'reenroll');
is($status, 0, '7030 4.2.2 BouncyCastle renews') or diag $said;
like($said, qr/^certificate /m, '7030 4.2.2 and gets a certificate');

$est->httpd->expect('AH01617', 'AH01618');
($status, $said) = client(qw(password alice wrong), 'O=Test,CN=alice');
isnt($status, 0, '7030 3.2.3 a wrong password gets nothing');
unlike($said, qr/^certificate/m, '7030 3.2.3 no certificate');
done_testing;

sub client
{
    my (@args) = @_;
    return run_command([ 'java', '-cp', $path, 'EstClient', $server, $anchor, @args ]);
}
