# SPDX-License-Identifier: Apache-2.0
#
# estctl.t: a device waits, and a human decides with estctl: that it may join, that its MASA's server
# and the signer of its voucher are whom the packaging names. Later its history is looked at again, an
# enrolment approved, its certificate revoked, and the device refused.
use FindBin;
use lib "$FindBin::RealBin/../lib";
use BRSKI::Test;
use BRSKI::Test::Join ();
use BRSKI::Test::Parallel qw(begin collect);
use BRSKI::Test::World qw(wait_until);
use JSON::PP ();

my $PATIENCE = 300;                     # seconds: how long anything may take before it counts as never
my $world = BRSKI::Test::Join->new(devices => 2, est => \&wary)->start;
my $lab = $world->lab;
my $serial = $lab->serial(1);
my $out = new_dir('pledge');

my $joining = begin(sub {
    return JSON::PP->new->encode([ $world->join(1, '--max-wait', $PATIENCE, '-o', $out) ]);
});

ok(waits(sub { grep { $_->{serial_number} eq $serial } lines('pledge', 'list', '--welcome', 'undecided') }),
   '5.3 a device that nobody has named is seen');
$world->estctl('pledge', 'allow', 'lab', $serial);
approve('tls', '5.4 the certificate of the MASA\'s server');
approve('voucher', '5.6 the signer of its voucher');
my ($status, %step) = @{ JSON::PP->new->decode(collect($joining)) };
is($status, 0, 'with all of it said the device joins') or diag $step{output};
my $device = json('pledge', 'show', 'lab', $serial);
is($device->{verdict}, 'good', '5.8.3 its history is good');
is(join(' ', map { $_ // '' } @$device{qw(welcome voucher_status enroll_status)}), 'allowed 1 1',
   '5.9.4 and it has reported both');
is(scalar @{ $device->{certificates} }, 1, 'its certificate is on record');
like($world->estctl('audit', 'show', 'lab', $serial), qr/^verdict +good\n.*\bours +\w/ms, '5.8.1 its log shows us');
again();
approved();
revoked($device->{certificates}[0]{serial});
refused();
done_testing;

# The lab's registrar, but for one that asks for everything.
sub wary
{
    my ($conf) = @_;

    $conf =~ s/ESTVoucherAnchor .*/ESTVoucherAnchor tofu/ or die "no ESTVoucherAnchor\n";
    $conf =~ s/ESTMASATLSAnchor .*/ESTMASATLSAnchor tofu/ or die "no ESTMASATLSAnchor\n";
    $conf =~ s/ESTPledges any/ESTPledges approve/ or die "no ESTPledges\n";
    $conf =~ s{^(ESTEngine On)$}{$1\n<ESTLabel slow>\n    ESTApprove On\n</ESTLabel>}m or die "no ESTEngine\n";
    return $conf;
}

sub lines
{
    my (@args) = @_;
    return map { JSON::PP->new->utf8->decode($_) } split /\n/, $world->estctl('--json', '--quiet', @args);
}

sub json
{
    my (@args) = @_;
    return JSON::PP->new->utf8->decode($world->estctl('--json', '--quiet', @args));
}

# What a look finds once it finds something.
sub waits
{
    my ($look) = @_;
    my @found;

    wait_until($PATIENCE, sub { return @found = $look->() });
    return @found;
}

# What a MASA showed waits, is compared with what the lab has, and approved.
sub approve
{
    my ($purpose, $label) = @_;
    my ($use) = waits(sub { grep { $_->{purpose} eq $purpose && $_->{state} eq 'waiting' } lines('masa', 'list') });
    my $anchor = $purpose eq 'tls' ? $lab->tls_anchor : $lab->voucher_anchor;
    my (undef, $print) = run_command([ 'openssl', 'x509', '-in', $anchor, '-noout', '-fingerprint', '-sha256' ]);

    ok($use, "$label waits");
    $print =~ s/.*=\s*|\s+\z//g;
    (my $hex = lc $print) =~ s/://g;
    is($use->{chain}[-1]{certificate_sha256}, $hex, "$label: the top of its chain is shown");
    is((lines('voucher', 'list', '--task', 'human'))[0]{serial_number}, $serial, "$label: the request is parked");
    $world->estctl('masa', 'approve', 'lab', $purpose, $print, '--yes');
}

# A server looks at the log anew.
sub again
{
    $world->sql('est', "UPDATE est_pledge SET verdict_at = 1");
    $world->estctl('audit', 'check', 'lab', $serial);
    ok(waits(sub { $world->sql('est', 'SELECT verdict_at FROM est_pledge') > 1 ? 1 : () }),
       '5.8 estctl audit check has the log judged again');
    is(json('pledge', 'show', 'lab', $serial)->{verdict}, 'good', '5.8.3 and it is still good');
}

# A label whose enrolments wait for a human.
sub enroll
{
    my ($csr) = @_;
    my ($status, $said) = run_command([
        'curl', '-sS', '-k', '--cert', "$out/device.pem", '--key', "$out/device.key", '-H',
        'Content-Type: application/pkcs10', '--data-binary', "\@$csr", '-o', "$csr.answer", '-w', '%{http_code}',
        $world->url . '/.well-known/est/slow/simpleenroll' ]);
    $status == 0 or die $said;
    return $said;
}

sub approved
{
    my $csr = new_dir('csr') . '/csr.pem';
    my ($status, $said) = run_command([
        qw(openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout /dev/null -subj),
        "/CN=$serial/O=Lab Domain", '-out', $csr ]);

    $status == 0 or die $said;
    is(enroll($csr), 202, '7030-4.2.3 an enrolment of this label waits') or diag read_file("$csr.answer");
    my ($wish) = lines('cert', 'waiting');
    like($wish->{requester}, qr/\Q$serial\E/, '7030-4.2.3 and cert waiting tells whose') or diag explain $wish;
    $world->estctl('cert', 'approve', substr $wish->{key}, 0, 16);
    is(enroll($csr), 200, '7030-4.2.3 once approved it gets its certificate');
}

sub revoked
{
    my ($cert) = @_;
    my $crl = new_dir('crl') . '/crl.der';

    get_crl($crl);
    like($world->estctl('crl', 'show'), qr/^state +up to date$/m, '5280-5.1 a CRL was made when it was asked for');
    $world->estctl('cert', 'revoke', $cert, '--reason', 'superseded');
    like($world->estctl('crl', 'show'), qr/^state +behind/m, '5280-5.1 it lacks what was revoked since');
    get_crl($crl);
    my (undef, $text) = run_command([ 'openssl', 'crl', '-inform', 'DER', '-in', $crl, '-noout', '-text' ]);
    like($text, qr/\U$cert\E.*Superseded/s, '5280-5.3.1 the next one has it with its reason');
    BRSKI::Test::World::give_to_server($crl =~ m{(.*)/});    # as whom estctl runs
    my $octets = read_file($crl);
    $world->estctl('crl', 'write', '--output', "$crl.written");
    is(read_file("$crl.written"), $octets, '5280-5.1 crl write gives the same octets');
}

sub get_crl
{
    my ($file) = @_;
    my ($status, $said) = run_command([ 'curl', '-sS', '-k', '-o', $file, $world->url . '/est-crl' ]);
    $status == 0 or die $said;
}

sub refused
{
    $world->estctl('pledge', 'refuse', 'lab', $serial);
    $world->est->expect(qr/BRSKI1105|BRSKI3\d\d\d/);
    my ($status, %step) = $world->join(1, '--max-wait', 20);
    is($status, 1, '5.3 a device that is refused does not join again');
    like($step{output}, qr/\b403\b/, '5.3 and is told 403');
}
