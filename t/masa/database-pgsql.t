# SPDX-License-Identifier: Apache-2.0
#
# database-pgsql.t: a PostgreSQL that is restarted between two requests, ends without a word, hangs,
# is read-only, locked or of another form: 503 at once or within the patience, a bounded number of
# threads, other sites of the same httpd untouched, and vouchers again when it is well.
use FindBin;
use lib "$FindBin::RealBin/../lib";
use BRSKI::Test;
use BRSKI::Test::Answer;
use BRSKI::Test::Parallel;
use BRSKI::Test::Postgres;
use BRSKI::Test::World qw(dialect);
use Time::HiRes qw(time);

plan(skip_all => 'this run is not on PostgreSQL') if dialect() ne 'pgsql';

# A cluster of its own, for it has a hard time. Few threads, so that they can be counted.
my $cluster = BRSKI::Test::Postgres->new;
my $lab = new_lab(devices => 30);
my $db = new_database(cluster => $cluster);
$db->masactl('device', 'import', $lab->devices_csv);
$db->{params} .= " options='-c statement_timeout=3000 -c lock_timeout=2000'";
my $masa = start_masa(name => 'pgsql', lab => $lab, db => $db, policy => 'MASAOwner any',
    httpd => { workers => { StartServers => 1, ServerLimit => 1, ThreadsPerChild => 16,
                            MaxRequestWorkers => 16, MaxSpareThreads => 16 } },
    host => "MASADatabaseWorkers 3\nMASADatabasePatience 1s\n", more => [
        'gate.example' => { policy => 'MASAOwner any', host => <<'EOF_HOST' },
<Location "/.well-known/brski">
    Require masa-customer
</Location>
EOF_HOST
    ]);
my $httpd = $masa->httpd;
my %registrar = $lab->identity;
# What mod_dbd and the spool add of their own.
$httpd->expect(qr/\[dbd:|\bAH006\d\d\b|BRSKI112[123]/);

my $device = 1;
sub ask { return $httpd->post('requestvoucher', $lab->rvr(device => $device), %registrar, @_) }
sub events { return $db->sql('SELECT count(*) FROM voucher_event') + 0 }
sub admin { return $cluster->sql($db->{database}, $_[0], 'postgres') }
sub within
{
    my ($seconds, $since, $label) = @_;
    cmp_ok(time - $since, '<', $seconds, $label);
}

my $rvr = $lab->rvr(device => 2);
issued($httpd, $httpd->post('requestvoucher', $rvr, %registrar), '5.6 a voucher while all is well');

# --- restarted between two requests ---------------------------------------

for my $how ([ 'restarted' ], [ 'killed and started', kill => 1 ]) {
    my ($name, @how) = @$how;
    ask() for 1 .. 2;
    $cluster->restart(@how);
    my @answers = map { ask() } 1 .. 5;
    is(join(' ', map { $_->code } @answers), '200 200 200 200 200',
       "5.6 each request after PostgreSQL was $name is answered with a voucher");
    @answers = parallel(6, sub { ask() });
    is(join(' ', map { $_->code } @answers), '200 200 200 200 200 200',
       '5.6 on each connection');
    $cluster->restart(@how);
    audit_log($httpd, $httpd->post('requestauditlog', $rvr, %registrar),
              "5.8 a log right after PostgreSQL was $name");
}

# --- away -----------------------------------------------------------------

my $count = events();
for my $how ([], [ kill => 1 ]) {
    $cluster->stop(@$how);
    my $start = time;
    refused($httpd, ask(), 503, 1074, qr/^The server cannot reach its records now; try again later\.$/,
            '5.6 while PostgreSQL is away it is 503');
    refused($httpd, $httpd->post('requestauditlog', $rvr, %registrar), 503, 1074, qr/cannot reach/,
            '5.8 for logs, too');
    refused($httpd, ask(host => 'gate.example'), 503, 1074, qr/cannot reach/,
            '5.4 Require masa-customer is 503 then, not 403');
    within(5, $start, '5.6 at once');
    refused($httpd, $httpd->post('requestvoucher', 'junk'), 400, 1008, qr/not a DER/,
            '5.5 what needs no records is answered as ever');
    $cluster->start;
    issued($httpd, ask(), '5.6 and vouchers again when it is back');
}
$httpd->expect('AH01630', 'AH01631');
is(events(), $count + 2, '5.6 with an event for each voucher and no other');

# --- down when httpd starts -----------------------------------------------

$httpd->stop;
$cluster->stop;
my ($status, $said) = $httpd->configtest;
is($status, 0, 'a PostgreSQL that is away passes configtest') or diag $said;
like($said, qr/BRSKI2056/, 'with a warning');
$httpd->start;
$httpd->expect('BRSKI2056');
refused($httpd, ask(), 503, 1074, qr/cannot reach its records/, '5.6 httpd starts and answers 503');
$cluster->start;
issued($httpd, ask(), '5.6 until it is there');

# --- locked ---------------------------------------------------------------

my $psql = begin(sub { admin('BEGIN; LOCK TABLE voucher_event IN SHARE MODE; SELECT pg_sleep(9)') });
ok(wait_until(5, sub { admin("SELECT count(*) FROM pg_locks WHERE mode = 'ShareLock'") > 0 }),
   'another session locks the events');
my $start = time;
my @answers = parallel(5, sub { ask() });
is(join(' ', map { $_->code } @answers), '503 503 503 503 503',
   '5.6 while the events are locked it is 503');
is(scalar(grep { ($_->header('Retry-After') || '') =~ /^\d+$/ } @answers), 5, '5.6 with Retry-After');
within(7, $start, '5.6 within the timeout of the statement');
$httpd->expect('BRSKI1075');
audit_log($httpd, $httpd->post('requestauditlog', $rvr, %registrar), '5.8 logs are read meanwhile');
collect($psql);
issued($httpd, ask(), '5.6 and vouchers again when they are free');

# --- read-only ------------------------------------------------------------

admin('ALTER SYSTEM SET default_transaction_read_only = on');
admin('SELECT pg_reload_conf()');
ok(wait_until(10, sub { ask()->code == 503 }), '5.6 a PostgreSQL that becomes read-only');
$httpd->expect('BRSKI1077');
refused($httpd, ask(), 503, 1077, qr/^The server cannot write to its records now; try again later\.$/,
        '5.6 is 503');
audit_log($httpd, $httpd->post('requestauditlog', $rvr, %registrar), '5.8 and its logs are read');
# which its own SQL cannot undo
$cluster->command([ 'sh', '-c', 'cat /dev/null > "$1"', 'sh',
                    $cluster->dir . '/data/postgresql.auto.conf' ]);
admin('SELECT pg_reload_conf()');
ok(wait_until(10, sub { ask()->code == 200 }), '5.6 until it is no more');

# --- another form ---------------------------------------------------------

$db->sql('ALTER TABLE voucher_event RENAME TO events_x');
refused($httpd, ask(), 503, 1076, qr/^The server's records are not in the expected form; try again/,
        '5.6 a table that is missing is 503');
$db->sql('ALTER TABLE events_x RENAME TO voucher_event');
issued($httpd, ask(), '5.6 vouchers again when it is there');
$db->sql('ALTER TABLE device ADD COLUMN colour TEXT');
issued($httpd, ask(), '5.6 and when a table got a column more');
$db->sql("INSERT INTO schema_version (number, name, applied_at) VALUES (9999, '9999-x.sql', 0)");
($status, $said) = $httpd->configtest;
isnt($status, 0, 'a database of a newer version does not pass configtest');
like($said, qr/BRSKI2055: .*newer/, 'which says so');
issued($httpd, ask(), '5.6 the server that runs goes on');
$db->sql('DELETE FROM schema_version WHERE number = 9999');

# --- hung -----------------------------------------------------------------

# The server and the backends that serve its connections: alive to TCP, and silent.
sub backends
{
    my $pid = $cluster->pid;
    return ($pid, split ' ', read_file("/proc/$pid/task/$pid/children"));
}

$count = events();
my @stopped = backends();
kill 'STOP', @stopped;
my @held = map { my $n = $_; begin(sub { $device = 2 + $n; ask() }) } 1 .. 3;
select undef, undef, undef, 2.5;                 # longer than the patience
$start = time;
my @turned_away = parallel(6, sub { ask() });
my $took = time - $start;
is(join(' ', map { $_->code } @turned_away), '503 503 503 503 503 503',
   '5.6 while PostgreSQL hangs newcomers get 503');
is(join(' ', map { $_->header('Retry-After') || 'none' } @turned_away), '5 5 5 5 5 5',
   '5.6 with Retry-After');
cmp_ok($took, '<', 3, '5.6 at once');
$start = time;
my $plain = $httpd->get('/', tls => 0);
is($plain->code, 403, 'another site of this httpd answers');
within(1, $start, 'at once');
refused($httpd, $httpd->post('requestvoucher', 'junk'), 400, 1008, qr/not a DER/,
        '5.5 and so does what needs no records');
kill 'CONT', @stopped;
my @late = map { collect($_) } @held;
my $served = grep { $_->code == 200 } @late;
my $timed_out = grep { $_->code == 503 } @late;
# 503: a statement that timed out meanwhile
is($served + $timed_out, 3, '5.6 those who were held are answered when it goes on');
issued($httpd, ask(), '5.6 who comes then gets a voucher');
@answers = parallel(6, sub { ask() });
is(join(' ', map { $_->code } @answers), '200 200 200 200 200 200', '5.6 all of them');
is(events(), $count + $served + 7, '5.6 each with one event');

($status, $said) = $db->try_masactl('log', 'verify');
is($status, 0, '5.8 after all that the log is whole') or diag $said;
done_testing;
