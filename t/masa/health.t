# SPDX-License-Identifier: Apache-2.0
#
# health.t: SetHandler masa-health, what a balancer asks: 200 when the database answers and a key is
# there; 503 with a sentence for each part that fails, and nothing of the inside; no worker is held
# by a database that is away or hangs, and probes do not load it.
use FindBin;
use lib "$FindBin::RealBin/../lib";
use BRSKI::Test;
use BRSKI::Test::Lab;
use BRSKI::Test::World qw(top_builddir);
use IO::Socket::INET;
use Time::HiRes qw(time sleep);

my $health = <<'EOF_HEALTH';
<Location "/masa-health">
    SetHandler masa-health
    Require all granted
</Location>
EOF_HEALTH
# Each process asks for itself, and tells the log when its own answer changes.
my %one_process = (workers => { StartServers => 1, ServerLimit => 1, ThreadsPerChild => 16,
                                MaxRequestWorkers => 16, MaxSpareThreads => 16 });
my $lab = new_lab(devices => 1);
my $signers = $lab->path('manufacturer');
my $away = top_builddir() . '/t/.libs/mod_masa_away.so';
my $masa = start_masa(name => 'health', lab => $lab,
    lines => [ lab => 'MASAOwner any' ],
    host => "MASADatabasePatience 1s\n$health", httpd => \%one_process,
    server => "LoadModule masa_away_module $away\n"
        . qq{<VirtualHost 127.0.0.1:\@PORT\@>\nServerName plain.example\n$health</VirtualHost>\n},
    more => [ 'keyless.example' => { lines => [ lab => 'MASAOwner any' ], host => $health,
                                     products => <<"EOF_LINE" } ]);
MASASigner lab $signers/masa-signer.pem away:$signers/no-such.key
<MASAProduct lab>
    MASAIDevIDAnchor @{[ $lab->idevid_anchors ]}
    MASASignWith lab
    MASAOwner any
</MASAProduct>
EOF_LINE
my ($httpd, $db) = ($masa->httpd, $masa->db);
$httpd->expect('BRSKI2103', 'BRSKI2231', 'BRSKI2203');

sub probe { return $httpd->get('/masa-health', @_) }

# is_health($response, $status, $text, $label)
sub is_health
{
    my ($response, $status, $text, $label) = @_;
    my $got = join ' ', $response->code, $response->header('Content-Type') || '',
                   $response->header('Cache-Control') || '', $response->content;
    is($got, "$status text/plain; charset=utf-8 no-store $text", $label);
}

# --- ready ----------------------------------------------------------------

is_health(probe(), 200, "ok\n", 'a MASA with database and key is ready');
my $head = $httpd->request(HEAD => '/masa-health');
is($head->code . $head->content, 200, 'HEAD answers alike, without a body');
is($head->header('Content-Length'), 3, 'and tells its length');
for my $method (qw(POST PUT DELETE OPTIONS)) {
    my $response = $httpd->request($method => '/masa-health', body => 'x');
    is($response->code, 405, "$method is 405");
    like($response->header('Allow') || '', qr/\bGET\b.*\bHEAD\b|\bHEAD\b.*\bGET\b/, 'with Allow');
    unlike($response->header('Allow') || '', qr/POST/, 'of what is allowed');
}
is(probe(tls => 0, host => 'plain.example')->code, 404, 'a host that is no MASA has none');
ok($httpd->log_line(qr/\[masa:error\].*BRSKI2203: SetHandler masa-health, but MASAEngine On/),
   'and says so to the administrator');

# --- without a key --------------------------------------------------------

is_health(probe(host => 'keyless.example'), 503, "No signer's key can be used.\n",
          'no key is 503, and no path is told');

# --- many probes, one question --------------------------------------------

my @codes = map { probe()->code } 1 .. 30;
is_deeply([ grep { $_ != 200 } @codes ], [], 'a burst of probes is answered');

# --- the database is away -------------------------------------------------

my $gone = "The database cannot be reached.\n";
my $silent = "The database does not answer in time.\n";

# A probe's answer once it is of this kind, and how long that one probe took.
sub becomes
{
    my ($status, $text) = @_;
    my ($response, $took);

    wait_until(15, sub {
        my $began = time;
        $response = probe();
        $took = time - $began;
        return $response->code == $status && $response->content eq $text;
    });
    return ($response, $took);
}

my ($cluster, $second);
if (dialect() eq 'sqlite3') {
    my $file = $db->file;
    rename $file, "$file.away" or die "$file: $!\n";
    my ($response) = becomes(503, $gone);
    is_health($response, 503, $gone, 'a file that is gone is 503');
    ok($httpd->log_line(qr/\[masa:warn\].*BRSKI2231: not ready: .*is not the file that was opened/),
       'whose reason is in the log');
    rename "$file.away", $file or die "$file: $!\n";
    is_health((becomes(200, "ok\n"))[0], 200, "ok\n", 'when it is back it is ready again');
    ok($httpd->log_line(qr/\[masa:info\].*BRSKI2232: ready again/), 'and the log says so');
}
else {
    require BRSKI::Test::Postgres;
    $cluster = BRSKI::Test::Postgres->new;
    my $own = bless { %$db, postgres => $cluster, database => 'health' }, ref $db;
    $cluster->create_database('health');
    $own->{params} = $cluster->params('health');
    $own->masactl('schema', 'apply');
    $second = start_masa(name => 'health-pg', lab => $lab, db => $own,
        lines => [ lab => 'MASAOwner any' ], host => "MASADatabasePatience 1s\n$health",
        httpd => \%one_process);
    $httpd = $second->httpd;
    $httpd->expect(qr/BRSKI2231/, qr/AH0062[0-9]|AH0063[0-9]|BRSKI112[0-3]|AH03\d+/, qr/\[dbd:/);
    is_health(probe(), 200, "ok\n", 'a MASA on this PostgreSQL is ready');

    # The postmaster takes connections still, and its processes say nothing.
    my @backends = grep { $_ } split /\s+/, $cluster->sql('postgres',
        "SELECT pid FROM pg_stat_activity WHERE datname = 'health'", 'postgres');
    push @backends, $cluster->pid;
    kill 'STOP', @backends;
    my ($response) = eval { becomes(503, $silent) };
    my $began = time;
    my @answers = map { probe() } 1 .. 20;
    my $took = time - $began;
    my $other = $httpd->request(POST => '/masa-health', body => 'x')->code;
    kill 'CONT', reverse @backends;
    is_health($response, 503, $silent, 'a database that hangs is 503');
    is_deeply([ grep { $_->content ne $silent } @answers ], [], 'for all who ask');
    cmp_ok($took, '<', 4, 'at once, since one thread alone waits for it');
    is($other, 405, 'and the server goes on');
    ok($httpd->log_line(qr/\[masa:warn\].*BRSKI2231: .*the database does not answer in time/),
       'the log says it');
    is_health((becomes(200, "ok\n"))[0], 200, "ok\n", 'it is ready when the database goes on');

    $cluster->stop;
    ($response) = becomes(503, $gone);
    is_health($response, 503, $gone, 'a database that is down is 503');
    unlike($response->content, qr/host=|127\.0\.0\.1|password|masa_/,
           'and tells nothing of itself');
    $cluster->start;
    is_health((becomes(200, "ok\n"))[0], 200, "ok\n", 'it is ready when it is up again');
    my ($password) = $cluster->params('health') =~ /password=(\S+)/;
    ok(!grep({ index($_, $password) >= 0 } $httpd->log_lines), 'no password in the log');
}

# --- a graceful restart ---------------------------------------------------

$httpd->graceful;
is_health((becomes(200, "ok\n"))[0], 200, "ok\n", 'a graceful restart leaves it ready');
done_testing;
