# SPDX-License-Identifier: Apache-2.0
#
# first-join.t: the shortest way through everything with two real servers: a pledge's request at the
# registrar, its MASA asked, a voucher that the device accepts, telemetry, CA certificates, a
# certificate, the report of it, and its renewal.
use FindBin;
use lib "$FindBin::RealBin/../lib";
use BRSKI::Test;

my $masa = main_server();
my $est = start_est(lab => $masa->lab, masa => $masa->httpd);
my ($lab, $httpd) = ($masa->lab, $est->httpd);
my $n = $masa->new_device;
my %device = $lab->device($n);

my $pvr = $lab->pvr(device => $n);
my $voucher = wait_for(sub { $httpd->post('requestvoucher', $pvr, %device) });
is($voucher->code, 200, '5.6 the pledge gets a voucher') or diag $voucher->as_string;
is($voucher->header('Content-Type'), 'application/voucher-cms+json', '5.6 of its media type');
my ($status, $said) = $lab->verify($voucher->content, '--device', $lab->serial($n),
                                   '--registrar', $lab->path('domain/registrar.pem'));
is($status, 0, '5.6.1 which it accepts') or diag $said;

my $told = $httpd->post('voucher_status', '{"version":1,"status":true}', %device,
                        type => 'application/json');
is($told->code, 200, '5.7 it reports that') or diag $told->as_string;

my $cacerts = $est->get('cacerts', %device);
is($cacerts->code, 200, '7030 4.1.3 CA certificates') or diag $cacerts->as_string;
like($est->certificates($cacerts->content), qr/Lab Domain/, '7030 4.1.3 those of the domain');

my $csr = $est->csr(subject => '/CN=' . $lab->serial($n));
my $issued = wait_for(sub { $est->enrol('simpleenroll', $csr->{der}, %device) });
is($issued->code, 200, '7030 4.2.3 a certificate') or diag $issued->as_string;
like($issued->header('Content-Type'), qr{^application/pkcs7-mime; *smime-type=certs-only$},
     '7030 4.2.3 as certs-only');
my $serial = $lab->serial($n);
like($est->certificates($issued->content), qr/Subject: .*CN *= *\Q$serial\E/,
     '5.9 for the device');

my %now = (cert => write_file("$csr->{dir}/cert.pem", $est->certificate_pem($issued->content)),
           key => $csr->{key});
my $done = $httpd->post('enrollstatus', '{"version":1,"status":true}', %now,
                        type => 'application/json');
is($done->code, 200, '5.9.4 it reports that, with its new certificate') or diag $done->as_string;

my $next = $est->csr(subject => "/O=Test/CN=$serial");
my $renewed = $est->enrol('simplereenroll', $next->{der}, %now);
is($renewed->code, 200, '7030 4.2.2 and renews it') or diag $renewed->as_string;
done_testing;

# The same request until the answer is not 202.
sub wait_for
{
    my ($ask) = @_;
    my $response;

    for (1 .. 30) {
        $response = $ask->();
        last if $response->code != 202;
        sleep($response->header('Retry-After') || 1);
    }
    return $response;
}
