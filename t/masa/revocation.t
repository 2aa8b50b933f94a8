# SPDX-License-Identifier: Apache-2.0
#
# revocation.t: MASARevocation hard, soft and off for registrars whose certificates name responders
# or CRLs that cannot be asked: names that lead nowhere, and addresses inside, which are never asked.
# What responders and CRLs say is judged in t/unit/brski_revoke_test.c.
use FindBin;
use lib "$FindBin::RealBin/../lib";
use BRSKI::Test;
use BRSKI::Test::Answer;
use BRSKI::Test::Pki;
use IO::Select;
use IO::Socket::INET;

# Who asks on loopback walks into this.
my $trap = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => 0, Listen => 5)
    or die "no port: $!\n";
my $inside = 'http://127.0.0.1:' . $trap->sockport;

my $pki = BRSKI::Test::Pki->new;
$pki->ca('root');
$pki->registrar('ocsp', issuer => 'root', ext => [ "authorityInfoAccess=OCSP;URI:$inside/" ]);
$pki->registrar('crl', issuer => 'root', ext => [ "crlDistributionPoints=URI:$inside/crl" ]);
$pki->registrar('name', issuer => 'root',
                ext => [ 'authorityInfoAccess=OCSP;URI:http://localhost:' . $trap->sockport . '/' ]);
$pki->registrar('file', issuer => 'root', ext => [ 'crlDistributionPoints=URI:file:///etc/passwd' ]);
$pki->registrar('nowhere', issuer => 'root',
                ext => [ 'authorityInfoAccess=OCSP;URI:http://responder.invalid/' ]);
$pki->registrar('plain', issuer => 'root');
my @bad = qw(ocsp crl name file nowhere);

my %host = map { $_ => { policy => 'MASAOwner any', host => "MASARevocation $_\n" } } qw(soft off);
my $masa = start_masa(name => 'revocation', devices => 3, policy => 'MASAOwner any',
                      more => [ 'soft.example' => $host{soft}, 'off.example' => $host{off} ]);
my ($lab, $httpd) = ($masa->lab, $masa->httpd);
$httpd->expect(qr{BRSKI1026: .*taken as good});

my %rvr = map { $_ => $lab->rvr(device => 1, args => [ $pki->args($_) ]) } @bad, 'plain';
sub ask
{
    my ($who, $host) = @_;
    return $httpd->post('requestvoucher', $rvr{$who}, host => $host);
}

issued($httpd, ask('plain', 'masa.example'), '5.5.3 hard: who names no responder is good');
refused($httpd, ask($_, 'masa.example'), 503, 1026,
        qr/^The revocation state of the registrar's certificate could not be learned; try again later/,
        "5.5.3 hard: what cannot be learned is 503: $_") for @bad;
for my $who (@bad) {
    issued($httpd, ask($who, 'soft.example'), "5.5.3 soft: it counts as good: $who");
    issued($httpd, ask($who, 'off.example'), "5.5.3 off: nothing is asked: $who");
}
ok($httpd->log_line(qr/\[masa:(?:warn|info)\].*revocation/i), '5.5.3 soft: it is logged');
ok(!IO::Select->new($trap)->can_read(0.2), '5.5.3 an address inside is never asked');
done_testing;
