# SPDX-License-Identifier: Apache-2.0
#
# connections.t: what belongs to a connection is asked of that connection: many requests on one,
# HTTP/2, whatever server name a pledge sends, and nobody comes through another site's connection.
use FindBin;
use lib "$FindBin::RealBin/../lib";
use BRSKI::Test;
use BRSKI::Test::Answer;

my $masa = main_server();
my $lab = $masa->lab;
my $other = $lab->path('tls/server');
my $est = start_est(name => 'connections', lab => $lab, masa => $masa->httpd,
                    est => "    Protocols h2 http/1.1\n", httpd => { modules => ['http2'] },
                    host => <<"EOF_HOST");
</VirtualHost>
<VirtualHost 127.0.0.1:\@TLSPORT\@>
    ServerName shop.example
    SSLEngine On
    SSLCertificateFile $other.pem
    SSLCertificateKeyFile $other.key
    SSLSessionTickets On
    <Location "/">
        Require all granted
    </Location>
EOF_HOST
my $httpd = $est->httpd;
$httpd->expect('AH02032', 'AH02033');
my $n = $masa->new_device;
my %device = $lab->device($n);

# --- one connection -------------------------------------------------------

my $agent = $httpd->agent(%device, keep_alive => 1);
is(join(' ', map { $est->get('cacerts', agent => $agent)->code } 1 .. 5), '200 200 200 200 200',
   '5 many requests on one connection');
my $pvr = $lab->pvr(device => $n);
my $voucher;
for (1 .. 10) {
    $voucher = $httpd->post('requestvoucher', $pvr, agent => $agent);
    last if $voucher->code == 200;
    sleep 1;
}
is($voucher->code, 200, '5.6 the voucher on it') or diag $voucher->as_string;
is($httpd->post('voucher_status', '{"version":1,"status":true}', agent => $agent,
                type => 'application/json')->code, 200, '5.7 telemetry on it');

# --- HTTP/2 ---------------------------------------------------------------

SKIP: {
    skip 'curl has no HTTP/2', 5 if `curl --version` !~ /HTTP2/;
    my $url = 'https://registrar.example:' . $httpd->tls_port;
    my @curl = ('curl', '-sk', '--http2', '--max-time', 30, '--noproxy', '*', '--resolve',
                'registrar.example:' . $httpd->tls_port . ':127.0.0.1',
                '--cert', $device{cert}, '--key', $device{key});
    my ($status, $out) = run_command([ @curl, '-w', '%{http_version} %{http_code}', '-o', '/dev/null',
                                       "$url/.well-known/est/cacerts" ]);
    is($out, '2 200', '7030 4.1 CA certificates over HTTP/2');

    my $new = $lab->pvr(device => $n);
    my $file = write_file(new_dir('h2') . '/pvr', $new);
    my $got = new_dir('h2') . '/voucher';
    for (1 .. 10) {
        ($status, $out) = run_command([ @curl, '-w', '%{http_version} %{http_code}', '-o', $got,
            '-H', 'Content-Type: application/voucher-cms+json', '--data-binary', "\@$file",
            "$url/.well-known/brski/requestvoucher" ]);
        last if $out ne '2 202';
        sleep 1;
    }
    is($out, '2 200', '5.6 a voucher over HTTP/2: its client certificate is known there');
    my ($verified, $said) = $lab->verify(read_file($got), '--device', $lab->serial($n),
                                         '--registrar', $lab->path('domain/registrar.pem'));
    is($verified, 0, '5.6.1 which the device accepts') or diag $said;

    # many streams of one connection learn who the client is at once
    ($status, $out) = run_command([ @curl, '-Z', '--parallel-max', 20, '-o', '/dev/null', '-w',
        '%{http_code}\n', "$url/.well-known/est/csrattrs?[1-40]" ]);
    is(() = $out =~ /^200$/mg, 40, '7030 4.5 forty streams at once');

    # what ends a connection of HTTP/1.1 leaves nothing to be had on one of HTTP/2
    $httpd->expect('BRSKI1108');
    my $relayed = write_file(new_dir('h2') . '/pvr', $lab->pvr(device => $n, domain => 'stranger'));
    ($status, $out) = run_command([ @curl, '-w', '%{http_code} ', '-o', '/dev/null', '-o', '/dev/null',
        '-H', 'Content-Type: application/voucher-cms+json', '--data-binary', "\@$relayed",
        "$url/.well-known/brski/requestvoucher", "$url/.well-known/brski/requestvoucher" ]);
    like($out, qr/^401 (?:421|401|000) $/, '5.2 a relayed request ends the trust in the connection');
}

# --- server names ---------------------------------------------------------

is($est->get('cacerts', sni => undef, %device)->code, 200, '5.1 a pledge need not send a server name');
is($est->get('cacerts', sni => 'whatever.example', %device)->code, 200, '5.1 nor a right one');
refused($httpd, $est->get('cacerts', sni => 'shop.example', %device), 421, $_, qr/./,
        '5.2 a connection made for another site is not one to the registrar') for 'httpd';
isnt($httpd->get('/', host => 'shop.example')->code, 421, '5.2 the other site is its own');
my ($status, $out) = run_command([ 'sh', '-c', 'openssl s_client -connect 127.0.0.1:'
    . $httpd->tls_port . ' -servername registrar.example -sess_out /dev/stdout </dev/null 2>&1' ]);
unlike($out, qr/TLS session ticket:/, '5.2 sessions are not resumed');
unlike($out, qr/Acceptable client certificate CA names/, '5.2 any issuer will do');
done_testing;
