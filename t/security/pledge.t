# SPDX-License-Identifier: Apache-2.0
#
# pledge.t: a device that is not there, is another one, or met somebody else: what a registrar could
# try with pledges' requests that it copied, altered, made up, or had signed by another device.
use FindBin;
use lib "$FindBin::RealBin/../lib";
use BRSKI::Test;
use BRSKI::Test::Answer qw(cms_content);
use BRSKI::Test::Attack;
use BRSKI::Test::Der;
use BRSKI::Test::Pki;
use MIME::Base64 qw(decode_base64 encode_base64);

# Two factories of one manufacturer give the same serial number to different products.
my $pki = BRSKI::Test::Pki->new;
my $lab = new_lab(devices => 5, args => [ '--odd' ]);
my $serial = $lab->serial(1);
$pki->ca('lamps')->make('lamp', issuer => 'lamps', serial => $serial);
my $signer = join ' ', map { $lab->path("manufacturer/masa-signer.$_") } qw(pem key);
my $masa = under_attack(start_masa(name => 'pledge', lab => $lab, import => 0,
                                   products => <<"EOF_CONF"));
MASASigner lab $signer
<MASAProduct routers>
    MASAIDevIDAnchor @{[ $lab->idevid_anchors ]}
    MASASignWith lab
    MASAOwner any
</MASAProduct>
<MASAProduct lamps>
    MASAIDevIDAnchor @{[ $pki->file('lamps') ]}
    MASASignWith lab
    MASAOwner any
</MASAProduct>
EOF_CONF
my $httpd = $masa->httpd;
$masa->import_row($lab->serial($_), product => 'routers') for 1 .. 5;

sub post { return $httpd->post('requestvoucher', $_[0]) }
sub ask { return post($lab->rvr(args => \@_)) }
sub ask_with { my ($pvr, @args) = @_; return post($lab->rvr(pvr => $pvr, args => \@args)) }

# A pledge's request by a certificate made here, which met the domain's registrar.
sub pvr_by
{
    my ($name, @args) = @_;
    return $lab->pvr(args => [ $pki->args($name), '--registrar-cert',
                               $lab->path('domain/registrar.pem'), @args ]);
}

served(ask(), 'control: this device met this registrar');

# --- another registrar ----------------------------------------------------

my $pvr = $lab->pvr(domain => 'stranger');
repelled(ask_with($pvr), 403, 1041, qr/talked to another registrar/,
         '5.5.5 a request signed by A with a proximity certificate of B is refused');
repelled(post($lab->rvr(pvr => $lab->pvr, domain => 'stranger')), 403, 1041, qr/talked to another/,
         '5.5.5 and the other way round');
my ($a) = pem_certs($lab->path('domain/registrar.pem'));
repelled(ask_with($pvr, '--set', 'proximity-registrar-cert=' . encode_base64($a, '')), 400, 1010,
         qr/must not contain proximity-registrar-cert/,
         '5.5 a registrar cannot say itself that it was near');

# --- another signature ----------------------------------------------------

for my $case ([ 'signature', 1036, qr/signature of the prior-signed/,
               'broken while the outer one is good' ],
              [ 'content', 1036, qr/signature of the prior-signed/, 'of another content' ],
              [ 'other-key', 1036, qr/signature of the prior-signed/,
                'by another key under a copied IDevID certificate' ],
              [ 'sha1', 1036, qr/signature of the prior-signed/, 'with SHA-1' ],
              [ 'no-attributes', 1036, qr/signature of the prior-signed/,
               'without signed attributes' ],
              [ 'no-certificates', 1036, qr/signature of the prior-signed/, 'by nobody' ],
              [ 'two-signers', 1035, qr/is not a signed voucher-request/, 'of two signers' ],
              [ 'no-signer', 1035, qr/is not a signed voucher-request/, 'of none' ],
              [ 'detached', 1035, qr/is not a signed voucher-request/, 'of what is elsewhere' ],
              [ 'empty', 1035, qr/is not a signed voucher-request/, 'of nothing' ],
              [ 'trailing', 1035, qr/is not a signed voucher-request/, 'with an octet behind' ]) {
    my ($defect, $number, $sentence, $label) = @$case;
    repelled(ask('--prior-defect', $defect, '--nonce', 'bm9uY2U='), 403, $number, $sentence,
             "5.5.5 a prior request whose signature is $label is refused");
}

# --- another device -------------------------------------------------------

my %odd = map { $_ => { $lab->identity('odd', $_) } } qw(foreign-device expired-device);
my $sees = $lab->path('domain/registrar.pem');
sub pvr_odd
{
    my ($name) = @_;
    return $lab->pvr(args => [ '--cert', $odd{$name}{cert}, '--key', $odd{$name}{key},
                               '--registrar-cert', $sees ]);
}
repelled(ask_with(pvr_odd('foreign-device')), 403, 1037, qr/not signed with an IDevID of this/,
         '5.5.5 names and key identifiers of the manufacturer\'s CA make no IDevID');
repelled(ask_with(pvr_odd('expired-device')), 403, 1037, qr/not signed with an IDevID of this/,
         '5.5.5 an expired IDevID is refused');
my %maker = map { $_ => $lab->path("manufacturer/idevid-ca.$_") } qw(pem key);
my %device = $lab->device(2);
$pki->make('minted', issuer => { cert => $device{cert}, key => $device{key} }, serial => $serial,
           aki => 0);
repelled(ask_with(pvr_by('minted')), 403, 1037, qr/not signed with an IDevID of this/,
         '5.5.5 a device\'s key issues no IDevIDs');
repelled(ask_with($lab->pvr(device => 2), '--serial', $serial), 403, 1038, qr/are not the same/,
         '5.5.5 a swapped serial-number in the outer request is refused');
repelled(ask_with($lab->pvr(device => 2, args => [ '--serial', $serial ]), '--serial', $serial),
         403, 1038, qr/are not the same/,
             '5.5.5 one in both requests too: the certificate decides');
my %maker_issues = (issuer => { cert => $maker{pem}, key => $maker{key} });
$pki->make('no-serial', %maker_issues, subject => "/O=Lab Manufacturer/CN=$serial");
repelled(ask_with(pvr_by('no-serial', '--serial', $serial), '--serial', $serial), 403, 1038,
         qr/are not the same/, '2.3.1 a serial number in the common name is none');
$pki->make('two-serials', %maker_issues, subject => "/O=x/serialNumber=$serial/serialNumber=other");
repelled(ask_with(pvr_by('two-serials', '--serial', $serial), '--serial', $serial), 403, 1038,
         qr/are not the same/, '2.3.1 nor are two');

# X520SerialNumber with a NUL: what C would read as the other device's.
my $base = $pki->make('nul', %maker_issues, serial => "${serial}Xmore")->der('nul');
my $subject = cert_parts($base)->{subject} =~ s/\Q${serial}\EXmore/$serial\0more/r;
my $nul = make_cert($base, subject => $subject, keyfile => $maker{key});
my ($maker_der) = pem_certs($maker{pem});
my $json = request_json($lab->pvr, 'prior-signed-voucher-request' => undef,
                        'proximity-registrar-cert' => encode_base64($a, ''));
repelled(ask_with(cms(content => $json, certs => [ $nul, $maker_der ], key => $pki->key('nul')),
                  '--serial', $serial),
         403, 1038, qr/are not the same/, '2.3.1 nor is one before a NUL');

# --- serial shared by two product lines -----------------------------------

$masa->import_row($serial, product => 'lamps');
my $leaf = served(ask_with(pvr_by('lamp')), '5.6 a serial shared by two product lines: the lamp');
ok($httpd->log_line(qr/BRSKI2211: .*product lamps,/), '5.6 gets the lamp\'s voucher');
my $issuer = unpack 'H*', decode_base64(rvr_leaf($lab->rvr)->{'idevid-issuer'});
repelled(ask_with(pvr_by('lamp'), '--idevid-issuer', $issuer), 403, 1037,
         qr/not signed with an IDevID of this/, '5.5.5 a lamp that says it is a router gets none');
repelled(ask_with(pvr_by('lamp'), '--idevid-issuer', $issuer, '--no-prior'), 403, 1034,
         qr/no prior-signed-voucher-request/, '5.5.5 nor does one that does not show its request');
repelled(ask('--idevid-issuer', 'none', '--no-prior'), 403, 1029, qr/Several devices carry this/,
         '5.6 nobody guesses which one is meant');
repelled(ask('--idevid-issuer', 'none', '--prior-defect', 'signature'), 403, 1036,
         qr/signature of the prior-signed/, '5.5.5 a broken request that names one opens neither');
my $lamps = unpack 'H*',
    decode_base64(rvr_leaf(scalar $lab->rvr(pvr => pvr_by('lamp')))->{'idevid-issuer'});
repelled(ask('--idevid-issuer', $lamps), 403, 1037, qr/not signed with an IDevID of this/,
         '5.5.5 a router that says it is a lamp gets none');
served(ask(), '5.6 the router gets the router\'s');

sub rvr_leaf
{
    my ($rvr) = @_;
    return JSON::PP->new->utf8->decode(cms_content($rvr))->{'ietf-voucher-request:voucher'};
}

# --- another nonce --------------------------------------------------------

repelled(ask_with($lab->pvr(device => 2), '--nonce', 'c3dhcHBlZA=='), 403, 1042,
         qr/nonce .* not the same/,
         '5.5.6 a swapped nonce is refused');
repelled(ask_with($lab->pvr(device => 2), '--unset', 'nonce'), 403, 1031, qr/^Nonceless vouchers/,
         '5.5.6 a nonce that was taken away makes no nonceless voucher');
my $without = $lab->pvr(device => 2, args => [ '--unset', 'nonce' ]);
repelled(ask_with($without, '--nonce', 'YWRkZWQ='), 403, 1042, qr/nonce .* not the same/,
         '5.5.6 nor may one be added');
repelled(ask_with($lab->pvr(device => 2, args => [ '--nonce', 'AbCd' ]), '--nonce', 'aBcD'), 403,
         1042,
         qr/nonce .* not the same/, '5.5.6 letters are not the same in another case');
repelled(ask_with($lab->pvr(device => 2, args => [ '--set', 'nonce="\u00e9"' ]), '--set',
                  'nonce="e\u0301"'),
         403, 1042, qr/nonce .* not the same/, '5.5.6 nor are characters that look alike');

# --- another document -----------------------------------------------------

my $mine = $lab->rvr(device => 2);
my $voucher = $httpd->post('requestvoucher', $mine);
served($voucher, 'control: a voucher of this domain');
sub with_prior
{
    my ($device, $prior) = @_;
    return ask('--serial', $lab->serial($device), '--nonce', 'bm9uY2U=', '--set',
               'prior-signed-voucher-request=' . encode_base64($prior, ''));
}
repelled(with_prior(2, $mine), 403, 1037, qr/not signed with an IDevID of this/,
         '5.5.5 a registrar\'s request is no pledge\'s');
repelled(with_prior(3, $voucher->content), 403, 1035, qr/is not a signed voucher-request/,
         '5.5.1 a voucher for another device is no proof of anything');
repelled(with_prior(2, $voucher->content), 403, 1034, qr/no prior-signed-voucher-request/,
         '5.5.1 one for this device proves no proximity');
repelled(with_prior(2, 'x' x 100), 403, 1035, qr/is not a signed voucher-request/,
         '5.5.5 what is no CMS is refused');
my $loose = encode_base64($lab->pvr(device => 2));
$loose =~ s/\n/\\n/g;
repelled(ask('--serial', $lab->serial(2), '--set', qq(prior-signed-voucher-request="$loose")), 400,
         1010,
         qr/not base64 .*without line breaks/, '8366-5.3 base64 in lines is none');
repelled(ask('--serial', $lab->serial(2), '--created-on', '2020-01-01T00:00:00Z'), 403, 1038,
         qr/are not the same/, '5.5.5 the first rule that fails is told, not the last');
no_harm_done();
done_testing;
