# SPDX-License-Identifier: Apache-2.0
#
# audit-log.t: what a device's history does to its join: every kind of log that a MASA may tell, what
# the default policy and a lenient one make of it, EST while nobody knows and after a bad verdict,
# certificates that are revoked for it, vouchers that wait for it, and a device that is vouched for.
use FindBin;
use lib "$FindBin::RealBin/../lib";
use BRSKI::Test;
use BRSKI::Test::Answer;
use BRSKI::Test::Liar;
use Time::HiRes qw(sleep);

my ($V, $LOG) = qw(requestvoucher requestauditlog);
my $lab = new_lab(devices => 64);
my $liar = BRSKI::Test::Liar->new(lab => $lab);
my $foreign = BRSKI::Test::Liar::domain_id($lab->path('stranger/registrar.pem'));
my $known = 'a25vd24gYW5kIGZyaWVuZGx5IDA=';
my $gates = new_dir('gates');
my $common = "    ESTMASATimeout 30s\n    ESTAnswerWithin 10s\n    ESTWorkers 16\n"
    . "    <ESTLabel vpn>\n    </ESTLabel>\n";
my $db = new_database(tool => 'estctl');
my $text = bless { lab => $lab, db => $db }, 'BRSKI::Test::Est';
my $est = start_est(
    name => 'audit', lab => $lab, db => $db,
    conf => $text->conf_text(masa => $liar, est => "$common    ESTTelemetryWait 1h\n")
        . $text->host_text('lenient.example', masa => $liar, est => $common . <<"EOF_LENIENT")
    ESTTenant lenient
    ESTAuditPolicy unknown warn
    ESTAuditPolicy logged refuse
    ESTAuditPolicy known $known
    ESTAuditPolicy nonceless-known $known
    ESTAuditPolicy ignore-before 2020-01-01
    ESTAuditPolicy max-events 5
    ESTAuditPolicy truncated refuse
    ESTAuditPolicy version refuse
    ESTAuditPolicy missing warn
    ESTAuditPolicy garbage warn
    ESTAuditPolicy revoke Off
EOF_LENIENT
        . $text->host_text('withhold.example', masa => $liar,
                           est => "$common    ESTTenant withhold\n    ESTAuditPolicy withhold On\n"
                               . "    ESTTelemetryWait 2s\n"));
my $httpd = $est->httpd;
$httpd->expect(qr/BRSKI3221|BRSKI1114|BRSKI1111/);
my $bad = qr/^The history of this device is not acceptable to this network; its operator has been/;
my $next = 0;

sub own { return $liar->entry(@_) }
sub stranger { return $liar->entry(domainID => $foreign, date => '2024-05-05T05:05:05Z', @_) }
sub events { return { log => { events => [ @_ ] } } }
sub truncation { return { log => { truncation => { @_ } } } }

# --- what each log is worth -----------------------------------------------

# name => step of the liar; verdict and rule here, and of the lenient one
my $time = '2026-01-01T00:00:00Z';
my @logs = (
    [ 'ours alone', {}, 'good', '', 'good', '' ],
    [ 'ours, twice', events(own(), own(nonce => 'eA==')), 'good', '', 'good', '' ],
    [ 'a stranger, nonced', events(own(), stranger()), 'bad', 'unknown', 'warn', 'unknown' ],
    [ 'a stranger before us', events(stranger(), own()), 'bad', 'unknown', 'warn', 'unknown' ],
    [ 'a stranger without proof', events(own(), stranger(assertion => 'logged')), 'bad', 'unknown',
      'bad', 'logged' ],
    [ 'a stranger, long ago', events(own(), stranger(date => '2019-01-01T00:00:00Z')), 'bad',
      'unknown', 'good', '' ],
    [ 'a friend', events(own(), own(domainID => $known)), 'bad', 'unknown', 'good', '' ],
    [ 'a friend without nonce', events(own(), own(domainID => $known, nonce => undef)), 'bad',
      'nonceless', 'good', '' ],
    [ 'a stranger without nonce', events(own(), stranger(nonce => undef)), 'bad', 'nonceless',
      'bad', 'nonceless' ],
    [ 'a stranger whose nonce is absent', events(own(), stranger(nonce => 'absent')), 'bad',
      'nonceless', 'bad', 'nonceless' ],
    [ 'a stranger whose nonce is empty', events(own(), stranger(nonce => '')), 'bad', 'nonceless',
      'bad', 'nonceless' ],
    [ 'us without nonce', events(own(), own(nonce => undef)), 'bad', 'nonceless', 'bad',
      'nonceless' ],
    [ 'seven of ours', events(map { own() } 1 .. 7), 'good', '', 'warn', 'max-events' ],
    [ 'entries left out', truncation(arbitrary => '3'), 'warn', 'truncated', 'bad', 'truncated' ],
    [ 'duplicates that nothing accounts for', truncation('nonced duplicates' => 2), 'warn',
      'truncated', 'bad', 'truncated' ],
    [ 'duplicates that an entry accounts for',
      { log => { events => [ own(truncated => '2') ],
                 truncation => { 'nonced duplicates' => '2' } } }, 'good', '', 'good', '' ],
    [ 'a counter below zero', truncation(arbitrary => -1), 'bad', 'garbage', 'warn', 'garbage' ],
    [ 'a counter in words', truncation(arbitrary => 'some'), 'bad', 'garbage', 'warn', 'garbage' ],
    [ 'truncation that is a list', { log => { truncation => [] } }, 'bad', 'garbage', 'warn',
      'garbage' ],
    [ 'version 2', { log => { version => '2', colour => 'blue' } }, 'warn', 'version', 'bad',
      'version' ],
    [ 'version 2, with a stranger', { log => { version => 2, events => [ own(), stranger() ] } },
      'bad', 'unknown', 'bad', 'version' ],
    [ 'no version', { log => { version => undef } }, 'bad', 'garbage', 'warn', 'garbage' ],
    [ 'version 0', { log => { version => 0 } }, 'bad', 'garbage', 'warn', 'garbage' ],
    [ 'no events', { log => { events => undef } }, 'bad', 'garbage', 'warn', 'garbage' ],
    [ 'an event that is text', events(own(), 'event'), 'bad', 'garbage', 'warn', 'garbage' ],
    [ 'an event without domain', events(own(), stranger(domainID => 'absent')), 'bad', 'garbage',
      'warn', 'garbage' ],
    [ 'an event without date', events(own(), stranger(date => 'absent')), 'bad', 'garbage', 'warn',
      'garbage' ],
    [ 'an event whose nonce is a number', events(own(), stranger(nonce => 5)), 'bad', 'garbage',
      'warn', 'garbage' ],
    [ 'nobody', events(), 'bad', 'missing', 'warn', 'missing' ],
    [ 'ours with letters of another case', events(own(domainID => $liar->{domain_id}
        =~ tr/a-zA-Z/A-Za-z/r)), 'bad', 'unknown', 'warn', 'unknown' ],
    [ 'none: 404', { status => 404, body => 'no' }, 'bad', 'missing', 'warn', 'missing' ],
    [ 'none: 403', { status => 403, body => 'no' }, 'bad', 'missing', 'warn', 'missing' ],
    [ 'no JSON', { body => 'what is JSON?' }, 'bad', 'garbage', 'warn', 'garbage' ],
    [ 'nothing at all', { body => '' }, 'bad', 'garbage', 'warn', 'garbage' ],
    [ 'a list', { body => '[]' }, 'bad', 'garbage', 'warn', 'garbage' ],
    [ 'a thousand lists', { body => '[' x 1000 }, 'bad', 'garbage', 'warn', 'garbage' ],
    [ 'events twice, the stranger once', { body => sprintf
        '{"version":"1","events":[{"date":"%s","domainID":"%s","nonce":"eA==","assertion":"verified"}],'
        . '"events":[{"date":"%s","domainID":"%s","nonce":"eA==","assertion":"verified"}]}',
        $time, $foreign, $time, $liar->{domain_id} }, 'bad', 'garbage', 'warn', 'garbage' ],
    [ 'ours, at another place', { status => 201, body => 'there',
                                  headers => { Location => '@LOG@' } }, 'good', '', 'good', '' ],
);

my @joining;
for my $case (@logs) {
    my ($name, $step, @want) = @$case;
    my $n = ++$next;

    $step = { %$step, headers => { Location => '/log/' . $lab->serial($n) } }
        if ($step->{headers}{Location} || '') eq '@LOG@';
    delete $step->{headers} if !$step->{headers}{Location};
    $liar->plan($lab->serial($n), $LOG, $step);
    for my $host (qw(registrar lenient)) {
        my $d = { n => $n, name => $name, serial => $lab->serial($n), host => "$host.example",
                  tenant => $host eq 'lenient' ? 'lenient' : 'default',
                  want => [ splice @want, 0, 2 ] };
        $d->{voucher} = ask($d)->code == 200;
        push @joining, $d;
    }
}
judged($_) for @joining;
for my $d (@joining) {
    my ($verdict, $rule) = @{ $d->{want} };
    my ($got, $why) = split /\|/, verdict($d);

    is("$got $why", "$verdict $rule", "5.8.3 $d->{name}, $d->{tenant}: $verdict $rule");
    my $res = enrol($d);
    # On a slow machine the verdict may be there before the device comes again for its voucher.
    my @why = $d->{voucher} ? (1114, $bad) : (1115, qr/has got no voucher/);
    $verdict eq 'bad' ? refused($httpd, $res, 403, @why, "5.8.3 $d->{name}: no certificate")
                      : is($res->code, 200, "5.8.3 $d->{name}: a certificate");
    my $told = told($d, $verdict eq 'good' ? 'audit-%' : "audit-$verdict");
    is($told, $verdict eq 'good' ? 0 : 1, "5.8.3 $d->{name}: a human is told, or need not be");
}

# --- a log that cannot be had ---------------------------------------------

for my $case ([ 'answers 500', { status => 500, body => 'oops' } ],
              [ 'sends megabytes', { body => '[' . ' ' x 2_000_000 . ']' } ],
              [ 'hangs up', { hangup => 1 } ],
              [ 'says that it is elsewhere', { status => 201, body => 'there', headers => {
                  Location => 'https://127.0.0.1:' . $httpd->tls_port . '/log' } } ]) {
    my $d = device(name => "a MASA that $case->[0]", step => [ $case->[1], $case->[1], {} ]);

    is(ask($d)->code, 200, "5.8 $d->{name}: the voucher goes to the device");
    wait_until(20, sub { $liar->asked($d->{serial}, $LOG) });
    my $res = enrol_once($d);
    is($res->code, 202, "5.8 $d->{name}: EST waits");
    like($res->header('Retry-After') || '', qr/^\d+$/, "5.8 $d->{name}: and is told how long");
    judged($d);
    is(enrol($d)->code, 200, "5.8 $d->{name}: goes on as soon as the log is there");
}

# --- every EST action -----------------------------------------------------

my $d = device(name => 'while the log is fetched', step => [ { until => "$gates/1", %{
    events(own(), stranger()) } } ]);
is(ask($d)->code, 200, "5.8 $d->{name} the voucher is the device's");
is(enrol_once($d)->code, 202, "5.8.3 $d->{name} EST waits");
is(enrol_once($d, 'vpn/simpleenroll')->code, 202, "5.8.3 $d->{name} by a label too");
write_file("$gates/1", '');
judged($d);
for my $operation (qw(simpleenroll vpn/simpleenroll)) {
    refused($httpd, enrol_once($d, $operation), 403, 1114, $bad, "5.8.3 then $operation is refused");
}
refused($httpd, enrol_once($d, $_), 403, '1114', $bad, "5.8.3 and $_ by the IDevID")
    for qw(simplereenroll vpn/simplereenroll);
is(report($d, 'voucher_status', '{"version":1,"status":true}')->code, 200, '5.7 telemetry is taken');
refused($httpd, enrol_once($d), 403, 1114, $bad, '5.8.3 and opens nothing');
refused($httpd, post($d), 403, 1114, $bad, '5.8.3 nor does the same voucher-request again');
is(certificates($d), 0, '5.8.3 no certificate was issued');

# --- a device that is vouched for -----------------------------------------

$est->estctl('pledge', 'allow', '--attested', 'lab', $d->{serial});
wait_until(30, sub { (split /\|/, verdict($d))[0] eq 'warn' || !ask($d) });
is((split /\|/, verdict($d))[0], 'warn', '5.8.3 an attested device: its history is overridden');
is(enrol($d)->code, 200, '5.8.3 and it enrols');
my ($liars) = grep { $_->{name} eq 'no JSON' && $_->{tenant} eq 'default' } @joining;
$est->estctl('pledge', 'allow', '--attested', 'lab', $liars->{serial});
ask($liars);
sleep 1;
refused($httpd, enrol_once($liars), 403, 1114, $bad,
        '5.8.3 but garbage is no history that anybody can vouch for');
my ($other) = grep { $_->{name} eq 'a stranger, nonced' && $_->{tenant} eq 'default' } @joining;
refused($httpd, enrol_once($other), 403, 1114, $bad, '5.8.3 nor does it help another device');

# --- what it has already --------------------------------------------------

for my $case ([ 'registrar', 1139, qr/has been revoked/, 1 ], [ 'lenient', 1114, $bad, 0 ]) {
    my ($host, $number, $sentence, $revoked) = @$case;

    $d = device(name => "a device that has a certificate, revoke $revoked", host => $host);
    ask($d);
    my ($csr, $res) = enrol($d);
    is($res->code, 200, "5.9 $d->{name}: honestly");
    my %own = (cert => write_file("$csr->{dir}/cert.pem", $est->certificate_pem($res->content)),
               key => $csr->{key}, host => $d->{host});
    is(renew($d, %own)->code, 200, "7030 4.2.2 $d->{name}: and renews it");
    $liar->plan($d->{serial}, $LOG, events(own(), stranger(nonce => undef)));
    $d->{pvr} = $lab->pvr(device => $d->{n});
    ask($d);
    ok(wait_until(20, sub { verdict($d) =~ /^bad/ }), "5.8.3 $d->{name}: joins after a stranger");
    ok(wait_until(20, sub { !$revoked || told($d, 'revoked') }), "5.8.3 $d->{name}: that is told");
    refused($httpd, renew($d, %own), 403, $number, $sentence,
            "5.8.3 $d->{name}: re-enrolment is refused too");
    refused($httpd, enrol_once($d), 403, 1114, $bad, "5.8.3 $d->{name}: and enrolment");
    is($db->sql("SELECT count(*) FROM est_certificate WHERE serial_number = '$d->{serial}'
                 AND tenant = '$d->{tenant}' AND revoked_at = 0"), $revoked ? "0\n" : "2\n",
       "5.8.3 $d->{name}: what it had is revoked as configured");
}

# --- the second look ------------------------------------------------------

$d = device(name => 'a stranger between voucher and report',
            step => [ {}, events(own(), stranger()) ]);
ask($d);
judged($d);
like(verdict($d), qr/^good/, "5.8 $d->{name}: the first look is good");
is(report($d, 'voucher_status', '{"version":1,"status":true}')->code, 200, '5.7 it reports');
ok(wait_until(20, sub { verdict($d) =~ /^bad/ }), "5.8 $d->{name}: the second one finds it");
refused($httpd, enrol_once($d), 403, 1114, $bad, "5.8.3 $d->{name}: no certificate");

# --- vouchers that wait ---------------------------------------------------

$d = device(name => 'withheld', host => 'withhold', step => [ { until => "$gates/2" } ]);
$d->{once} = 1;
my @waiting = map { post($d)->code } 1, 2;
is("@waiting", '202 202', '5.8.3 withhold On: a voucher waits for the verdict');
refused($httpd, enrol_once($d), 403, 1115, qr/has got no voucher/, '5.9 and EST for the voucher');
write_file("$gates/2", '');
is(ask($d)->code, 200, '5.8.3 which is good');
is(enrol($d)->code, 200, '5.9 and lets it enrol');
$d = device(name => 'refused', host => 'withhold', step => [ events(own(), stranger()) ]);
refused($httpd, ask($d), 403, 1114, $bad, '5.8.3 withhold On: after a bad verdict none is forwarded');
is($db->sql("SELECT count(*) FROM est_pledge WHERE tenant = 'withhold' AND request IS NOT NULL
             AND serial_number = '$d->{serial}'"), "0\n", '5.8.3 to anybody');
refused($httpd, enrol_once($d), 403, 1115, qr/has got no voucher/, '5.9 nor can it enrol');

# --- no report ------------------------------------------------------------

$d = device(name => 'silent', host => 'withhold', step => [ {}, events(own(), stranger()) ]);
is(ask($d)->code, 200, '5.7 a device that got its voucher and says nothing');
ok(wait_until(30, sub { told($d, 'telemetry-missing') }), '5.7 is missed');
ok(wait_until(20, sub { verdict($d) =~ /^bad/ }), '5.8 its log is looked at again');
refused($httpd, enrol_once($d), 403, 1114, $bad, '5.8.3 and what that shows counts');
is(told($d, 'telemetry-missing'), 1, '5.7 it is told once');
done_testing;

# --------------------------------------------------------------------------

sub device
{
    my (%opt) = @_;
    my $n = ++$next;

    $liar->plan($lab->serial($n), $LOG, @{ $opt{step} }) if $opt{step};
    my $host = $opt{host} || 'registrar';
    return { n => $n, serial => $lab->serial($n), name => $opt{name}, host => "$host.example",
             tenant => $host eq 'registrar' ? 'default' : $host };
}

sub post
{
    my ($d) = @_;

    $d->{pvr} ||= $lab->pvr(device => $d->{n});
    return $httpd->post($V, $d->{pvr}, $lab->device($d->{n}), host => $d->{host});
}

# Until there is an answer.
sub ask
{
    my ($d) = @_;
    my $response;

    for (1 .. 100) {
        $response = post($d);
        last if $response->code != 202;
        sleep 0.3;
    }
    return $response;
}

sub report
{
    my ($d, $operation, $body) = @_;
    return $httpd->post($operation, $body, $lab->device($d->{n}), type => 'application/json',
                        host => $d->{host});
}

sub renew
{
    my ($d, %own) = @_;
    return $est->enrol('simplereenroll', $est->csr(subject => "/O=Test/CN=$d->{serial}")->{der},
                       %own);
}

sub enrol_once
{
    my ($d, $operation) = @_;

    $d->{csr} ||= $est->csr(subject => "/O=Test/CN=$d->{serial}");
    return $est->enrol($operation || 'simpleenroll', $d->{csr}{der}, $lab->device($d->{n}),
                       host => $d->{host});
}

sub enrol
{
    my ($d) = @_;
    my $response;

    for (1 .. 60) {
        $response = enrol_once($d);
        last if $response->code != 202;
        sleep 0.3;
    }
    return wantarray ? ($d->{csr}, $response) : $response;
}

sub verdict
{
    my ($d) = @_;
    my $row = $db->sql("SELECT verdict, rule FROM est_verdict WHERE serial_number = '$d->{serial}'
                        AND tenant = '$d->{tenant}' ORDER BY at DESC LIMIT 1");
    chomp $row;
    return $row eq '' ? '|' : $row;
}

sub judged
{
    my ($d) = @_;
    wait_until(40, sub { verdict($d) ne '|' });
}

sub told
{
    my ($d, $kind) = @_;
    return 0 + $db->sql("SELECT count(*) FROM est_note WHERE serial_number = '$d->{serial}'
                         AND tenant = '$d->{tenant}' AND kind LIKE '$kind'");
}

sub certificates
{
    my ($d) = @_;
    return 0 + $db->sql("SELECT count(*) FROM est_certificate WHERE
                         serial_number = '$d->{serial}' AND tenant = '$d->{tenant}'");
}
