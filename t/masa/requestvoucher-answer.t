# SPDX-License-Identifier: Apache-2.0
#
# requestvoucher-answer.t: the voucher itself: its members, the CMS around them with the signer's
# chain and root, both eContentTypes read and one written as configured; judged by openssl, by DER
# read here and by brski verify, none of which has a line of the MASA's code but the last.
use FindBin;
use lib "$FindBin::RealBin/../lib";
use BRSKI::Test;
use BRSKI::Test::Answer;
use BRSKI::Test::Asn1;
use BRSKI::Test::Pki;
use Digest::SHA qw(sha256);
use JSON::PP ();
use MIME::Base64 qw(decode_base64 encode_base64);

my $ANIMA = '1.2.840.113549.1.9.16.1.40';
my $DATA = '1.2.840.113549.1.7.1';

# A signer two CAs below its root, its file in no good order.
my $pki = BRSKI::Test::Pki->new;
$pki->ca('root')->ca('upper', issuer => 'root')->ca('lower', issuer => 'upper');
$pki->make('signer', issuer => 'lower');
my @chain = map { $pki->der($_) } qw(signer lower upper root);
$pki->make('rsa', type => [ qw(-algorithm RSA -pkeyopt rsa_keygen_bits:2048) ]);
$pki->ca('p384-root', type => [ qw(-algorithm EC -pkeyopt ec_paramgen_curve:P-384) ]);
$pki->make('p384', issuer => 'p384-root',
           type => [ qw(-algorithm EC -pkeyopt ec_paramgen_curve:P-384) ]);
my $mixed = write_file(new_dir('signer') . '/chain.pem', join '', map { read_file($pki->file($_)) }
    'signer');
my @pems = read_file($mixed) =~ /(-----BEGIN.*?-----END CERTIFICATE-----\n)/sg;
write_file($mixed, join '', @pems[3, 0, 2, 1]);

my $masa = start_masa(name => 'answer', devices => 12,
    host => join('', map { "MASASigner $_->[0] $_->[1] @{[ $pki->key($_->[2]) ]}\n" }
                     [ deep => $mixed, 'signer' ], [ p384 => $pki->file('p384'), 'p384' ]),
    lines => [
        deep => "MASAOwner any\nMASASignWith deep",
        data => "MASAOwner any\nMASAEContentType data",
        p384 => "MASAOwner any\nMASASignWith p384",
    ]);
my ($lab, $httpd) = ($masa->lab, $masa->httpd);

sub ask
{
    my ($device, %opt) = @_;
    return $httpd->post('requestvoucher', $lab->rvr(device => $device, args => $opt{args}));
}

# What openssl says of a voucher, given a root as file: (exit status, output).
sub openssl_verify
{
    my ($voucher, $root, @args) = @_;
    my $file = der_file($voucher);
    return run_command([ qw(openssl cms -verify -inform DER -binary -purpose any -in),
                         $file->filename, '-CAfile', $root, '-out', '/dev/null', @args ]);
}

# --- its members ----------------------------------------------------------

my $device = $masa->new_device(product => 'deep');
my $before = time;
my $response = ask($device, args => [ '--nonce', 'aVeryGoodNonce01' ]);
my $leaf = issued($httpd, $response, '5.6 a voucher comes');
is($response->header('Content-Length'), length $response->content, '5.6 with its length');
my $json = JSON::PP->new->utf8->decode(cms_content($response->content));
is(join(' ', keys %$json), 'ietf-voucher:voucher', '8366-5.1 its JSON has one member');
is(join(' ', sort keys %$leaf), 'assertion created-on nonce pinned-domain-cert serial-number',
   '8366-5.3 that has what is needed and no more');
is($leaf->{'serial-number'}, $lab->serial($device), '5.6 serial-number is the request\'s');
is($leaf->{nonce}, 'aVeryGoodNonce01', '5.5.6 nonce is the request\'s, unchanged');
is($leaf->{assertion}, 'proximity', '5.5.5 assertion is what was proven');
like($leaf->{'created-on'}, qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/, '8366-5.3 created-on is a time');
my ($root) = read_file($lab->path('domain/root.pem')) =~ /CERTIFICATE-----\n(.*?)-----END/s;
is($leaf->{'pinned-domain-cert'}, encode_base64(decode_base64($root), ''),
   '8366-5.3 pinned-domain-cert is base64 of DER in one line');

# --- the CMS --------------------------------------------------------------

my $cms = cms_parts($response->content);
my @signers = @{ $cms->{signers} };
is($cms->{type}, '1.2.840.113549.1.7.2', '8366-5.4 the voucher is DER of CMS SignedData');
is($cms->{content_type}, $ANIMA, '8366-5.4 eContentType is id-ct-animaJSONVoucher');
is($cms->{version}, 3, '8366-5.4 the version is that of RFC 5652 section 5.1');
is(scalar @signers, 1, '8366-5.4 there is one signer');
is("@{ $cms->{digests} } $signers[0]{digest}", join(' ', ('2.16.840.1.101.3.4.2.1') x 2),
   '8366-5.4 the digest is SHA-256');
is($signers[0]{signature_algorithm}, '1.2.840.10045.4.3.2', '8366-5.4 the signature is ECDSA with it');
is(join(' ', map { encode_base64($_, '') } sort @{ $cms->{certs} }),
   join(' ', map { encode_base64($_, '') } sort @chain),
   '8366-5.4 it carries the signer\'s certificate, its chain and the root, and no other');
is(scalar @{ $cms->{crls} }, 0, '8366-5.4 and no CRL');
my $attrs = $signers[0]{attrs};
is(der_oid($attrs->{'1.2.840.113549.1.9.3'}), $ANIMA, '8366-5.4 contentType is a signed attribute');
is($attrs->{'1.2.840.113549.1.9.4'}{value}, sha256($cms->{content}),
   '8366-5.4 messageDigest is, and right');
ok($attrs->{'1.2.840.113549.1.9.5'}, '8366-5.4 signingTime is');
is(join(' ', map { unpack 'H*', $_ } sort @{ $signers[0]{attrs_raw} }),
   join(' ', map { unpack 'H*', $_ } @{ $signers[0]{attrs_raw} }),
   '8366-5.4 the attributes are in DER\'s order');
is(join('', map { $_->{raw} } @{ $signers[0]{sid}{kids} }),
   cert_part($chain[0], 'issuer') . cert_part($chain[0], 'serial'),
   '8366-5.4 the signer is named by issuer and serial number');

my ($status, $said) = openssl_verify($response->content, $pki->file('root'));
is($status, 0, '8366-5.4 openssl verifies it with nothing but the root') or diag $said;
($status, $said) = openssl_verify($response->content, $lab->voucher_anchor);
isnt($status, 0, '8366-5.4 and not with another root');
($status, $said) = $lab->verify($response->content, '--anchor', $pki->file('root'),
    '--serial', $lab->serial($device), '--nonce', 'aVeryGoodNonce01', '--registrar',
    $lab->path('domain/registrar.pem'));
is($status, 0, '5.6.1 a strict pledge accepts it') or diag $said;
($status, $said) = $lab->verify($response->content, '--anchor', $pki->file('root'),
                                '--serial', $lab->serial($device), '--nonce', 'another');
isnt($status, 0, '5.6.1 but none that sent another nonce');

# --- other signers and content types --------------------------------------

$device = $masa->new_device(product => 'p384');
$response = ask($device);
issued($httpd, $response, '8366-5.4 a P-384 key signs too');
($status, $said) = openssl_verify($response->content, $pki->file('p384-root'));
is($status, 0, '8366-5.4 and verifies') or diag $said;
is(cms_parts($response->content)->{signers}[0]{digest}, '2.16.840.1.101.3.4.2.2',
   '8366-5.4 with SHA-384');

$device = $masa->new_device(product => 'data');
for my $type (qw(anima data)) {
    $response = ask($device, args => [ '--econtent', $type ]);
    issued($httpd, $response, "8366-5.4 a request of eContentType $type is read");
    $cms = cms_parts($response->content);
    is($cms->{content_type}, $DATA, '8366-5.4 MASAEContentType data writes id-data');
    is(der_oid($cms->{signers}[0]{attrs}{'1.2.840.113549.1.9.3'}), $DATA,
       '8366-5.4 contentType says the same');
    is($cms->{version}, 1, '8366-5.4 and the version is that of RFC 5652 section 5.1');
}
($status, $said) = openssl_verify($response->content, $lab->voucher_anchor);
is($status, 0, '8366-5.4 openssl verifies that, too') or diag $said;
SKIP: {
    my ($no) = run_command([ qw(python3 -c), 'from cryptography.hazmat.primitives.serialization '
                             . 'import pkcs7; pkcs7.load_der_pkcs7_certificates' ]);
    skip 'no python3-cryptography on this machine', 1 if $no;
    my $file = der_file($response->content);
    # It knows id-data alone, and warns where it takes BER for DER.
    my (undef, $subjects) = run_command([ qw(python3 -W error::UserWarning -c), <<'EOF_PYTHON', $file->filename ]);
import sys
from cryptography.hazmat.primitives.serialization import pkcs7
for cert in pkcs7.load_der_pkcs7_certificates(open(sys.argv[1], 'rb').read()):
    print(cert.subject.rfc4514_string())
EOF_PYTHON
    is(join(' / ', sort split /\n/, $subjects),
       'CN=Lab Manufacturer MASA,O=Lab Manufacturer / CN=Lab Manufacturer Root CA,O=Lab Manufacturer',
       '8366-5.4 python reads it as DER, with both certificates');
}
$device = $masa->new_device(product => 'deep');
my $pvr = $lab->pvr(device => $device, args => [ '--econtent', 'data' ]);
issued($httpd, $httpd->post('requestvoucher', $lab->rvr(pvr => $pvr)),
       '8366-5.4 the pledge\'s request may have the other eContentType');

# --- what a registrar may say in vain -------------------------------------

$leaf = issued($httpd, ask($device, args => [ '--set', 'assertion=verified', '--set',
    'pinned-domain-cert=AAAA', '--set', 'domain-cert-revocation-checks=true', '--set',
    'last-renewal-date=2031-01-01T00:00:00Z', '--set', 'example:vendor={"a":[1,2]}' ]),
    '5.5 members that mean nothing in a request are ignored');
is($leaf->{assertion}, 'proximity', '5.5.5 the assertion that a registrar asks for too');
isnt($leaf->{'pinned-domain-cert'}, 'AAAA', '5.5 and what it wants pinned');
ok(!exists $leaf->{'domain-cert-revocation-checks'} && !exists $leaf->{'last-renewal-date'},
   '5.6 none of them comes back');
ok($httpd->log_line(qr/\[masa:info\].*BRSKI1103: members .* ignored: .*example:vendor/),
   '5.5 they are logged');
done_testing;
