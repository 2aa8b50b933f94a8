# SPDX-License-Identifier: Apache-2.0
#
# leak.t: a registrar is as large after many requests, connections and restarts as it was before.
use FindBin;
use lib "$FindBin::RealBin/../lib";
use BRSKI::Test;
use MIME::Base64 qw(encode_base64);

plan(skip_all => 'sanitizers keep memory') if BRSKI::Test::World::sanitizer_library();
my $many = $ENV{BRSKI_LONG} ? 20_000 : 250;
my $lab = new_lab(devices => 2);
my $est = start_est(name => 'leak', lab => $lab, est => "    ESTRequireVoucher Off\n", httpd => {
    workers => { StartServers => 1, ServerLimit => 1, ThreadsPerChild => 4, MaxRequestWorkers => 4,
                 MinSpareThreads => 1, MaxSpareThreads => 4 }, log_level => 'warn' });
my $httpd = $est->httpd;
my %device = $lab->device(1);
my $body = encode_base64($est->csr(subject => '/CN=' . $lab->serial(1))->{der}, '');
my $pvr = $lab->pvr(device => 1, domain => 'stranger');
$httpd->expect('BRSKI1108');

sub ask
{
    my ($n, %opt) = @_;
    my $agent = $opt{kept} ? $httpd->agent(%device, keep_alive => 1) : undef;
    my %client = $agent ? (agent => $agent) : %device;
    my %seen;

    for (1 .. $n) {
        $seen{$est->enrol('simpleenroll', $body, raw => 1, %client)->code}++;
        $seen{$est->enrol('simpleenroll', 'x', raw => 1, %client)->code}++;
        $seen{$est->get('csrattrs', %client)->code}++;
    }
    is(join(' ', map { "$_:$seen{$_}" } sort keys %seen), "200:@{[ 2 * $n ]} 400:$n",
       "7030 4.2 $n certificates, $n lists of attributes and $n refusals");
}

# Resident kilobytes of the one child, and of the parent.
sub resident { return size_of(qr/^PPid:\s+@{[ $httpd->pid ]}$/m) }
sub resident_parent { return size_of(qr/^Pid:\s+@{[ $httpd->pid ]}$/m) }

sub size_of
{
    my ($process) = @_;

    for my $status (glob '/proc/[0-9]*/status') {
        my $text = eval { read_file($status) } || '';
        return $1 if $text =~ $process && $text =~ /^VmRSS:\s+(\d+) kB$/m;
    }
    die "no such process\n";
}

ask(100, kept => 1);
ask(10);
my $before = resident();
ask($many, kept => 1);
my $grown = resident() - $before;
cmp_ok($grown, '<', 2048, '7030 4.2 leave the server as large as it was') or diag "$grown kB more";
ask(25);
$httpd->post('requestvoucher', $pvr, %device) for 1 .. 20;
$grown = resident() - $before;
cmp_ok($grown, '<', 4096, '5.2 so do new connections') or diag "$grown kB more";

$httpd->graceful for 1 .. 3;
my $parent = resident_parent();
$httpd->graceful for 1 .. 6;
$grown = resident_parent() - $parent;
cmp_ok($grown, '<', 500, 'nor does a restart leave anything') or diag "$grown kB more";
done_testing;
