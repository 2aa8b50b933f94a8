# SPDX-License-Identifier: Apache-2.0
#
# masactl.t: masactl beside a MASA that runs: it explains what was refused, finds what was issued,
# proves the log that the server wrote, and imports while vouchers are issued.
use FindBin;
use lib "$FindBin::RealBin/../lib";
use BRSKI::Test;
use BRSKI::Test::Answer;
use JSON::PP ();
use POSIX ();
use Time::HiRes ();

my $masa = start_masa(name => 'masactl', devices => 60);
my ($lab, $httpd, $db) = ($masa->lab, $masa->httpd, $masa->db);

sub json
{
    my $out = $masa->masactl('--json', '--quiet', @_);

    $out =~ s/\A.*?^(?=[\[{])//ms;    # what went to stderr
    return JSON::PP->new->utf8->decode($out);
}

sub post { return $httpd->post('requestvoucher', $_[0]) }

# Names of the rules of an explanation that failed.
sub failed { return join ' ',
             map { $_->{section} } grep { $_->{result} eq 'FAILED' } @{ $_[0]{steps} } }

# --- the log that a server writes -----------------------------------------

my @first = map { $lab->next_device } 1 .. 3;
issued($httpd, post($lab->rvr(device => $_)), '5.6 a voucher') for @first;
my $log = json('log', 'verify');
is("$log->{events} $log->{problem_count}", '3 0', '5.8 the log that the server wrote is whole');
my $serial = $lab->serial($first[0]);
my $shown = $masa->masactl('log', 'show', $serial);
like($shown, qr/^\s*1 .* proximity /m, '5.8 log show tells the voucher');
ok(wait_until(10, sub { $masa->masactl('log', 'show', $serial) =~ /127\.0\.0\.1/ }),
   '5.8 and soon who asked');

# --- explain --------------------------------------------------------------

my $device = $lab->next_device;
my $id = refused($httpd, post($lab->rvr(device => $device, args => [ '--prior-defect',
    'signature' ])),
                 403, 1036, qr/does not verify/, '5.5.5 a forged prior request');
ok(wait_until(10, sub { (eval { json('explain', $id) } || {})->{request_id} }),
   '5.5.5 a refusal is soon kept');
my $why = json('explain', $id);
is($why->{number}, 1036, '5.5.5 explain tells what was decided');
is($why->{serial_number}, $lab->serial($device), '5.5.5 of which device');
is(failed($why), '5.5.5', '5.5.5 and finds the rule that failed');
is($why->{steps}[-1]{section}, '5.5.5', '5.5.5 which ended it');
ok((grep { $_->{section} eq '5.5.4' && $_->{result} eq 'passed' } @{ $why->{steps} }),
   '5.5.4 after the rules that passed');
is($why->{verdict}, 'the same rule refuses it still', '5.5.5 as it does still');
like($masa->masactl('explain', $id), qr/^FAILED +5\.5\.5 /m, '5.5.5 and for people');
like($masa->masactl('explain'), qr/^\Q$id\E .* 5\.5\.5 PRIOR_SIGNATURE$/m,
     '5.5.5 explain lists it');

# A device that the MASA did not know, and now does.
my $unknown = $lab->next_device;
$db->sql("DELETE FROM device WHERE serial_number = '" . $lab->serial($unknown) . "'");
$id = refused($httpd, post($lab->rvr(device => $unknown)), 404, 1028, qr/does not know/,
              '5.6 an unknown device');
wait_until(10, sub { eval { json('explain', $id) } });
is(json('explain', $id)->{verdict}, 'the same rule refuses it still',
   '5.6 explain of an unknown device');
$masa->masactl('device', 'import', $lab->devices_csv);
like(json('explain', $id)->{verdict}, qr/now it would be granted: records/,
     '5.6 explain tells that records have changed since');
is(failed(json('explain', $id)), '', '5.6 and that no rule fails now');
my ($status, $out) = $db->try_masactl('explain', 'no-such-request');
is($status, 1, 'explain of what is not kept is refused');
like($out, qr/no refusal no-such-request is kept/, 'and says so');
($status, $out) = $db->try_masactl('explain', '--node', 'elsewhere', $id);
like($out, qr/elsewhere has published no configuration/, 'and so of a server that is not there');
is($db->sql("SELECT count(*) FROM voucher_event"), "3\n", '5.6 explaining issues nothing');

# --- doctor ---------------------------------------------------------------

my $report = json('doctor');
is(join("\n", map { "$_->{check}: $_->{text}" } grep { $_->{state} eq 'PROBLEM' } @$report), '',
   'doctor finds nothing wrong with a MASA that runs');
like(join("\n", map { "$_->{check} $_->{text}" } @$report), qr/^refusals 2 in the last day: /m,
     'and counts refusals');
ill('servers', qr/configured differently/, 'servers that differ',
    "INSERT INTO node_snapshot (tenant, node, hash, published_at, json) "
    . "SELECT tenant, 'other', 'x', published_at, json FROM node_snapshot WHERE node <> 'other'");
$masa->masactl('doctor', '--forget', 'other');
is($db->sql("SELECT count(*) FROM node_snapshot WHERE node = 'other'"), "0\n", 'doctor --forget');
ill('devices', qr/no server is configured for: add <MASAProduct ghost>/,
    'devices of a product that nobody has',
    "INSERT INTO device (tenant, serial_number, product) VALUES ('default', 'GHOST', 'ghost')",
    "DELETE FROM device WHERE product = 'ghost'");
ill('log', qr/is broken: /, 'a broken chain', "UPDATE voucher_event SET customer = 'forged'",
    "UPDATE voucher_event SET customer = ''");
my ($product) = $db->sql("SELECT DISTINCT product FROM device") =~ /(.+)/;
ill('devices', qr/trust signer nobody, which no server has/,
    'devices with a signer that nobody has',
    "INSERT INTO device (tenant, serial_number, product, signer) "
    . "VALUES ('default', 'GHOST', '$product', 'nobody')",
        "DELETE FROM device WHERE serial_number = 'GHOST'");
my $odd = list("serial_number,product,signer\nW1,ghost,\nW2,$product,nobody\n");
(undef, $out) = $db->try_masactl('device', 'import', '--dry-run', $odd);
like($out, qr/warning: no server is configured for product 'ghost'/,
     'an import warns of such a product');
like($out, qr/warning: no server has the signer 'nobody'/, 'and of such a signer');

# --- an import beside vouchers --------------------------------------------

my $rows = 200_000;
my $list = list("serial_number,product\n"
                . join '', map { sprintf "BULK-%07d,%s\n", $_, $product } 1 .. $rows);
my @requests = map { $lab->rvr(device => $lab->next_device) } 1 .. 30;
my $pid = fork;
if (!$pid) {
    my ($rc) = $db->try_masactl('--quiet', 'device', 'import', $list);
    POSIX::_exit($rc);
}
my ($slowest, $beside, $ended) = (0, 0, undef);
for my $request (@requests) {
    my $began = Time::HiRes::time();
    my $response = post($request);
    my $took = Time::HiRes::time() - $began;
    $slowest = $took if $took > $slowest;
    issued($httpd, $response, '5.6 a voucher while devices are imported');
    $ended = $? if !defined $ended && waitpid $pid, POSIX::WNOHANG();
    $beside++ if !defined $ended;
    Time::HiRes::sleep(0.02);
}
if (!defined $ended) {
    waitpid $pid, 0;
    $ended = $?;
}
is($ended, 0, 'an import beside vouchers ends well');
cmp_ok($beside, '>', 0, '5.6 vouchers were issued while it went on');
note(sprintf '%d vouchers beside the import, the slowest after %.3f s', $beside, $slowest);
is($db->sql("SELECT count(*) FROM device WHERE serial_number LIKE 'BULK-%'"), "$rows\n",
   'with every device');
is(json('log', 'verify')->{problem_count}, 0, '5.8 and a log that is whole');
done_testing;

sub list { return write_file(run_dir() . '/list.csv', $_[0]) }

# Something is done to the records; doctor finds it; it is put right.
sub ill
{
    my ($check, $words, $label, $sql, $cure) = @_;

    $db->sql($sql);
    my ($status, $out) = $db->try_masactl('doctor');
    is($status, 1, "doctor finds $label");
    like($out, qr/^PROBLEM +$check +.*$words/m, "and says what to do");
    $db->sql($cure) if $cure;
}
