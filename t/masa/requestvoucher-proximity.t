# SPDX-License-Identifier: Apache-2.0
#
# requestvoucher-proximity.t: what the pledge's own request must prove, and what a missing or
# failing one does under MASAProximity required, optional and downgrade, with grants to devices and
# customers that end.
use FindBin;
use lib "$FindBin::RealBin/../lib";
use BRSKI::Test;
use BRSKI::Test::Answer;
use BRSKI::Test::Pki;
use POSIX ();

my $pki = BRSKI::Test::Pki->new;
$pki->ca('root')->registrar('reg', issuer => 'root');
$pki->registrar('renewed', issuer => 'root', key => 'reg');
my $masa = start_masa(name => 'proximity', devices => 30,
    lines => [
        required => 'MASAOwner any',
        optional => "MASAOwner any\nMASAProximity optional",
        downgrade => "MASAOwner any\nMASAProximity downgrade",
        ignore => "MASAOwner any\nMASAProximity required\nMASAIgnoreIDevIDExpiry On",
    ]);
my ($lab, $httpd) = ($masa->lab, $masa->httpd);

sub post { return $httpd->post('requestvoucher', $_[0]) }

sub ask
{
    my ($device, @args) = @_;
    return post($lab->rvr(device => $device, args => \@args));
}

sub ask_with
{
    my ($pvr, %opt) = @_;
    return post($lab->rvr(pvr => $pvr, %opt));
}

# A pledge's request whose signature is broken while the outer one is good.
sub broken { return ask($_[0], '--prior-defect', 'signature') }

# Each way in which the proof can fail: a request that shows it, log number, sentence, label.
sub failing
{
    my ($device) = @_;
    my $stranger = $lab->pvr(device => $device, domain => 'stranger');

    return (
        [ $lab->rvr(device => $device, args => [ '--prior-defect', 'signature' ]), 1036,
          qr/^The signature of the prior-signed-voucher-request does not verify/, 'a broken signature' ],
        [ $lab->rvr(device => $device, args => [ '--prior-defect', 'content' ]), 1036,
          qr/^The signature of the prior-signed-voucher-request/, 'an altered content' ],
        [ $lab->rvr(device => $device, args => [ '--set', 'prior-signed-voucher-request=AAAA' ]), 1035,
          qr/^The prior-signed-voucher-request is not a signed voucher-request/, 'what is no request' ],
        [ $lab->rvr(pvr => $stranger), 1041, qr/^The pledge talked to another registrar/,
          'the proximity of another registrar' ],
        [ $lab->rvr(pvr => $lab->pvr(device => $device,
                                     args => [ '--unset', 'proximity-registrar-cert' ])), 1040,
          qr/does not name the registrar/, 'no proximity at all' ],
        [ $lab->rvr(pvr => $lab->pvr(args => [ '--cert', $pki->file('reg'), '--key', $pki->key('reg'),
                                               '--serial', $lab->serial($device), '--registrar-cert',
                                               $lab->path('domain/registrar.pem') ]),
                    args => [ '--serial', $lab->serial($device) ]), 1037,
          qr/was not signed with an IDevID of this manufacturer/, 'a signer that is no IDevID of ours' ],
    );
}

# --- required -------------------------------------------------------------

my $device = $masa->new_device(product => 'required');
my $leaf = issued($httpd, ask($device), '5.5.5 proximity that was proven is issued');
is($leaf->{assertion}, 'proximity', '5.5.5 and the voucher says proximity');
refused($httpd, ask($device, '--no-prior'), 403, 1034, qr/no prior-signed-voucher-request, which is/,
        '5.5.5 MASAProximity required refuses a request without the pledge\'s');
refused($httpd, post($_->[0]), 403, $_->[1], $_->[2], "5.5.5 required refuses $_->[3]")
    for failing($device);

# --- optional -------------------------------------------------------------

$device = $masa->new_device(product => 'optional');
$leaf = issued($httpd, ask($device, '--no-prior'),
               '5.5.5 MASAProximity optional issues without the pledge\'s request');
is($leaf->{assertion}, 'logged', '5.5.5 and says logged');
ok(length $leaf->{nonce}, '5.5.6 with the registrar\'s nonce');
is(issued($httpd, ask($device), '5.5.5 optional issues with it')->{assertion}, 'proximity',
   '5.5.5 and then says proximity');
refused($httpd, post($_->[0]), 403, $_->[1], $_->[2], "5.5.5 optional refuses $_->[3] all the same")
    for failing($device);

# --- downgrade ------------------------------------------------------------

$device = $masa->new_device(product => 'downgrade');
is(issued($httpd, ask($device, '--no-prior'), '5.5.5 downgrade issues without it')->{assertion},
   'logged', '5.5.5 and says logged, never proximity');
refused($httpd, broken($device), 403, 1036, qr/does not verify/,
        '5.5.5 downgrade refuses what fails where nothing was granted');

my $tomorrow = POSIX::strftime('%Y-%m-%dT%H:%M:%SZ', gmtime(time + 86_400));
$masa->masactl(qw(device downgrade --until), $tomorrow, $lab->serial($device));
for my $case (failing($device)) {
    my $got = issued($httpd, post($case->[0]), "5.5.5 a device that was granted it: $case->[3] is issued");
    is($got->{assertion}, 'logged', '5.5.5 and says logged, never proximity');
}
ok($httpd->log_line(qr/\[masa:info\].*BRSKI1101: /), '5.5.5 the log says that a grant was used');
refused($httpd, ask_with($lab->pvr(device => $masa->new_device, args => []),
                         args => [ '--serial', $lab->serial($device) ]), 403, 1038,
        qr/are not the same/, '5.5.5 no grant covers another device\'s request');
$masa->db->sql('UPDATE device_state SET downgrade_until = 1000000');
refused($httpd, broken($device), 403, 1036, qr/does not verify/,
        '5.5.5 a device\'s grant ends at its date');

$masa->customer('domain', '--cert' => $lab->path('domain/registrar.pem'));
$masa->masactl(qw(customer grant domain downgrade --until), $tomorrow);
is(issued($httpd, broken($device), '5.5.5 a customer that was granted it')->{assertion},
   'logged', '5.5.5 gets logged');
my $elsewhere = $masa->new_device(product => 'required');
refused($httpd, broken($elsewhere), 403, 1036, qr/does not verify/,
        '5.5.5 but not of a line that requires proximity');
$masa->db->sql('UPDATE customer_grant SET until_at = 1000000');
refused($httpd, broken($device), 403, 1036, qr/does not verify/,
        '5.5.5 a customer\'s grant ends at its date');
$masa->masactl(qw(customer grant domain downgrade --until), $tomorrow);
issued($httpd, broken($device), '5.5.5 a new grant holds again');
$masa->masactl(qw(customer revoke domain downgrade));
refused($httpd, broken($device), 403, 1036, qr/does not verify/,
        '5.5.5 until it is taken back');

# --- serial number, issuer, order -----------------------------------------

$device = $masa->new_device(product => 'required');
my $other = $masa->new_device(product => 'required');
refused($httpd, ask_with($lab->pvr(device => $other), args => [ '--serial', $lab->serial($device) ]),
        403, 1038, qr/serial-number of the request, of the pledge's request and of its IDevID/,
        '5.5.5 refuses a swapped serial-number');
refused($httpd, ask_with($lab->pvr(device => $other, args => [ '--serial', $lab->serial($device) ]),
                         args => [ '--serial', $lab->serial($other) ]),
        403, 1038, qr/are not the same/, '5.5.5 refuses another serial-number inside');
refused($httpd, ask($device, '--created-on', POSIX::strftime('%Y-%m-%dT%H:%M:%SZ', gmtime(time - 600))),
        403, 1043, qr/older than the pledge's request which it contains/,
        '5.5.5 refuses a request that is older than what it contains');
issued($httpd, ask($device, '--created-on', POSIX::strftime('%Y-%m-%dT%H:%M:%SZ', gmtime(time - 200))),
       '5.5.5 clocks may differ by MASAClockSkew');

# --- keys, not certificates -----------------------------------------------

my $pvr = $lab->pvr(device => $device, args => [ '--registrar-cert', $pki->file('reg') ]);
is(issued($httpd, ask_with($pvr, args => [ $pki->args('renewed') ]),
          '5.5.5 a registrar that renewed its certificate and kept its key is the same')->{assertion},
   'proximity', '5.5.5 since keys count');
$pvr = $lab->pvr(device => $device, args => [ '--registrar-cert', $pki->file('root') ]);
issued($httpd, ask_with($pvr, args => [ $pki->args('reg') ]),
       '5.5.5 the key may be that of a CA of the registrar\'s chain');

# --- IDevIDs that outlived their certificate ------------------------------

my %factory = map { $_ => $lab->path("manufacturer/idevid-ca.$_") } qw(pem key);
for my $line (qw(required ignore)) {
    $pki->make("old-$line", issuer => { cert => $factory{pem}, key => $factory{key} },
               serial => "OLD-$line", from => -200 * 86_400, to => -100 * 86_400);
    $masa->import_row("OLD-$line", product => $line);
}
sub old
{
    my ($line) = @_;
    return ask_with($lab->pvr(args => [ $pki->args("old-$line"), '--registrar-cert',
                                        $lab->path('domain/registrar.pem') ]));
}
refused($httpd, old('required'), 403, 1037, qr/not signed with an IDevID of this manufacturer/,
        '5.5.5 an IDevID whose certificate has ended is refused');
issued($httpd, old('ignore'), '2.3.1 MASAIgnoreIDevIDExpiry On lets it outlive its certificate');
done_testing;
