# SPDX-License-Identifier: Apache-2.0
#
# mpm.t: a registrar joins devices under every MPM, keeps its promises over a graceful restart, and
# leaves nothing behind when it ends.
use FindBin;
use lib "$FindBin::RealBin/../lib";
use BRSKI::Test;
use BRSKI::Test::Httpd;

my $masa = main_server();
my $lab = $masa->lab;

for my $mpm (qw(event worker prefork)) {
    SKIP: {
        skip "no MPM $mpm here", 4 if !BRSKI::Test::Httpd->has_mpm($mpm);
        my $est = start_est(name => $mpm, lab => $lab, masa => $masa->httpd, httpd => { mpm => $mpm });
        my $httpd = $est->httpd;
        my $n = $masa->new_device;
        my %device = $lab->device($n);
        my $pvr = $lab->pvr(device => $n);

        is(ask($httpd, $pvr, %device)->code, 200, "5.6 $mpm: a voucher");
        my $csr = $est->csr(subject => '/CN=' . $lab->serial($n));
        is(enrolled($est, $csr, %device), 200, "7030 4.2.3 $mpm: a certificate");

        $httpd->graceful;
        is($httpd->post('requestvoucher', $pvr, %device)->code, 200,
           "5.6 $mpm: the same request gets its voucher after a graceful restart, at once");
        is($est->enrol('simpleenroll', $csr->{der}, %device)->code, 200,
           "5.9 $mpm: the same enrolment its certificate");
        my @children = children($httpd->pid);
        my $began = time;
        $httpd->stop;
        cmp_ok(time - $began, '<', 10, "$mpm: it ends soon");
        is(scalar(grep { kill 0, $_ } @children), 0, "$mpm: and leaves no process");
    }
}
done_testing;

sub ask
{
    my ($httpd, $pvr, %device) = @_;
    my $response;

    for (1 .. 15) {
        $response = $httpd->post('requestvoucher', $pvr, %device);
        last if $response->code != 202;
        sleep($response->header('Retry-After') || 1);
    }
    return $response;
}

sub enrolled
{
    my ($est, $csr, %device) = @_;
    my $response;

    for (1 .. 15) {
        $response = $est->enrol('simpleenroll', $csr->{der}, %device);
        last if $response->code != 202;
        sleep($response->header('Retry-After') || 1);
    }
    return $response->code;
}

sub children
{
    my ($parent) = @_;
    my @pids;

    for my $stat (glob '/proc/[0-9]*/stat') {
        open my $in, '<', $stat or next;
        my ($pid, $of) = (readline($in) || '') =~ /^(\d+) \(.*\) \S (\d+)/ or next;
        push @pids, $pid if $of == $parent;
    }
    return @pids;
}
