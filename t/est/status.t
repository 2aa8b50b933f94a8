# SPDX-License-Identifier: Apache-2.0
#
# status.t: SetHandler est-status: what a registrar is and does, as a page, as JSON and as metrics.
# It counts what is there, shows what waits for somebody, escapes what strangers wrote, tells nothing
# secret, and answers without the database too.
use FindBin;
use lib "$FindBin::RealBin/../lib";
use BRSKI::Test;
use JSON::PP ();
use Time::HiRes qw(time);

my $lab = new_lab(devices => 3);
my $login = write_file(new_dir('login') . '/login', "somebody:hush-hush\n");
chmod 0600, $login;
my $est = start_est(name => 'status', lab => $lab, maker => "ESTPledges any\nESTMASALogin $login\n",
    est => "ESTRequireVoucher Off\n<ESTLabel vpn>\nESTApprove On\n</ESTLabel>\n",
    host => "ESTDatabasePatience 1s\n<Location /est-status>\nSetHandler est-status\n"
        . "Require all granted\n</Location>\n",
    server => "<VirtualHost 127.0.0.1:\@PORT\@>\nServerName plain.example\n<Location /est-status>\n"
        . "SetHandler est-status\nRequire all granted\n</Location>\n</VirtualHost>\n",
    httpd => { workers => { StartServers => 1, ServerLimit => 1, ThreadsPerChild => 16,
                            MaxRequestWorkers => 16, MaxSpareThreads => 16 } });
my ($httpd, $db) = ($est->httpd, $est->db);

sub page { return $httpd->get('/est-status')->content }
sub json { return JSON::PP->new->utf8->decode($httpd->get('/est-status?json')->content) }

sub metrics
{
    my %value = $httpd->get('/est-status?metrics')->content =~ /^(est_\S+) (\S+)$/mg;
    return \%value;
}

# The database is asked at most every few seconds: until it shows.
sub becomes
{
    my ($label, $done) = @_;
    ok(wait_until(30, $done), $label);
}

sub row
{
    my ($table, %column) = @_;
    my @names = sort keys %column;

    $db->sql("INSERT INTO $table (" . join(', ', 'tenant', @names) . ") VALUES ('default', "
             . join(', ', map { $column{$_} =~ /^\d+$/ ? $column{$_}
                                : "'" . $column{$_} =~ s/'/''/gr . "'" } @names) . ')');
}

# --- what it is -----------------------------------------------------------

my $res = $httpd->get('/est-status');
is($res->code, 200, 'a page');
is($res->header('Content-Type'), 'text/html; charset=utf-8', 'of HTML');
is($httpd->get('/est-status?json')->header('Content-Type'), 'application/json', 'or JSON');
like($httpd->get('/est-status?metrics')->header('Content-Type'), qr{^text/plain; version=0\.0\.4},
     'or metrics');
is($httpd->post('/est-status', 'x')->code, 405, 'by GET');
is($httpd->get('/est-status', tls => 0, host => 'plain.example')->code, 404,
   'a host that is no registrar has none');
$httpd->expect('BRSKI3203');
unlike($res->content, qr/<script|<form|<img|javascript:/i, 'nothing on it is active');
for my $text ($res->content, map { $httpd->get("/est-status?$_")->content } qw(json metrics)) {
    unlike($text, qr/\Q@{[ $lab->dir ]}\E|\.key\b|PRIVATE KEY|\Q@{[ $db->params ]}\E/,
           'no path, no key, no address of the database');
}

# What the tools see of it.
my $published;
ok(wait_until(30, sub { $published = $db->sql('SELECT json FROM est_node_snapshot') }),
   'its configuration is published');
my $conf = JSON::PP->new->utf8->decode($published);
is($conf->{manufacturers}[0]{pledges}, 'any', 'with its policies');
ok($conf->{manufacturers}[0]{login}, 'and that there is a login');
is($conf->{audit_policy}{nonceless}, 'refuse', 'and what history is accepted');
like($conf->{labels}[0]{ca}{chain}[0], qr/BEGIN CERTIFICATE/, 'and the certificates of its CA');
unlike($published, qr/hush|somebody|\Q@{[ $lab->dir ]}\E|PRIVATE|\.key\b/, 'and nothing secret, no path');

# --- what it counts -------------------------------------------------------

my %device = $lab->device(1);
my $csr = $est->csr(subject => '/CN=' . $lab->serial(1));
is($est->enrol('simpleenroll', $csr->{der}, %device)->code, 200, 'a device enrols');
is($est->enrol('simpleenroll', $csr->{der}, %device)->code, 200, 'and again');
is($est->enrol('vpn/simpleenroll', $csr->{der}, %device)->code, 202, 'or has to wait');
becomes('the certificate is counted', sub { json()->{certificates}{live} == 1 });
my $json = json();
is($json->{done}{certificates}, 1, 'one was issued');
is($json->{done}{certificates_again}, 1, 'one was given again');
is($json->{waiting_for_somebody}{enrolments}, 1, 'one waits for somebody');
is($json->{pledges}{known}, 1, 'the device is known') if $json->{pledges}{known};
my ($served) = grep { $_->{operation} eq 'simpleenroll' && $_->{status} == 200 }
               @{ $json->{requests} };
is($served->{count}, 2, 'requests are counted by operation and status');
like(page(), qr/Waiting for somebody.*estctl cert waiting/s, 'the page says how to look');
is_deeply([ map { $_->{name} } @{ $json->{labels} } ], [ '', 'vpn' ], 'both labels are there');
is($json->{nodes}[0]{hash}, $json->{hash}, 'this server is as it has published');

row('est_pledge', manufacturer => 'lab', serial_number => 'good', verdict => 'good',
    welcome => 'allowed');
row('est_pledge', manufacturer => 'lab', serial_number => 'bad', verdict => 'bad');
row('est_pledge', manufacturer => 'lab', serial_number => 'out', welcome => 'refused');
row('est_request', id => 'r1', manufacturer => 'lab', serial_number => 'parked<i>',
    idevid_spki => '', created_at => 1700000000000000, task => 'human',
    next_at => 99000000000000000, detail => 'nobody has said <b>so</b>');
row('est_first_use', manufacturer => 'lab', purpose => 'voucher', spki => 'abcdef', host => 'masa',
    state => 'waiting', first_seen_at => 1700000000000000);
row('est_node_snapshot', node => 'other<script>', hash => 'different', published_at => 1, json => '{}');
row('est_note', at => 1700000000000000, id => 'n1', kind => 'audit-bad', alarm => 1,
    manufacturer => 'lab', serial_number => 'bad', text => 'a <em>stranger</em>');
$db->sql("UPDATE est_certificate SET revoked_at = 1700000000000000");
becomes('devices are counted by verdict', sub { json()->{pledges}{bad} });
$json = json();
is($json->{pledges}{good}, 1, 'the good one');
is($json->{pledges}{refused}, 1, 'the refused one');
is($json->{certificates}{revoked}, 1, 'revoked certificates');
is($json->{waiting_for_somebody}{anchors}, 1, 'a signer that somebody must look at');
is($json->{waiting_for_somebody}{requests}, 1, 'a parked request');
is($json->{alarms}[0]{kind}, 'audit-bad', 'the last alarm');
my $text = page();
like($text, qr/estctl masa show lab voucher/, 'the page tells how to look at the signer');
like($text, qr/estctl pledge show lab parked&lt;i&gt;/, 'and at the device');
like($text, qr/nobody has said &lt;b&gt;so&lt;\/b&gt;/, 'what strangers wrote is escaped');
like($text, qr/a &lt;em&gt;stranger/, 'in alarms');
like($text, qr/other&lt;script&gt;.*differs/s, 'and names of servers; one that differs is told');
my $value = metrics();
is($value->{'est_pledges{verdict="bad"}'}, 1, 'metrics have the verdicts');
is($value->{'est_certificates{state="revoked"}'}, 1, 'and certificates');
is($value->{'est_work_waiting{task="human"}'}, 1, 'and work');
is($value->{'est_ca_up{label="vpn"}'}, 1, 'and CAs');
cmp_ok($value->{'est_ca_expires_seconds{label=""}'}, '>', time, 'with their end');

# A row that nobody can read.
$db->sql("UPDATE est_first_use SET chain = '!'");
becomes('a broken row takes the numbers away, not the page', sub { !json()->{records_read} });
like(page(), qr/class="bad">The records cannot be read now/, 'which says so');
$db->sql('DELETE FROM est_first_use');
becomes('until it is gone', sub { json()->{records_read} });

# --- without the database -------------------------------------------------

if (dialect() eq 'sqlite3') {
    my $file = $db->file;
    $httpd->expect('BRSKI3204', 'BRSKI1161', 'BRSKI3106');
    rename $file, "$file.away" or die "$file: $!\n";
    becomes('it answers without the database', sub { !json()->{ready} });
    like(page(), qr/class="bad">The database cannot be reached/, 'and says so');
    $json = json();
    ok(!exists $json->{pledges}, 'what it cannot know it does not say');
    is($json->{labels}[0]{can_issue}, JSON::PP::true(), 'what it knows it does');
    is(metrics()->{est_database_up}, 0, 'metrics too');
    ok(!exists metrics()->{'est_pledges{verdict="bad"}'}, 'without numbers that are none');
    rename "$file.away", $file or die "$file: $!\n";
    becomes('and comes back', sub { my $j = json(); $j->{ready} && $j->{pledges} });
}
done_testing;
