# SPDX-License-Identifier: Apache-2.0
#
# est-kill.t: a registrar that loses a child, its database or its patience in the middle of a join:
# what was begun is taken over, the pledge gets the voucher that was made for it, once, and a
# certificate, once.
use FindBin;
use lib "$FindBin::RealBin/../lib";
use BRSKI::Test;
use BRSKI::Test::Liar;
use BRSKI::Test::Parallel;
use Time::HiRes qw(sleep);

my ($V, $LOG) = qw(requestvoucher requestauditlog);
my $lab = new_lab(devices => 12);
my $liar = BRSKI::Test::Liar->new(lab => $lab);
my $cluster = dialect() eq 'pgsql' ? BRSKI::Test::Postgres->new : undef;
my $gates = new_dir('gates');
my $est = start_est(name => 'kill', lab => $lab, masa => $liar,
                    db => new_database(tool => 'estctl', cluster => $cluster),
                    est => "    ESTMASATimeout 20s\n    ESTAnswerWithin 1s\n");
my ($httpd, $db) = ($est->httpd, $est->db);
$httpd->expect(qr/\[dbd:|BRSKI107\d|BRSKI11\d\d|BRSKI3106|AH00052|exit signal Kill|AH00051/);

# --- a child dies while it asks -------------------------------------------

my $d = device(1, $V, { until => "$gates/1" }, {});
is(post($d)->code, 202, '5.6 control: the MASA is slow');
my $row = lease($d);
my ($child) = $row =~ /:(\d+)$/;
ok($child, '5.6 control: a child asks it') or diag $row;
kill 'KILL', $child;
ok(wait_until(10, sub { !kill 0, $child }), '5.6 the child is gone');
is(post($d)->code, 202, '5.6 the pledge waits');
is($liar->asked($d->{serial}, $V), 1, '5.6 nobody asks twice while the lease stands');
outlast($d);
joins($d, '5.6 a child that was killed: another one takes over');
is($liar->asked($d->{serial}, $V), 2, '5.6 the MASA was asked once more');
write_file("$gates/1", '');

# --- a graceful restart ---------------------------------------------------

$d = device(2, $V, { until => "$gates/2" }, {});
is(post($d)->code, 202, '5.6 control: the MASA is slow');
$httpd->graceful;
is(post($d)->code, 202, '5.6 after a graceful restart the pledge waits');
write_file("$gates/2", '');
joins($d, '5.6 a graceful restart');
is($liar->asked($d->{serial}, $V), 1, '5.6 who asked has finished');

# --- a stop and a start ---------------------------------------------------

$d = device(3, $V, { wait => 3 }, {});
is(post($d)->code, 202, '5.6 control: the MASA is slow');
$httpd->stop;
$httpd->start;
outlast($d);
joins($d, '5.6 a restart');

# --- the records go away --------------------------------------------------

$d = device(4, $V, { until => "$gates/4" }, {});
is(post($d)->code, 202, '5.6 control: the MASA is slow');
take_away();
write_file("$gates/4", '');
my $away = post($d);
is($away->code, 503, '5.6 without records nobody is told anything') or diag $away->as_string;
like($away->header('Retry-After') || '', qr/^\d+$/, '5.6 but when to come again');
bring_back();
outlast($d);
joins($d, '5.6 the database was away while the MASA answered');

$d = device(5, $LOG, { until => "$gates/5" }, {});
is(got($d)->code, 200, '5.6 control: the voucher comes');
take_away();
write_file("$gates/5", '');
my $none = enrol_once($d);
is($none->code, 503, '5.9 without records nobody enrols') or diag $none->as_string;
bring_back();
outlast($d);
joins($d, '5.8 the database was away while the log was fetched');

# --- everybody at once ----------------------------------------------------

$d = device(6);
my @answers = parallel(10, sub { got($d) });
my %vouchers = map { $_->content => 1 } grep { $_->code == 200 } @answers;
is(scalar(grep { $_->code == 200 } @answers), 10, '5.6 one request from ten connections');
is(scalar keys %vouchers, 1, '5.6 gets one voucher');
is($liar->asked($d->{serial}, $V), 1, '5.6 for one question');
joins($d, '5.6 and');
done_testing;

# --------------------------------------------------------------------------

sub device
{
    my ($n, $operation, @steps) = @_;

    $liar->plan($lab->serial($n), $operation, @steps) if @steps;
    return { n => $n, serial => $lab->serial($n), pvr => scalar $lab->pvr(device => $n),
             csr => $est->csr(subject => '/O=Test/CN=' . $lab->serial($n))->{der} };
}

sub post
{
    my ($d) = @_;
    return $httpd->post($V, $d->{pvr}, $lab->device($d->{n}));
}

sub enrol_once
{
    my ($d) = @_;
    return $est->enrol('simpleenroll', $d->{csr}, $lab->device($d->{n}));
}

# Until it is neither "wait" nor "busy".
sub again
{
    my ($ask) = @_;
    my $response;

    for (1 .. 150) {
        $response = $ask->();
        last if $response->code != 202 && $response->code != 503;
        sleep 0.3;
    }
    return $response;
}

sub got { my ($d) = @_; return again(sub { post($d) }) }

sub lease
{
    my ($d) = @_;
    my $row = $db->sql("SELECT lease_by FROM est_request WHERE serial_number = '$d->{serial}'");
    chomp $row;
    return $row;
}

# As if the lease of who died, or could not write, had run out.
sub outlast
{
    my ($d) = @_;
    $db->sql("UPDATE est_request SET lease_until = 1 WHERE serial_number = '$d->{serial}'
              AND lease_until > 0");
}

sub joins
{
    my ($d, $label) = @_;
    my $voucher = got($d);

    is($voucher->code, 200, "$label: the pledge gets its voucher") or diag $voucher->as_string;
    my ($status, $said) = $lab->verify($voucher->content, '--device', $d->{serial}, '--registrar',
                                       $lab->path('domain/registrar.pem'));
    is($status, 0, "$label: which it accepts") or diag $said;
    is(got($d)->content, $voucher->content, "$label: always the same");
    is(again(sub { $httpd->post('voucher_status', '{"version":1,"status":true}',
                                $lab->device($d->{n}), type => 'application/json') })->code, 200,
       "$label: reports");
    my $certificate = again(sub { enrol_once($d) });
    is($certificate->code, 200, "$label: and its certificate") or diag $certificate->as_string;
    for my $table (qw(est_request est_pledge est_certificate)) {
        is($db->sql("SELECT count(*) FROM $table WHERE serial_number = '$d->{serial}'"), "1\n",
           "$label: nothing is doubled in $table");
    }
}

sub take_away
{
    $cluster ? $cluster->stop : rename($db->file, $db->file . '.away');
}

sub bring_back
{
    $cluster ? $cluster->start : rename($db->file . '.away', $db->file);
}
