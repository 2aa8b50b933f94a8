# SPDX-License-Identifier: Apache-2.0
#
# requestvoucher-device.t: which device is meant and what is known of it: unknown ones, blocked
# ones, a serial number that two product lines share with idevid-issuer in the four forms in use, a
# product line or signer that this server lacks, and a key that is away while others work.
use FindBin;
use lib "$FindBin::RealBin/../lib";
use BRSKI::Test;
use BRSKI::Test::Answer;
use BRSKI::Test::Asn1;
use BRSKI::Test::Der ();
use BRSKI::Test::Pki;
use BRSKI::Test::World qw(give_to_server);
use MIME::Base64 qw(decode_base64);

# Two factories that give out the same serial numbers.
my $pki = BRSKI::Test::Pki->new;
$pki->ca("factory-$_")->make("same-$_", issuer => "factory-$_", serial => 'SAME-1') for qw(a b);
$pki->ca('factory-c')->make('same-c', issuer => 'factory-c', serial => 'SAME-1');

my $lab = new_lab(devices => 20);
my $away = new_dir('away');
my $third = BRSKI::Test::World::top_builddir() . '/t/.libs/mod_masa_away.so';
my $has_third = -f $third;
my $token_chain = $lab->path('manufacturer/masa-signer.pem');
my $masa = start_masa(name => 'device', lab => $lab,
    server => $has_third ? "LoadModule masa_away_module $third\n" : '',
    signers => [ [ lab => 'masa-signer' ], [ other => 'nonceless-signer' ] ],
    lines => [
        lab => "MASAOwner any\nMASASignWith lab other",
        a => "MASAOwner any\nMASAProximity optional\nMASAIDevIDAnchor " . $pki->file('factory-a'),
        b => "MASAOwner any\nMASAProximity optional\nMASAIDevIDAnchor " . $pki->file('factory-b'),
        $has_third ? (token => "MASAOwner any\nMASASignWith token") : (),
    ],
    host => $has_third ? "MASASigner token $token_chain away:$away/key\n" : '');
my $httpd = $masa->httpd;

sub post { return $httpd->post('requestvoucher', $_[0]) }
sub ask
{
    my ($device, @args) = @_;
    return post($lab->rvr(device => $device, args => \@args));
}

# --- unknown --------------------------------------------------------------

refused($httpd, ask($masa->new_device), 404, 1028, qr/^This MASA does not know the device\.$/,
        '5.6 a device that is not known is answered with 404');
my $device = $masa->new_device(product => 'lab');
refused($httpd, ask($device, '--no-prior', '--serial', 'NOT-1'), 404, 1028, qr/does not know/,
        '5.6 so is a serial-number that is not known');
refused($httpd, ask($device, '--no-prior', '--serial', lc $lab->serial($device)), 404, 1028,
        qr/does not know/, '5.6 serial-numbers are compared octet by octet');
issued($httpd, ask($device), '5.6 one that is known is served');

# --- blocked --------------------------------------------------------------

my %said = (blocked => 'it is blocked', stolen => 'it has been reported stolen',
            'end-of-life' => 'it has reached the end of its life',
            'owner-locked' => 'its owner has locked it');
for my $status (sort keys %said) {
    refused($httpd, ask($masa->new_device(product => 'lab', status => $status)), 403, 1030,
            qr/^The manufacturer does not issue vouchers for this device: $said{$status}\.$/,
            "10.4 no voucher for a device that the list calls $status");
}
my $serial = $lab->serial($device);
for my $status (sort keys %said) {
    $masa->masactl(qw(device block --status), $status, '--reason', 'RMA 7, Zürich', $serial);
    refused($httpd, ask($device), 403, 1030, qr/for this device: RMA 7, Z\xfcrich\.$/,
            "10.4 nor for one that masactl has $status, and the answer gives the reason");
}
$masa->masactl(qw(device unblock), $serial);
issued($httpd, ask($device), '10.4 and again after unblocking');

# --- one serial number, two product lines ---------------------------------

$masa->import_row('SAME-1', product => $_) for qw(a b);

my $registrar = $lab->path('domain/registrar.pem');
my %keyid;
for my $factory (qw(a b c)) {
    my $file = $pki->file("factory-$factory");
    my ($hex) = `openssl x509 -in $file -noout -ext subjectKeyIdentifier` =~ /([0-9A-F:]{59})/;
    $keyid{$factory} = pack 'H*', $hex =~ s/://gr;
}

# The ways in which idevid-issuer is written.
sub forms
{
    my ($factory) = @_;
    my $aki = BRSKI::Test::Der::tlv(0x30, BRSKI::Test::Der::tlv(0x80, $keyid{$factory}));

    return (
        [ BRSKI::Test::Der::tlv(0x04, $aki), 'as the extension\'s value' ],
        [ $aki, 'as AuthorityKeyIdentifier' ],
        [ $keyid{$factory}, 'as a bare key identifier' ],
        [ cert_part($pki->der("factory-$factory"), 'subject'), 'as the issuer\'s name' ],
    );
}

# Which product line a request without the pledge's is taken for.
sub of_line
{
    my ($line, $form, $label) = @_;
    my $response = post($lab->rvr(device => 1, args => [ '--no-prior', '--serial', 'SAME-1',
                                  '--idevid-issuer', unpack 'H*', $form ]));
    my $leaf = issued($httpd, $response, $label);
    my @lines = grep { /BRSKI2211: .*serial-number SAME-1,/ } $httpd->log_lines;

    like($lines[-1], qr/product $line,/, "5.6 and means product line $line");
    return $leaf;
}
sub without_issuer
{
    return post($lab->rvr(device => 1, args => [ '--no-prior', '--serial', 'SAME-1',
                                                 '--idevid-issuer', 'none' ]));
}

refused($httpd, without_issuer(), 403, 1029,
        qr/^Several devices carry this serial-number; the request must name the issuer/,
        '5.6 a serial-number of two lines alone is ambiguous');
for my $line (qw(a b)) {
    for my $form (forms($line)) {
        my $leaf = of_line($line, $form->[0], "5.5 idevid-issuer $form->[1] is understood");
        is(unpack('H*', decode_base64($leaf->{'idevid-issuer'} || '')),
           unpack('H*', $form->[1] =~ /name/ ? $form->[0] : (forms($line))[0][0]),
           '8366-5.3 the voucher carries idevid-issuer, for serial-number alone is not unique');
    }
}
refused($httpd, post($lab->rvr(device => 1, args => [ '--no-prior', '--serial', 'SAME-1',
                               '--idevid-issuer', '0102' ])), 403, 1029, qr/^Several devices/,
        '5.5 what is none of the four forms selects nothing');
ok($httpd->log_line(qr/\[masa:info\].*BRSKI1102: idevid-issuer of SAME-1 is neither .*: 0102/),
   '5.5 and is logged');

# The pledge's request tells by who signed it.
sub by_pledge
{
    my ($factory, @args) = @_;
    my $pvr = $lab->pvr(args => [ $pki->args("same-$factory"), '--registrar-cert', $registrar ]);
    return post($lab->rvr(pvr => $pvr, args => \@args));
}
for my $line (qw(a b)) {
    my $leaf = issued($httpd, by_pledge($line, '--idevid-issuer', 'none'),
                      '5.5.5 the pledge\'s request tells which line it is');
    my @lines = grep { /BRSKI2211: .*serial-number SAME-1,/ } $httpd->log_lines;
    like($lines[-1], qr/product $line,/, "5.5.5 the one of its IDevID's issuer: $line");
    is($leaf->{assertion}, 'proximity', '5.5.5 and proves proximity');
    is(unpack('H*', decode_base64($leaf->{'idevid-issuer'} || '')),
       unpack('H*', (forms($line))[0][0]), '8366-5.3 the voucher has idevid-issuer of the IDevID');
}
refused($httpd, by_pledge('a', '--idevid-issuer', unpack 'H*', $keyid{b}), 403, 1037,
        qr/not signed with an IDevID/, '5.5.5 an idevid-issuer of the other line is refused');
refused($httpd, by_pledge('c', '--idevid-issuer', 'none'), 403, 1029, qr/^Several devices/,
        '5.5.5 an IDevID of neither line does not choose one');

# A list that names the issuer.
$masa->import_row('SAME-2', product => 'a', idevid_issuer => unpack 'H*', $keyid{a});
$pki->make("two-$_", issuer => "factory-$_", serial => 'SAME-2') for qw(a b);
sub two
{
    my ($factory, @args) = @_;
    return post($lab->rvr(pvr => $lab->pvr(args => [ $pki->args("two-$factory"),
                                                     '--registrar-cert', $registrar ]),
                          args => \@args));
}
my $leaf = issued($httpd, two('a'), '5.6 a row that names its issuer is found by it');
ok(!exists $leaf->{'idevid-issuer'}, '8366-5.3 no idevid-issuer where serial-number is unique');
refused($httpd, two('b'), 404, 1028, qr/does not know/,
        '5.6 another issuer\'s device of this serial-number is unknown');
refused($httpd, two('b', '--idevid-issuer', 'none'), 403, 1037, qr/not signed with an IDevID/,
        '5.5.5 also when the request does not say the issuer');

# --- what this server lacks -----------------------------------------------

refused($httpd, ask($masa->new_device(product => 'elsewhere')), 503, 1073,
        qr/not configured for the device's product line; try again later/,
        '5.6 a product line that this server lacks is 503, never 404');
refused($httpd, ask($masa->new_device(product => 'lab', signer => 'gone')), 503, 1073,
        qr/not configured for the device's product line/, '5.6 so is a signer that it lacks');
issued($httpd, ask($masa->new_device(product => 'lab', signer => 'other')),
       '5.6 a device whose row names a signer gets its voucher from it');
ok($httpd->log_line(qr/BRSKI2211: .*signer other/), '5.6 and from no other');

SKIP: {
    skip 't/mod_masa_away.la is not built', 5 if !$has_third;
    my $token = $masa->new_device(product => 'token');

    ok($httpd->log_line(qr/\[masa:error\].*BRSKI2103: the key of MASASigner token is away, its/),
       'a key that is away is told at start');
    $httpd->expect('BRSKI2103');
    refused($httpd, ask($token), 503, 1072, qr/^The key that signs vouchers for this device is not/,
            '5.6 while a key is away its devices get 503');
    issued($httpd, ask($device), '5.6 and those of other product lines their vouchers');
    write_file("$away/key", read_file($lab->path('manufacturer/masa-signer.key')));
    chmod 0600, "$away/key";
    give_to_server("$away/key");
    $httpd->graceful;
    issued($httpd, ask($token), '5.6 when it is back, after a restart, so do they');
    unlike(join("\n", $httpd->log_lines), qr/PRIVATE KEY/, 'no key is in the log');
}
done_testing;
