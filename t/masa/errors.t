# SPDX-License-Identifier: Apache-2.0
#
# errors.t: every error on a MASA's paths is one line of text/plain with the request's id: httpd's own
# (401, 403, 413, 500, ...) too, whatever ErrorDocument and content handlers say, and nothing of it
# stands in the way of other paths. Refusals are kept as evidence that masactl explains.
use FindBin;
use lib "$FindBin::RealBin/../lib";
use BRSKI::Test;
use BRSKI::Test::Answer;
use BRSKI::Test::World qw(give_to_server);

my $masa = start_masa(name => 'errors', devices => 5, policy => 'MASAOwner any',
    httpd => { modules => [ qw(rewrite reqtimeout unique_id) ] }, host => <<'EOF_HOST', more => [
Timeout 2
ErrorDocument 400 /error.html
ErrorDocument 403 "<h1>go away</h1>"
ErrorDocument 404 https://www.example.com/
ErrorDocument 503 /error.html
<Location "/.well-known/brski/requestauditlog">
    <If "%{HTTP_USER_AGENT} == 'closed'">
        Require all denied
    </If>
    <If "%{HTTP_USER_AGENT} == 'broken'">
        AuthType Basic
        AuthName x
        AuthBasicProvider file
        Require valid-user
    </If>
</Location>
DocumentRoot @DIR@/pages
<Directory @DIR@/pages>
    Require all granted
</Directory>
<Location "/other">
    Require all denied
</Location>
RewriteEngine On
RewriteRule "^/.well-known/brski/gone$" "-" [R=410,L]
RewriteRule "^/.well-known/brski/busy$" "-" [R=503,L]
RewriteRule "^/.well-known/brski/odd$" "-" [R=451,L]
EOF_HOST
        'quiet.example' => { policy => 'MASAOwner any', host => "MASARefusalRetention 0\n" },
    ]);
my ($lab, $httpd) = ($masa->lab, $masa->httpd);
my $rvr = $lab->rvr(device => 1);
$httpd->expect('AH01630', 'AH01619');

mkdir $httpd->dir . '/pages';
write_file($httpd->dir . '/pages/error.html', "<h1>a page</h1>\n");
is($httpd->get('/error.html')->content, "<h1>a page</h1>\n", 'there is a page for errors');

# --- ours, with ErrorDocument around --------------------------------------

refused($httpd, $httpd->post('requestvoucher', 'junk'), 400, 1008, qr/^The body is not a DER/,
        '5.6 an ErrorDocument that is a page does not take the place of a sentence');
refused($httpd, $httpd->post('requestvoucher', $lab->rvr(device => 1, args => [ '--defect', 'signature' ])),
        403, 1021, qr/^The signature/, '5.6 nor one that is a text');
refused($httpd, $httpd->post('x', $rvr), 404, 1050, qr/^There is no such operation here\.$/,
        '5.6 nor one that is elsewhere');

# --- httpd's own ----------------------------------------------------------

sub as
{
    my ($agent, @more) = @_;
    return $httpd->post('requestauditlog', $rvr, headers => { 'User-Agent' => $agent, @more });
}
refused($httpd, as('closed'), 403, 'httpd', qr/^This server's access rules do not let this client in/,
        '5.6 a rule\'s 403 is a sentence');
refused($httpd, as('broken', Authorization => 'Basic eDp4'), 500, 'httpd',
        qr/^The server failed internally; try again later/,
        '5.6 a 500 of httpd is a sentence');
my $busy = $httpd->get('/.well-known/brski/busy');
refused($httpd, $busy, 503, 'httpd', qr/^The server failed internally; try again later/,
        '5.6 a 503 of httpd is a sentence');
is($busy->header('Retry-After'), 60, '5.6 with Retry-After');
refused($httpd, $httpd->get('/.well-known/brski/gone'), 410, 'httpd',
        qr/^The server could not understand the request/, '5.6 so is any other status of httpd');
refused($httpd, $httpd->get('/.well-known/brski/odd'), 451, 'httpd',
        qr/^The server could not understand the request/, '5.6 one that nobody foresaw, too');
refused($httpd, $httpd->post('requestvoucher', 'x', headers => { Expect => 'wonders' }), 417, 'httpd',
        qr/^The server could not understand the request/, '5.6 an expectation that httpd does not know');

my $other = $httpd->get('/other');
is($other->code, 403, 'another path of the same host');
is($other->content, '<h1>go away</h1>', 'has its own ErrorDocument');

# --- bodies that do not come ----------------------------------------------

sub bare
{
    my ($text) = @_;
    my $socket = $httpd->connect;
    print {$socket} "POST /.well-known/brski/requestvoucher HTTP/1.1\r\nHost: masa.example\r\n"
        . "Content-Type: application/voucher-cms+json\r\n$text";
    my $whole = '';
    while (sysread $socket, my $part, 8192) { $whole .= $part }
    return HTTP::Response->parse($whole);
}
my $broken = qr/^The request body ended early or could not be read\.$/;
refused($httpd, bare("Content-Length: 5000\r\n\r\n$rvr"), 400, 1004, $broken,
        '5.5 a body that is shorter than announced');
refused($httpd, bare("Transfer-Encoding: chunked\r\n\r\nzz\r\nx\r\n0\r\n\r\n"), 400, 'httpd',
        qr/^The server could not understand the request/, '5.5 chunks that are none');
refused($httpd, bare("Transfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n"), 400, 1004, $broken,
        '5.5 chunks without end');
is(bare("Content-Length: abc\r\n\r\nx")->code, 400, '5.5 a Content-Length that is no number');
is(bare("Transfer-Encoding: gzip\r\n\r\nx")->code, 400, '5.5 a transfer coding that is not known');
my $both = bare('Content-Length: 4' . "\r\nTransfer-Encoding: chunked\r\n\r\n4\r\njunk\r\n0\r\n\r\n");
is($both->code, 400, '5.5 both lengths at once');

# --- evidence -------------------------------------------------------------

my $kept = '';
wait_until(10, sub {
    $kept = $masa->db->sql('SELECT operation, number, status FROM refusal ORDER BY at');
    return $kept =~ tr/\n// >= 4;
});
like($kept, qr/^requestvoucher\|1008\|400$/m, 'refusals are kept with operation, number and status');
like($kept, qr/^requestvoucher\|1021\|403$/m, 'those of the decision');
like($kept, qr/^requestvoucher\|1004\|400$/m, 'and of broken bodies');
unlike($kept, qr/\|1050\|/, 'but not of paths that are no operation');

my $id = refused($httpd, $httpd->post('requestvoucher',
                 $lab->rvr(device => 1, args => [ '--prior-defect', 'signature' ]), $lab->identity),
                 403, 1036, qr/does not verify/, '5.5.5 one to be explained');
wait_until(10, sub { $masa->db->sql("SELECT 1 FROM refusal WHERE request_id = '$id'") });
like($masa->db->sql("SELECT address, serial_number, length(client_cert) > 100, length(request) > 1000 "
                    . "FROM refusal WHERE request_id = '$id'"),
     qr/^127\.0\.0\.1\|JADA-0001\|(?:1|t)\|(?:1|t)$/, 'it is kept with address, certificate and bytes');
my ($status, $said) = $masa->db->try_masactl('explain', $id);
like($said, qr/pledge's signature/, 'masactl explains it rule by rule') or diag "status $status";
like($id, qr/^[\w@-]{24,}$/, 'the id is mod_unique_id\'s where that is loaded');

my $count = $masa->db->sql('SELECT count(*) FROM refusal') + 0;
refused($httpd, $httpd->post('requestvoucher', 'junk', host => 'quiet.example'), 400, 1008,
        qr/not a DER/, '5.6 MASARefusalRetention 0 refuses');
sleep 2;
is($masa->db->sql('SELECT count(*) FROM refusal') + 0, $count, 'and keeps nothing');
done_testing;
