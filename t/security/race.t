# SPDX-License-Identifier: Apache-2.0
#
# race.t: two servers on one database that issue for the same device at once, get the same request
# at once, or are asked while the device is being blocked: one chain, one voucher a request, and
# nothing after the block.
use FindBin;
use lib "$FindBin::RealBin/../lib";
use BRSKI::Test;
use BRSKI::Test::Attack;
use BRSKI::Test::Parallel;
use Digest::SHA qw(sha256_hex);
use HTTP::Response ();

my $masa = under_attack(start_masa(name => 'one', devices => 5, policy => 'MASAOwner any'));
my ($lab, $db) = ($masa->lab, $masa->db);
my $two = start_masa(name => 'two', lab => $lab, db => $db, policy => 'MASAOwner any');
my @servers = ($masa->httpd, $two->httpd);

# The busy ones are asked again, as Retry-After says, but sooner.
sub ask
{
    my ($server, $rvr, $operation) = @_;
    my $response;

    for (1 .. 40) {
        $response = $server->post($operation || 'requestvoucher', $rvr, $lab->identity);
        last if $response->code != 503;
        select undef, undef, undef, 0.05 + rand 0.1;
    }
    return $response;
}

# --- one device, many requests --------------------------------------------

my @requests = map { $lab->rvr(device => 1) } 1 .. 40;
my @answers = parallel(8, sub {
    my ($i) = @_;
    return join ',', map { my $response = ask($servers[$i % 2], $requests[$i * 5 + $_]);
                           $response->code . ' ' . sha256_hex($response->content) } 0 .. 4;
});
my @hashes = map { /^200 (\w+)$/ ? $1 : () } map { split /,/ } @answers;
is(scalar @hashes, 40, '5.6 two servers issue for the same device at once: all are served')
    or diag @answers;
my %event = map { $_ => 1 } split /\n/, $db->sql('SELECT voucher_hash FROM voucher_event');
is(scalar(grep { !$event{$_} } @hashes), 0, '5.6 each voucher has its event');
is(events(), 40, '5.6 each request one');
is($db->sql('SELECT count(DISTINCT seq), max(seq), count(DISTINCT prev_hash) FROM voucher_event'),
   "40|40|40\n", '5.8 in one chain without gap or branch');

# --- one request, many times ----------------------------------------------

my $rvr = $lab->rvr(device => 2);
@answers = parallel(8, sub { ask($servers[$_[0] % 2], $rvr) });
is(join(' ', map { $_->code } @answers), join(' ', (200) x 8),
   '5.6 eight get the same request at once');
is(scalar(keys %{ { map { sha256_hex($_->content) => 1 } @answers } }), 1,
   '5.6 and give one voucher');
is(events(), 41, '5.6 that has one event');

# A fresh request opens a log for one who has no key, whichever server is asked.
my $fresh = $lab->rvr(device => 2);
@answers = parallel(8, sub { $servers[$_[0] % 2]->post('requestauditlog', $fresh) });
is(scalar(grep { $_->code == 200 } @answers), 1,
   '5.8 a fresh request that eight bring at once serves one')
    or diag map { $_->code . ' ' } @answers;
is(scalar(grep { $_->code == 404 } @answers), 7, '5.8 the others are nobody');

# --- a block in between ---------------------------------------------------

my @jobs = map {
    my $i = $_;
    begin(sub {
        my @codes;
        for my $n (1 .. 60) {
            push @codes, ask($servers[$i % 2], $lab->rvr(device => 3))->code;
            last if $codes[-1] != 200;
        }
        return join ' ', @codes;
    });
} 0 .. 3;
wait_until(30, sub { events() >= 46 }) or diag 'it is slow';
$masa->masactl(qw(device block --reason stolen), $lab->serial(3));
# what was being written in that moment may come before it
select undef, undef, undef, 0.5;
my $blocked = events();
my @codes = map { split / / } map { collect($_) } @jobs;
is(scalar(grep { $_ == 403 } @codes), 4, '10.4 after the block every server refuses');
is(events(), $blocked, '10.4 and no event comes behind it');
is(scalar(grep { $_ == 200 } @codes), events() - 41, '5.6 as many events as vouchers');
no_harm_done();
$_->expect('BRSKI1078', 'BRSKI1075') for @servers;
done_testing;
