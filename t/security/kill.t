# SPDX-License-Identifier: Apache-2.0
#
# kill.t: a server that is killed with -9 in the middle of 1,000 requests, first one child, then all
# of it: no voucher left without its event, the chains are valid, and whoever asks again gets the
# voucher that was made, once.
use FindBin;
use lib "$FindBin::RealBin/../lib";
use BRSKI::Test;
use BRSKI::Test::Attack;
use BRSKI::Test::Parallel;
use Digest::SHA qw(sha256_hex);

my $ALL = 1000;
my $masa = under_attack(start_masa(name => 'kill', devices => 20, policy => 'MASAOwner any'));
my ($lab, $httpd, $db) = ($masa->lab, $masa->httpd, $masa->db);
my $dir = new_dir('kill');
$lab->brski('load', '--lab', $lab->dir, '--prepare', "$dir/requests", '-n', $ALL);
my @requests = map { read_file($_) } sort glob "$dir/requests/*";
is(scalar @requests, $ALL, "control: $ALL requests for 20 devices");

# Each of these asks for a quarter of the vouchers and keeps what it got; what failed is asked again
# until all is over.
mkdir "$dir/vouchers";
sub ask_quarter
{
    my ($quarter) = @_;
    my $agent = $httpd->agent(keep_alive => 1);
    my %got;

    for (my $n = $quarter; $n < $ALL; $n += 4) {
        my $response = $httpd->post('requestvoucher', $requests[$n], agent => $agent);
        $got{ $response->code }++ if !$response->header('Client-Warning');
        if ($response->code == 200) {
            write_file("$dir/vouchers/$n", $response->content);
        }
        else {
            last if -e "$dir/over";
            $n -= 4;
            select undef, undef, undef, 0.05;
        }
    }
    return join ' ', keys %got;
}

sub wait_for_events
{
    my ($n) = @_;
    wait_until(120, sub { events() >= $n }) or die "no $n events in two minutes\n";
}

sub children
{
    my $parent = $httpd->pid;
    return grep { (eval { read_file("/proc/$_/stat") } || '') =~ /\) \S $parent / }
           map { m{/proc/(\d+)/} } glob '/proc/[0-9]*/stat';
}

my @jobs = map { my $quarter = $_; begin(sub { ask_quarter($quarter) }) } 0 .. 3;
wait_for_events(200);
my ($child) = children();
# an id that is undefined would be this test's own group
kill 'KILL', $child if $child;
wait_for_events(400);
isnt($child, undef, 'one child was killed, and the others went on');
write_file("$dir/over", '');
my @tree = ($httpd->pid, children());
kill 'KILL', grep { $_ > 1 } @tree;
waitpid delete $httpd->{pid}, 0;
my %codes;
for my $job (@jobs) {
    $codes{$_}++ for split / /, collect($job);
}
is(join(' ', sort keys %codes), '200', 'while it was killed it answered right or not at all');

# --- what is left ---------------------------------------------------------

sub hashes { return map { $_ => 1 } split /\n/, $db->sql('SELECT voucher_hash FROM voucher_event') }
my %event = hashes();
my @kept = map { m{/(\d+)$} } glob "$dir/vouchers/*";
my $made = keys %event;
cmp_ok(scalar @kept, '>', 100, 'control: many had got theirs');
cmp_ok(scalar @kept, '<', $ALL, 'control: not all');
is(scalar(grep { !$event{ sha256_hex(read_file("$dir/vouchers/$_")) } } @kept), 0,
   '5.6 no voucher is without its event');
cmp_ok($made - @kept, '<=', 4 + 4,
       '5.6 an event without answer there is at most for each that was under way');
my ($status, $said) = $db->try_masactl(qw(log verify));
is($status, 0, '5.8 the chains of events are valid') or diag $said;

# --- and then -------------------------------------------------------------

$httpd->mark;
$httpd->start;
my $same = 0;
my $agent = $httpd->agent(keep_alive => 1);
%codes = ();
for my $n (0 .. $ALL - 1) {
    my $response = $httpd->post('requestvoucher', $requests[$n], agent => $agent);
    $codes{ $response->code }++;
    $same++ if -e "$dir/vouchers/$n" && read_file("$dir/vouchers/$n") eq $response->content;
}
is(join(' ', map { "$_: $codes{$_}" } sort keys %codes), "200: $ALL",
   '5.6 who asks again gets a voucher');
is($same, scalar @kept, '5.6 and the one that was made, if one was');
is(events(), $ALL, '5.6 every request has one event');
$httpd->expect('AH00098');                            # that it was killed
no_harm_done();
done_testing;
