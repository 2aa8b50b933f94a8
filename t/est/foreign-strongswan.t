# SPDX-License-Identifier: Apache-2.0
#
# foreign-strongswan.t: strongSwan's `pki --estca` and `pki --est` as clients: CA certificates,
# enrolment with a password and with an IDevID, renewal, and keys of several kinds. Its client speaks
# TLS 1.2, wants a Content-Length and base64 on one line.
use FindBin;
use lib "$FindBin::RealBin/../lib";
use BRSKI::Test;

my ($found) = run_command([ qw(pki --help) ]);
plan(skip_all => 'there is no pki of strongSwan here (package strongswan-pki)') if $found;

my $lab = new_lab(devices => 1);
my $users = write_file(new_dir('users') . '/users', 'alice:' . crypt('secret', '$1$ab$') . "\n");
my $est = start_est(name => 'strongswan', lab => $lab, enrol => <<"EOF_ENROL", est => <<'EOF_EST');
AuthType Basic
        AuthName enrol
        AuthBasicProvider file
        AuthUserFile $users
        <RequireAny>
            Require valid-user
            Require expr "%{SSL_CLIENT_VERIFY} != 'NONE'"
        </RequireAny>
        <If "%{REQUEST_URI} =~ m#/(cacerts|csrattrs)\$#">
            Require all granted
        </If>
EOF_ENROL
    ESTRequireVoucher Off
    ESTClients device user
    ESTProfile subject "CN=%{cn},O=Test"
    ESTProfile key p256 p384 rsa2048
    <ESTLabel devices>
        ESTProfile subject "CN=%{serial},O=Test"
        ESTClients device
    </ESTLabel>
EOF_EST
my $url = 'https://127.0.0.1:' . $est->httpd->tls_port;
my $dir = new_dir('strongswan');
my @anchors = map { ('--cacert', $_) } map { $lab->path("domain/$_.pem") } qw(root ca);

my ($status, $said) = pki('--estca', '--url', $url, @anchors, '--caout', "$dir/ca.pem",
                          qw(--outform pem));
is($status, 0, '7030 4.1.3 strongSwan takes the CA certificates') or diag $said;
my @written = glob("$dir/ca*.pem");
ok(scalar(@written), '7030 4.1.3 and writes them');
like(join('', map { subject($_) } @written), qr/Lab Domain/, '7030 4.1.3 those of the domain');

for my $case ([ rsa => 2048 ], [ ecdsa => 256 ], [ ecdsa => 384 ]) {
    my ($type, $size) = @$case;
    my $name = "$type-$size";
    my $csr = request($name, $type, $size, 'O=Test, CN=alice');

    ($status, $said) = est($name, $csr, '--userpass', 'alice:secret');
    is($status, 0, "7030 4.2.1 strongSwan enrols with a password, $name") or diag $said;
    like(subject("$dir/$name.pem"), qr/O *= *Test.*CN *= *alice|CN *= *alice.*O *= *Test/,
         "7030 4.2.3 $name: the certificate is that of the profile");
}

my $again = request('renewed', 'ecdsa', 256, 'O=Test, CN=alice');
($status, $said) = est('renewed', $again, '--cert', "$dir/ecdsa-256.pem", '--key',
                       "$dir/ecdsa-256.key");
is($status, 0, '7030 4.2.2 strongSwan renews') or diag $said;
is(subject("$dir/renewed.pem"), subject("$dir/ecdsa-256.pem"), '7030 4.2.2 with the same subject');
isnt(read_file("$dir/renewed.pem"), read_file("$dir/ecdsa-256.pem"), '7030 4.2.2 it is another one');

$est->httpd->expect('AH01617', 'AH01618');
($status, $said) = est('wrong', request('wrong', 'ecdsa', 256, 'O=Test, CN=mallory'), '--userpass',
                       'alice:wrong');
isnt($status, 0, '7030 3.2.3 a wrong password gets nothing');
ok(!-s "$dir/wrong.pem", '7030 3.2.3 no certificate');
done_testing;

# pki writes what it makes to its standard output.
sub pki
{
    my (@args) = @_;
    return run_command([ 'pki', @args ]);
}

sub request
{
    my ($name, $type, $size, $dn) = @_;

    shell("pki --gen --type $type --size $size --outform pem > $dir/$name.key");
    shell("pki --req --in $dir/$name.key --type $type --dn '$dn' --outform pem > $dir/$name.csr");
    return "$dir/$name.csr";
}

sub est
{
    my ($name, $csr, @args) = @_;
    my @command = ('pki', '--est', '--url', $url, '--in', $csr, @anchors, @args,
                   qw(--outform pem --interval 1 --maxpolltime 10));

    return run_command([ 'sh', '-c', 'out=$1; shift; exec "$@" > "$out"', 'sh', "$dir/$name.pem",
                         @command ]);
}

sub shell
{
    my ($line) = @_;
    my ($failed, $output) = run_command([ 'sh', '-c', $line ]);

    $failed == 0 or die "$line: $output";
}

sub subject
{
    my ($file) = @_;
    return (run_command([ qw(openssl x509 -noout -subject -in), $file ]))[1];
}
