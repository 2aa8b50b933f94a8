# SPDX-License-Identifier: Apache-2.0
#
# est-examples.t: the configurations of a registrar in conf/ are what they say: Included by an httpd
# that loads the modules, with their files defined, they pass configtest and serve; and the page that
# looks after them shows nothing secret and nothing active.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/../lib";
use File::Copy qw(copy);
use JSON::PP ();
use MIME::Base64 qw(decode_base64 encode_base64);
use BRSKI::Test;

my $lab = new_lab(devices => 1);
my $etc = new_dir('etc');
my %name = (registrar => 'domain/registrar', ca => 'domain/ca');

for my $to (keys %name) {
    for my $end (qw(pem key)) {
        copy($lab->path("$name{$to}.$end"), "$etc/$to.$end") or die "$to.$end: $!\n";
        chmod 0600, "$etc/$to.$end" if $end eq 'key';
    }
}
copy($lab->idevid_anchors, "$etc/idevid-anchors.pem") or die "anchors: $!\n";
copy($lab->voucher_anchor, "$etc/voucher-anchors.pem") or die "anchors: $!\n";
write_file("$etc/users", "ann:{SHA}" . 'W6ph5Mm5Pz8GgiULbPgzG37mj9g=' . "\n");

my $conf = dialect() eq 'sqlite3' ? 'est-sqlite.conf' : 'est-postgresql.conf';
my $db = new_database(tool => 'estctl');
my $extra = dialect() eq 'sqlite3' ? <<'EOF_EXTRA' : '';
<Location "/est-status">
    SetHandler est-status
    Require all granted
</Location>
<Location "/est-health">
    SetHandler est-health
    Require all granted
</Location>
EOF_EXTRA
my $define = "Define EST_HOST registrar.example\nDefine EST_PORT \@TLSPORT\@\nDefine EST_ETC $etc\n"
    . "Define EST_DB \"@{[ $db->params ]}\"\nDefine EST_MANUFACTURER lab\n"
    . "Define EST_ORGANIZATION \"Test & Sons\"\nListen 127.0.0.1:\@TLSPORT\@\n$extra";
my $httpd = start_httpd('example', $define . 'Include ' . top_srcdir() . "/conf/$conf\n",
                        modules => ['est'], host => 'registrar.example');

my ($status, $said) = $httpd->configtest;
is($status, 0, "$conf passes configtest");
unlike($said, qr/BRSKI/, 'without a remark');

my $res = $httpd->get('/.well-known/est/cacerts');
is($res->code, 200, "7030 4.1.3 $conf serves cacerts") or diag($res->content);
like($res->header('Content-Type'), qr{^application/pkcs7-mime}, '7030 4.1.3 of the right type');
$res = $httpd->post('/.well-known/brski/requestvoucher', 'junk', $lab->device(1),
                    type => 'application/voucher-cms+json');
is($res->code, 400, "5.2 $conf serves requestvoucher to devices of its manufacturer");
$res = $httpd->post('/.well-known/brski/requestvoucher', 'junk',
                    type => 'application/voucher-cms+json');
is($res->code, 401, '5.2 and to nobody without an IDevID');

if ($conf eq 'est-postgresql.conf') {
    # Its label "people": users with a password get a certificate of their own name.
    my @csr = (qw(openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -outform DER),
               '-subj', '/CN=ann/O=Test & Sons', '-keyout', "$etc/ann.key", '-out', "$etc/ann.der");
    run_command(\@csr);
    my $csr = encode_base64(read_file("$etc/ann.der"), '');
    my $people = '/.well-known/est/people/simpleenroll';
    my %basic = (type => 'application/pkcs10',
                 headers => { Authorization => 'Basic ' . encode_base64('ann:password', '') });
    is($httpd->post($people, $csr, type => 'application/pkcs10')->code, 401,
       "7030 3.2.3 $conf wants a password of people");
    $res = $httpd->post($people, $csr, %basic);
    is($res->code, 200, '7030 3.2.3 and gives them a certificate') or diag($res->content);
    like(decode_base64($res->content), qr/ann.*|Test & Sons/s, 'of their name');
    is($httpd->post('/.well-known/est/simpleenroll', $csr, %basic)->code, 401,
       '7030 3.2.3 but not among the devices');
}

# --- readiness ------------------------------------------------------------

$res = $httpd->get('/est-health');
is($res->code, 200, 'est-health says that it is ready');
is($res->content, "ok\n", 'in a word');
is($httpd->post('/est-health', 'x')->code, 405, 'by GET alone');

# --- the page -------------------------------------------------------------

$res = $httpd->get('/est-status');
is($res->code, 200, 'est-status is a page');
like($res->header('Content-Type'), qr{^text/html; charset=utf-8}, 'of HTML');
is($res->header('Cache-Control'), 'no-store', 'that nobody keeps');
like($res->header('Content-Security-Policy'), qr/default-src 'none'/, 'on which nothing is active');
unlike($res->content, qr/<script|javascript:|onload=/i, 'without scripts');
like($res->content, qr/Ready: the database answers/, 'that says whether it is ready');
like($res->content, qr{<td>lab</td>}, 'with the manufacturers');
like($res->content, qr/Lab Domain Device CA/, 'with the CAs');
unlike($res->content, qr/\Q$etc\E|\.key\b|PRIVATE|dbname=/, 'and no path, key or database');

my $json = JSON::PP->new->utf8->decode($httpd->get('/est-status?json')->content);
ok($json->{ready}, 'est-status?json is JSON');
is($json->{nodes}[0]{hash}, $json->{hash}, 'the node has published its configuration')
    if @{ $json->{nodes} };
is($json->{labels}[0]{can_issue}, JSON::PP::true(), 'the CA can issue');
is($json->{work}{voucher}, 0, 'no work waits');

my $metrics = $httpd->get('/est-status?metrics')->content;
like($metrics, qr/^est_database_up 1$/m, 'est-status?metrics is for Prometheus');
like($metrics, qr/^est_pledges\{verdict="bad"\} 0$/m, 'with devices by verdict');
my @names = $metrics =~ /^# TYPE (\S+) /mg;
my $doc = read_file(top_srcdir() . '/docs/mod_est.md');
is_deeply([ grep { $doc !~ /\b$_\b/ } @names ], [], 'each metric stands in docs/mod_est.md');

# What a stranger wrote is escaped.
$db->sql("INSERT INTO est_note (tenant, at, id, kind, alarm, manufacturer, serial_number, text) "
         . "VALUES ('default', 1700000000000000, 'x', 'telemetry-false', 1, 'lab', "
         . "'<b>1</b>', '<script>alert(1)</script>')");
ok(wait_until(30, sub { $httpd->get('/est-status')->content =~ /telemetry-false/ }),
   'an alarm shows within seconds');
unlike($httpd->get('/est-status')->content, qr/<script|<b>/, 'and what a stranger wrote is escaped');
done_testing;
