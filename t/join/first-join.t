# SPDX-License-Identifier: Apache-2.0
#
# first-join.t: the shortest way through everything: a device from its factory, two real servers, a
# certificate of the network; what both remember; and a device that a stranger had before.
use FindBin;
use lib "$FindBin::RealBin/../lib";
use BRSKI::Test;
use BRSKI::Test::Join ();
use JSON::PP qw(decode_json);

# Requests for certificates must be bound to their connection, which both versions of TLS do.
my $world = BRSKI::Test::Join->new(
    devices => 7, est => sub { $_[0] =~ s/^ESTEngine On$/ESTEngine On\nESTPoP required/mr })->start;
my $lab = $world->lab;
my @STEPS = qw(connect request voucher verify registrar voucher_status cacerts csrattrs enroll
               certificate reconnect enrollstatus);
my $out = new_dir('pledges');

for my $case ([ 1, 'TLSv1.3' ], [ 2, 'TLSv1.2', '--tls1.2' ]) {
    my ($n, $version, @args) = @$case;
    my $serial = $lab->serial($n);
    my ($status, %step) = $world->join($n, @args, '-o', "$out/$n");

    is($status, 0, "$version: the device joins") or diag $step{output};
    is(join(' ', grep { ($step{$_}{result} || '') ne 'done' } @STEPS), '',
       "$version: every step is well");
    is($step{connect}{tls}, $version, "5.1 $version: it spoke this version");
    is(scalar(grep { $_->{result} eq 'failed' } @{ $step{verify}{checks} || [] }), 0,
       "5.6.1 $version: the voucher passes every check");
    is($step{csrattrs}{challenge_password}, 'asked', "7030 3.5 $version: binding is asked for");
    is($step{voucher_status}{status}, 200, "5.7 $version: the registrar hears that");
    is($step{enrollstatus}{status}, 200, "5.9.4 $version: and that enrolment worked");
    certificate_is_good($version, $serial, "$out/$n");
    remembered($version, $serial, "$out/$n");
}

my ($status, %step) = $world->pledge('--reenroll', '--cert', "$out/1/device.pem", '--certkey',
                                     "$out/1/device.key", '--cacerts', "$out/1/cacerts.pem", '-o',
                                     "$out/renewed");
is($status, 0, '7030 4.2.2 the device renews its certificate') or diag $step{output};
is(subject("$out/renewed/device.pem"), subject("$out/1/device.pem"), '7030 4.2.2 same subject');
is(scalar(() = $world->estctl('cert', 'list', '--json') =~ /^\{/mg), 3,
   'three certificates are on record');

# A stranger had the third one.
my $stolen = $lab->serial(3);
my ($asked, $said) = $lab->try_brski('ask', '--lab', $lab->dir, '--domain', 'stranger', '--device',
                                     $stolen);
is($asked, 0, '5.5 a stranger gets a voucher of a device that it has') or diag $said;
$world->est->expect('BRSKI1114', 'BRSKI3221');     # a human is told
($status, %step) = $world->join(3);
is($status, 1, '5.8 the device does not join here');
is($step{verify}{result}, 'done', '5.6.1 the voucher for us is good');
my ($stopped) = grep { ($step{$_}{result} || '') eq 'failed' } @STEPS;
like($step{$stopped || 'voucher'}{reason}, qr/\b403\b/, '5.8.3 but the registrar refuses it') or diag $step{output};
is($world->sql('est', "SELECT verdict FROM est_pledge WHERE serial_number = '$stolen'"), 'bad',
   '5.8.3 for its audit log shows the stranger');
is($world->sql('est', "SELECT COUNT(*) FROM est_certificate WHERE serial_number = '$stolen'"), 0,
   '5.8.3 and there is no certificate');

# An honest one joins after it.
($status, %step) = $world->join(4);
is($status, 0, 'another device joins all the same') or diag $step{output};

# Several at once.
my ($code, $report) = $lab->try_brski('load', '--join', '--lab', $lab->dir, '--first', 5, '-n', 3,
                                      '-c', 3, '--json');
is($code, 0, 'three devices join at once') or diag $report;
is(decode_json($report)->{joined}, 3, 'and are counted');
done_testing;

sub openssl
{
    my (@args) = @_;
    return run_command([ 'openssl', @args ]);
}

sub subject
{
    my ($file) = @_;
    my (undef, $said) = openssl('x509', '-in', $file, '-noout', '-subject', '-nameopt', 'RFC2253');
    return $said =~ /subject=(.*)/ ? "$1" : $said;
}

sub certificate_is_good
{
    my ($version, $serial, $dir) = @_;
    my ($verified, $said) = openssl('verify', '-CAfile', "$dir/cacerts.pem", '-untrusted',
                                    "$dir/device.pem", "$dir/device.pem");
    my (undef, $text) = openssl('x509', '-in', "$dir/device.pem", '-noout', '-text');

    is($verified, 0, "7030 4.2.3 $version: its certificate leads to the domain's root") or diag $said;
    like($text, qr/Issuer:.*Lab Domain Device CA/, "7030 4.2.3 $version: from the domain's CA");
    like($text, qr/Subject:.*\Q$serial\E/, "5.9.2 $version: it names the device");
    like($text, qr/DNS:\Q$serial\E\.devices\.example/i, "5.9.2 $version: with the name that csrattrs say");
    unlike($text, qr/CA:TRUE/, "5.9.3 $version: it is no CA");
}

# Both databases tell the same story.
sub remembered
{
    my ($version, $serial, $dir) = @_;
    my $where = "WHERE serial_number = '$serial'";
    my (undef, $number) = openssl('x509', '-in', "$dir/device.pem", '-noout', '-serial');
    my @events = grep { /^\{/ } split /\n/, $world->masactl('log', 'show', $serial, '--json');

    is(scalar @events, 1, "5.8.1 $version: the MASA has one event");
    like($events[0] || '', qr/"proximity"/, "5.8.1 $version: with the assertion proximity");
    is($world->sql('est', "SELECT voucher_status FROM est_pledge $where"), 1,
       "5.7 $version: the registrar has written the voucher's status");
    is($world->sql('est', "SELECT enroll_status FROM est_pledge $where"), 1,
       "5.9.4 $version: and that of enrolment");
    is($world->sql('est', "SELECT verdict FROM est_pledge $where"), 'good',
       "5.8.3 $version: the audit log was judged");
    like(lc $number, qr/\b\Q@{[ lc scalar $world->sql('est', "SELECT serial FROM est_certificate $where") ]}\E\b/,
         "7030 4.2.3 $version: the certificate is on record");
}
