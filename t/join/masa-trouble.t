# SPDX-License-Identifier: Apache-2.0
#
# masa-trouble.t: a MASA that is down, slow, dies, talks for ever, leads elsewhere, is somebody else
# or says no: what the pledge is told, what the operator is told, and that a pledge which waits joins
# as soon as the MASA is well. Never 200 without a voucher.
use FindBin;
use lib "$FindBin::RealBin/../lib";
use BRSKI::Test;
use BRSKI::Test::Answer;
use BRSKI::Test::Liar;
use BRSKI::Test::Pki;
use Time::HiRes qw(sleep time);

my $V = 'requestvoucher';
my $lab = new_lab(devices => 30);
my $dir = new_dir('signs');
my $liar = BRSKI::Test::Liar->new(lab => $lab);
my $elsewhere = BRSKI::Test::Liar->new(lab => $lab);
my $elsewhere_url = 'https://localhost:' . $elsewhere->tls_port . "/.well-known/brski/$V";

# Those that fail before HTTP: a registrar of their own each.
my $pki = BRSKI::Test::Pki->new;
my %tls = (issuer => { map { $_->[0] => $lab->path("tls/ca.$_->[1]") } [ cert => 'pem' ],
                                                                       [ key => 'key' ] });
my %good_ca = -f $lab->path('tls/ca.key') ? %tls : ();
$pki->ca('strange-ca')->make('strange', issuer => 'strange-ca', dns => 'localhost');
$pki->make('other-name', %good_ca, dns => 'masa.elsewhere.example');
my %masa = (
    down => undef,
    mute => BRSKI::Test::Liar->new(lab => $lab, mute => 1),
    'wrong-name' => BRSKI::Test::Liar->new(lab => $lab, $pki->identity('other-name')),
    'unknown-ca' => BRSKI::Test::Liar->new(lab => $lab, $pki->identity('strange')),
);
my $quick = "    ESTMASATimeout 3s\n    ESTAnswerWithin 1s\n    ESTWaiters 2\n    ESTWorkers 32\n";
my $text = bless { lab => $lab }, 'BRSKI::Test::Est';
my $hosts = join '', map { $text->host_text("$_.example", masa => $masa{$_},
                                            est => "$quick    ESTTenant $_\n") } sort keys %masa;
my $db = new_database(tool => 'estctl');
my $est = start_est(
    name => 'trouble', lab => $lab, db => $db,
    conf => (bless { lab => $lab, db => $db }, 'BRSKI::Test::Est')->conf_text(
        masa => $liar, est => $quick) . $hosts,
    httpd => { workers => { StartServers => 1, ServerLimit => 1, ThreadsPerChild => 8,
                            MaxRequestWorkers => 8, MaxSpareThreads => 8 } });
my $httpd = $est->httpd;
$httpd->expect('BRSKI3221');

my $failed = qr/^The manufacturer's MASA cannot be reached or does not answer properly; try again/;
my $wrong = qr/^The voucher that the manufacturer's MASA gave is not right/;
my $no = qr/^The manufacturer's MASA does not give this network a voucher/;
# name => [steps], status, number, sentence; no number: a voucher in the end
my @cases = (
    [ 'hangs up', [ { hangup => 1 } ], 503, 1111, $failed ],
    [ 'dies in the middle of its answer', [ { cut => 1 } ], 503, 1111, $failed ],
    [ 'never ends its answer', [ { endless => 1 } ], 503, 1111, $failed ],
    [ 'dribbles its answer', [ { drip => 0.3 } ], 503, 1111, $failed ],
    [ 'sends two megabytes', [ { body => 'x' x 2_000_000 } ], 503, 1111, $failed ],
    [ 'is slower than ESTMASATimeout', [ { wait => 6 } ], 503, 1111, $failed ],
    [ 'redirects to another origin', [ { status => 307, body => 'there',
                                         headers => { Location => $elsewhere_url } } ],
      503, 1111, $failed ],
    [ 'answers 200 with an empty body', [ { body => '' } ], 503, 1111, $failed ],
    [ 'answers 204', [ { status => 204, body => '' } ], 503, 1111, $failed ],
    [ 'answers a voucher that it calls text/html', [ { type => 'text/html' } ], 503, 1111,
      $failed ],
    [ 'answers a voucher without a type', [ { type => undef } ], 503, 1111, $failed ],
    [ 'answers a page', [ { type => 'text/html', body => '<html>Welcome</html>' } ], 503, 1111,
      $failed ],
    [ 'answers garbage as a voucher', [ { body => 'garbage' } ], 503, 1112, $wrong ],
    [ 'answers 400', [ { status => 400, body => "what?\e[2J" } ], 503, 1111, $failed ],
    [ 'answers 401', [ { status => 401, body => 'who?' } ], 503, 1111, $failed ],
    [ 'answers 403', [ { status => 403, body => "secret-words\e[2J" } ], 403, 1110, $no ],
    [ 'answers 404', [ { status => 404, body => 'secret-words' } ], 404, 1110,
      qr/^The manufacturer's MASA does not know the device/ ],
    [ 'answers 406', [ { status => 406, body => 'secret-words' } ], 406, 1110,
      qr/^The manufacturer's MASA has no voucher of a type/ ],
    [ 'answers 500', [ { status => 500, body => 'oops' } ], 503, 1111, $failed ],
    [ 'answers 503', [ { status => 503, body => 'later', headers => { 'Retry-After' => 1 } } ],
      503, 1111, $failed ],
    [ 'comes back after two failures', [ { hangup => 1 }, { status => 500, body => 'oops' }, {} ],
      200 ],
    [ 'answers 503 and then is well', [ { status => 503, body => 'later',
                                          headers => { 'Retry-After' => 5 } }, {} ], 200 ],
    [ 'takes its time', [ { until => "$dir/slow" } ], 200 ],
    [ 'is well', [ {} ], 200 ],
);

# Everybody asks, again and again until something else than "wait" comes.
my @devices;
for my $case (@cases) {
    my ($name, $steps, @want) = @$case;
    my $n = @devices + 1;

    $liar->plan($lab->serial($n), $V, @$steps);
    push @devices, { name => "a MASA that $name", n => $n, want => \@want, waits => 0 };
}
for my $host (sort keys %masa) {
    push @devices, { name => "a MASA: $host", n => @devices + 1, want => [ 503, 1111, $failed ],
                     host => "$host.example", waits => 0 };
}
for my $d (@devices) {
    $d->{pvr} = $lab->pvr(device => $d->{n});
    $d->{serial} = $lab->serial($d->{n});
    ask($d);
}

# None of httpd's eight workers waits for a MASA.
my $began = time;
is($est->get('cacerts')->code, 200, '5.6 while the MASA is asked others are served');
cmp_ok(time - $began, '<', 2, '5.6 at once');
my ($slow) = grep { $_->{name} =~ /takes its time/ } @devices;
is($slow->{first}->code, 202, '5.6 a pledge whose MASA is slow is told to wait');
write_file("$dir/slow", '');

wait_until(90, sub {
    ask($_) for grep { !$_->{answer} } @devices;
    sleep 0.3;
    return !grep { !$_->{answer} } @devices;
});
judge($_) for @devices;
is($elsewhere->asked($_->{serial}, $V), 0, '5.4 nobody goes where a redirect leads')
    for grep { $_->{name} =~ /redirects/ } @devices;
my ($polite) = grep { $_->{name} =~ /then is well/ } @devices;
is($liar->asked($polite->{serial}, $V), 2, '5.5 a MASA that says when is asked then, not before');
cmp_ok($polite->{took}, '>=', 5, '5.5 not before');
my ($good) = grep { $_->{name} =~ /is well$/ && $_->{name} !~ /then/ } @devices;
is($liar->asked($good->{serial}, $V), 1, '5.6 for one question');
is($httpd->post($V, $good->{pvr}, $lab->device($good->{n}))->content, $good->{answer}->content,
   '5.6 the same request gets the same voucher');
is($liar->asked($good->{serial}, $V), 1, '5.6 without another question');

# A pledge that comes again does not hurry it either.
my ($login) = grep { $_->{name} =~ /401/ } @devices;
like($httpd->post($V, $login->{pvr}, $lab->device($login->{n}))->code, qr/^(?:202|503)$/,
     '5.5 who comes again after a while waits');
sleep 7;
is($liar->asked($login->{serial}, $V), 1, '5.4 a MASA that wants a login is not asked at once again');

# --- what humans are told -------------------------------------------------

my %told;
for my $row (split /\n/, $db->sql("SELECT count(*), kind, serial_number FROM est_note
                                   WHERE tenant = 'default' GROUP BY kind, serial_number")) {
    my ($count, $kind, $serial) = split /\|/, $row;
    $told{$serial}{$kind} = $count;
}
for my $d (grep { !$_->{host} } @devices) {
    my ($status, $number) = @{ $d->{want} };
    my $kind = !$number ? '' : $d->{name} =~ /401/ ? 'masa-login' : $number == 1110 ? 'masa-refused'
             : $number == 1112 ? 'voucher-wrong' : 'masa-failed';
    my %got = %{ $told{ $d->{serial} } || {} };

    is(join(' ', map { "$_ $got{$_}" } sort keys %got), $kind ? "$kind 1" : '',
       "5.5 $d->{name}: noted once");
}
is($db->sql("SELECT count(*) FROM est_note WHERE kind = 'masa-login' AND alarm = 1"), "1\n",
   '5.4 a login that is wanted is an alarm');
my $alarms = $db->sql("SELECT count(*) FROM est_note WHERE kind = 'masa-failed' AND alarm = 1
                       AND tenant = 'default'");
cmp_ok($alarms, '==', 1, '5.5 what ails a MASA is one alarm, not one a device');
my $log = read_file($httpd->{error_log});
unlike($log, qr/\e/, 'what a MASA says is escaped in the log');
like($db->sql("SELECT text FROM est_note WHERE kind = 'masa-refused'"), qr/secret-words/,
     '5.5 its words are for the operator');
done_testing;

# --------------------------------------------------------------------------

sub ask
{
    my ($d) = @_;
    my %host = $d->{host} ? (host => $d->{host}) : ();
    my $response = $httpd->post($V, $d->{pvr}, $lab->device($d->{n}), %host);

    $d->{began} ||= time;
    $d->{first} ||= $response;
    if ($response->code == 202) {
        $d->{waits}++;
        $d->{bad} = $response->as_string
            if ($response->header('Retry-After') || '') !~ /^[1-9]\d?$/ || length $response->content;
        return;
    }
    $d->{took} = time - $d->{began};
    $d->{answer} = $response;
}

sub judge
{
    my ($d) = @_;
    my ($status, $number, $sentence) = @{ $d->{want} };
    my $answer = $d->{answer} || $d->{first};

    ok(!$d->{bad}, "5.6 $d->{name}: who waits is told how long") or diag $d->{bad};
    if (!$number) {
        is($answer->code, 200, "5.6 $d->{name}: a voucher") or diag $answer->as_string;
        my ($verified, $said) = $lab->verify($answer->content, '--device', $d->{serial},
                                             '--registrar', $lab->path('domain/registrar.pem'));
        is($verified, 0, "5.6.1 $d->{name}: that the device accepts") or diag $said;
        return;
    }
    refused($httpd, $answer, $status, $number, $sentence, "5.5 $d->{name}: $status");
    unlike($answer->content, qr/secret-words/, "5.5 $d->{name}: in our own words");
    cmp_ok($d->{waits}, '>', 0, "5.5 $d->{name}: after trying again")
        if $number == 1111 && $d->{name} !~ /401/;
}
