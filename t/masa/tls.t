# SPDX-License-Identifier: Apache-2.0
#
# tls.t: TLS 1.2 and 1.3, HTTP/1.1 and HTTP/2, connections that serve many requests, and sessions
# that are never resumed, on virtual hosts chosen by SNI too.
use FindBin;
use lib "$FindBin::RealBin/../lib";
use BRSKI::Test;
use BRSKI::Test::Answer;

my $log = 'CustomLog @DIR@/tls_log "%v %{SSL_PROTOCOL}x %{SSL_SESSION_RESUMED}x %H %>s"' . "\n";
my %host = (policy => 'MASAOwner any', host => "Protocols h2 http/1.1\n$log");
my $masa = start_masa(name => 'tls', devices => 5, %host, httpd => { modules => [ 'http2' ] },
                      more => [ 'other.example' => { %host } ]);
my ($lab, $httpd) = ($masa->lab, $masa->httpd);
my %registrar = $lab->identity;
my $rvr = $lab->rvr(device => 1);

# --- versions -------------------------------------------------------------

for my $version (qw(TLSv1_2 TLSv1_3)) {
    (my $name = $version) =~ s/_/./;
    issued($httpd, $httpd->post('requestvoucher', $rvr, %registrar, tls_version => $version),
           "5.4 serves $name");
    audit_log($httpd, $httpd->post('requestauditlog', $rvr, %registrar, tls_version => $version),
              "5.8 serves the log with $name");
}
my ($status, $said) = run_command([ qw(openssl s_client -tls1_1 -cipher ALL:@SECLEVEL=0 -connect),
                                    '127.0.0.1:' . $httpd->tls_port ], stdin => '');
like($said, qr/alert|no protocols|Cipher is \(NONE\)/, '5.4 refuses TLS 1.1');

# --- a connection for many ------------------------------------------------

for my $version (qw(TLSv1_2 TLSv1_3)) {
    my $agent = $httpd->agent(keep_alive => 1, %registrar, tls_version => $version);
    my @answers = map { $httpd->post('requestvoucher', $rvr, agent => $agent) } 1 .. 5;
    # httpd itself ends a connection after 400 and 503
    push @answers, map { $httpd->post('requestvoucher', $rvr, agent => $agent, type => 'a/b') } 1, 2;
    push @answers, $httpd->post('requestauditlog', $rvr, agent => $agent);
    is(join(' ', map { $_->code } @answers), '200 200 200 200 200 415 415 200',
       "5.4 a connection serves vouchers, refusals and logs, $version");
    is($answers[-1]->header('Client-Response-Num'), 8, "5.4 all on one, $version");
}

# --- resumption -----------------------------------------------------------

for my $host (qw(masa.example other.example)) {
    my @client = (qw(openssl s_client -connect), '127.0.0.1:' . $httpd->tls_port, '-servername',
                  $host, '-cert', $registrar{cert}, '-key', $registrar{key});
    ($status, $said) = run_command([ @client, qw(-tls1_2 -reconnect) ], stdin => '');
    my $new = () = $said =~ /^New, TLSv1\.2/mg;
    unlike($said, qr/^Reused/m, "5.4 no session of TLS 1.2 is resumed, $host");
    is($new, 6, '5.4 though the client tries five times');
    unlike($said, qr/TLS session ticket:/, "5.4 there is no ticket in TLS 1.2, $host");
    my $file = new_dir('session') . '/session';
    ($status, $said) = run_command([ @client, qw(-tls1_3 -ign_eof -sess_out), $file ],
        stdin => "GET /.well-known/brski/x HTTP/1.1\r\nHost: $host\r\nConnection: close\r\n\r\n");
    like($said, qr/^HTTP\/1\.1 404/m, "5.4 a request in TLS 1.3, $host");
    unlike($said, qr/Post-Handshake New Session Ticket/, "5.4 there is no ticket in TLS 1.3, $host");
}

# --- HTTP/2 ---------------------------------------------------------------

SKIP: {
    my ($no, $curl) = run_command([ qw(curl --version) ]);
    skip 'no curl with HTTP/2 on this machine', 8 if $no || $curl !~ /\bHTTP2\b/;
    my $body = der_file($rvr);
    my $junk = der_file('junk');
    my $base = 'https://masa.example:' . $httpd->tls_port . '/.well-known/brski';
    my @curl = (qw(curl --silent --include --http2 --cacert), $lab->tls_anchor, '--resolve',
                'masa.example:' . $httpd->tls_port . ':127.0.0.1', '-k', '--cert', $registrar{cert},
                '--key', $registrar{key}, '-H', 'Content-Type: application/voucher-cms+json');

    my $out = new_dir('h2') . '/voucher';
    ($status, $said) = run_command([ @curl[0, 1], '--http2', @curl[4 .. $#curl], '--data-binary',
        "\@$body", '-o', $out, '-w', '%{http_version} %{http_code} %{content_type}',
        "$base/requestvoucher" ]);
    is($said, '2 200 application/voucher-cms+json', '5.4 HTTP/2 serves a voucher');
    is(voucher_leaf(read_file($out))->{'serial-number'}, $lab->serial(1), '5.6 which is whole');
    ($status, $said) = run_command([ @curl, '--data-binary', "\@$body", "$base/requestauditlog" ]);
    like($said, qr{^HTTP/2 200.*^content-type: application/json.*"version"}ms,
         '5.8 HTTP/2 serves a log: the key of the connection counts');
    ($status, $said) = run_command([ @curl, '--data-binary', "\@$junk", "$base/requestvoucher" ]);
    like($said, qr{^HTTP/2 400.*^content-type: text/plain; charset=utf-8.*is not a DER}msi,
         '5.6 HTTP/2 serves a refusal');
    like($said, qr{^cache-control: no-store}m, '5.6 that is not stored');
    ($status, $said) = run_command([ @curl, "$base/requestvoucher" ]);
    like($said, qr{^HTTP/2 405.*^allow: POST}ms, '5.5 HTTP/2 takes POST alone');
    my @many = map { ('--next', @curl[1 .. $#curl], '--data-binary', "\@$body",
                      "$base/requestvoucher", '-o', '/dev/null', '-w', '%{http_code} ') } 1 .. 6;
    shift @many;
    ($status, $said) = run_command([ 'curl', '--parallel', @many ]);
    is(() = $said =~ /\b200 /g, 6, '5.4 HTTP/2 serves six at once') or diag $said;
    # without a body, which httpd would not read, and curl may miss the answer then
    ($status, $said) = run_command([ @curl, '-H', 'Host: other.example', "$base/requestvoucher" ]);
    like($said, qr{^HTTP/2 421}m, '5.4 a connection for one host serves no other, in HTTP/2 too');
}
is_deeply([ grep { / Resumed / } split /\n/, read_file($httpd->dir . '/tls_log') ], [],
          '5.4 no request came in a resumed session');
done_testing;
