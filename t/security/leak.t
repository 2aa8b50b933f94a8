# SPDX-License-Identifier: Apache-2.0
#
# leak.t: a refused request leaks nothing: the memory of a server is as large after many on
# connections that are kept as it was before. BRSKI_LONG=1: a hundred thousand. Nor does a restart.
use FindBin;
use lib "$FindBin::RealBin/../lib";
use BRSKI::Test;
use BRSKI::Test::Attack;

plan(skip_all => 'sanitizers keep memory') if BRSKI::Test::World::sanitizer_library();
my $many = $ENV{BRSKI_LONG} ? 100_000 : 4000;
my $masa = under_attack(start_masa(name => 'leak', devices => 5, httpd => {
    workers => { StartServers => 1, ServerLimit => 1, ThreadsPerChild => 8, MaxRequestWorkers => 8,
                 MinSpareThreads => 1, MaxSpareThreads => 8 }, log_level => 'warn' }));
my ($lab, $httpd) = ($masa->lab, $masa->httpd);
my %registrar = $lab->identity;

# Refused by the rules that need most: the pledge's signature, after the records were read.
my $dir = new_dir('requests');
write_file(sprintf('%s/%04d.vcj', $dir, $_), $lab->rvr(args => [ '--prior-defect', 'signature' ]))
    for 1 .. 20;

sub refuse
{
    my ($n, @more) = @_;
    my ($status, $said) = $lab->try_brski('load', '--requests', $dir, '-n', $n, '-c', 4, '--expect',
                                          403,
        '--cert', $registrar{cert}, '--key', $registrar{key}, '--anchor', $lab->tls_anchor, @more,
        "https://localhost:" . $httpd->tls_port . '/.well-known/brski');
    is($status, 0, "5.5.5 $n are refused") or diag $said;
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

# Until queues and caches are as full as they get.
refuse(3000);
my $before = resident();
refuse($many);
my $grown = resident() - $before;
cmp_ok($grown, '<', 2048, "5.5.5 $many more refusals leave the server as large as it was")
    or diag "$before kB, then $grown kB more";
is(events(), 0, '5.5.5 and no event');
refuse(1000, '--new-connections');
cmp_ok(resident() - $before, '<', 4096, '5.4 so do a thousand new connections');

# httpd unloads the module and loads it again.
$httpd->graceful for 1 .. 4;
$before = resident_parent();
$httpd->graceful for 1 .. 8;
cmp_ok(resident_parent() - $before, '<', 500, 'nor does a restart leave anything');
$httpd->expect('BRSKI1123');                       # more came than are kept
done_testing;
