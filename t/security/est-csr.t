# SPDX-License-Identifier: Apache-2.0
#
# est-csr.t: what a certification request could smuggle into a certificate: that it is a CA's, names
# of others, keys that anybody can break, a certificate or a message in its place, another device's
# request. Refused, or dropped where ESTProfile excess says so; never passed on.
use FindBin;
use lib "$FindBin::RealBin/../lib";
use BRSKI::Test;
use BRSKI::Test::Answer;
use BRSKI::Test::Parallel;
use MIME::Base64 qw(decode_base64);

my $masa = main_server();
my $lab = $masa->lab;
my $db = new_database(tool => 'estctl');
my $text = bless { lab => $lab, db => $db }, 'BRSKI::Test::Est';
my $more = "    ESTRequireVoucher Off\n    ESTProfile san DNS:%{serial}.devices.example\n";
my $est = start_est(
    name => 'csr', lab => $lab, db => $db,
    conf => $text->conf_text(est => $more)
        . $text->host_text('drop.example', est => "$more    ESTProfile excess drop\n"
                                                . "    ESTTenant drop\n"));
my $httpd = $est->httpd;
my ($n, $m) = ($masa->new_device, $masa->new_device);
my %device = $lab->device($n);
my ($serial, $other) = map { $lab->serial($_) } $n, $m;
my $dns = "DNS:" . lc "$serial.devices.example";

# name => subject, lines of extensions; number of the refusal
my @mine = (subject => "/O=Test/CN=$serial");
my @cases = (
    [ 'CA:TRUE', [ 'basicConstraints=critical,CA:TRUE' ] ],
    [ 'CA:TRUE with a path', [ 'basicConstraints=CA:TRUE,pathlen:3' ] ],
    [ 'keyCertSign', [ 'keyUsage=critical,keyCertSign,cRLSign' ] ],
    [ 'keyCertSign beside digitalSignature', [ 'keyUsage=digitalSignature,keyCertSign' ] ],
    [ 'another host\'s name', [ "subjectAltName=$dns,DNS:www.example.com" ] ],
    [ 'another device\'s name', [ "subjectAltName=DNS:$other.devices.example" ] ],
    [ 'an address', [ "subjectAltName=$dns,IP:192.0.2.1" ] ],
    [ 'a mail address', [ "subjectAltName=$dns,email:ceo\@example.com" ] ],
    [ 'a URI', [ "subjectAltName=$dns,URI:https://example.com" ] ],
    [ 'a directory name', [ "subjectAltName=dirName:dn\n[dn]\nCN=root" ] ],
    [ 'a wildcard', [ 'subjectAltName=DNS:*.devices.example' ] ],
    [ 'a name with a NUL', [ 'subjectAltName=DER:' . san_nul("$serial.devices.example") ] ],
    [ 'serverAuth', [ 'extendedKeyUsage=serverAuth' ] ],
    [ 'the usage of a registrar', [ 'extendedKeyUsage=1.3.6.1.5.5.7.3.28' ] ],
    [ 'the usage of an OCSP responder', [ 'extendedKeyUsage=OCSPSigning' ] ],
    [ 'any usage', [ 'extendedKeyUsage=anyExtendedKeyUsage' ] ],
    [ 'a policy', [ 'certificatePolicies=1.2.3.4' ] ],
    [ 'name constraints', [ 'nameConstraints=permitted;DNS:example' ] ],
    [ 'a MASA', [ '1.3.6.1.5.5.7.1.32=ASN1:IA5STRING:evil.example' ] ],
    [ 'an unknown extension', [ '1.2.3.4.5=critical,DER:0500' ] ],
    [ 'no OCSP check', [ '1.3.6.1.5.5.7.48.1.5=DER:0500' ] ],
    [ 'CRLs elsewhere', [ 'crlDistributionPoints=URI:http://evil.example/crl' ] ],
);

for my $case (@cases) {
    my ($name, $lines) = @$case;
    my $csr = request($lines, @mine);
    my $res = $est->enrol('simpleenroll', $csr, %device);

    like($res->code, qr/^40[03]$/, "7030 4.2.1 a request for $name is refused") or diag $res->as_string;
    $res = $est->enrol('simpleenroll', $csr, %device, host => 'drop.example');
    if ($res->code == 200) {
        harmless($est->certificates($res->content), "7030 4.2.1 excess drop: $name is not passed on");
    }
    else {
        like($res->code, qr/^40[03]$/, "7030 4.2.1 excess drop: $name is refused all the same")
            or diag $res->as_string;
    }
}

# --- names ----------------------------------------------------------------

for my $case ([ 'of another device', "/O=Test/CN=$other" ],
              [ 'of another device beside its own', "/O=Test/CN=$serial/CN=$other" ],
              [ 'with another serialNumber', "/O=Test/CN=$serial/serialNumber=$other" ],
              [ 'of the CA', '/O=Lab Domain/CN=Lab Domain Device CA' ],
              [ 'of the registrar', '/O=Lab Domain/CN=Registrar' ],
              [ 'that begins with its own', "/O=Test/CN=${serial}0" ]) {
    my ($name, $subject) = @$case;
    my $csr = request([], subject => $subject);

    refused($httpd, $est->enrol('simpleenroll', $csr, %device), 403, 1134,
            qr/asks for a (?:name|subject) that this requester cannot have/, "7030 4.2.1 a name $name is refused");
    my $res = $est->enrol('simpleenroll', $csr, %device, host => 'drop.example');
    $res->code == 200
        ? harmless($est->certificates($res->content), "7030 4.2.1 excess drop: nor is a name $name")
        : is($res->code, 403, "7030 4.2.1 excess drop: a name $name is refused");
}
harmless($est->certificates($est->enrol('simpleenroll', request([], subject => '/O=Test/CN='
                                        . lc $serial), %device)->content),
         '5280 7.1 its own name in other letters is its own, and gets those of its IDevID');

# --- no request -----------------------------------------------------------

my $not_csr = qr/^The body is (?:not|an X\.509 certificate, not) a (?:PKCS#10 )?certification request/;
refused($httpd, $est->enrol('simpleenroll', $_->[1], %device), 400, 1131, $not_csr,
        "7030 4.2.1 $_->[0] in place of a request is refused")
    for [ 'an X.509 certificate', der($device{cert}) ],
        [ 'the registrar\'s certificate', der($lab->path('domain/registrar.pem')) ],
        [ 'a private key', der($device{key}) ],
        [ 'a voucher-request', $lab->pvr(device => $n) ];
my $pem = read_file($device{cert});
like($est->enrol('simpleenroll', $pem, %device, raw => 1)->code, qr/^400$/,
     '7030 4.2.1 nor is a certificate in PEM');
my $good = request([], @mine);
my $broken = $good;
substr($broken, -5, 1) ^= "\1";
refused($httpd, $est->enrol('simpleenroll', $broken, %device), 400, 1132,
        qr/signature of the certification request does not verify/,
        '7030 4.2.1 a request that its key has not signed is refused');
my $swapped = $good =~ s/\Q$serial\E/'x' x length $serial/er;
like($est->enrol('simpleenroll', $swapped, %device)->code, qr/^40[03]$/,
     '7030 4.2.1 nor may its name be changed afterwards');
like($est->enrol('simpleenroll', "$good\0", %device)->code, qr/^400$/,
     '7030 4.2.1 nor may anything follow it');
for my $key ([ 'RSA with 1024 bits', qw(rsa:1024) ],
             [ 'a curve of 192 bits', qw(ec -pkeyopt ec_paramgen_curve:prime192v1) ]) {
    my ($name, @key) = @$key;
    my $out = new_dir('weak') . '/csr.pem';

    run_command([ qw(openssl req -new -nodes -sha256 -keyout /dev/null -out), $out, '-subj',
                  "/O=Test/CN=$serial", '-newkey', @key ]);
    refused($httpd, $est->enrol('simpleenroll', der($out), %device), 400, 1133, qr/key/,
            "7030 4.2.1 $name is refused");
}

# --- at once --------------------------------------------------------------

my $one = request([], @mine);
my $before = 0 + $db->sql('SELECT max(issued_at) FROM est_certificate');
my @answers = parallel(12, sub {
    for (1 .. 20) {
        my $res = $est->enrol('simpleenroll', $one, %device);
        return $res if $res->code != 503;
        select undef, undef, undef, 0.3;
    }
});
is(scalar(grep { $_->code == 200 } @answers), 12, '5.9 one request from twelve connections at once');
my %bodies = map { $_->content => 1 } @answers;
is(scalar keys %bodies, 1, '5.9 makes one certificate');
my $made = $db->sql("SELECT count(*) FROM est_certificate WHERE serial_number = '$serial'
                     AND tenant = 'default' AND issued_at > $before");
is($made, "1\n", '5.9 on record too');
harmless($est->certificates((keys %bodies)[0]), '7030 4.2.3 and it is what the profile says');
$httpd->expect(qr/BRSKI107[58]|\[dbd:/);
done_testing;

# --------------------------------------------------------------------------

sub request
{
    my ($lines, %opt) = @_;
    my $conf = write_file(new_dir('conf') . '/conf', "[req]\ndistinguished_name=none\n[none]\n[x]\n"
                          . join("\n", @$lines) . "\n");

    return $est->csr(%opt, args => [ '-config', $conf, @$lines ? ('-reqexts', 'x') : () ])->{der};
}

# A subjectAltName with one name, and a NUL inside of it.
sub san_nul
{
    my ($name) = @_;
    my $ia5 = "$name\0.evil";

    return unpack 'H*', pack('CC', 0x30, 2 + length $ia5) . pack('CC', 0x82, length $ia5) . $ia5;
}

sub der
{
    my ($file) = @_;
    my ($base64) = read_file($file) =~ /-----BEGIN [^\n]+-----\n(.*?)-----END/s;
    return decode_base64($base64);
}

# A device's certificate of this profile, and nothing else.
sub harmless
{
    my ($text, $label) = @_;
    my @wrong;

    push @wrong, 'not its subject' if $text !~ /Subject: O ?= ?Test, CN ?= ?\Q$serial\E\n/;
    push @wrong, 'not its name' if $text !~ /Subject Alternative Name: *\n *\Q$dns\E\n/i;
    push @wrong, 'a CA' if $text =~ /CA:TRUE/;
    push @wrong, 'not its usage'
        if $text =~ /Certificate Sign|CRL Sign|Server Auth|OCSP Signing|Any Extended|3\.28/;
    push @wrong, 'an extension' if $text =~ /evil|Policies|Constraints:[^\n]*\n *Permitted|1\.2\.3\.4/;
    ok(!@wrong, $label) or diag "@wrong\n$text";
}
