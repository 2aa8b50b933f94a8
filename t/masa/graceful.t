# SPDX-License-Identifier: Apache-2.0
#
# graceful.t: a graceful restart while vouchers are asked for: nobody notices; a changed configuration
# holds from then on, and one that is wrong stops nothing; what waits to be written is written when a
# process ends.
use FindBin;
use lib "$FindBin::RealBin/../lib";
use BRSKI::Test;
use BRSKI::Test::Answer;
use BRSKI::Test::World qw(spawn_process);
use JSON::PP ();

my $masa = start_masa(name => 'graceful', devices => 40);
my ($lab, $httpd) = ($masa->lab, $masa->httpd);
my $url = 'https://localhost:' . $httpd->tls_port . '/';

# Load for so many seconds; what brski says of it.
sub begin_load
{
    my ($seconds, @args) = @_;
    my $out = File::Temp->new(DIR => run_dir());
    my $pid = spawn_process([ tool('tools/brski/brski'), 'load', '--lab', $lab->dir, '--json',
                              '--seconds', $seconds, '--connections', 2, '--distinct', 300, @args, $url ],
                            stdout => $out, stderr => $out);
    return { pid => $pid, out => $out };
}
sub end_load
{
    my ($load) = @_;
    waitpid $load->{pid}, 0;
    return ($? >> 8, read_file($load->{out}->filename));
}

# --- while requests come --------------------------------------------------

for my $case ([ 'a new connection each', '--new-connections' ], [ 'connections that are kept' ]) {
    my ($kind, @args) = @$case;
    my $before = $masa->db->sql('SELECT count(*) FROM voucher_event') + 0;
    my $load = begin_load(3, @args);
    for (1 .. 2) {
        sleep 1;
        $httpd->graceful;
    }
    my ($status, $said) = end_load($load);
    is($status, 0, "two graceful restarts, $kind: each request is answered with a voucher")
        or diag $said;
    my $result = eval { JSON::PP->new->decode($said) } || {};
    my $events = $masa->db->sql('SELECT count(*) FROM voucher_event') - $before;
    cmp_ok($events, '>', 20, "$kind: there were many") or diag $said;
}
my ($status, $said) = $masa->db->try_masactl('log', 'verify');
is($status, 0, '5.8 the log is whole after it') or diag $said;

# --- another configuration ------------------------------------------------

my $text = read_file($httpd->{conf});
my $rvr = $lab->rvr(device => 1, args => [ '--no-prior' ]);
refused($httpd, $httpd->post('requestvoucher', $rvr), 403, 1034, qr/is required for this device/,
        '5.5.5 before a change');
(my $changed = $text) =~ s/MASAProximity required/MASAProximity optional/ or die;
write_file($httpd->{conf}, $changed);
$httpd->graceful;
issued($httpd, $httpd->post('requestvoucher', $rvr), '5.5.5 after a graceful restart it holds');

write_file($httpd->{conf}, $changed =~ s/MASAOwner any/MASAOwner nobody/r);
($status, $said) = $httpd->configtest;
isnt($status, 0, 'a configuration that is wrong does not pass configtest');
like($said, qr/BRSKI2025/, 'which says what is');
issued($httpd, $httpd->post('requestvoucher', $lab->rvr(device => 2)), 'and the server goes on');
write_file($httpd->{conf}, $text);

# --- what waits to be written ---------------------------------------------

sub refusals { return $masa->db->sql('SELECT count(*) FROM refusal') + 0 }
sub refuse { $httpd->post('requestvoucher', 'junk') for 1 .. 5 }

wait_until(10, sub { refusals() >= 1 });
my $so_far = refusals();
refuse();
$httpd->graceful;
ok(wait_until(10, sub { refusals() == $so_far + 5 }), 'refusals outlast a graceful restart')
    or diag refusals(), " of ", $so_far + 5;
refuse();
$httpd->stop;
is(refusals(), $so_far + 10, 'and the end of the server');
done_testing;
