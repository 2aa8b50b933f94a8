#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# brski inspect: finds out what a file is, shows it, and survives everything.

use strict;
use warnings;
use File::Find ();
use FindBin ();
use lib "$FindBin::Bin/../lib";
use BRSKI::Tool;
use MIME::Base64 qw(encode_base64);
use Test::More;

my $lab = lab('--devices', 1);
my $dir = work_dir();

brski_ok('pvr', '--lab', $lab, '--device', 'JADA-0001', '-o', "$dir/pvr");
brski_ok('rvr', '--lab', $lab, '--pvr', "$dir/pvr", '-o', "$dir/rvr");
brski_ok('voucher', '--cert', "$lab/manufacturer/masa-signer.pem", '--key',
         "$lab/manufacturer/masa-signer.key",
         '--request', "$dir/rvr", '-o', "$dir/voucher");
openssl('x509', '-in', "$lab/domain/root.pem", '-outform', 'DER', '-out', "$dir/root.der");
openssl('req', '-new', '-key', "$lab/domain/root.key", '-subj', '/CN=new', '-out', "$dir/csr.pem");
spew("$dir/log.json",
     '{"version":"1","events":[{"date":"2021-04-13T21:43:24Z","domainID":"aGk=","nonce":null,'
     . '"assertion":"logged","truncated":3}],"truncation":{"nonced duplicates":3,"arbitrary":0}}');
spew("$dir/rvr.b64", encode_base64(slurp("$dir/rvr")));
spew("$dir/junk", "\x00\x01\x02");
spew("$dir/hostile", "{\"ietf-voucher:voucher\":\"\e[31mred\"}");

kind("$dir/pvr", 'voucher-request of a pledge', 0);
kind("$dir/rvr", 'voucher-request of a registrar', 0);
kind("$dir/rvr.b64", 'voucher-request of a registrar', 0);
kind("$dir/voucher", 'voucher', 0);
kind("$dir/root.der", 'certificate', 0);
kind("$dir/csr.pem", 'certification request', 0);
kind("$lab/domain/registrar.key", 'private key, not shown', 0);
kind("$dir/log.json", 'audit log', 0);
kind("$dir/junk", 'unknown', 1);
kind('/dev/null', 'unknown', 1);

my ($status, $doc) = brski_json('inspect', "$dir/rvr");
is($doc->{'prior-signed-voucher-request'}{kind}, 'voucher-request of a pledge',
   'the nested request is shown');
is($doc->{'prior-signed-voucher-request'}{'proximity-registrar-cert'}{subject},
   'CN=Registrar,O=Lab Domain',
   'with the registrar it met');
is($doc->{signature}{verdict}, 'holds', 'the signature is looked at');
is_deeply($doc->{signature}{issued_by}, [ 'CN=Lab Domain Root CA,O=Lab Domain' ],
          'who issued the signer is told');
($status, $doc) = brski_json('inspect', "$dir/voucher");
ok($doc->{signature}{root_included}, '8366-5.4 the voucher comes with the root');
my ($ski) = (openssl('x509', '-in', "$lab/domain/root.pem", '-noout', '-ext',
                     'subjectKeyIdentifier'))[1] =~ /\n\s*([0-9A-F:]+)/;
is($doc->{'pinned-domain-cert'}{domainID}, encode_base64(pack('H*', $ski =~ tr/://dr), ''),
   '5.8.2 domainID is the key identifier');

my ($code, $out) = brski('inspect', "$dir/log.json");
like($out, qr/^2021-04-13T21:43:24Z\s+logged\s+aGk=$/m, '5.8.1 an audit log is a table');
like($out, qr/left out: 3 nonced duplicates/, '5.8.1 what was left out is told');
($code, $out) = brski('inspect', "$dir/hostile");
unlike($out, qr/\e/, 'a file cannot steer the terminal');
($code, $out) = brski('inspect', "$dir/pvr", "$dir/rvr");
is(scalar(() = $out =~ /^file /mg), 2, 'several files are told one after the other');
($code, $out, my $err) = brski('inspect', "$dir/absent");
is($code, 1, 'a file that is not there is an error');
like($err, qr{\Q$dir/absent\E}, 'that names it');
my ($key) = slurp("$lab/domain/registrar.key") =~ /\n(.{40})/;
unlike((brski('inspect', "$lab/domain/registrar.key"))[1], qr/\Q$key\E/,
       'a private key is not shown');

# --- everything that was ever published, and every prefix of a request

my $vectors = vectors();
SKIP: {
    skip 'BRSKI_VECTORS names no directory', 1 if !$vectors;
    my @bad;
    File::Find::find({ no_chdir => 1, wanted => sub {
        push @bad, $_ if -f && (brski('inspect', $_))[0] > 1;
    } }, $vectors);
    is(join(' ', @bad), '', 'no vector crashes it');
}
my $whole = slurp("$dir/rvr");
my @crashed = grep { (brski('inspect', spew("$dir/part", substr($whole, 0, $_ * 97))))[0] != 1 }
    0 .. int((length($whole) - 1) / 97);
is("@crashed", '', 'every beginning of a request is told to be broken');

done_testing();

sub kind
{
    my ($file, $want, $want_status) = @_;
    my ($status, $doc) = brski_json('inspect', $file);

    is($doc->{kind}, $want, "this is a: $want");
    is($status, $want_status, "$want: exit status");
}
