# SPDX-License-Identifier: Apache-2.0
#
# database.t: a database that is locked, read-only, full, missing, or of a newer schema: no voucher
# without its event, 503 with Retry-After, no child lost, and the same request is served when the
# trouble is over.
use FindBin;
use lib "$FindBin::RealBin/../lib";
use BRSKI::Test;
use BRSKI::Test::Attack;
use BRSKI::Test::World ();

my $masa = under_attack(start_masa(name => 'database', devices => 12));
my ($lab, $httpd, $db) = ($masa->lab, $masa->httpd, $masa->db);
my $sqlite = dialect() eq 'sqlite3';
my %registrar = $lab->identity;
my $owned = $lab->rvr(device => 1);
served($httpd->post('requestvoucher', $owned, %registrar), 'control: a database that works');
my $n = 1;

# While the trouble lasts; what undoes it; and then.
sub trouble
{
    my ($what, $begin, $end, $numbers, %opt) = @_;
    my $rvr = $lab->rvr(device => ++$n);
    my $before = events();
    my $undo = $begin->();
    $httpd->mark;
    my $response = $httpd->post('requestvoucher', $rvr);
    my ($number) = ($httpd->log_line(qr/BRSKI\d+: requestvoucher answered 503/, 5)
                    || '') =~ /BRSKI(\d+)/;

    ok(defined $number && grep({ $_ == $number } @$numbers), "5.6 $what: the log says why")
        or diag defined $number ? $number : 'no line';
    BRSKI::Test::Answer::refused($httpd, $response, 503, $number, qr/; try again later\.$/,
                                 "5.6 $what: 503, try again later");
    if ($opt{reads}) {
        read_log($httpd->post_again('requestauditlog', $owned, %registrar),
                 "5.8 $what: logs can be read");
    }
    $end->($undo);
    is(events(), $before, "5.6 $what: there is no event");
    my $later = $httpd->post('requestvoucher', $rvr);
    $later = $httpd->post('requestvoucher', $rvr) if $later->code == 503;      # it may notice now
    served($later, "5.6 $what: the same request is served when it is over");
}

# --- locked ---------------------------------------------------------------

sub lock_sqlite
{
    my $dbh = DBI->connect('dbi:SQLite:dbname=' . $db->file, '', '',
                           { RaiseError => 1, PrintError => 0 });

    $dbh->do('BEGIN IMMEDIATE');
    return $dbh;
}

# As a statement that takes long would.
sub lock_pgsql
{
    open my $null, '>', '/dev/null';
    my $pid = BRSKI::Test::World::spawn_process(
        [ 'psql', '-X', '-q', '-d', $db->params, '-c',
         'BEGIN; LOCK TABLE voucher_event IN EXCLUSIVE MODE; '
          . 'SELECT pg_sleep(60); COMMIT' ], stdout => $null, stderr => $null);
    wait_until(10,
        sub { $db->sql("SELECT count(*) FROM pg_locks l JOIN pg_class c ON c.oid = l.relation "
        . "WHERE c.relname = 'voucher_event' AND l.mode = 'ExclusiveLock' AND l.granted") > 0 })
        or die "no lock\n";
    return $pid;
}

# Ends its session: killing psql would leave it asleep.
sub unlock_pgsql
{
    my ($pid) = @_;

    admin('SELECT pg_terminate_backend(pid) FROM pg_stat_activity '
          . 'WHERE query LIKE \'%pg_sleep(60)%\''
          . ' AND pid <> pg_backend_pid()');
    BRSKI::Test::World::stop_process($pid, 'TERM');
}

sub admin { return $db->cluster->sql('postgres', $_[0], 'postgres') }

# Settings of a database hold for new connections.
sub set_pgsql
{
    my ($setting) = @_;
    my $name = $db->{database};

    admin(qq{ALTER DATABASE "$name" $setting});
    admin("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '$name'");
}

# It must be nobody's at that moment, and the server comes back twice a second.
sub rename_pgsql
{
    my ($from, $to) = @_;

    for (1 .. 50) {
        admin("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '$from'");
        return if eval { admin(qq{ALTER DATABASE "$from" RENAME TO "$to"}); 1 };
    }
    die $@;
}

if ($sqlite) {
    trouble('locked', \&lock_sqlite, sub { $_[0]->rollback; $_[0]->disconnect }, [ 1075 ],
            reads => 1);
}
else {
    set_pgsql("SET lock_timeout = '300ms'");
    trouble('locked', \&lock_pgsql, \&unlock_pgsql, [ 1075 ], reads => 1);
}

# --- read-only ------------------------------------------------------------

# Another owner, as masactl run by root would leave it; httpd opens it again.
sub modes
{
    my ($file, $dir) = @_;
    my @files = glob $db->file . '*';
    (my $path = $db->file) =~ s{/[^/]*$}{};

    chown 0, 0, @files, $path if $> == 0 && $dir == 0555;
    chmod $file, @files;
    chmod $dir, $path;
    BRSKI::Test::World::give_to_server(@files, $path) if $dir == 0755;
    $httpd->graceful;
}
if ($sqlite) {
    trouble('read-only', sub { modes(0444, 0555) }, sub { modes(0644, 0755) }, [ 1074, 1077 ]);
}
else {
    trouble('read-only', sub { set_pgsql('SET default_transaction_read_only = on') },
            sub { set_pgsql('RESET default_transaction_read_only') }, [ 1077 ], reads => 1);
}

# --- full -----------------------------------------------------------------

# PostgreSQL says so of whatever disk it is; here a trigger does.
my $full = <<'EOF_SQL';
CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'; END $$;
CREATE TRIGGER full_disk BEFORE INSERT ON voucher_event FOR EACH ROW EXECUTE FUNCTION full_disk()
EOF_SQL
if ($sqlite) {
    my $tight = BRSKI::Test::Masa->new(name => 'tight', lab => $lab, db => $db);
    my $pages = $db->sql('PRAGMA page_count') + 0;
    my $text = read_file($tight->httpd->{conf});
    $text =~ s/^(DBDInitSQL)/$1 "PRAGMA max_page_count=$pages"\n$1/m;

    write_file($tight->httpd->{conf}, $text);
    $tight->start;
    my ($before, $asked, $response) = (events(), 0);
    for (1 .. 50) {
        $response = $tight->httpd->post('requestvoucher', $lab->rvr(device => 9));
        $asked++ if $response->code == 200;
        last if $response->code != 200;
    }
    BRSKI::Test::Answer::refused($tight->httpd, $response, 503, 1077,
                                 qr/cannot write to its records now/,
                                 '5.6 full: 503, try again later');
    is(events(), $before + $asked, '5.6 full: as many events as vouchers');
    read_log($httpd->post_again('requestauditlog', $owned, %registrar),
             '5.8 full: logs can be read');
    $tight->httpd->expect(qr/BRSKI112\d|\[dbd:/);
    $tight->httpd->stop;
    under_attack($masa);
}
else {
    trouble('full', sub { $db->sql($full) },
            sub { $db->sql('DROP TRIGGER full_disk ON voucher_event; DROP FUNCTION full_disk()') },
                [ 1077 ],
            reads => 1);
}

# --- a newer schema -------------------------------------------------------

my ($version) = sort { $b <=> $a } split /\n/, $db->sql('SELECT number FROM schema_version');
$db->sql('INSERT INTO schema_version (number, name, applied_at) '
         . "VALUES (@{[ $version + 1 ]}, 'later', 0)");
my ($status, $said) = $httpd->configtest;
isnt($status, 0, '5.6 a newer schema: configtest refuses it');
like($said, qr/BRSKI2055: .*newer/, '5.6 a newer schema: and says so');
served($httpd->post('requestvoucher', $lab->rvr(device => ++$n)),
       '5.6 a newer schema: what runs goes on, for upgrades add before they remove');
$db->sql("DELETE FROM schema_version WHERE number > $version");
trouble('a table of a later version',
        sub { $db->sql('ALTER TABLE voucher_event RENAME TO voucher_event_2') },
        sub { $db->sql('ALTER TABLE voucher_event_2 RENAME TO voucher_event') }, [ 1076 ]);

# --- missing --------------------------------------------------------------

if ($sqlite) {
    my @files = glob $db->file . '*';
    trouble('missing', sub { rename $_, "$_.away" for @files },
            sub { rename "$_.away", $_ for @files },
            [ 1074 ]);
}
else {
    my $name = $db->{database};
    trouble('missing', sub { rename_pgsql($name, "$name-away") },
            sub { rename_pgsql("$name-away", $name) },
            [ 1074 ]);
}
no_harm_done();
$httpd->expect(qr/\[dbd:|BRSKI10[78]\d|BRSKI112\d|BRSKI2056/);
done_testing;
