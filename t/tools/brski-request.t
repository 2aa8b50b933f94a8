#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# brski pvr and rvr: what is right verifies with openssl, what is wrong is wrong in just the way
# that was asked for.

use strict;
use warnings;
use FindBin ();
use lib "$FindBin::Bin/../lib";
use BRSKI::Tool;
use JSON::PP ();
use MIME::Base64 qw(decode_base64);
use Test::More;

my $lab = lab('--devices', 2);
my $dir = work_dir();
my @device = ('--lab', $lab, '--device', 'JADA-0001');
my ($pvr, $rvr) = ("$dir/pvr.vcj", "$dir/rvr.vcj");

# --- right ones

brski_ok('pvr', @device, '-o', $pvr);
my $inner = content($pvr, "$lab/manufacturer/root.pem", "$lab/manufacturer/idevid-ca.pem");
is($inner->{'serial-number'}, 'JADA-0001', '5.2 the pledge tells its serial number');
is($inner->{assertion}, 'proximity', '5.2 the pledge claims proximity');
is(length decode_base64($inner->{nonce}), 16, '5.2 its nonce has 16 octets');
is(decode_base64($inner->{'proximity-registrar-cert'}), der("$lab/domain/registrar.pem"),
   '5.2 it names the registrar that it met');
like($inner->{'created-on'}, qr/^\d{4}-\d\d-\d\dT/, '5.2 it tells the time');

brski_ok('rvr', '--lab', $lab, '--pvr', $pvr, '-o', $rvr);
my $outer = content($rvr, "$lab/domain/root.pem");
is($outer->{nonce}, $inner->{nonce}, '5.5 the registrar copies the nonce');
is($outer->{'serial-number'}, 'JADA-0001', '5.5 and the serial number of the IDevID');
is($outer->{assertion}, 'proximity', '5.5 and the assertion');
is(decode_base64($outer->{'prior-signed-voucher-request'}), slurp($pvr),
   '5.5 the pledge\'s request is in it as it came');
like(unpack('H*', decode_base64($outer->{'idevid-issuer'})), qr/^0418301680140?/,
     '5.5 idevid-issuer is the AKI extension');
ok(!exists $outer->{'proximity-registrar-cert'}, '5.5 a registrar does not claim to have met one');

is((content_type($rvr))[0], '1.2.840.113549.1.9.16.1.40',
   '8366-5.4 the content type is that of a voucher');
brski_ok('rvr', '--lab', $lab, '--pvr', $pvr, '--econtent', 'data', '-o', "$dir/data.vcj");
is((content_type("$dir/data.vcj"))[0], 'pkcs7-data', '--econtent data writes id-data');

# --- different ones

is(rvr('--nonceless')->{nonce}, undef, '--nonceless: there is no nonce');
is(rvr('--nonceless')->{'prior-signed-voucher-request'}, undef,
   '--nonceless: there is no request of the pledge');
my $alone = rvr('--no-prior');
ok($alone->{nonce} && !$alone->{'prior-signed-voucher-request'}, '--no-prior keeps the nonce');
is(rvr('--nonce', 'other')->{nonce}, 'other', '--nonce replaces the nonce');
is(rvr('--serial', 'X-1')->{'serial-number'}, 'X-1', '--serial replaces the serial number');
is(rvr('--created-on', '2020-01-02T03:04:05Z')->{'created-on'}, '2020-01-02T03:04:05Z',
   '--created-on sets the time');
ok(!exists rvr('--created-on', 'none')->{'created-on'}, '--created-on none leaves it out');
ok(!exists rvr('--idevid-issuer', 'none')->{'idevid-issuer'}, '--idevid-issuer none leaves it out');
is(unpack('H*', decode_base64(rvr('--idevid-issuer', '0102ff')->{'idevid-issuer'})), '0102ff',
   '--idevid-issuer takes hex');
my $set = rvr('--set', 'nonce=17', '--set', 'serial-number="S"', '--set', 'x=plain text',
              '--unset', 'assertion');
is(JSON::PP->new->encode([ $set->{nonce} ]), '[17]', '--set takes JSON');
is($set->{'serial-number'}, 'S', '--set takes a JSON string');
is($set->{x}, 'plain text', '--set takes text that is no JSON');
ok(!exists $set->{assertion}, '--unset leaves out');
is((rvr_with('--device', 'JADA-0002'))->{'serial-number'}, 'JADA-0002',
   '--device makes the pledge\'s request too');
spew("$dir/raw", "{\"a\":1,\"a\":2}\0");
brski_ok('rvr', '--lab', $lab, '--content', "$dir/raw", '-o', "$dir/raw.vcj");
is(signed_content("$dir/raw.vcj", "$lab/domain/root.pem"), slurp("$dir/raw"),
   '--content is signed byte for byte');

brski_ok('pvr', @device, '--registrar-cert', 'none', '-o', "$dir/far.vcj");
my $far = content("$dir/far.vcj", "$lab/manufacturer/root.pem", "$lab/manufacturer/idevid-ca.pem");
ok(!$far->{assertion} && !$far->{'proximity-registrar-cert'},
   '--registrar-cert none claims no proximity');

# --- broken ones

my %said = (
    'signature' => qr/signature.*not verify/i, 'content' => qr/signature|digest/i,
        'detached' => qr/content/i,
    'no-attributes' => qr/attribute/i, 'two-signers' => qr/signer/i, 'no-signer' => qr/signer/i,
    'no-certificates' => qr/certificate/i, 'sha1' => qr/digest/i,
        'other-key' => qr/signature.*not verify/i, 'empty' => qr/./,
    'trailing' => qr/./, 'truncated' => qr/./);
for my $defect (sort keys %said) {
    my $file = "$dir/$defect.vcj";
    brski_ok('rvr', '--lab', $lab, '--pvr', $pvr, '--defect', $defect, '-o', $file);
    my ($status, $doc) = brski_json('inspect', $file);
    my $fault = join ' ', grep { defined } $doc->{problem}, $doc->{signature}{verdict};
    like($fault, $said{$defect}, "--defect $defect is seen");
    isnt($fault, 'holds', "--defect $defect does not pass");
}
brski_ok('rvr', @device, '--prior-defect', 'signature', '-o', "$dir/prior.vcj");
my ($status, $doc) = brski_json('inspect', "$dir/prior.vcj");
is($doc->{signature}{verdict}, 'holds', '--prior-defect leaves the outer signature good');
isnt($doc->{'prior-signed-voucher-request'}{signature}{verdict}, 'holds',
     '--prior-defect breaks the inner one');
brski_ok('rvr', '--lab', $lab, '--pvr', $pvr, '--include', 'ee', '-o', "$dir/ee.vcj");
($status, $doc) = brski_json('inspect', "$dir/ee.vcj");
is($doc->{signature}{certificates}, 1, '--include ee sends one certificate');

# --- refusals

my ($code, $out, $err) = brski('rvr', '--lab', $lab, '--pvr', $pvr, '--defect', 'x', '-o',
                               "$dir/x");
is($code, 1, 'an unknown defect is refused');
like($err, qr/two-signers/, 'and the known ones are told');
($code, $out, $err) = brski('pvr', '--lab', $lab, '--device', '../domain', '-o', "$dir/x");
is($code, 1, 'a device outside the lab is refused');
($code, $out, $err) = brski('pvr', '--cert', "$lab/domain/registrar.pem", '--key',
                            "$lab/domain/root.key", '-o', "$dir/x");
like($err, qr/not that of/, 'a key that is not the certificate\'s is refused');
($code, $out, $err) = brski('rvr', '--lab', $dir, '--pvr', $pvr, '-o', "$dir/x");
like($err, qr/is no lab/, 'a directory that is no lab is refused');
($code, $out, $err) = brski('pvr', @device, '-o', '-');
is(substr($out, 0, 1), "\x30", '-o - writes to standard output');

done_testing();

sub rvr { return rvr_with('--pvr', $pvr, @_) }

sub rvr_with
{
    brski_ok('rvr', '--lab', $lab, @_, '-o', "$dir/some.vcj");
    return content("$dir/some.vcj", "$lab/domain/root.pem");
}

# The signed text, when openssl finds that the signature holds and leads to the anchor.
sub signed_content
{
    my ($file, $anchor, $helper) = @_;
    my ($rc, $said, $why) = openssl('cms', '-verify', '-inform', 'DER', '-in', $file, '-CAfile',
                                    $anchor,
                                    '-purpose', 'any', '-binary', '-out', "$dir/content",
                                    ($helper ? ('-certfile', $helper) : ()));
    is($rc, 0, 'openssl verifies ' . $file =~ s{.*/}{}r) or diag($why);
    return slurp("$dir/content");
}

sub content
{
    my $text = signed_content(@_);
    return JSON::PP->new->utf8->decode($text)->{'ietf-voucher-request:voucher'};
}

# eContentType, as openssl names it.
sub content_type
{
    my ($file) = @_;
    my $text = `openssl asn1parse -inform DER -in $file`;
    my @oids = $text =~ /OBJECT\s+:(\S+)/g;

    return grep { /data$|\.40$/i && !/signedData/ } @oids;
}

sub der
{
    my ($file) = @_;
    my ($pem) = slurp($file) =~ /-----BEGIN CERTIFICATE-----\n(.*?)-----END/s;
    return decode_base64($pem);
}
