# SPDX-License-Identifier: Apache-2.0
#
# est-devices.t: what a device, or somebody who copied from one, could try at a registrar: enrol
# without a voucher, with another's request, certificate or name; send what another has recorded;
# report for another; go around a rule by another spelling of a path.
use FindBin;
use lib "$FindBin::RealBin/../lib";
use BRSKI::Test;
use BRSKI::Test::Answer;
use BRSKI::Test::Der;
use BRSKI::Test::Liar;
use BRSKI::Test::Pki;
use MIME::Base64 qw(encode_base64);
use Time::HiRes qw(sleep);

my $lab = new_lab(devices => 12);
my $liar = BRSKI::Test::Liar->new(lab => $lab);
my $db = new_database(tool => 'estctl');
my $text = bless { lab => $lab, db => $db }, 'BRSKI::Test::Est';
my $closed = join '', map { qq(<Location "/.well-known/est/$_">\nRequire all denied\n</Location>\n) }
                      qw(vpn/simpleenroll simplereenroll);
my %host = (masa => $liar, est => "    ESTAnswerWithin 10s\n    ESTMASATimeout 20s\n"
                                . "    <ESTLabel vpn>\n    </ESTLabel>\n");
my $est = start_est(
    name => 'devices', lab => $lab, db => $db,
    conf => $text->conf_text(%host)
        . $text->host_text('closed.example', %host, host => $closed)
        . $text->host_text('unmerged.example', %host, host => "MergeSlashes Off\n$closed")
        . $text->host_text('decoded.example', %host, host => "AllowEncodedSlashes On\n$closed")
        . $text->host_text('encoded.example', %host, host => "AllowEncodedSlashes NoDecode\n$closed")
        . $text->host_text('stranger.example', %host, est => "$host{est}    ESTTenant stranger\n")
            =~ s{domain/registrar}{stranger/registrar}gr);
my $httpd = $est->httpd;
$httpd->expect(qr/BRSKI3221|AH01630|AH01797/);
my $maker = { cert => $lab->path('manufacturer/idevid-ca.pem'),
              key => $lab->path('manufacturer/idevid-ca.key') };
my $pki = BRSKI::Test::Pki->new;
my %device = map { $_ => { $lab->device($_) } } 1 .. 8;
my $no_voucher = qr/^This device has got no voucher in this network/;

# --- no voucher -----------------------------------------------------------

my $first = $est->csr(subject => '/O=Test/CN=' . $lab->serial(1));
my $csr = $first->{der};
refused($httpd, $est->enrol($_, $csr, %{ $device{1} }), 403, 1115, $no_voucher,
        "5.9 $_ without a voucher is refused") for qw(simpleenroll vpn/simpleenroll);
my $again = $est->enrol('simplereenroll', $csr, %{ $device{1} });
is($again->code, 403, '5.9 simplereenroll with an IDevID is refused');
is($est->enrol('simpleenroll', $csr)->code, 401, '7030 3.2.3 nobody enrols without authentication');

# --- what others have recorded --------------------------------------------

my $pvr = $lab->pvr(device => 1);
refused($httpd, post($pvr, 2), 403, 1106, qr/not signed with the key of the TLS client certificate/,
        '5.2 a voucher-request that another device has recorded is refused');
refused($httpd, $httpd->post('requestvoucher', $pvr), 401, 1124, qr/must authenticate/,
        '5.2 as it is from nobody');
my $elsewhere = post($pvr, 1, host => 'stranger.example');
refused($httpd, $elsewhere, 401, 1108, qr/is not the certificate that this registrar presented/,
        '5.2 and at another registrar');
is($elsewhere->header('Connection'), 'close', '5.2 which ends the connection');
refused($httpd, post($lab->pvr(device => 1, domain => 'stranger'), 1), 401, 1108, qr/presented/,
        '5.2 one for another registrar is refused here');
my $voucher = ask($pvr, 1);
is($voucher->code, 200, '5.6 control: the device itself gets its voucher');
my ($stolen, $said) = $lab->verify($voucher->content, '--device', $lab->serial(1), '--registrar',
                                   $lab->path('stranger/registrar.pem'));
is($stolen, 1, '5.6.2 which no device accepts from another registrar') or diag $said;
refused($httpd, $est->enrol('simpleenroll', $est->csr(subject => '/O=Test/CN=' . $lab->serial(2))
        ->{der}, %{ $device{2} }), 403, 1115, $no_voucher,
        '5.9 and which lets no other device enrol');

# --- somebody else --------------------------------------------------------

refused($httpd, post($lab->pvr(device => 2, args => [ '--serial', $lab->serial(3) ]), 2), 403, 1107,
        qr/serial-number/, '5.2 a device asks for itself');
refused($httpd, post($lab->pvr(device => 3, args => [ '--defect', 'other-key' ]), 2), 403, 1106,
        qr/signed|signature/, '5.2 an IDevID that was copied without its key signs nothing');
refused($httpd, post($lab->pvr(device => 3, args => [ '--defect', 'other-key' ]), 3), 403, 1106,
        qr/signature of the voucher-request does not verify/, '5.2 nor on the device\'s connection');
$pki->ca('same-name', subject => '/O=Lab Manufacturer/CN=Lab Manufacturer IDevID CA');
$pki->make('same-names', issuer => 'same-name', subject => '/O=Lab Manufacturer',
           serial => $lab->serial(3));
my %copy = $pki->identity('same-names');
refused($httpd, $httpd->post('requestvoucher', pvr_by('same-names'), %copy), 404, 1125,
        qr/^Devices of this manufacturer do not join/, '5.3 same names by another CA are nobody');
refused($httpd, $est->enrol('simpleenroll', $csr, %copy), 403, 1141, qr/none that may enrol here/,
        '7030 3.3.2 nor do they enrol');
$pki->make('self', subject => '/O=Lab Manufacturer', serial => $lab->serial(3));
refused($httpd, $httpd->post('requestvoucher', pvr_by('self'), $pki->identity('self')), 404, 1125,
        qr/^Devices of this manufacturer do not join/, '5.3 nor does a self-signed one');
$pki->make('minted', issuer => { cert => $device{2}{cert}, key => $device{2}{key} },
           serial => $lab->serial(3), aki => 0);
refused($httpd, $httpd->post('requestvoucher', pvr_by('minted'), $pki->identity('minted')), 404,
        1125, qr/^Devices of this manufacturer do not join/, '5.3 devices issue no IDevIDs');

# The maker's own twin: the serial-number of a device that has a voucher.
$pki->make('twin', issuer => $maker, serial => $lab->serial(1));
refused($httpd, $est->enrol('simpleenroll', $csr, $pki->identity('twin')), 403, 1115, $no_voucher,
        '5.9 another key of the same serial-number has no voucher');
refused($httpd, $httpd->post('voucher_status', '{"version":1,"status":false}',
                             $pki->identity('twin'), type => 'application/json'), 404, 1115,
        $no_voucher, '5.7 and nothing to report');
my $enrolled = enrol(1, $csr);
is($enrolled->code, 200, '5.9 control: the device itself enrols') or diag $enrolled->as_string;

# --- names ----------------------------------------------------------------

# What a factory with other tools can write: the check of the name comes before any other.
my $plain = $pki->make('plain', issuer => $maker, serial => 'SN-AB-1')->der('plain');
for my $case ([ 'an escape', "\e[" ], [ 'a line', "\nB" ], [ 'a tab', "\t1" ],
              [ 'a carriage return', "\r1" ], [ 'a NUL', "\0A" ], [ 'DEL', "\x7f1" ]) {
    my ($name, $octets) = @$case;
    my $subject = cert_parts($plain)->{subject} =~ s/SN-AB-1/SN-$octets-1/r;
    my $der = make_cert($plain, subject => $subject, keyfile => $maker->{key});
    my $file = write_file(new_dir('odd') . '/cert.pem', pem($der) . read_file($maker->{cert}));

    refused($httpd, $httpd->post('requestvoucher', $pvr, cert => $file, key => $pki->key('plain')),
            403, 1126, qr/IDevID/, "2.3.1 a serial-number with $name is refused");
}
unlike(read_file($httpd->{error_log}), qr/\e|\r|\x7f|^BRSKI9999/m, '2.3.1 no log line is forged');
unlike($est->estctl('pledge', 'list'), qr/\e|\r|\x7f|^BRSKI9999/m, '2.3.1 nor is a list');

# --- forged reports -------------------------------------------------------

my %own = (cert => write_file(new_dir('own') . '/cert.pem',
                              $est->certificate_pem($enrolled->content)),
           key => $first->{key});
is(ask($lab->pvr(device => 4), 4)->code, 200, '5.6 control: device 4 has a voucher');
my $no = '{"version":1,"status":false,"reason":"forged"}';
is(status_of(4), '-1|-1', '5.7 control: it has reported nothing');
$httpd->post($_, $no, %{ $device{1} }, type => 'application/json')
    for qw(voucher_status enrollstatus);
$httpd->post($_, $no, %own, type => 'application/json') for qw(voucher_status enrollstatus);
is($httpd->post($_, $no, type => 'application/json')->code, 401, "5.7 nobody reports: $_")
    for qw(voucher_status enrollstatus);
is($httpd->post($_, $no, %copy, type => 'application/json')->code, 404, "5.7 nor a stranger: $_")
    for qw(voucher_status enrollstatus);
is(status_of(4), '-1|-1', '5.7 what others report is not about this device');
is(enrol(4)->code, 200, '5.9 which goes on');

# --- other paths ----------------------------------------------------------

my %ready = %{ $device{4} };
my $mine = $est->csr(subject => '/O=Test/CN=' . $lab->serial(4))->{der};
for my $vhost (qw(closed unmerged decoded encoded)) {
    for my $path (qw(vpn/simpleenroll simplereenroll)) {
        for my $way ($path, "/$path", "$path/", "$path//", "$path;x=y", ";x/$path", "./$path",
                     "x/../$path", "x/%2e%2e/$path", $path =~ s/e/%65/r, $path =~ s{/}{//}r,
                     $path =~ s{/}{%2f}r, $path =~ s{/}{%252f}r, $path =~ s{/}{/./}r,
                     $path =~ s{/}{/%2e/}r, $path =~ s{/}{;a/}r, uc $path, "$path?x", "$path%00",
                     "$path%20", "$path%3f", "../est/$path", "%2e%2e/est/$path",
                     "..%2fest/$path") {
            my $res = $est->enrol("/.well-known/est/$way", $mine, %ready, host => "$vhost.example");
            next if $res->code =~ /^40[0345]$/;
            fail("7030 3.2.2 $vhost: $way leads around a rule: " . $res->code);
        }
    }
    my $open = $est->enrol('simpleenroll', $mine, %ready, host => "$vhost.example");
    is($open->code, 200, "7030 3.2.2 $vhost: what is open is open, what is closed has no other way");
}
done_testing;

# --------------------------------------------------------------------------

sub pem
{
    return "-----BEGIN CERTIFICATE-----\n" . encode_base64($_[0]) . "-----END CERTIFICATE-----\n";
}

sub pvr_by
{
    my ($name) = @_;
    return $lab->pvr(args => [ $pki->args($name), '--registrar-cert',
                               $lab->path('domain/registrar.pem') ]);
}

sub post
{
    my ($pvr, $n, %opt) = @_;
    return $httpd->post('requestvoucher', $pvr, %{ $device{$n} }, %opt);
}

sub ask
{
    my ($pvr, $n) = @_;
    my $response;

    for (1 .. 60) {
        $response = post($pvr, $n);
        last if $response->code != 202;
        sleep 0.3;
    }
    return $response;
}

sub enrol
{
    my ($n, $der) = @_;
    my $response;

    $der ||= $est->csr(subject => '/O=Test/CN=' . $lab->serial($n))->{der};
    for (1 .. 60) {
        $response = $est->enrol('simpleenroll', $der, %{ $device{$n} });
        last if $response->code != 202;
        sleep 0.3;
    }
    return $response;
}

sub status_of
{
    my ($n) = @_;
    my $row = $db->sql("SELECT voucher_status, enroll_status FROM est_pledge
                        WHERE tenant = 'default' AND serial_number = '@{[ $lab->serial($n) ]}'");
    chomp $row;
    return $row;
}
