# SPDX-License-Identifier: Apache-2.0
#
# host.t: who a client is, in TLS and HTTP: a connection that was made for another virtual host, a
# resumed session, what mod_ssl and other sites on the same address make of certificates that the
# MASA lets in, and header fields that claim to be a certificate, an address or a user.
use FindBin;
use lib "$FindBin::RealBin/../lib";
use BRSKI::Test;
use BRSKI::Test::Attack;
use BRSKI::Test::Pki;
use BRSKI::Test::Raw;
use MIME::Base64 qw(encode_base64);

my $pki = BRSKI::Test::Pki->new;
$pki->ca('staff')->make('member', issuer => 'staff', eku => 'clientAuth');
$pki->make('self', eku => 'clientAuth');
$pki->ca('fake', subject => '/O=Test/CN=staff')->make('fake-member', issuer => 'fake',
                                                      eku => 'clientAuth',
                                                      subject => '/O=Test/CN=member');
my $lab = new_lab(devices => 5);
my $tls = "SSLEngine On\nSSLCertificateFile " . $lab->path('tls/server.pem')
    . "\nSSLCertificateKeyFile " . $lab->path('tls/server.key') . "\n";
my $site = new_dir('site');
write_file("$site/index.html", "secret\n");

# Other sites on the MASA's address, one of them the first: whoever asks for no host gets that one.
# "same" has the MASA's own TLS settings, so that mod_ssl sees no difference.
my $masa = under_attack(start_masa(name => 'host', lab => $lab, policy => 'MASAOwner any',
    httpd => { modules => [ 'alias' ] }, server => <<"EOF_SERVER", host => <<"EOF_HOST",
<Directory "$site">
    Require all granted
</Directory>
<VirtualHost 127.0.0.1:\@TLSPORT\@>
    ServerName first.example
    DocumentRoot "$site"
    $tls
</VirtualHost>
<VirtualHost 127.0.0.1:\@TLSPORT\@>
    ServerName staff.example
    DocumentRoot "$site"
    $tls
    SSLVerifyClient require
    SSLCACertificateFile @{[ $pki->file('staff') ]}
</VirtualHost>
<VirtualHost 127.0.0.1:\@TLSPORT\@>
    ServerName same.example
    DocumentRoot "$site"
    $tls
    SSLProtocol -all +TLSv1.2 +TLSv1.3
    SSLVerifyClient optional_no_ca
    SSLCACertificateFile @{[ $pki->file('staff') ]}
    <Location "/">
        Require ssl-verify-client
    </Location>
    Alias /in-place "$site"
    <Location "/in-place">
        SSLVerifyClient require
    </Location>
</VirtualHost>
EOF_SERVER
SSLCACertificateFile @{[ $pki->file('staff') ]}
Header always set X-Verify "%{SSL_CLIENT_VERIFY}s"
<Location "/.well-known/brski/requestauditlog">
    Require ssl-verify-client
</Location>
EOF_HOST
    more => [
        'require.example' => { policy => 'MASAOwner any', client => 'require' },
        'known.example' => { policy => 'MASAOwner any', client => 'known' },
    ]));
my $httpd = $masa->httpd;
my %registrar = $lab->identity;
my $rvr = $lab->rvr;
my $size = length $rvr;
my $misdirected = qr/^The TLS connection was made for another host; open a new connection/;

served($httpd->post('requestvoucher', $rvr, %registrar), 'control: the right host');

# --- a connection for another virtual host --------------------------------

sub wrong_host
{
    my ($sni, $host, $label, @client) = @_;
    my $response = $httpd->post('requestvoucher', $rvr, sni => $sni, host => $host, @client);

    refused_host($response, $label);
}

# mod_ssl itself does it where TLS settings differ.
sub refused_host
{
    my ($response, $label) = @_;
    my ($id) = $response->content =~ /request (\w+)\)/;
    my $by = defined $id && $httpd->log_line(qr/BRSKI(?:1049|2201): .*$id/) =~ /BRSKI2201/ ? 'httpd'
        : 1049;

    repelled($response, 421, $by, $misdirected, "5.4 $label");
}
for my $case ([ 'first.example', 'masa.example',
               'a connection for a site that is no MASA serves no voucher' ],
              [ 'staff.example', 'masa.example', 'one for a site with other clients neither',
                $pki->identity('member') ],
              [ 'same.example', 'masa.example', 'nor one for a site with the same TLS settings' ],
              [ 'masa.example', 'require.example',
                'one that was asked for no certificate is not used where one must be' ],
              [ 'masa.example', 'known.example', 'nor where only customers are let in' ],
              [ 'require.example', 'known.example', 'nor one with any certificate', %registrar ],
              [ 'known.example', 'masa.example', 'nor the other way round', %registrar ],
              [ 'first.example', 'MASA.example', 'letters of another size are the same host' ],
              [ 'first.example', 'masa.example.', 'with a dot behind too' ],
              [ 'first.example', 'masa.example:443', 'with a port too' ],
              [ '', 'masa.example', 'nor one for no host' ],
              [ 'no-such.example', 'masa.example', 'nor one for a host that is not here' ]) {
    my ($sni, $host, $label, @client) = @$case;
    wrong_host($sni, $host, $label, @client);
}
my $line = "POST https://masa.example/.well-known/brski/requestvoucher HTTP/1.1\r\n";
my $fields = "Content-Type: application/voucher-cms+json\r\nContent-Length: $size\r\n"
    . "Connection: close\r\n\r\n";
refused_host(scalar exchange($httpd, "${line}Host: $_\r\n$fields$rvr", host => $_),
             "an absolute URI is no way around for $_") for qw(first.example same.example);
my $agent = $httpd->agent(keep_alive => 1, host => 'same.example', %registrar);
$httpd->get('/', agent => $agent, host => 'same.example');
repelled($httpd->post('requestvoucher', $rvr, agent => $agent), 421, 1049, $misdirected,
         '5.4 nor is the second request on a connection');

# --- sessions -------------------------------------------------------------

# A session of a site with tickets, offered to the MASA.
for my $version (qw(tls1_2 tls1_3)) {
    for my $name (qw(same.example first.example)) {
        my @client = (qw(openssl s_client -ign_eof -connect), '127.0.0.1:' . $httpd->tls_port,
                      "-$version",
                      '-cert', $registrar{cert}, '-key', $registrar{key});
        my $file = new_dir('session') . '/session';
        my $get = "GET /.well-known/brski/requestvoucher HTTP/1.1\r\nConnection: close\r\nHost: ";
        run_command([ @client, '-servername', $name, '-sess_out', $file ],
                    stdin => "$get$name\r\n\r\n");
        SKIP: {
            -s $file or skip "no session of $name in $version", 2;
            my (undef, $said) = run_command([ @client, qw(-servername masa.example -sess_in),
                                             $file ],
                                            stdin => "${get}masa.example\r\n\r\n");
            unlike($said, qr/^Reused/m,
                   "5.4 a session of $name is not resumed with the MASA, $version");
            like($said, qr{^HTTP/1.1 (?:405|421)}m,
                 "5.4 it is asked for a certificate again, $version")
                or diag $said;
        }
    }
}

# --- what a certificate is worth to others --------------------------------

for my $version (qw(TLSv1_2 TLSv1_3)) {
    for my $who (qw(self fake-member member)) {
        my @client = ($pki->identity($who), tls_version => $version);
        my $response = $httpd->post('requestvoucher', $rvr, @client);

        served($response, "5.4 $who is let in, $version", reissued => 1);
        unlike($response->header('X-Verify'), qr/SUCCESS/,
               "5.4 SSL_CLIENT_VERIFY is not SUCCESS, $version");
        my $ruled = $httpd->post('requestauditlog', $rvr, @client);
        is($ruled->code, 403,
           "5.4 Require ssl-verify-client lets nobody in whom nobody verified, $version");
        my $other = $httpd->get('/', @client, sni => 'masa.example', host => 'same.example');
        unlike($other->content, qr/secret/,
               "5.4 nor does it on another site through the MASA, $version");
        $other = $httpd->get('/', @client, sni => 'masa.example', host => 'staff.example');
        is($other->code, 421, "5.4 a site that verifies is not reached through the MASA, $version");
        $other = $httpd->get('/in-place/', @client, sni => 'masa.example', host => 'same.example');
        unlike($other->content, qr/secret/, "5.4 nor a place that verifies, $version");
    }
    like($httpd->get('/', $pki->identity('member'), host => 'staff.example',
                     tls_version => $version)->content,
         qr/secret/, "control: other sites verify as before, $version");
    unlike($httpd->get('/', $pki->identity('fake-member'), host => 'staff.example',
                       tls_version => $version)->content, qr/secret/,
                           "control: and refuse, $version");
}

# --- fields that claim something ------------------------------------------

my ($owner) = read_file($registrar{cert}) =~ /CERTIFICATE-----\n(.*?)-----END/s;
$owner =~ s/\s+//g;
my %claim = ('Client-Cert' => ":$owner:", 'Client-Cert-Chain' => ":$owner:",
             'X-SSL-Client-Cert' => $owner,
             'X-Forwarded-Client-Cert' => "Cert=\"$owner\"", 'SSL-Client-Verify' => 'SUCCESS',
             'SSL_CLIENT_VERIFY' => 'SUCCESS', 'X-Forwarded-For' => '192.0.2.1',
                 Forwarded => 'for=192.0.2.1',
             'X-Real-IP' => '192.0.2.1', Authorization => 'Basic YW5uYTpzZWNyZXQ=',
                 'X-Remote-User' => 'anna',
             'UNIQUE_ID' => 'mine', 'X-Request-ID' => 'mine', 'X-Forwarded-Host' => 'masa.example');
$masa->customer('anna', '--user' => 'anna');
my $answer = $httpd->post('requestvoucher', $lab->rvr(args => [ '--nonceless' ]),
                          host => 'masa.example',
                          headers => \%claim);
my $id = repelled($answer, 403, 1031, qr/^Nonceless/, '5.4 fields of HTTP claim nothing');
isnt($id, 'mine', 'the request id is ours');
repelled($httpd->post('requestvoucher', $rvr, host => 'known.example', headers => \%claim,
                      $pki->identity('self')), 403, 1048, qr/does not belong to a known customer/,
         '5.4 a user whom httpd did not authenticate is nobody');
no_harm_done();
is($masa->db->sql("SELECT address FROM refusal WHERE request_id = '$id'"), "127.0.0.1\n",
   'the address in evidence is the connection\'s');
$httpd->expect(qr/\[ssl:(?:warn|error)\]/, qr/\[authz_core:error\]/);
done_testing;
