# SPDX-License-Identifier: Apache-2.0
#
# status.t: SetHandler masa-status: the page, ?json and ?metrics; counters of all processes together
# that outlive a graceful restart; and nothing of devices, customers or the inside of the server.
use FindBin;
use lib "$FindBin::RealBin/../lib";
use BRSKI::Test;
use BRSKI::Test::Answer;
use JSON::PP ();

my $status = <<'EOF_STATUS';
<Location "/masa-status">
    SetHandler masa-status
    Require local
</Location>
EOF_STATUS
my $masa = start_masa(name => 'status', devices => 6,
    signers => [ [ lab => 'masa-signer' ] ],
    lines => [ lab => "MASAOwner any\nMASAProximity optional\nMASANonceless customer",
               lamp => "MASAOwner sold\nMASANonceless deny" ],
    host => "MASATenant default\n$status",
    server => "<VirtualHost 127.0.0.1:\@PORT\@>\nServerName plain.example\n$status"
        . "</VirtualHost>\n",
    more => [ 'two.example' => { lines => [ lab => 'MASAOwner any' ],
                                 host => "MASATenant two\n$status" },
              'a&b<i>.example' => { lines => [ lab => 'MASAOwner any' ],
                                    host => "ServerAlias odd.example\n$status" } ]);
my ($lab, $httpd) = ($masa->lab, $masa->httpd);
$masa->import_row($lab->serial($_), product => 'lab') for 1 .. 4;

sub page { return $httpd->get('/masa-status', @_) }

sub json
{
    my $response = $httpd->get('/masa-status?json', @_);
    return JSON::PP->new->utf8->decode($response->content);
}

# Value of a metric by its name with labels, as written.
sub metric
{
    my ($name, @opt) = @_;
    my $text = $httpd->get('/masa-status?metrics', @opt)->content;
    return $text =~ /^\Q$name\E (\S+)$/m ? $1 : undef;
}

# Counted when the answer has been sent: a moment later.
sub metric_is
{
    my ($name, $value, $label) = @_;
    my $got;
    wait_until(5, sub { defined($got = metric($name)) && $got eq $value });
    is($got, $value, $label);
}

# --- before anything happened ---------------------------------------------

my $first = page();
is($first->code, 200, 'there is a page');
is($first->header('Content-Type'), 'text/html; charset=utf-8', 'of HTML');
is($first->header('Cache-Control'), 'no-store', 'not to be stored');
like($first->content, qr/Ready: the database answers/, 'which says that all is well');
like($first->content, qr{<p>None yet\.</p>}, 'and that nobody asked yet');
like($first->content, qr{<td>lamp</td><td>sold</td><td>required</td><td>deny</td>},
     'product lines with their policies');
my $odd = page(host => 'odd.example')->content;
like($odd, qr{<h1>MASA [^<]*/a&amp;b&lt;i&gt;\.example:}, 'names are escaped');
unlike($odd, qr/<i>/, 'everywhere');
is(json()->{tenant}, 'default', 'JSON names the tenant');
is(json(host => 'two.example')->{tenant}, 'two', 'each host its own');
my $known = json();
is($known->{signers}[0]{name}, 'lab', 'a signer has its name');
like($known->{signers}[0]{key_id}, qr/^[0-9a-f]{64}$/, 'its key id');
like($known->{signers}[0]{expires}, qr/^\d{4}-\d\d-\d\dT[\d:]+Z$/, 'its end');
ok($known->{signers}[0]{key_present}, 'and its key is there');
ok($known->{ready} && $known->{database}{answers}, 'ready, the database answers');
wait_until(10, sub { $known = json(); $known->{snapshot}{published} });
like($known->{snapshot}{published} || '', qr/^\d{4}-/, 'the configuration has been published');
like($known->{snapshot}{hash}, qr/^[0-9a-f]{64}$/, 'under its hash');

# --- counting -------------------------------------------------------------

my %cert = $lab->identity;
my $rvr = $lab->rvr(device => 1);
issued($httpd, $httpd->post('requestvoucher', $rvr, %cert), '5.6 a voucher');
issued($httpd, $httpd->post('requestvoucher', $rvr, %cert), '5.6 the same again');
my $unproven = $lab->rvr(device => 2, args => [ '--no-prior' ]);
issued($httpd, $httpd->post('requestvoucher', $unproven, %cert),
       '5.6 one without the pledge\'s request');
audit_log($httpd, $httpd->post('requestauditlog', $rvr, %cert), '5.8 an audit log');
refused($httpd, $httpd->post('requestvoucher', 'junk'), 400, 1008, qr/not a DER/, '5.6 junk')
    for 1 .. 12;
refused($httpd, $httpd->get('/.well-known/brski/requestvoucher'), 405, 1001, qr/takes POST/,
        '5.5 another method');
refused($httpd, $httpd->post('x', $rvr), 404, 1050, qr/no such operation/, '5 no operation');

my $requests = 'masa_requests_total{operation="requestvoucher"';
metric_is(qq($requests,status="200",number="0"}), 3, 'requests served');
metric_is(qq($requests,status="400",number="1008"}), 12, 'refusals by number, of all processes');
metric_is(qq($requests,status="405",number="1001"}), 1, 'other methods');
metric_is('masa_requests_total{operation="other",status="404",number="1050"}', 1, 'other paths');
metric_is('masa_requests_total{operation="requestauditlog",status="200",number="0"}', 1,
          'audit logs');
metric_is('masa_vouchers_total{assertion="proximity"}', 1, 'vouchers by assertion');
metric_is('masa_vouchers_total{assertion="logged"}', 1, 'each');
metric_is('masa_vouchers_reissued_total', 1, 'vouchers sent again are counted apart');
metric_is('masa_database_up', 1, 'the database is up');
metric_is('masa_database_inside', 0, 'and nobody is in it now');
metric_is('masa_spool_dropped_total', 0, 'nothing was dropped');
metric_is('masa_spool_waiting', 0, 'and all has been written soon, by processes that idle too');
cmp_ok(metric('masa_certificate_cache_hits_total'), '>', 0, 'the cache knew certificates');
cmp_ok(metric('masa_certificate_cache_certificates'), '>', 0, 'and keeps some');
is(metric('masa_vouchers_total{assertion="proximity"}', host => 'two.example'), 0,
   'each host has its own counters');
cmp_ok(json()->{processes}, '>=', 1, 'processes are counted');
my ($junk) = grep { ($_->{number} || '') eq 'BRSKI1008' } @{ json()->{requests} };
is_deeply($junk, { operation => 'requestvoucher', status => 400, number => 'BRSKI1008',
                   count => 12 }, 'JSON has the same');
like(page()->content, qr{<td>400</td><td>BRSKI1008 CMS</td><td class="n">12</td>},
     'and so has the page');

# Every line of ?metrics is one that Prometheus reads.
my $metrics = $httpd->get('/masa-status?metrics');
is($metrics->header('Content-Type'), 'text/plain; version=0.0.4; charset=utf-8',
   'metrics have their type');
my $label = qr/[a-z]+="(?:[^"\\\n]|\\["\\n])*"/;
my $comment = qr/# (?:HELP masa_[a-z_]+ \S.*|TYPE masa_[a-z_]+ (?:counter|gauge))/;
my $sample = qr/masa_[a-z_]+(?:\{$label(?:,$label)*\})? -?\d+/;
my @odd = grep { !/^(?:$comment|$sample)$/ } split /\n/, $metrics->content;
is_deeply(\@odd, [], 'and their form');

# --- nothing of the inside ------------------------------------------------

my @secrets = ($lab->dir, $masa->db->params, $lab->serial(1), 'DBDParams', 'password=', '.key',
               '.pem');
for my $form ('', '?json', '?metrics') {
    my $text = $httpd->get("/masa-status$form")->content;
    is_deeply([ grep { index($text, $_) >= 0 } @secrets ], [],
              'no paths, parameters or devices in masa-status' . $form);
}
my $hostile = $httpd->get('/masa-status?<script>alert(1)</script>');
unlike($hostile->content, qr/alert/, 'a query is not echoed');
like($hostile->header('Content-Security-Policy'), qr/^default-src 'none'/,
     'and no script would run');

# --- methods and hosts ----------------------------------------------------

my $head = $httpd->request(HEAD => '/masa-status');
is($head->code . $head->content, 200, 'HEAD');
my $post = $httpd->request(POST => '/masa-status', body => 'x');
is($post->code, 405, 'POST is 405');
like($post->header('Allow'), qr/GET/, 'with Allow');
$httpd->expect('BRSKI2203');
is($httpd->get('/masa-status', tls => 0, host => 'plain.example')->code, 404,
   'a host that is no MASA has none');

# --- a graceful restart ---------------------------------------------------

my $since = json()->{since};
$httpd->graceful;
is(json()->{since}, $since, 'a graceful restart goes on counting');
metric_is(qq($requests,status="400",number="1008"}), 12, 'from where it was');
refused($httpd, $httpd->post('requestvoucher', 'junk'), 400, 1008, qr/not a DER/, '5.6 junk again');
metric_is(qq($requests,status="400",number="1008"}), 13, 'one more');
wait_until(20, sub { json()->{processes} <= 2 });
cmp_ok(json()->{processes}, '<=', 2, 'processes that ended are not counted');
done_testing;
