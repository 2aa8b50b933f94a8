# SPDX-License-Identifier: Apache-2.0
#
# database-sqlite.t: a SQLite database that is locked, read-only, full, missing, changed under a
# running server or of another version: 503 and no voucher, at once or within seconds, and vouchers
# again as soon as it is well.
use FindBin;
use lib "$FindBin::RealBin/../lib";
use BRSKI::Test;
use BRSKI::Test::Answer;
use BRSKI::Test::Parallel;
use BRSKI::Test::World qw(dialect server_user);
use Time::HiRes qw(time);

plan(skip_all => 'this run is not on SQLite') if dialect() ne 'sqlite3';
require DBI;

my $masa = start_masa(name => 'sqlite', devices => 4, policy => 'MASAOwner any', more => [
    'known.example' => { policy => 'MASAOwner any', client => 'known' },
    'gate.example' => { policy => 'MASAOwner any', host => <<'EOF_HOST' },
<Location "/.well-known/brski">
    Require masa-customer
</Location>
EOF_HOST
]);
my ($lab, $httpd, $db) = ($masa->lab, $masa->httpd, $masa->db);
my $file = $db->file;
my %registrar = $lab->identity;
# What mod_dbd and its driver add of their own.
$httpd->expect(qr/\[dbd:|BRSKI112[123]/);

sub ask { return $httpd->post('requestvoucher', $lab->rvr(device => 1), %registrar, @_) }
sub events { return $db->sql('SELECT count(*) FROM voucher_event') + 0 }
sub well { return issued($httpd, ask(), "5.6 $_[0], vouchers are issued again") }

my $rvr = $lab->rvr(device => 2);
issued($httpd, $httpd->post('requestvoucher', $rvr, %registrar), '5.6 a voucher while all is well');
my $count = events();

# --- locked ---------------------------------------------------------------

my $dbh = DBI->connect("dbi:SQLite:dbname=$file", '', '', { RaiseError => 1, PrintError => 0 });
$dbh->do('BEGIN IMMEDIATE');
my $start = time;
refused($httpd, ask(), 503, 1075, qr/^The server is busy; try again later\.$/,
        '5.6 while another process holds the lock it is 503');
cmp_ok(time - $start, '<', 15, '5.6 within seconds');
$start = time;
my @answers = parallel(6, sub { ask() });
is(join(' ', map { $_->code } @answers), join(' ', (503) x 6), '5.6 for all who ask');
is(join(' ', map { $_->header('Retry-After') || 'none' } @answers), join(' ', (5) x 6),
   '5.6 who are told when to come again');
cmp_ok(time - $start, '<', 20, '5.6 and do not wait for one another');
$httpd->expect('BRSKI1075');
audit_log($httpd, $httpd->post_again('requestauditlog', $rvr, %registrar),
          '5.8 logs are read while vouchers cannot be written');
$dbh->do('ROLLBACK');
is(events(), $count, '5.6 no voucher was written');
well('when it is free');
$count = events();

$dbh->do('BEGIN IMMEDIATE');
my $waiting = begin(sub { ask() });
select undef, undef, undef, 0.7;
$dbh->do('ROLLBACK');
is(collect($waiting)->code, 200, '5.6 a lock that is held for a moment is waited for');
$dbh->disconnect;
$count++;

# --- missing --------------------------------------------------------------

rename $file, "$file.away" or die;
refused($httpd, ask(), 503, 1074, qr/^The server cannot reach its records now; try again later\.$/,
        '5.6 when its file is gone it is 503, for nobody would read what is written');
refused($httpd, $httpd->post('requestauditlog', $rvr, %registrar), 503, 1074, qr/cannot reach/,
        '5.8 for logs, too');
refused($httpd, ask(host => 'known.example'), 503, 1074, qr/cannot reach its records/,
        '5.4 and where customers must be known');
refused($httpd, ask(host => 'gate.example'), 503, 1074, qr/cannot reach its records/,
        '5.4 Require masa-customer is 503 then, not 403');
$httpd->expect('AH01630');
ok(!-e $file, '5.6 nothing makes a new one');
rename "$file.away", $file or die;
is(events(), $count, '5.6 no voucher was written');
well('when it is back');
$count = events();

# --- another form ---------------------------------------------------------

$db->sql('ALTER TABLE voucher_event RENAME TO events_x');
refused($httpd, ask(), 503, 1076, qr/^The server's records are not in the expected form; try again/,
        '5.6 a table that is missing is 503');
$db->sql('ALTER TABLE events_x RENAME TO voucher_event');
well('when it is there again');
$db->sql('ALTER TABLE device ADD COLUMN colour TEXT');
well('when a table got a column more');
$count = events();

# --- read-only and full ---------------------------------------------------

$httpd->stop;
chmod 0444, $file;
chmod 0555, $file =~ s{/[^/]*$}{}r;
unlink "$file-wal", "$file-shm";
$httpd->start;
SKIP: {
    skip 'this user may write what is read-only', 1 if -w $file && $> != 0;
    my $id = ask();
    my $number = ($httpd->log_line(qr/answered 503/) || '') =~ /BRSKI(107[47])/ ? $1 : 1077;
    refused($httpd, $id, 503, $number, qr/^The server cannot (?:write to|reach) its records now/,
            '5.6 a database that is read-only is 503');
}
$httpd->stop;
chmod 0755, $file =~ s{/[^/]*$}{}r;
chmod 0644, $file;
is(events(), $count, '5.6 no voucher was written');

my $pages = $db->sql('PRAGMA page_count') + 0;
my $conf = read_file($httpd->{conf});
write_file($httpd->{conf}, $conf =~ s/PRAGMA busy_timeout=\d+/PRAGMA max_page_count=$pages/r);
$httpd->start;
my $full;
for (1 .. 50) {
    $full = ask();
    last if $full->code != 200;
}
refused($httpd, $full, 503, 1077, qr/^The server cannot write to its records now; try again later/,
        '5.6 a database that is full is 503');
audit_log($httpd, $httpd->post('requestauditlog', $rvr, %registrar), '5.8 and its logs are read');
$httpd->stop;
write_file($httpd->{conf}, $conf);
$httpd->start;
well('with room again');
my ($status, $said) = $db->try_masactl('log', 'verify');
is($status, 0, '5.8 after all that the log is whole') or diag $said;

# --- another version ------------------------------------------------------

$db->sql("INSERT INTO schema_version (number, name, applied_at) VALUES (9999, '9999-x.sql', 0)");
($status, $said) = $httpd->configtest;
isnt($status, 0, 'a database of a newer version does not pass configtest');
like($said, qr/BRSKI2055: DBDParams: the database is not as this version needs it: .*newer/,
     'which says so');
well('by the server that runs');
$httpd->stop;
ok(!$httpd->try_start, 'nor is the server started on it');
$db->sql('DELETE FROM schema_version WHERE number = 9999');
$httpd->start;
well('with the right version');
done_testing;
