#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# brski lab: what it makes is right by other eyes than ours (openssl's), and it destroys nothing.

use strict;
use warnings;
use JSON::PP ();
use FindBin ();
use lib "$FindBin::Bin/../lib";
use BRSKI::Tool;
use Test::More;

my $lab = lab('--devices', 12, '--host', 'masa.example', '--port', 9555, '--prefix', 'PRE-FIX',
              '--customer', 'acme', '--product', 'widget');

# --- refusals

my ($status, $out, $err) = brski('lab', $lab);
is($status, 1, 'a directory that is not empty is refused');
like($err, qr/not empty/, 'and the reason is said');
for my $bad ([ '--key', 'dsa' ], [ '--devices', 0 ], [ '--devices', 'many' ], [ '--prefix',
    '../x' ],
             [ '--host', 'a b' ], [ '--port', 70000 ], [ '--product', 'a>b' ], [ '--customer',
                 'a,b' ]) {
    ($status, $out, $err) = brski('lab', work_dir() . '/none', @$bad);
    isnt($status, 0, "@$bad is refused");
    like($err, qr/\Q$bad->[0]\E/, "@$bad: the option is named");
}
ok(!-e work_dir() . '/none', 'what is refused leaves nothing');

# --- keys

my @keys = split /\n/, `find $lab -name '*.key'`;
cmp_ok(scalar @keys, '>=', 12 + 12, 'there are keys');
is(join(' ', grep { ((stat)[2] & 07777) != 0600 } @keys), '',
   'keys are their owner\'s alone to read');
is(join(' ', grep { my $c = $_; $c =~ s/\.key$/.pem/; public($_, 1) ne public($c, 0) } @keys), '',
   'each key is that of the certificate beside it');

# --- certificates

verified("$lab/manufacturer/root.pem", "$lab/manufacturer/masa-signer.pem", 'any',
         'voucher signer');
verified("$lab/tls/ca.pem", "$lab/tls/server.pem", 'sslserver', 'TLS server');
verified("$lab/domain/root.pem", "$lab/domain/registrar.pem", 'sslclient', 'registrar');
verified("$lab/manufacturer/root.pem", "$lab/devices/PRE-FIX-0007/idevid.pem", 'any', 'IDevID',
         "$lab/manufacturer/idevid-ca.pem");
is(certificates("$lab/manufacturer/masa-signer.pem"), 2, '8366-5.4 the signer comes with its root');
is(certificates("$lab/devices/PRE-FIX-0007/idevid.pem"), 2, 'an IDevID comes with its issuer');

my $idevid = text("$lab/devices/PRE-FIX-0007/idevid.pem");
like($idevid, qr/Not After : Dec 31 23:59:59 9999/, '2.3.1 an IDevID has no end');
like($idevid, qr/serialNumber\s*=\s*PRE-FIX-0007/, '2.3.1 an IDevID names its serial number');
like($idevid, qr/1\.3\.6\.1\.5\.5\.7\.1\.32:\s*\n\s*\.\.masa\.example:9555/,
     '2.3.2 an IDevID names its MASA');
like($idevid, qr/Authority Key Identifier/, '2.3.1 an IDevID names its issuer\'s key');
my $registrar = text("$lab/domain/registrar.pem");
like($registrar, qr/(?:CMC Registration Authority|cmcRA|1\.3\.6\.1\.5\.5\.7\.3\.28)/,
     '5.5.4 the registrar has id-kp-cmcRA');
like($registrar, qr/TLS Web Client Authentication/, '5.4 the registrar may be a TLS client');
unlike(text("$lab/domain/not-a-registrar.pem"), qr/CMC Registration|cmcRA|5\.7\.3\.28/,
       '5.5.4 the other has not');
my $server = text("$lab/tls/server.pem");
like($server, qr/DNS:masa\.example/, 'the server has its name');
like($server, qr/IP Address:127\.0\.0\.1/, 'and is on loopback');

# --- files

my @csv = split /\n/, slurp("$lab/devices.csv");
is(scalar @csv, 13, 'the CSV has a header and a line a device');
is($csv[0], 'serial_number,product,customer,signer,idevid_issuer,made_at',
   'its header names the columns');
my @row = split /,/, $csv[7];
is("@row[0 .. 2]", 'PRE-FIX-0007 widget acme', 'a row tells serial number, product and customer');
is($row[3], spki("$lab/manufacturer/masa-signer.pem"), 'the signer is named by its key');
my ($ski) = text("$lab/manufacturer/idevid-ca.pem")
    =~ /Subject Key Identifier:\s*\n\s*([0-9A-F:]+)/;
is($row[4], lc($ski =~ tr/://dr), 'the issuer is named by its key identifier');
like($row[5], qr/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/, 'made_at is a time');
my $conf = slurp("$lab/masa.conf");
like($conf, qr/^Listen 127\.0\.0\.1:\$\{PORT\}$/m, 'httpd would listen on loopback alone');
like($conf, qr/^<MASAProduct \$\{PRODUCT\}>$/m, 'the product is configured');
like(slurp("$lab/masactl.conf"), qr{^params \Q$lab\E/db/masa\.sqlite3$}m,
     'masactl is told the database');
like(slurp("$lab/README"), qr{devices/SERIAL/idevid\.pem}, 'README tells what is what');

# --- the registrar's side

verified("$lab/domain/root.pem", "$lab/domain/registrar.pem", 'sslserver', 'registrar as server');
like($registrar, qr/DNS:masa\.example, DNS:localhost, IP Address:127\.0\.0\.1/,
     'the registrar is also the server of its pages');
my $issuer = text("$lab/domain/ca.pem");
like($issuer, qr/CA:TRUE, pathlen:0/, 'the domain has a CA that issues to devices only');
is(certificates("$lab/domain/ca.pem"), 2, '7030 4.1.3 it comes with its root');
my $est = slurp("$lab/est.conf");
like($est, qr/^Listen 127\.0\.0\.1:\$\{PORT\}$/m, 'its httpd would listen on loopback alone');
like($est, qr/^Define PORT 9444$/m, 'on a port of its own');
like($est, qr{^PidFile "\$\{LAB\}/run/est\.pid"$}m, 'beside the MASA');
like(slurp("$lab/estctl.conf"), qr{^params \Q$lab\E/db/est\.sqlite3$}m,
     'estctl is told its database');
is(JSON::PP->new->decode(slurp("$lab/lab.json"))->{registrar_url}, 'https://masa.example:9444',
   'lab.json tells where it is');

# --- other keys, other numbers, other output

for my $type (qw(p384 rsa2048)) {
    my $other = lab('--devices', 1, '--key', $type);
    my $bits = $type eq 'p384' ? qr/\(384 bit\)/ : qr/\(2048 bit\)/;
    like(text("$other/devices/JADA-0001/idevid.pem"), $bits, "$type: the device has such a key");
    verified("$other/manufacturer/root.pem", "$other/devices/JADA-0001/idevid.pem", 'any',
             "$type IDevID",
             "$other/manufacturer/idevid-ca.pem");
}
# --- odd ones

my $odd = lab('--devices', 1, '--odd');
my $domain_ski = key_id('subject', "$odd/domain/root.pem");
for my $file (glob "$odd/odd/*.pem") {
    (my $name = $file) =~ s{.*/(.*)\.pem}{$1};
    like(slurp("$odd/README"), qr{^odd/\Q$name\E\.pem +\S}m, "README tells what $name is");
}
like(usage("$odd/odd/any-usage.pem"), qr/^\s*Any Extended Key Usage$/m,
     '5.5.4 any-usage has no other');
unlike(usage("$odd/odd/self-signed-no-cmcra.pem"), qr/CMC/, '5.5.4 self-signed-no-cmcra has none');
like(usage("$odd/odd/cmcra-only.pem"), qr/^\s*CMC Registration Authority$/m,
     '5.5.4 cmcra-only has only it');
is(key_id('authority', "$odd/odd/copied-root.pem"), $domain_ski,
   '5.8.2 copied-root has the domain\'s key id');
isnt(spki_of_root("$odd/odd/copied-root.pem"), spki_of_root("$odd/domain/registrar.pem"),
     '5.8.2 but another key');
like(text("$odd/odd/rsa1024.pem"), qr/\(1024 bit\)/, '5.5.3 rsa1024 is that weak');
like(text("$odd/odd/sha1.pem"), qr/sha1/i, '5.5.3 sha1 is signed with it');
is((openssl('x509', '-in', "$odd/odd/expired.pem", '-noout', '-checkend', 0))[0], 1,
   '5.5.3 expired is');
like(text("$odd/odd/foreign-device.pem"), qr/serialNumber\s*=\s*JADA-0001/,
     '5.5.5 foreign-device names the first');

my ($code, $doc) = brski_json('lab', work_dir() . '/json', '--devices', 2);
is($doc->{devices}, 2, '--json tells how many devices');
is($doc->{first_device}, 'JADA-0001', '--json tells the first');
($status, $out, $err) = brski('lab', work_dir() . '/said', '--module', $0);
like($out, qr{^  devices\.csv .*masactl device import}m, 'for people it says what each file is');
is($err, '', 'and shows no progress where there is no terminal');

done_testing();

sub text { return (openssl('x509', '-in', $_[0], '-noout', '-text'))[1] }

sub usage { return (openssl('x509', '-in', $_[0], '-noout', '-ext', 'extendedKeyUsage'))[1] }

sub key_id
{
    my ($whose, $file) = @_;
    my $said = (openssl('x509', '-in', $file, '-noout', '-ext', "${whose}KeyIdentifier"))[1];

    return $said =~ /\n\s*([0-9A-F:]+)/ ? $1 : undef;
}

# Public key of the last certificate of a file.
sub spki_of_root
{
    my ($file) = @_;
    my ($last) = slurp($file) =~ /.*(-----BEGIN.*)/s;

    return public(spew(work_dir() . '/last.pem', $last), 0);
}

sub certificates { my $n = () = slurp($_[0]) =~ /BEGIN CERTIFICATE/g; return $n }

sub public
{
    my ($file, $key) = @_;
    return (openssl($key ? ('pkey', '-in', $file, '-pubout') : ('x509', '-in', $file, '-noout',
        '-pubkey')))[1];
}

sub spki
{
    my ($file) = @_;
    my $spki = work_dir() . '/spki';

    system("openssl x509 -in $file -noout -pubkey | openssl pkey -pubin -outform DER -out $spki");
    return (split ' ', (openssl('dgst', '-sha256', '-r', $spki))[1])[0];
}

sub verified
{
    my ($anchor, $cert, $purpose, $what, $helper) = @_;
    my ($rc, $said, $why) = openssl('verify', '-x509_strict', '-CAfile', $anchor, '-purpose',
                                    $purpose,
                                    ($helper ? ('-untrusted', $helper) : ()), $cert);
    is($rc, 0, "openssl verifies the $what") or diag("$said$why");
}
