# SPDX-License-Identifier: Apache-2.0
#
# http.t: bodies that are not what they are said to be, and HTTP that is not quite HTTP: too large,
# empty, of another length than announced, in chunks, with two lengths; media types that are wrong,
# missing or impossible; a second request hidden in the first.
use FindBin;
use lib "$FindBin::RealBin/../lib";
use BRSKI::Test;
use BRSKI::Test::Attack;
use BRSKI::Test::Raw;

my $masa = under_attack(start_masa(name => 'http', devices => 5,
    httpd => { modules => [ 'filter', 'deflate' ] }, host => <<'EOF_HOST'));
<Location "/.well-known/brski/requestauditlog">
    SetInputFilter DEFLATE
</Location>
EOF_HOST
my ($lab, $httpd) = ($masa->lab, $masa->httpd);

my $path = '/.well-known/brski/requestvoucher';
my $type = 'Content-Type: application/voucher-cms+json';
my $rvr = $lab->rvr;
my $length = length $rvr;

# One request with these header fields and this body; a Connection field of its own unless said.
sub request
{
    my ($fields, $body, $line) = @_;
    my @fields = ('Host: masa.example', ref $fields ? @$fields : ($type, $fields));

    return join("\r\n", $line || "POST $path HTTP/1.1", @fields, '', '') . $body;
}
sub ask { return scalar exchange($httpd, request(@_)) }

my @close = ('Connection: close');
served(ask([ $type, "Content-Length: $length", @close ], $rvr), 'control: a request by hand');

# --- size and length ------------------------------------------------------

repelled(ask('Content-Length: 10485760', 'x' x 200_000), 413, 1002, qr/larger than this server reads/,
         '5.5 a body of 10 MB is refused before it came');
repelled(ask([ $type, 'Transfer-Encoding: chunked', @close ], chunks_of(('x' x 65_536) x 160)), 413,
         1002,
         qr/larger than this server reads/, '5.5 10 MB in chunks are refused');
repelled(ask([ $type, 'Content-Length: 0', @close ], ''), 400, 1003, qr/has no body/,
         '5.5 an empty body is refused');
repelled(ask([ $type, @close ], ''), 400, 1003, qr/has no body/, '5.5 so is none');
repelled(ask([ $type, 'Transfer-Encoding: chunked', @close ], chunks_of()), 400, 1003,
         qr/has no body/,
         '5.5 and an empty one in chunks');
exchange($httpd, request("Content-Length: @{[ $length + 100 ]}", $rvr), half => 1);
ok($httpd->log_line(qr/BRSKI1004: requestvoucher answered 400: .*BODY_BROKEN/),
   '5.5 a Content-Length that lies: a body that ends early is refused');
is(events(), 1, '5.5 and is no event, though all of the request was there');
repelled(ask("Content-Length: @{[ $length - 100 ]}", $rvr), 400, 1008, qr/the message ends early/,
         '5.5 a body that is longer than it says is cut');
served(ask([ $type, 'Transfer-Encoding: chunked', @close ], chunks_of(unpack '(a100)*', $lab->rvr)),
       '5.5 a chunked body is read');

# --- media types ----------------------------------------------------------

sub typed { my ($fields, @more) = @_; return ask([ @$fields, "Content-Length: $length", @close ],
                                                 $rvr, @more) }

repelled(typed([ "Content-Type: $_->[0]" ]), 415, 1005, qr/Content-Type is not|does not read/,
         "5.6 wrong Content-Type: $_->[1]")
    for [ 'application/json', 'of JSON' ], [ 'text/html', 'of a page' ],
        [ 'multipart/form-data; boundary=x', 'of a form' ], [ 'application/voucher-cms+json2',
                                                             'nearly right' ],
        [ 'application/voucher-cms+json, text/html', 'two' ], [ 'voucher-cms+json', 'half' ],
        [ '/', 'of nothing' ], [ "application/voucher-cms+json\xFF",
                                'with an octet that is no text' ],
        [ 'x' x 4000, 'of four thousand letters' ],
            [ 'application/voucher+cose', 'of a later time' ];
repelled(typed([]), 415, 1005, qr/has no Content-Type/, '5.6 missing Content-Type');
repelled(typed([ $type, 'Content-Type: text/html' ]), 415, 1005, qr/Content-Type is not/,
         '5.6 two Content-Type fields are wrong too');
repelled(typed([ $type, "Accept: $_" ]), 406, 1007,
         qr/vouchers of type application\/voucher-cms\+json/,
         "5.6 impossible Accept: $_") for 'text/html', 'application/voucher-cms+json;q=0, text/*',
             'image/*';
repelled(typed([ $type, "Accept: $_->[0]" ]), 415, 1006, qr/could not be understood/,
         "5.6 an Accept that is none: $_->[1]")
    for [ 'voucher', 'voucher' ], [ '*/x', '*/x' ], [ 'a/b;q=2', 'q=2' ],
        [ "a/b;x=\"\xFF", 'no end' ],
        [ join(',', ('a/b') x 1000) . ' x', 'endless' ];

# --- a second request in the first ----------------------------------------

# What a front end that reads otherwise would take for a part of the body.
my $hidden = "GET $path HTTP/1.1\r\nHost: masa.example\r\nConnection: close\r\n\r\n";

# Statuses of all answers on the connection; a hidden request would add its 405.
sub answers { return join ' ', map { $_->code } exchange($httpd, @_) }

for my $fields ([ 'Transfer-Encoding: chunked', 'Content-Length: 4' ],
                [ 'Content-Length: 4', 'Transfer-Encoding: chunked' ]) {
    my @all = exchange($httpd, request([ $type, @$fields ], chunks_of($lab->rvr) . $hidden));

    served($all[0], '5.5 of Content-Length and Transfer-Encoding the latter counts');
    is(scalar @all, 1, '5.5 and the connection ends');
}
for my $fields ([ "Content-Length: $length", 'Content-Length: 5' ],
                [ "Content-Length: $length, $length" ],
                [ "Content-Length: +$length" ], [ 'Content-Length: 0x11' ],
                    [ 'Content-Length: -1' ],
                [ 'Content-Length:' ], [ 'Content-Length: ' . '9' x 30 ],
                    [ "Content-Length : $length" ],
                [ "Content-Length: $length\r\n\tx" ], [ 'Transfer-Encoding: xchunked' ],
                [ 'Transfer-Encoding: chunked, identity' ], [ 'Transfer-Encoding: identity' ],
                [ "Transfer-Encoding: \x0Bchunked" ], [ "Transfer-Encoding : chunked" ],
                [ "Content-Length: $length", "X: a\0b" ], [ "Content-Length: $length", "X: a\rb" ],
                [ "Content-Length: $length", 'Host: other.example' ],
                    [ "Content-Length: $length", ': x' ],
                [ "Content-Length: $length", 'X: ' . 'x' x 9000 ],
                [ "Content-Length: $length", map { "X$_: x" } 1 .. 200 ]) {
    (my $label = substr "@$fields", 0, 60) =~ s/[^ -~]/?/g;
    my @all = exchange($httpd, request([ $type, @$fields ], $rvr . $hidden));

    is(scalar @all, 1, "5.5 $label: one answer, and the connection ends");
    repelled($all[0], 400, 'httpd', qr/could not understand the request/, "5.5 $label is refused");
}
for my $chunk ("-1\r\nabc\r\n", "zz\r\nabc\r\n", "5\r\nabcdefgh\r\n0\r\n\r\n", "3 3\r\nabc\r\n",
               "0x3\r\nabc\r\n") {
    (my $label = $chunk) =~ s/\s+/ /g;
    my @all = exchange($httpd, request([ $type, 'Transfer-Encoding: chunked' ], $chunk . $hidden));

    is(scalar @all, 1, "5.5 chunk $label: one answer, and the connection ends");
    is($all[0]->code, 400, "5.5 chunk $label is refused");
}
for my $chunk ('F' x 16 . "\r\nabc", '5;x=' . 'y' x 9000 . "\r\nabcde\r\n0\r\n\r\n") {
    repelled(ask([ $type, 'Transfer-Encoding: chunked' ], $chunk), 413, 'httpd',
             qr/larger than this server/,
             '5.5 a chunk beyond all sizes is refused');
}

# Refused before the body was read: the body is no request.
for my $case ([ "GET $path HTTP/1.1", 405 ], [ 'POST /.well-known/brski/nothing HTTP/1.1', 404 ],
              [ "PUT $path HTTP/1.1", 405 ]) {
    my $whole = request([ $type, 'Content-Length: ' . length $hidden ], $hidden, $case->[0]);
    is(answers($whole . $hidden), "$case->[1] 405", "5.5 $case->[0]: its body is its body");
}
is(answers(request('Content-Length: 70000', $hidden . 'x' x 70_000)), '413',
   '5.5 after a body that was not read nothing is read');
repelled(ask([ $type, "Content-Length: $length", 'Expect: miracle' ], $rvr), 417, 'httpd',
         qr/could not understand/, '5.5 an unknown expectation is refused');

# --- request lines --------------------------------------------------------

my @all = map { scalar exchange($httpd, request([ $type, "Content-Length: $length", @close ], $rvr,
                                                $_)) }
    "POST\t$path HTTP/1.1", "POST  $path HTTP/1.1",
    "POST $path\0 HTTP/1.1", "POST $path HTTP/1.1 x", "POST $path", "post $path HTTP/1.1",
        "POST:$path HTTP/1.1",
    'POST ' . '/x' x 5000 . ' HTTP/1.1';
is(scalar(grep { $_->code =~ /^(?:400|404|405|414|501|505)$/ } @all), scalar @all,
   '5.5 request lines that are none are refused') or diag map { $_->code . "\n" } @all;
is(scalar(grep { !defined $_->header('Content-Type')
    || $_->header('Content-Type') !~ /json/ } @all),
   scalar @all, '5.5 and no voucher comes of them');
my $no_host = scalar exchange($httpd,
    "POST $path HTTP/1.1\r\n$type\r\nContent-Length: $length\r\n\r\n$rvr");
repelled($no_host, 400, 'httpd', qr/could not understand/, '5.5 without Host it is refused');
unlike(exchange($httpd,
                "TRACE $path HTTP/1.1\r\nHost: masa.example\r\nConnection: close\r\n\r\n")->content,
       qr/voucher-cms/, '5.5 TRACE is no way to a voucher');
for my $field ('X-HTTP-Method-Override: POST', 'X-Method-Override: POST') {
    is(ask([ $type, $field, "Content-Length: $length", @close ], $rvr, "GET $path HTTP/1.1")->code,
       405,
       "5.5 $field overrides nothing");
}

# --- filters --------------------------------------------------------------

SKIP: {
    eval { require IO::Compress::Gzip } or skip 'no IO::Compress', 3;
    my $bomb;
    my $plain = join '', map { 'x' x 2000 . rand } 1 .. 2000;
    IO::Compress::Gzip::gzip(\$plain => \$bomb);
    cmp_ok(length $bomb, '<', 65_536, 'four million octets in less than the limit');
    my $before = $httpd->cpu_seconds;
    repelled(ask([ $type, 'Content-Encoding: gzip', 'Content-Length: ' . length $bomb, @close ],
                 $bomb,
                 'POST /.well-known/brski/requestauditlog HTTP/1.1'), 413, 1002,
             qr/larger than this server reads/, '5.5 are too large');
    cmp_ok($httpd->cpu_seconds - $before, '<', 0.5, '5.5 and are not unpacked to the end');
}
repelled(ask([ $type, 'Content-Encoding: gzip', "Content-Length: $length", @close ], $rvr,
             'POST /.well-known/brski/requestauditlog HTTP/1.1'), 400, 1004, qr/could not be read/,
         '5.5 what is not packed cannot be unpacked');
$httpd->expect(qr/deflate:warn/);
no_harm_done();
done_testing;
