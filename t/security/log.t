# SPDX-License-Identifier: Apache-2.0
#
# log.t: somebody with the database's password, who would have it that a voucher was never issued,
# or to another: rows altered, removed, cut from the end, exchanged. masactl log verify finds it,
# with a checkpoint also the end; owners read no log that was tampered with.
use FindBin;
use lib "$FindBin::RealBin/../lib";
use BRSKI::Test;
use BRSKI::Test::Attack;

my $masa = under_attack(start_masa(name => 'log', devices => 4, policy => 'MASAOwner any'));
my ($lab, $httpd, $db) = ($masa->lab, $masa->httpd, $masa->db);
my %registrar = $lab->identity;
my %rvr;
for my $n (1 .. 4) {
    for my $device (1 .. 3) {
        $rvr{$device} = $lab->rvr(device => $device);
        my $response = $httpd->post('requestvoucher', $rvr{$device}, %registrar);
        $response->code == 200 or die $response->as_string;
    }
}
is(events(), 12, 'control: three devices with four events each');

my $dir = new_dir('checkpoint');
chmod 0777, $dir;
my ($key, $public, $checkpoint) = map { "$dir/$_" } qw(key.pem public.pem one.json);
run_command([ qw(openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out), $key ]);
run_command([ qw(openssl pkey -pubout -in), $key, '-out', $public ]);
chmod 0644, $key;
$masa->masactl(qw(log checkpoint --key), $key, '-o', $checkpoint);

sub verify
{
    my (@args) = @_;
    return $db->try_masactl(qw(log verify), @args);
}
my @with = ('--checkpoint', $checkpoint, '--key', $public);
is((verify(@with))[0], 0, 'control: it is whole');

# What is done; who finds it: verify alone, or (end => 1) only with the checkpoint; and what an
# owner of the device is told.
my $serial = $lab->serial(2);
my $here = "serial_number = '$serial'";
my @rows = map { [ split /\|/, $_, -1 ] } split /\n/,
           $db->sql("SELECT * FROM voucher_event WHERE $here ORDER BY epoch, seq");
my @names = columns();

sub columns
{
    my $csv = dialect() eq 'sqlite3'
        ? $db->sql('SELECT name FROM pragma_table_info(\'voucher_event\') ORDER BY cid')
        : $db->sql('SELECT column_name FROM information_schema.columns '
                   . 'WHERE table_name = \'voucher_event\' ORDER BY ordinal_position');
    return split /\n/, $csv;
}

sub restore
{
    $db->sql("DELETE FROM voucher_event WHERE $here");
    for my $row (@rows) {
        my %value;
        @value{@names} = @$row;
        $db->sql('INSERT INTO voucher_event (' . join(', ', @names) . ') VALUES ('
                 . join(', ', map { $_ eq 'nonce' && $value{$_} eq '' ? 'NULL'
                     : "'$value{$_}'" } @names) . ')');
    }
}

sub tampered
{
    my ($what, $sql, %opt) = @_;
    $db->sql($_) for ref $sql ? @$sql : $sql;
    recount();
    my ($status, $said) = verify($opt{end} ? @with : ());

    is($status, 1, "5.8 $what: masactl log verify finds it") or diag $said;
    like($said, qr/\Q$serial\E/, "5.8 $what: and names the device");
    if ($opt{end}) {
        is((verify())[0], 0, "5.8 $what: which takes the checkpoint");
    }
    my $response = $httpd->post('requestauditlog', $rvr{2}, %registrar);
    if (!$opt{end}) {
        repelled($response, 503, 1079, qr/need the manufacturer's attention/,
                 "5.8 $what: an owner is not shown what is not true");
    }
    restore();
    recount();
    is((verify(@with))[0], 0, "5.8 $what: what is put back is whole");
}

# --- altered --------------------------------------------------------------

tampered('a row altered: the domain',
         "UPDATE voucher_event SET domain_id = 'AAAA' WHERE $here AND seq = 2");
tampered('a row altered: the time',
         "UPDATE voucher_event SET created_at = created_at - 1 WHERE $here AND seq = 2");
tampered('a row altered: the assertion',
         "UPDATE voucher_event SET assertion = 'verified', verified = 1 WHERE $here AND seq = 4");
tampered('a row altered: the nonce taken away',
         "UPDATE voucher_event SET nonce = NULL WHERE $here AND seq = 1");
tampered('a row altered: its hash', "UPDATE voucher_event SET hash = '" . 'a' x 64
         . "' WHERE $here AND seq = 4");
tampered('two rows exchanged', [
    "UPDATE voucher_event SET seq = 99 WHERE $here AND seq = 2",
    "UPDATE voucher_event SET seq = 2 WHERE $here AND seq = 3",
    "UPDATE voucher_event SET seq = 3 WHERE $here AND seq = 99" ]);

# --- removed --------------------------------------------------------------

tampered('a row removed from the middle', "DELETE FROM voucher_event WHERE $here AND seq = 2");
tampered('the first row removed', "DELETE FROM voucher_event WHERE $here AND seq = 1");
# With the copy of the checkpoint that is in the database: the file is what counts.
$db->sql('DELETE FROM checkpoint');
tampered('a row cut from the end of the log', "DELETE FROM voucher_event WHERE $here AND seq = 4",
         end => 1);
tampered('all but the first cut off', "DELETE FROM voucher_event WHERE $here AND seq > 1",
         end => 1);
$db->sql("DELETE FROM voucher_event WHERE $here");
recount();
is((verify())[0], 0, '5.8 a device\'s whole log removed: nothing is left to show it');
my ($status, $said) = verify(@with);
is($status, 1, '5.8 a device\'s whole log removed: the checkpoint shows it');
like($said, qr/\Q$serial\E/, '5.8 and whose it was');
repelled($httpd->post('requestauditlog', $rvr{2}), 404, 1046, qr/^There is no audit log/,
         '5.8 to its owner it is one that never was');
restore();
recount();

# --- the voucher, the checkpoint ------------------------------------------

$db->sql("UPDATE voucher_event SET voucher = 'AAAA' WHERE $here AND seq = 4");
($status, $said) = verify();
is($status, 1, '5.6 a stored voucher exchanged: verify finds it');
repelled($httpd->post('requestvoucher', $rvr{2}, %registrar), 503, 1079,
         qr/need the manufacturer's/,
         '5.6 and it is not given out again');
restore();
my $text = read_file($checkpoint);
write_file("$dir/two.json", $text =~ s/"events":\s*12/"events":11/r);
write_file("$dir/two.json.heads", read_file("$checkpoint.heads"));
chmod 0644, glob "$dir/two*";
($status, $said) = $db->try_masactl(qw(log verify --checkpoint), "$dir/two.json", '--key', $public);
is($status, 1, '5.8 an altered checkpoint is none');
like($said, qr/sign/, '5.8 for its signature does not verify');
write_file("$dir/three.json", $text);
write_file("$dir/three.json.heads", join "\n", grep { !/\Q$serial\E/ } split /^/,
           read_file("$checkpoint.heads"));
chmod 0644, glob "$dir/three*";
($status, $said) = $db->try_masactl(qw(log verify --checkpoint), "$dir/three.json", '--key',
                                    $public);
isnt($status, 0, '5.8 nor is one with a line less');

my $more = $httpd->post('requestvoucher', $lab->rvr(device => 2), %registrar);
is($more->code, 200, 'control: the log goes on');
is((verify(@with))[0], 0, '5.8 and what came since the checkpoint is no tampering');
$httpd->expect('BRSKI1079');
recount();
no_harm_done();
done_testing;
