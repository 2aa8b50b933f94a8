#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# brski verify and voucher: a strict pledge accepts what answers it and refuses everything else,
# for the reason that is true.

use strict;
use warnings;
use FindBin ();
use lib "$FindBin::Bin/../lib";
use BRSKI::Tool;
use MIME::Base64 qw(encode_base64);
use Test::More;

my $lab = lab('--devices', 2);
my $other = lab('--devices', 1);
my $dir = work_dir();
my @signer = ('--cert', "$lab/manufacturer/masa-signer.pem", '--key',
              "$lab/manufacturer/masa-signer.key");
my @me = ('--lab', $lab, '--device', 'JADA-0001');

brski_ok('pvr', @me, '--nonce', 'abcd1234', '-o', "$dir/pvr");
brski_ok('rvr', '--lab', $lab, '--pvr', "$dir/pvr", '-o', "$dir/rvr");
voucher("$dir/good", '--request', "$dir/rvr");

# --- accepted

judged([], 'its own voucher', @me, '--nonce', 'abcd1234');
judged([], 'with the request instead', '--lab', $lab, '--request', "$dir/pvr");
judged([], 'with the registrar', @me, '--nonce', 'abcd1234', '--registrar',
       "$lab/domain/registrar.pem");
judged([], 'by certificate', '--anchor', "$lab/manufacturer/root.pem", '--idevid',
       "$lab/devices/JADA-0001/idevid.pem", '--nonce', 'abcd1234');
spew("$dir/good.b64", encode_base64(slurp("$dir/good")));
is((brski('verify', "$dir/good.b64", @me, '--nonce', 'abcd1234'))[0], 0,
   'base64 around a voucher is read');

# --- refused

judged([ 'serial-number' ], '5.6.1 refuses another device\'s voucher', '--lab', $lab,
       '--device', 'JADA-0002', '--nonce', 'abcd1234');
judged([ 'nonce' ], '5.6.1 refuses another nonce', @me, '--nonce', 'abcd1235');
judged([ 'chain' ], '5.6.1 refuses another manufacturer', '--lab', $other, '--serial', 'JADA-0001',
       '--nonce', 'abcd1234');
judged([ 'chain' ], '5.6.1 refuses an expired signer', @me, '--nonce', 'abcd1234', '--at',
       '2099-01-01');
judged([ 'chain', 'created-on' ], '5.6.1 refuses a signer that is not yet valid', @me,
       '--nonce', 'abcd1234', '--at', '2001-01-01');
judged([], '5.6.1 without a clock no time matters', @me, '--nonce', 'abcd1234', '--at',
       '2099-01-01', '--no-clock');
judged([ 'registrar' ], '5.6.2 refuses a registrar that is not pinned', @me, '--nonce', 'abcd1234',
       '--registrar', "$lab/stranger/registrar.pem");

for my $defect (qw(signature content no-attributes sha1)) {
    voucher("$dir/$defect", '--request', "$dir/rvr", '--defect', $defect);
    is_deeply(failed("$dir/$defect", @me, '--nonce', 'abcd1234'), [ 'signature' ],
              "8366-5.4 refuses: $defect");
}
for my $defect (qw(detached two-signers no-signer trailing truncated)) {
    voucher("$dir/$defect", '--request', "$dir/rvr", '--defect', $defect);
    is_deeply(failed("$dir/$defect", @me, '--nonce', 'abcd1234'), [ 'form' ],
              "8366-5.4 refuses: $defect");
}
is_deeply(failed("$dir/rvr", @me), [ 'form' ], '8366-5 a request is no voucher');
is_deeply(failed("/dev/null", @me), [ 'form' ], '8366-5 nothing is no voucher');

# --- without nonce

my @serial = ('--serial', 'JADA-0001', '--pin', "$lab/domain/root.pem");
voucher("$dir/nonceless", @serial);
is_deeply(failed("$dir/nonceless", @me), [ 'nonce' ], '5.6.1 refuses a voucher without nonce');
is_deeply(failed("$dir/nonceless", @me, '--nonceless-ok'), [],
          '5.6.1 accepts it when that is allowed');
is_deeply(failed("$dir/nonceless", @me, '--nonceless-ok', '--nonce', 'abcd1234'), [],
          '7.2.1 even if it sent one');
voucher("$dir/ended", @serial, '--expires-on', '2020-01-01');
is_deeply(failed("$dir/ended", @me, '--nonceless-ok'), [ 'expires-on' ],
          '8366-5.3 refuses a voucher that has ended');
is_deeply(failed("$dir/ended", @me, '--nonceless-ok', '--no-clock'), [],
          '8366-5.3 without a clock it has not');
voucher("$dir/undated", @serial, '--created-on', 'none');
is_deeply(failed("$dir/undated", @me, '--nonceless-ok'), [ 'created-on' ],
          '8366-5.3 refuses a voucher without created-on');

# --- not checked is not passed

my ($status, $doc) = brski_json('verify', "$dir/good", '--lab', $lab);
is_deeply([ map { $_->{check} } grep { $_->{result} eq 'not checked' } @{ $doc->{checks} } ],
          [ 'serial-number', 'nonce' ], 'what was not given is told as not checked');

# --- published vouchers

my $vectors = vectors();
SKIP: {
    skip 'BRSKI_VECTORS names no directory', 3 if !$vectors;
    my $c = "$vectors/cms-rfc8995-appC";
    my @pledge = ('--anchor', "$c/vendor.crt.pem", '--request', "$c/pvr.der", '--at',
                  '2021-04-13T21:43:24Z');
    is_deeply(failed("$c/voucher.der", @pledge, '--registrar', "$c/jrc_prime256v1.crt.pem"), [],
              'C.2.3 the voucher of RFC 8995');
    is_deeply(failed("$c/voucher.der", @pledge[0 .. 3]), [ 'chain' ],
              'C.2.3 its manufacturer\'s CA has expired since');
    is_deeply(failed("$vectors/cms-minerva-2d/voucher-other-run.der", '--anchor',
                     "$vectors/cms-minerva-2d/highway-ca.crt.pem",
                     '--request', "$vectors/cms-minerva-2d/pvr.der", '--at',
                         '2019-05-16T02:51:42Z'), [ 'nonce' ],
              '5.6.1 a voucher of another run');
}

done_testing();

sub voucher
{
    my ($file, @args) = @_;
    brski_ok('voucher', @signer, @args, '-o', $file);
}

# Names of the checks that failed; the exit status must agree.
sub failed
{
    my ($file, @args) = @_;
    my ($status, $doc) = brski_json('verify', $file, @args);
    my @failed = map { $_->{check} } grep { $_->{result} eq 'failed' } @{ $doc->{checks} };

    is($status, @failed ? 1 : 0, "exit status of: verify @args[0 .. ($#args < 3 ? $#args : 3)]");
    return \@failed;
}

sub judged
{
    my ($want, $label, @args) = @_;
    is_deeply(failed("$dir/good", @args), $want, $label);
}
