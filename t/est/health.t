# SPDX-License-Identifier: Apache-2.0
#
# health.t: SetHandler est-health, what a balancer asks: 200 when the database answers and a CA can
# issue; 503 with a sentence for what fails, and nothing of the inside.
use FindBin;
use lib "$FindBin::RealBin/../lib";
use BRSKI::Test;
use BRSKI::Test::Httpd;

my $health = "<Location /est-health>\nSetHandler est-health\nRequire all granted\n</Location>\n";
my $est = start_est(name => 'health', devices => 1, host => "ESTDatabasePatience 1s\n$health",
    server => "<VirtualHost 127.0.0.1:\@PORT\@>\nServerName plain.example\n$health</VirtualHost>\n",
    httpd => { workers => { StartServers => 1, ServerLimit => 1, ThreadsPerChild => 16,
                            MaxRequestWorkers => 16, MaxSpareThreads => 16 } });
my ($httpd, $db) = ($est->httpd, $est->db);
$httpd->expect('BRSKI3203', 'BRSKI3204', 'BRSKI1161', 'BRSKI3106');

sub probe { return $httpd->get('/est-health', @_) }

sub is_health
{
    my ($response, $status, $text, $label) = @_;
    my $got = join ' ', $response->code, $response->header('Content-Type') || '',
                   $response->header('Cache-Control') || '', $response->content;
    is($got, "$status text/plain; charset=utf-8 no-store $text", $label);
}

# A probe's answer once it is of this kind.
sub becomes
{
    my ($status, $text) = @_;
    my $response;

    wait_until(30, sub { $response = probe();
                         $response->code == $status && $response->content eq $text });
    return $response;
}

is_health(probe(), 200, "ok\n", 'a registrar with database and CA is ready');
my $head = $httpd->request(HEAD => '/est-health');
is($head->code . $head->content, 200, 'HEAD answers alike, without a body');
is($httpd->request($_ => '/est-health', body => 'x')->code, 405, "$_ is 405") for qw(POST DELETE);
is(probe(tls => 0, host => 'plain.example')->code, 404, 'a host that is no registrar has none');
ok($httpd->log_line(qr/\[est:error\].*BRSKI3203: SetHandler est-health, but ESTEngine On/),
   'and says so to the administrator');
is_deeply([ grep { $_ != 200 } map { probe()->code } 1 .. 30 ], [], 'a burst of probes is answered');

my $gone = "The database cannot be reached.\n";
if (dialect() eq 'sqlite3') {
    my $file = $db->file;
    rename $file, "$file.away" or die "$file: $!\n";
    is_health(becomes(503, $gone), 503, $gone, 'a file that is gone is 503');
    ok($httpd->log_line(qr/\[est:warn\].*BRSKI3204/), 'whose reason is in the log');
    rename "$file.away", $file or die "$file: $!\n";
    is_health(becomes(200, "ok\n"), 200, "ok\n", 'when it is back it is ready again');
    ok($httpd->log_line(qr/\[est:info\].*BRSKI3205/), 'and the log says so');
}
$db->sql("INSERT INTO est_schema_version (number, name, applied_at) VALUES (9999, 'later', 0)");
my $tables = "The database's tables are not those that this version needs.\n";
is_health(becomes(503, $tables), 503, $tables, 'tables of another version are 503');
$db->sql("DELETE FROM est_schema_version WHERE name = 'later'");
is_health(becomes(200, "ok\n"), 200, "ok\n", 'and ready when they are right');
done_testing;
