# SPDX-License-Identifier: Apache-2.0
#
# requestvoucher-limits.t: each limit of docs/mod_masa.md at its edge: what just fits is served,
# one more is refused, and says so.
use FindBin;
use lib "$FindBin::RealBin/../lib";
use BRSKI::Test;
use BRSKI::Test::Answer;
use BRSKI::Test::Pki;

my $masa = start_masa(name => 'limits', devices => 10,
    lines => [ lab => "MASAOwner any\nMASAProximity optional" ],
    host => <<'EOF_HOST');
<Location "/.well-known/brski/requestauditlog">
    LimitRequestBody 2000
</Location>
EOF_HOST
my ($lab, $httpd) = ($masa->lab, $masa->httpd);
my $device = $masa->new_device(product => 'lab');

sub ask
{
    my (@args) = @_;
    return $httpd->post('requestvoucher', $lab->rvr(device => $device, args => \@args));
}

# --- the body -------------------------------------------------------------

refused($httpd, $httpd->post('requestvoucher', 'x' x 65_536), 400, 1008, qr/not a DER-encoded CMS/,
        '5.5 a body of 65536 octets is read');
refused($httpd, $httpd->post('requestvoucher', 'x' x 65_537), 413, 1002,
        qr/larger than this server reads/, '5.5 one of 65537 is too large');

# Announced or not: chunks as they come.
sub chunks
{
    my ($octets) = @_;
    my $left = $octets;
    return sub {
        my $n = $left > 4000 ? 4000 : $left;
        $left -= $n;
        return 'x' x $n;
    };
}
refused($httpd, $httpd->post('requestvoucher', chunks(65_536)), 400, 1008, qr/not a DER-encoded CMS/,
        '5.5 65536 octets in chunks are read');
my $rvr = $lab->rvr(device => $device);
my @octets = ($rvr, '');
issued($httpd, $httpd->post('requestvoucher', sub { return shift @octets }),
       '5.5 a request in chunks is served');
issued($httpd, $httpd->post('requestvoucher', $rvr, headers => { Expect => '100-continue' }),
       '5.5 and one that waits to be told to go on');
refused($httpd, $httpd->post('requestvoucher', chunks(65_537)), 413, 1002,
        qr/larger than this server reads/, '5.5 65537 octets in chunks are too many');
refused($httpd, $httpd->post('requestvoucher', chunks(3_000_000)), 413, 1002,
        qr/larger than this server reads/, '5.5 and so are three million');
refused($httpd, $httpd->post('requestauditlog', 'x' x 2001), 413, 'httpd',
        qr/larger than this server reads/,
        '5.8 LimitRequestBody of httpd holds too');
refused($httpd, $httpd->post('requestauditlog', chunks(2001)), 413, 'httpd',
        qr/larger than this server reads/,
        '5.8 also for chunks');
refused($httpd, $httpd->post('requestauditlog', 'x' x 2000), 400, 1008, qr/not a DER-encoded CMS/,
        '5.8 what just fits is read');

# --- JSON -----------------------------------------------------------------

# The request's object is the first level, the voucher's the second.
sub nested { return '[' x $_[0] . ']' x $_[0] }

issued($httpd, ask('--set', 'deep=' . nested(6)), '5.5 nesting of 8 is served');
refused($httpd, ask('--set', 'deep=' . nested(7)), 400, 1011, qr/nested deeper than 8/,
        '5.5 nesting of 9 is refused');
issued($httpd, ask('--set', 'long=' . 'x' x 49_152), '5.5 a string of 48 KiB is served');
refused($httpd, ask('--set', 'long=' . 'x' x 49_153), 400, 1011, qr/longer than 49152/,
        '5.5 one octet more is refused');
issued($httpd, ask('--nonce', 'n' x 128), '5.5 a nonce of 128 octets is served');
refused($httpd, ask('--nonce', 'n' x 129), 400, 1011, qr/nonce is longer than 128/,
        '5.5 one of 129 is refused');

my $long = 's' x 128;
$masa->import_row($long, product => 'lab');
issued($httpd, ask('--no-prior', '--serial', $long), '5.5 a serial-number of 128 octets is served');
refused($httpd, ask('--no-prior', '--serial', "${long}s"), 400, 1011,
        qr/serial-number is longer than 128/, '5.5 one of 129 is refused');

# --- certificates ---------------------------------------------------------

my $pki = BRSKI::Test::Pki->new;
$pki->ca('root')->registrar('reg', issuer => 'root');
$pki->make("more-$_", bare => 1) for 1 .. 2;
my ($one, $two) = map { read_file($pki->file("more-$_")) } 1 .. 2;

# The registrar with its root and so many others that belong to nobody.
sub with_others
{
    my ($n) = @_;
    my $file = write_file(new_dir('many') . '/chain.pem',
                          read_file($pki->file('reg')) . $one x ($n - 2));
    return ask('--cert', $file, '--key', $pki->key('reg'));
}
issued($httpd, with_others(16), '5.5.2 16 certificates are served, superfluous ones among them');
refused($httpd, with_others(17), 400, 1011, qr/more than 16 certificates/, '5.5.2 17 are refused');

# A certificate of exactly so many octets: its signature is not always of the same length.
sub sized
{
    my ($octets) = @_;
    my $fill = $octets - 600;

    for (1 .. 30) {
        $pki->registrar("size-$octets", issuer => 'root', bare => 1,
                        ext => [ '1.3.6.1.4.1.55555.1=DER:' . '04' x $fill ]);
        my $got = length $pki->der("size-$octets");
        return ask($pki->args("size-$octets")) if $got == $octets;
        $fill += $octets - $got;
    }
    die "no certificate of $octets octets\n";
}
issued($httpd, sized(16_384), '5.5.2 a certificate of 16 KiB is served');
refused($httpd, sized(16_385), 400, 1011, qr/certificate .*larger than 16384/,
        '5.5.2 one of an octet more is refused');

# --- a TLS client ---------------------------------------------------------

my $chain = write_file(new_dir('tls') . '/chain.pem', read_file($pki->file('reg')) . $two x 20);
issued($httpd, $httpd->post('requestvoucher', $lab->rvr(device => $device),
                            cert => $chain, key => $pki->key('reg')),
       '5.4 a TLS client may send more than the 16 certificates that are read');
done_testing;
