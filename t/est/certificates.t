# SPDX-License-Identifier: Apache-2.0
#
# certificates.t: a registrar with an RSA and an ECDSA certificate: what a pledge was shown on its
# connection is what its request must name, and the key of that one asks the MASA.
use FindBin;
use lib "$FindBin::RealBin/../lib";
use BRSKI::Test;
use BRSKI::Test::Answer;
use BRSKI::Test::Pki;

my $masa = main_server();
my $lab = $masa->lab;
my $pki = BRSKI::Test::Pki->new;
$pki->make('rsa', subject => '/O=Lab Domain/CN=Registrar RSA',
           type => [qw(-algorithm RSA -pkeyopt rsa_keygen_bits:2048)],
           issuer => { cert => $lab->path('domain/ca.pem'), key => $lab->path('domain/ca.key') },
           eku => '1.3.6.1.5.5.7.3.28,serverAuth,clientAuth', dns => 'registrar.example');
chmod 0644, $pki->file('rsa');
my ($rsa, $rsa_key) = ($pki->file('rsa'), $pki->key('rsa'));
my $ecdsa = $lab->path('domain/registrar.pem');
my $est = start_est(name => 'certificates', lab => $lab, masa => $masa->httpd,
                    est => "    ESTRegistrarCertificate $rsa $rsa_key\n", host => <<"EOF_HOST");
    SSLCertificateFile $rsa
    SSLCertificateKeyFile $rsa_key
EOF_HOST
my $httpd = $est->httpd;
$httpd->expect('BRSKI1108');

# A pledge that can only do this kind, with a request that names that certificate.
sub asked
{
    my ($kind, $shown, $n) = @_;
    my $pvr = $lab->artifact('pvr', device => $n, args => [ '--registrar-cert', $shown ]);
    my $response;

    for (1 .. 15) {
        $response = $httpd->post('requestvoucher', $pvr, $lab->device($n), tls_version => 'TLSv1_2',
                                 ciphers => "ECDHE-$kind-AES128-GCM-SHA256");
        last if $response->code != 202;
        sleep($response->header('Retry-After') || 1);
    }
    return $response;
}

for my $case ([ 'RSA', $rsa ], [ 'ECDSA', $ecdsa ]) {
    my ($kind, $shown) = @$case;
    my $n = $masa->new_device;
    my $response = asked($kind, $shown, $n);

    is($response->code, 200, "5.2 $kind: a pledge that saw this certificate gets a voucher")
        or diag $response->as_string;
    my ($status, $said) = $lab->verify($response->content, '--device', $lab->serial($n),
                                       '--registrar', $shown);
    is($status, 0, "5.6.1 $kind: which it accepts for that registrar") or diag $said;

    # At once: the log is read when the voucher comes, and again now.
    is($httpd->post('voucher_status', '{"version":1,"status":true}', $lab->device($n),
                    type => 'application/json')->code, 200, "5.7 $kind: it reports that");
    my $csr = $est->csr(subject => '/CN=' . $lab->serial($n));
    my $issued = $est->enrol('simpleenroll', $csr->{der}, $lab->device($n));
    for (1 .. 10) {
        last if $issued->code != 202;
        sleep 1;
        $issued = $est->enrol('simpleenroll', $csr->{der}, $lab->device($n));
    }
    is($issued->code, 200, "5.9 $kind: and a certificate is issued") or diag $issued->as_string;
}
my $n = $masa->new_device;
refused($httpd, asked('RSA', $ecdsa, $n), 401, 1108, qr/proximity-registrar-cert/,
        '5.2 one that names the certificate it was not shown is refused');
refused($httpd, asked('ECDSA', $rsa, $n), 401, 1108, qr/proximity-registrar-cert/,
        '5.2 either way');
done_testing;
