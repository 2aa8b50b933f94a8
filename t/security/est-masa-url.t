# SPDX-License-Identifier: Apache-2.0
#
# est-masa-url.t: the URL of a MASA that an IDevID names is a stranger's: it leads neither to this
# machine nor to its network nor to a cloud's metadata, by whatever name, number or scheme, and
# nobody there hears even a knock.
use FindBin;
use lib "$FindBin::RealBin/../lib";
use BRSKI::Test;
use BRSKI::Test::Answer;
use BRSKI::Test::Liar;
use BRSKI::Test::Pki;
use IO::Socket::INET ();
use Time::HiRes qw(sleep);

my $port = free_port();
my $lab = new_lab(devices => 3, port => $port);
my $liar = BRSKI::Test::Liar->new(lab => $lab, port => $port);
# Who listens where nobody shall be asked.
my $inside = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Proto => 'tcp', Listen => 50,
                                   Blocking => 0) or die "no listener: $!\n";
my $p = $inside->sockport;
my $db = new_database(tool => 'estctl');
my $text = bless { lab => $lab, db => $db }, 'BRSKI::Test::Est';
my $quick = "    ESTMASATimeout 3s\n    ESTAnswerWithin 10s\n";
my $est = start_est(
    name => 'masa-url', lab => $lab, db => $db,
    conf => ($text->conf_text(est => "$quick    ESTMASAResolve rebound.example:$p:127.0.0.1\n")
             =~ s/^ *ESTMASA(?:URL|Addresses) .*\n//gmr)
        . ($text->host_text('open.example', est => "$quick    ESTTenant open\n")
           =~ s/^ *ESTMASAURL .*\n//gmr));
my $httpd = $est->httpd;
$httpd->expect(qr/BRSKI3221/);
my $pki = BRSKI::Test::Pki->new;
my $maker = { cert => $lab->path('manufacturer/idevid-ca.pem'),
              key => $lab->path('manufacturer/idevid-ca.key') };
my $refusal = qr/^The device names no MASA that this registrar may ask/;

my @urls = ("127.0.0.1:$p", "https://127.0.0.1:$p", "https://127.0.0.1:$p/.well-known/brski",
            "127.1:$p", "2130706433:$p", "0x7f000001:$p", "0177.0.0.1:$p", "0.0.0.0:$p",
            "127.255.255.254:$p", "localhost:$p", "LOCALHOST:$p", "[::1]:$p",
            "[::ffff:127.0.0.1]:$p", "[::ffff:7f00:1]:$p", "[::]:$p", "[64:ff9b::7f00:1]:$p",
            "rebound.example:$p", '169.254.169.254', '169.254.169.254:8443',
            'https://169.254.169.254/latest/meta-data/', '[fe80::1]:9443', '[fd00:ec2::254]',
            '10.0.0.1:9443', '172.16.0.1', '192.168.1.1', '100.64.0.1', '224.0.0.1', '[ff02::1]',
            '255.255.255.255', "http://127.0.0.1:$p", "http://masa.example", 'ftp://masa.example/',
            'file:///etc/passwd', 'ldap://127.0.0.1', "gopher://127.0.0.1:$p/x", '//masa.example',
            "https://masa.example\@127.0.0.1:$p/", "https://user:word\@127.0.0.1:$p/",
            '/', ':', '?', '#', '', 'https://');
for my $i (0 .. $#urls) {
    my $url = $urls[$i];
    my $res = asked("u$i", $url);
    my $short = length $url > 60 ? substr($url, 0, 10) . '...' : $url;

    refused($httpd, $res, 403, 1109, $refusal, "5.4 '$short' is refused");
}
my $heard = 0;
while (my $who = $inside->accept) {
    $heard++;
}
is($heard, 0, '5.4 nobody there has heard a knock');
is($db->sql("SELECT count(*) FROM est_request WHERE voucher IS NOT NULL"), "0\n",
   '5.4 nothing came of it');
unlike(read_file($httpd->{error_log}), qr/\e|\r/, '5.4 the log is clean');

# --- what the operator lets us ----------------------------------------------

my $ours = $httpd->post('requestvoucher', $lab->pvr(device => 1), $lab->device(1));
refused($httpd, $ours, 403, 1109, $refusal, '5.4 a MASA on this machine is asked only');
is($liar->asked($lab->serial(1), 'requestvoucher'), 0, '5.4 not yet');
my $pvr = $lab->pvr(device => 1);
for (1 .. 60) {
    $ours = $httpd->post('requestvoucher', $pvr, $lab->device(1), host => 'open.example');
    last if $ours->code != 202;
    sleep 0.3;
}
is($ours->code, 200, '5.4 where ESTMASAAddresses says so') or diag $ours->as_string;
done_testing;

# The answer to a device whose IDevID names this MASA.
sub asked
{
    my ($name, $url) = @_;
    my $hex = unpack 'H*', tlv($url);

    $pki->make($name, issuer => $maker, serial => "SSRF-$name",
               ext => [ "1.3.6.1.5.5.7.1.32=DER:$hex" ]);
    my $pvr = $lab->pvr(args => [ $pki->args($name), '--registrar-cert',
                                  $lab->path('domain/registrar.pem') ]);
    my $res;
    for (1 .. 40) {
        $res = $httpd->post('requestvoucher', $pvr, $pki->identity($name));
        last if $res->code != 202;
        sleep 0.3;
    }
    return $res;
}

# An IA5String.
sub tlv
{
    my ($text) = @_;
    my $n = length $text;

    return pack('C', 0x16) . ($n < 128 ? pack('C', $n) : pack('Cn', 0x82, $n)) . $text;
}
