# SPDX-License-Identifier: Apache-2.0
#
# client-certificate.t: MASAClientCertificate none, request, require and known, in TLS 1.2 and 1.3:
# certificates that mod_ssl alone would turn away are let in to be judged, SSL_CLIENT_VERIFY never
# says SUCCESS for them, and who must have one is refused in the handshake and with each request.
use FindBin;
use lib "$FindBin::RealBin/../lib";
use BRSKI::Test;
use BRSKI::Test::Answer;
use BRSKI::Test::Pki;

my $pki = BRSKI::Test::Pki->new;
my $year = 365 * 86_400;
$pki->ca('root')->ca('sub', issuer => 'root')->registrar('chain', issuer => 'sub');
$pki->make('self', eku => 'clientAuth');
$pki->make('cmcra-only', issuer => 'root', eku => '1.3.6.1.5.5.7.3.28');
$pki->make('server-only', issuer => 'root', eku => 'serverAuth');
$pki->make('expired', issuer => 'root', from => -2 * $year, to => -$year);
$pki->make('not-yet', issuer => 'root', from => $year, to => 2 * $year);
$pki->make('leaf-only', issuer => 'sub', bare => 1);
$pki->make('critical', issuer => 'root', ext => [ '1.3.6.1.4.1.55555.2=critical,DER:0500' ]);
$pki->make('rsa', issuer => 'root', type => [ qw(-algorithm RSA -pkeyopt rsa_keygen_bits:2048) ]);
$pki->make('of-server', issuer => 'root', eku => 'clientAuth');
$pki->make('friend');
my @odd = qw(chain self cmcra-only server-only expired not-yet leaf-only critical rsa of-server);

my $log = 'CustomLog @DIR@/tls_log "%v %{SSL_PROTOCOL}x %{SSL_CLIENT_VERIFY}x '
    . "%{SSL_CLIENT_S_DN_CN}x %>s\"\n";
my $root = $pki->file('root');
my %host = (policy => "MASAOwner any\n", host => "$log\nSSLCACertificateFile $root\n");
my $masa = start_masa(name => 'client', devices => 10, %host, more => [
    'require.example' => { %host, client => 'require' },
    'known.example' => { %host, client => 'known' },
    'none.example' => { policy => "MASAOwner customer\n", host => $log, client => 'none' },
]);
my ($lab, $httpd) = ($masa->lab, $masa->httpd);
my $rvr = $lab->rvr(device => 1);

sub post
{
    my ($host, $version, $who) = @_;
    return $httpd->post('requestvoucher', $rvr, host => $host, tls_version => $version,
                        $who ? $pki->identity($who) : ());
}

# No answer of any server: the connection ended in the handshake or right after it.
sub turned_away
{
    my ($response, $label) = @_;

    ok(($response->header('Client-Warning') || '') eq 'Internal response', $label)
        or diag $response->as_string;
}

for my $version (qw(TLSv1_2 TLSv1_3)) {
    # --- request: with and without
    issued($httpd, post('masa.example', $version), "5.4 request: served without, $version");
    issued($httpd, post('masa.example', $version, $_), "5.4 request: takes one that is $_, $version")
        for @odd;

    # --- require: any
    turned_away(post('require.example', $version),
                "5.4 require: refused without in the handshake, $version");
    issued($httpd, post('require.example', $version, $_),
           "5.4 require: takes one that is $_, $version") for @odd;

    # --- known: customers'
    turned_away(post('known.example', $version),
                "5.4 known: refused without in the handshake, $version");
    refused($httpd, post('known.example', $version, $_), 403, 1048,
            qr/^The TLS client certificate does not belong to a known customer\.$/,
            "5.4 known: refuses one that is $_, $version") for qw(chain self);

    # --- none: not asked for
    refused($httpd, post('none.example', $version, 'friend'), 403, 1032,
            qr/not an authenticated customer/, "5.4 none: a certificate does not count, $version");
}

$masa->customer('friend', '--cert' => $pki->file('friend'));
issued($httpd, post('known.example', 'TLSv1_3', 'friend'), '5.4 known: a customer\'s is let in');
refused($httpd, $httpd->post('requestauditlog', $rvr, host => 'known.example', $pki->identity('self')),
        403, 1048, qr/does not belong to a known customer/, '5.4 known: holds for the log, too');
refused($httpd, post('none.example', 'TLSv1_3', 'friend'), 403, 1032, qr/not an authenticated/,
        '5.4 none: nor does a customer\'s');
$masa->masactl(qw(customer key retire friend --cert), $pki->file('friend'));
refused($httpd, post('known.example', 'TLSv1_3', 'friend'), 403, 1048,
        qr/does not belong to a known customer/, '5.4 known: not after it was retired');

# A connection serves several requests, and each is judged.
my $agent = $httpd->agent(host => 'known.example', keep_alive => 1, $pki->identity('friend'));
for my $n (1 .. 2) {
    my $answer = $httpd->post('requestvoucher', $rvr, host => 'known.example', agent => $agent);
    is($answer->header('Client-Response-Num'), $n, "5.4 request $n on one connection");
    refused($httpd, $answer, 403, 1048, qr/known customer/, '5.4 known: is judged with each request');
}

# --- what others make of it -----------------------------------------------

my @lines = split /\n/, read_file($httpd->dir . '/tls_log');
is_deeply([ grep { /SUCCESS/ } @lines ], [], '5.4 SSL_CLIENT_VERIFY never reads SUCCESS');
is(scalar(grep { /^none\.example \S+ NONE - / } @lines), 3, '5.4 none asks for none')
    or diag join "\n", @lines;
is(scalar(grep { /^masa\.example \S+ NONE - 200/ } @lines), 2, '5.4 without one it reads NONE');
is(scalar(grep { /^masa\.example TLSv1\.[23] (?:GENEROUS|FAILED:)/ } @lines), 2 * @odd,
   '5.4 with one GENEROUS or FAILED');
ok($httpd->log_line(qr/\[masa:info\].*BRSKI1104: TLS client certificate .* has id-kp-cmcRA without/),
   '5.4 a certificate with cmcRA and without clientAuth is logged');
done_testing;
