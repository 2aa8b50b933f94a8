# SPDX-License-Identifier: Apache-2.0
#
# environment.t: what logs and expressions learn of a request to a registrar or EST server.
use FindBin;
use lib "$FindBin::RealBin/../lib";
use BRSKI::Test;

my $lab = new_lab(devices => 2);
my $est = start_est(name => 'environment', lab => $lab, est => <<'EOF_EST', host => <<'EOF_HOST');
    ESTRequireVoucher Off
    <ESTLabel vpn>
        ESTApprove On
    </ESTLabel>
EOF_EST
LogFormat "%{EST_OPERATION}e|%{EST_LABEL}e|%{EST_RESULT}e|%{EST_MANUFACTURER}e|%{EST_SERIAL}e|\
%{EST_CERT_SERIAL}e|%{EST_REQUEST_ID}e" est
CustomLog @DIR@/est_log est
EOF_HOST
my $httpd = $est->httpd;
my %device = $lab->device(1);
my $serial = $lab->serial(1);
my $csr = $est->csr(subject => "/CN=$serial")->{der};
my $seen = 0;

# The last line, in its parts, once it is there.
sub logged
{
    my @lines;

    wait_until(5, sub { @lines = -f $httpd->dir . '/est_log' ? split /\n/, read_file($httpd->dir . '/est_log') : ();
                        @lines > $seen });
    $seen = @lines;
    return split /\|/, $lines[-1];
}

$est->get('cacerts');
is(join(',', (logged())[0 .. 5]), 'cacerts,-,cacerts,-,-,-', '7030 4.1 CA certificates');
my $issued = $est->enrol('simpleenroll', $csr, %device);
my ($operation, $label, $result, $maker, $of, $certificate, $id) = logged();
is("$operation $label $result $maker $of", "simpleenroll - issued lab $serial",
   '7030 4.2.3 a certificate: for whom');
my ($hex) = $est->certificates($issued->content) =~ /Serial Number:\s*([0-9a-f:]+)/;
$hex =~ s/://g;
is($certificate, $hex, '7030 4.2.3 and which');
ok($httpd->log_line(qr/BRSKI3213: .*\Q$id\E/), 'the request id is the one of the error log');
$est->enrol('simpleenroll', $csr, %device);
is((logged())[2], 'again', '5.9 the same request again');
my $wait = $est->enrol('vpn/simpleenroll', $csr, %device);
is($wait->code . ' ' . join(',', (logged())[0 .. 4]), "202 simpleenroll,vpn,waiting,lab,$serial",
   '7030 4.2.3 one that waits for a human');
like($wait->header('Retry-After'), qr/^\d+$/, '7030 4.2.3 is told how long');
is(length $wait->content, 0, '7030 4.2.3 and nothing else');
$est->enrol('simpleenroll', 'x', %device);
is((logged())[2], 'CSR', '7030 4.2.1 a refusal, by its name');
$est->enrol('nothing', 'x', %device);
is((logged())[2], 'OPERATION', '7030 3.2.2 a path that is none');
$httpd->post('requestvoucher', 'x', %device);
is(join(',', (logged())[0, 2]), 'requestvoucher,CMS', '5.2 a registrar\'s operation');
done_testing;
