# SPDX-License-Identifier: Apache-2.0
#
# telemetry.t: what a device says of its voucher and its certificate: false, nonsense, of a later
# version, before it has a voucher, for somebody else; and what that does to its join.
use FindBin;
use lib "$FindBin::RealBin/../lib";
use BRSKI::Test;
use BRSKI::Test::Answer;
use BRSKI::Test::Liar;
use Time::HiRes qw(sleep);

my $lab = new_lab(devices => 9);
my $liar = BRSKI::Test::Liar->new(lab => $lab);
my $est = start_est(name => 'telemetry', lab => $lab, masa => $liar,
                    est => "    ESTAnswerWithin 10s\n    ESTMASATimeout 20s\n");
my ($httpd, $db) = ($est->httpd, $est->db);
$httpd->expect(qr/BRSKI3221|BRSKI1116/);
my $good = '{"version":1,"status":true}';
my $nonsense = qr/^The body is not a status report: a JSON object with version and status/;

# --- nonsense -------------------------------------------------------------

join_device(1);
for my $case ([ 'no JSON', 'status: true' ], [ 'an empty body', '' ], [ 'a list', '[1,true]' ],
              [ 'text', '"true"' ], [ 'null', 'null' ], [ 'no version', '{"status":true}' ],
              [ 'no status', '{"version":1}' ], [ 'a status in words',
                                                  '{"version":1,"status":"true"}' ],
              [ 'a status that is a number', '{"version":1,"status":1}' ],
              [ 'a status of null', '{"version":1,"status":null}' ],
              [ 'a version below zero', '{"version":-1,"status":true}' ],
              [ 'a broken version', '{"version":1.5,"status":true}' ],
              [ 'capitals', '{"Version":1,"Status":true}' ],
              [ 'two statuses', '{"version":1,"status":true,"status":false}' ],
              [ 'a half', '{"version":1,"status":tr' ],
              [ 'octets', "\0\xff\xfe" ],
              [ 'a tower of lists', '{"version":1,"status":true,"reason-context":' . '[' x 5000 ],
              [ 'a reason that is no text', '{"version":1,"status":false,"reason":{}}' ]) {
    my ($name, $body) = @$case;

    for my $operation (qw(voucher_status enrollstatus)) {
        my $number = $body eq '' ? 1003 : 1117;
        refused($httpd, report(1, $body, $operation), 400, $number, $number == 1003 ? qr/no body/
                : $nonsense, "5.7 $operation: $name is refused");
    }
}
refused($httpd, $httpd->post('voucher_status', $good, $lab->device(1), type => 'text/plain'), 415,
        1005, qr/sent as application.json/, '5.7 so is another type');
is(row(1), '-1|-1', '5.7 and none of it counts');
is(enrol(1)->code, 200, '5.9 the device goes on');

# --- no ------------------------------------------------------------------

join_device(2);
is(report(2, '{"version":1,"status":false,"reason":"I do not\u0007 <b>know</b> you",'
           . '"reason-context":{"pin":["x"]}}')->code, 200, '5.7 a device that rejects its voucher');
refused($httpd, enrol(2), 403, 1116, qr/reported that it did not accept its voucher/,
        '5.9 gets no certificate');
is(told(2, 'telemetry-false'), 1, '5.7 and a human is told');
ok($httpd->log_line(qr/BRSKI3221: .*know/), '5.7 with its reason');
unlike(read_file($httpd->{error_log}), qr/\x07/, '5.7 escaped');
is(report(2, $good)->code, 200, '5.7 it may change its mind');
is(enrol(2)->code, 200, '5.9 and goes on');

# --- later ---------------------------------------------------------------

join_device(3);
is(report(3, '{"version":2,"status":true,"new":"news"}')->code, 200, '5.7 a report of version 2');
is(told(3, 'telemetry-version'), 1, '5.7 is told to a human');
is(row(3), '1|-1', '5.7 and what is known of it counts');
is(enrol(3)->code, 200, '5.9 the device goes on');
is(report(3, '{"version":1,"status":false,"reason":"no room"}', 'enrollstatus')->code, 200,
   '5.9.4 a device that cannot use its certificate');
is(told(3, 'telemetry-false'), 1, '5.9.4 is told too');

# --- too much -------------------------------------------------------------

# Who talks without end is not listened to for ever, and drowns nothing that others find out.
my $gate = new_dir('gate') . '/open';
$liar->plan($lab->serial(5), 'requestauditlog', { until => $gate, log => { events => [
    $liar->entry, $liar->entry(domainID => 'YSBzdHJhbmdlciBpbiBwYXJpcw==') ] } });
join_device(5);
report(5, qq({"version":1,"status":false,"reason":"no $_"})) for 1 .. 60;
my $notes = 0 + $db->sql("SELECT count(*) FROM est_note
                          WHERE serial_number = '@{[ $lab->serial(5) ]}'");
cmp_ok($notes, '<=', 51, '5.7 sixty reports are not sixty events');
write_file($gate, '');
ok(wait_until(30, sub { told(5, 'audit-bad') }), '5.8.3 a bad history is told all the same');

# --- who ------------------------------------------------------------------

refused($httpd, report(4, $good), 404, 1115, qr/has got no voucher/,
        '5.7 a device without voucher has nothing to report');
refused($httpd, $httpd->post('voucher_status', $good, type => 'application/json'), 401, 1124,
        qr/must authenticate with its IDevID/, '5.7 nor has anybody without a certificate');
refused($httpd, $httpd->post('voucher_status', $good, $lab->identity('stranger'),
                             type => 'application/json'), 404, 1125,
        qr/Devices of this manufacturer do not join/, '5.7 or with a stranger\'s');
done_testing;

sub join_device
{
    my ($n) = @_;
    my $pvr = $lab->pvr(device => $n);
    my $response;

    for (1 .. 60) {
        $response = $httpd->post('requestvoucher', $pvr, $lab->device($n));
        last if $response->code == 200;
        sleep 0.3;
    }
    is($response->code, 200, "5.6 device $n has a voucher") or diag $response->as_string;
}

sub report
{
    my ($n, $body, $operation) = @_;
    return $httpd->post($operation || 'voucher_status', $body, $lab->device($n),
                        type => 'application/json');
}

sub enrol
{
    my ($n) = @_;
    my $csr = $est->csr(subject => '/CN=' . $lab->serial($n));
    my $response;

    for (1 .. 60) {
        $response = $est->enrol('simpleenroll', $csr->{der}, $lab->device($n));
        last if $response->code != 202;
        sleep 0.3;
    }
    return $response;
}

# What is on record of voucher and certificate: 1, 0, or -1 for nothing.
sub row
{
    my ($n) = @_;
    my $row = $db->sql("SELECT voucher_status, enroll_status FROM est_pledge
                        WHERE serial_number = '@{[ $lab->serial($n) ]}'");
    chomp $row;
    return $row;
}

sub told
{
    my ($n, $kind) = @_;
    return 0 + $db->sql("SELECT count(*) FROM est_note WHERE kind = '$kind' AND alarm = 1
                         AND serial_number = '@{[ $lab->serial($n) ]}'");
}
