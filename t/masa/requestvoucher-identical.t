# SPDX-License-Identifier: Apache-2.0
#
# requestvoucher-identical.t: the same bytes again get the same voucher for MASAReuse, after device
# and owner were judged again, and add nothing to the log; later they are stale. And how old a
# request may be at all: MASAMaxAge, MASAClockSkew.
use FindBin;
use lib "$FindBin::RealBin/../lib";
use BRSKI::Test;
use BRSKI::Test::Answer;
use BRSKI::Test::Parallel;
use POSIX ();

my %line = (lines => [ any => 'MASAOwner any', sold => 'MASAOwner sold' ]);
my $masa = start_masa(name => 'identical', devices => 20, %line, more => [
    'short.example' => { %line, host => "MASAReuse 3s\n" },
    'never.example' => { %line, host => "MASAReuse 0\n" },
    'strict.example' => { %line, host => "MASAMaxAge 1h\nMASAClockSkew 1min\n" },
    'any.example' => { %line, host => "MASAMaxAge 0\n" },
]);
my ($lab, $httpd) = ($masa->lab, $masa->httpd);

sub post
{
    my ($rvr, $host) = @_;
    return $httpd->post('requestvoucher', $rvr, $host ? (host => $host) : ());
}

sub events
{
    my ($device) = @_;
    my $serial = $lab->serial($device);

    return $masa->db->sql("SELECT count(*) FROM voucher_event WHERE serial_number = '$serial'") + 0;
}

# --- the same bytes -------------------------------------------------------

my $device = $masa->new_device(product => 'any');
my $rvr = $lab->rvr(device => $device);
my $first = post($rvr);
issued($httpd, $first, '5.6 a voucher is issued');
for my $host (undef, 'any.example') {
    my $again = post($rvr, $host);
    issued($httpd, $again, '5.6 the same bytes get one again');
    ok($again->content eq $first->content, '5.6 which is the same');
}
ok($httpd->log_line(qr/BRSKI2211: voucher reissued: /), '5.6 the log calls it reissued');
is(events($device), 1, '5.6 with one event');
my $log = audit_log($httpd, $httpd->post('requestauditlog', $rvr, $lab->identity),
                    '5.8 the same bytes open the log');
is(scalar @{ $log->{events} }, 1, '5.6 which has one event');
ok(!exists $log->{events}[0]{truncated}, '5.8.1 that stands for no other');

my @answers = parallel(8, sub { post($rvr) });
is(scalar(grep { $_->code == 200 && $_->content eq $first->content } @answers), 8,
   '5.6 eight at once get the same voucher');
my $device_2 = $masa->new_device(product => 'any');
my $rvr_2 = $lab->rvr(device => $device_2);
@answers = parallel(8, sub { post($rvr_2) });
is(scalar(grep { $_->code == 200 && $_->content eq $answers[0]->content } @answers), 8,
   '5.6 eight at once for the first time, too');
is(events($device_2), 1, '5.6 with one event');
my $rvr_3 = $lab->rvr(device => $device_2);
issued($httpd, post($rvr_3), '5.6 other bytes for the same device get another voucher');
is(events($device_2), 2, '5.6 with an event of its own');

# --- judged again ---------------------------------------------------------

$masa->masactl(qw(device block --reason test), $lab->serial($device));
refused($httpd, post($rvr), 403, 1030, qr/: test\.$/, '10.4 the same bytes get none once it is blocked');
$masa->masactl(qw(device unblock), $lab->serial($device));
ok(post($rvr)->content eq $first->content, '5.6 and the same again when it is not');

$masa->customer('domain', '--cert' => $lab->path('domain/registrar.pem'));
$masa->customer('other', '--user' => 'nobody');
my $sold = $masa->new_device(product => 'sold', customer => 'domain');
my $for_sold = $lab->rvr(device => $sold);
issued($httpd, post($for_sold), '5.5.4 the buyer gets a voucher');
$masa->masactl(qw(device assign --customer other), $lab->serial($sold));
refused($httpd, post($for_sold), 403, 1033, qr/has not been sold/,
        '5.5.4 the same bytes get none after a resale');
refused($httpd, $httpd->post('requestvoucher', $rvr, accept => 'text/plain'), 406, 1007,
        qr/application\/voucher-cms\+json/, '5.6 Accept is looked at for the same bytes, too');

# --- later ----------------------------------------------------------------

my $never = $lab->rvr(device => $device);
issued($httpd, post($never, 'never.example'), '5.6 MASAReuse 0: a voucher is issued');
refused($httpd, post($never, 'never.example'), 403, 1043, qr/^The request is stale; make a new one/,
        '5.6 MASAReuse 0: the same bytes are stale at once');
my $short = $lab->rvr(device => $device);
my $got = post($short, 'short.example');
issued($httpd, $got, '5.6 MASAReuse 3s: a voucher is issued');
ok(post($short, 'short.example')->content eq $got->content, '5.6 MASAReuse 3s: and again at once');
sleep 4;
refused($httpd, post($short, 'short.example'), 403, 1043, qr/^The request is stale; make a new one/,
        '5.6 MASAReuse 3s: four seconds later the same bytes are stale');
audit_log($httpd, $httpd->post('requestauditlog', $short, $lab->identity, host => 'short.example'),
          '5.8 for its log they are not judged for age again');

# --- created-on -----------------------------------------------------------

sub made
{
    my ($seconds, @args) = @_;
    my $at = POSIX::strftime('%Y-%m-%dT%H:%M:%SZ', gmtime(time + $seconds));
    my $pvr = $lab->pvr(device => $device, args => [ '--created-on', $at ]);

    return $lab->rvr(pvr => $pvr, args => [ '--created-on', $at, @args ]);
}
my ($hour, $day) = (3600, 86_400);
my $old = qr/^The request is stale: its created-on is too old; /;
my $ahead = qr/^The request is stale: its created-on is in the future; /;

issued($httpd, post(made(-5 * $day + 60)), '5.6 a request of nearly five days is served');
refused($httpd, post(made(-5 * $day - 60)), 403, 1043, $old,
        '5.6 one of more than five days is stale');
issued($httpd, post(made(240)), '5.6 a clock may be four minutes ahead');
refused($httpd, post(made(360)), 403, 1043, $ahead, '5.6 and not six');
issued($httpd, post(made(-$hour + 60), 'strict.example'), '5.6 MASAMaxAge 1h serves one of 59 minutes');
refused($httpd, post(made(-$hour - 60), 'strict.example'), 403, 1043, $old,
        '5.6 MASAMaxAge 1h and refuses one of 61');
refused($httpd, post(made(90), 'strict.example'), 403, 1043, $ahead, '5.6 MASAClockSkew 1min holds');
issued($httpd, post(made(-3000 * $day), 'any.example'), '5.6 MASAMaxAge 0 does not look at it');

sub pledge_of
{
    my ($age) = @_;
    my $at = POSIX::strftime('%Y-%m-%dT%H:%M:%SZ', gmtime(time - $age));

    return $lab->rvr(pvr => $lab->pvr(device => $device, args => [ '--created-on', $at ]));
}
issued($httpd, post(pledge_of(9 * $day - 60)),
       '5.6 a pledge may repeat its request for four days: one that old in a new one is served');
refused($httpd, post(pledge_of(9 * $day + 60)), 403, 1043,
        qr/^The pledge's request is stale: its created-on is too old; /, '5.6 an older one is stale');
my $undated = $lab->pvr(device => $device, args => [ '--created-on', 'none' ]);
issued($httpd, post($lab->rvr(pvr => $undated, args => [ '--created-on', 'none' ])),
       '5.6 requests that do not say when they were made are served');
done_testing;
