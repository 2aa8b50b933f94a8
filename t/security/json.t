# SPDX-License-Identifier: Apache-2.0
#
# json.t: well-signed messages whose JSON is no voucher-request, or is one that would make a
# careless reader see another thing than is there: duplicate keys, NUL, nesting, sizes, types,
# characters that look alike; and texts that would forge log lines, header fields or SQL.
use FindBin;
use lib "$FindBin::RealBin/../lib";
use BRSKI::Test;
use BRSKI::Test::Attack;
use BRSKI::Test::Der;
use BRSKI::Test::Pki;
use JSON::PP ();

my $pki = BRSKI::Test::Pki->new;
$pki->ca('root')->registrar('reg', issuer => 'root', bare => 1);
my $masa = under_attack(start_masa(name => 'json', devices => 3,
    policy => "MASAOwner any\nMASAProximity required", host => <<'EOF_HOST'));
Header always set X-Serial "%{MASA_SERIAL}e"
LogFormat "%>s <%{MASA_SERIAL}e> <%{MASA_RESULT}e>" masa
CustomLog @DIR@/masa_log masa
EOF_HOST
my ($lab, $httpd) = ($masa->lab, $masa->httpd);
my ($reg, $root) = map { $pki->der($_) } qw(reg root);
my $pvr = $lab->pvr(args => [ '--registrar-cert', $pki->file('reg') ]);
my $serial = $lab->serial(1);

sub signed
{
    my ($json) = @_;
    return $httpd->post('requestvoucher', cms(content => $json, certs => [ $reg, $root ],
                                              key => $pki->key('reg')));
}
sub with { return signed(request_json($pvr, @_)) }
sub more { return with(more => $_[0]) }

served(with(), 'control: a request by hand');

# --- what is no request ---------------------------------------------------

my $right = request_json($pvr);
for my $case ([ "[$right]", 'JSON as array' ], [ '[]', 'an empty array' ],
              [ '{}', 'an empty object' ],
              [ '"ietf-voucher-request:voucher"', 'a string' ], [ '17', 'a number' ],
                  [ 'null', 'null' ],
              [ '   ', 'blanks' ], [ "$right$right", 'two documents' ],
                  [ "$right,", 'a comma behind' ],
              [ substr($right, 0, -1), 'half a document' ],
                  [ "\xEF\xBB\xBF$right", 'a byte order mark' ],
              [ "$right\0", 'a NUL behind' ], [ "\0$right", 'a NUL in front' ],
              [ "/**/$right", 'a comment' ], [ $right =~ s/"/'/gr, 'other quotes' ],
              [ join('', map { "$_\0" } split //, $right), 'UTF-16' ],
              [ $right =~ s/voucher-request:/voucher:/r, 'another name on top' ],
              [ $right =~ s/^\{/{"ietf-voucher:voucher":{},/r, 'a second member on top' ],
              [ '{"ietf-voucher-request:voucher":[]}', 'an array inside' ],
              [ '{"ietf-voucher-request:voucher":null}', 'null inside' ],
              [ '<voucher/>', 'XML' ]) {
    repelled(signed($case->[0]), 400, 1009, qr/JSON/, "5.5 $case->[1] is refused");
}

# --- what two readers could read differently ------------------------------

my $bad = sub { my ($json, $label) = @_; repelled(more($json), 400, 1009, qr/JSON is not right/,
                                                  $label) };
$bad->(qq("serial-number":"$serial"), '8366-5 duplicate keys are refused');
$bad->('"nonce":"another"', '8366-5 also for the nonce');
$bad->(qq("serial\\u002dnumber":"another"), '8366-5 however they are written');
$bad->('"x":{"a":1,"a":2}', '8366-5 also where nobody looks');
repelled(signed($right =~ s/^\{(.*)\}$/{$1,$1}/sr), 400, 1009, qr/JSON is not right/,
         '8366-5 also on top');
$bad->(qq("x":"a\\u0000b"), '8366-5 an escaped NUL is refused');
$bad->(qq("x":"a\0b"), '8366-5 so is a bare one');
$bad->('"a\u0000b":"x"', '8366-5 and one in a name');
$bad->(qq("x":"a\nb"), '8366-5 so is a bare line end');
$bad->('"x":"\ud800"', '8366-5 half a surrogate pair is refused');
$bad->(qq("x":"\xC0\xAF"), '8366-5 overlong UTF-8 is refused');
$bad->(qq("x":"\xED\xA0\x80"), '8366-5 a surrogate in UTF-8 is refused');
$bad->(qq("x":"\xFF"), '8366-5 what is no UTF-8 is refused');
$bad->('"x":1e400', '8366-5 a number beyond all numbers is refused');
$bad->('"x":' . '9' x 400, '8366-5 so is an endless one');
$bad->('"x":NaN', '8366-5 and one that is none');
$bad->('"x":01', '8366-5 and one with a leading zero');

repelled(with('serial-number' => "$serial$_->[0]", 'prior-signed-voucher-request' => undef), 404,
         1028,
         qr/does not know the device/, "5.6 a serial-number with $_->[1] is another one")
    for [ ' ', 'a blank behind' ], [ "\n", 'a line end behind' ],
        [ "\x{200B}", 'what nobody sees behind' ],
        [ "\x{0301}", 'an accent behind' ], [ '%', 'a percent sign behind' ],
            [ '_', 'an underscore' ];
repelled(with('serial-number' => $_->[0], 'prior-signed-voucher-request' => undef), 404, 1028,
         qr/does not know the device/, "5.6 $_->[1] is another device's")
    for [ lc $serial, 'small letters' ], [ " $serial", 'a blank in front' ], [ '%', 'a pattern' ],
        [ $serial =~ s/J/\x{FF2A}/r, 'a letter that looks alike' ], [ "$serial\t", 'a tab' ];

# --- types and sizes ------------------------------------------------------

sub of_type
{
    my ($member, $value) = @_;
    my $json = request_json($pvr, $member => undef, more => qq("$member":$value));

    return signed($json);
}
for my $member (qw(serial-number nonce idevid-issuer prior-signed-voucher-request created-on
                   assertion)) {
    repelled(of_type($member, $_), 400, 1010, qr/\b\Q$member\E is not a string/,
             "5.5 $member: $_ is refused")
        for qw(17 true null [] {} ["x"]);
}
repelled(of_type($_, '""'), 400, 1010, qr/is empty/, "5.5 an empty $_ is refused")
    for qw(serial-number nonce idevid-issuer);
repelled(with('serial-number' => undef), 400, 1010, qr/serial-number is missing/,
         '5.5 without serial-number it is refused');
repelled(with('serial-number' => 'x' x 1_048_576), 413, 1002, qr/larger than this server reads/,
         '5.5 a serial-number of a megabyte is refused');
repelled(with('serial-number' => 'x' x 50_000), 400, 1011, qr/string is longer than/,
         '5.5 one of 50 thousand octets too');
repelled(with('serial-number' => "\x{1F600}" x 33), 400, 1011, qr/longer than 128 octets/,
         '5.5 octets count, not characters');
repelled(more('"x":' . '[' x 20_000 . ']' x 20_000), 400, 1011, qr/nested deeper than/,
         '5.5 deeply nested JSON is refused');
repelled(more('"x":' . '[' x 40_000), 400, 1011, qr/nested deeper than/,
         '5.5 also when it has no end');
repelled(more('"x":' . '{"x":' x 5_000), 400, 1011, qr/nested deeper than/, '5.5 objects too');
served(more(join ',', map { qq("m$_":$_) } 1 .. 3000),
       '5.5 three thousand strange members do not matter');
my $bomb = octets('x');
$bomb = sequence($bomb) for 1 .. 3000;
for my $case ([ 'AAA=', 'that is nobody\'s' ],
              [ MIME::Base64::encode_base64($bomb, ''), 'of three thousand levels' ]) {
    served(with('idevid-issuer' => $case->[0]), "5.5 an idevid-issuer $case->[1] selects nothing");
}
is(scalar(grep { /BRSKI1102: idevid-issuer of \S+ is neither/ } $httpd->log_lines), 2,
   'and is logged');
my $other = sequence(context(0, 'x'));
substr($other, 2, 1) = "\x80";
repelled(with('idevid-issuer' => MIME::Base64::encode_base64($other, '')), 404, 1028,
         qr/does not know the device/, '5.6 one of another factory is no device of ours');

# --- what a registrar says of itself --------------------------------------

my $leaf = served(with(assertion => 'verified', 'pinned-domain-cert' => 'AAAA',
                       'last-renewal-date' =>
                       '2030-01-01T00:00:00Z', 'expires-on' => '2099-01-01T00:00:00Z',
                       'domain-cert-revocation-checks' => 'false'),
                  '5.5 what a registrar says of the voucher it wants is passed over');
is($leaf->{assertion}, 'proximity', '5.5.5 the assertion is what was proven');
ok(!exists $leaf->{$_}, "5.6 $_ is not taken over") for qw(expires-on last-renewal-date);
isnt($leaf->{'pinned-domain-cert'}, 'AAAA', '5.5.2 what is pinned is in the signature');

# --- texts that would be more than texts ----------------------------------

# What stands in the log for a request: lines with its id. Nothing there may be a control character.
sub one_line
{
    my ($id, $label) = @_;
    my @lines = grep { /\Q$id\E/ } $httpd->log_lines;

    is(scalar(grep { /BRSKI1\d\d\d: / } @lines), 1, "$label is one line of the log");
    ok(!grep({ /[\x00-\x08\x0B-\x1F\x7F]|\xC2[\x80-\x9F]|\xE2\x80[\x8B-\x8F\xA8-\xAE]/ } @lines),
       "$label leaves nothing in it that a terminal obeys") or diag @lines;
}
my %forged = (
    'a log line' => "x\n[Sat Nov 21 20:00:00 2026] [masa:info] BRSKI2211: voucher issued: x",
    'a header field' => "x\r\nSet-Cookie: a=b",
    'a terminal command' => "x\e[2J\e]0;y\a",
    'a C1 command' => "x\x{9B}2J",
    'another order' => "x\x{202E}1000-ADAJ",
    'a statement' => "x'; DROP TABLE voucher_event; --",
    'a condition' => "x' OR '1'='1",
    'a format' => '%s%n%x$1',
    'an expression' => '${jndi:ldap://localhost/x} %{HTTP_HOST} $(id) `id`',
    'a page' => '<script>alert(1)</script>',
);
for my $what (sort keys %forged) {
    my $response = with('serial-number' => $forged{$what}, 'prior-signed-voucher-request' => undef);
    my $id = repelled($response, 404, 1028, qr/^This MASA does not know the device\.$/,
                      "5.6 a serial-number that would be $what is only a text");
    one_line($id, $what);
    unlike($response->header('X-Serial'), qr/[\r\n\e\a]/, "$what in the environment is harmless");
    ok(!defined $response->header('Set-Cookie'), "$what makes no header field");
}
is(scalar(grep { /^\[Sat Nov 21 20:00:00/ } $httpd->log_lines), 0, 'no line of the log is forged');
my @lines = split /\n/, read_file($httpd->dir . '/masa_log');
is(scalar(grep { !/^\d{3} <[^\x00-\x1F]*> <\w+>$/ } @lines), 0, 'nor one of a log of its own');
my $id = repelled(more(qq("x\\ny":1,"serial-number":7)), 400, 1009, qr/JSON is not right/,
                  '8366-5 a parser\'s message does not tell what was sent');
one_line($id, 'it');
my $evidence = $masa->db->sql("SELECT serial_number FROM refusal WHERE serial_number LIKE 'x%'");
unlike($evidence, qr/[\x00-\x09\x0B-\x1F]/, 'what is in evidence is printable');
no_harm_done();
done_testing;
