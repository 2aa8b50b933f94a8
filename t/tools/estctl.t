#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# estctl: what a registrar's operator sees and decides: devices, requests, trust in MASAs, certificates, CRLs,
# audit logs, alarms, and whether all is well. Rows are written here as a server would; what strangers wrote in
# them must not reach a terminal as it is.

use strict;
use warnings;
use FindBin ();
use lib "$FindBin::RealBin/../lib";
use BRSKI::Estctl;
use JSON::PP ();
use MIME::Base64 qw(encode_base64);
use POSIX ();
use Test::More;

my $SECOND = 1_000_000;
my $DAY = 86_400 * $SECOND;
my $now = time * $SECOND;
my $evil = "EVIL\e[31m\x07\n\"--<'";
my $own = encode_base64('our own domain', '');
my $other = encode_base64('another domain', '');
my ($ca_der, $ca_hash, $ca_key) = certificate('/CN=Acme Root', '-days', 3650);
my ($ee_der) = certificate('/CN=Acme Signer', '-days', 3650);
my ($short_der) = certificate('/CN=Short CA', '-days', 3);
my $ca = 'ab' x 32;

each_database(sub {
    my ($dialect, $db) = @_;

    pledges($db);
    lists($db);
    strangers($db);
    requests($db);
    trust($db);
    certificates($db);
    waiting($db);
    crls($db);
    audits($db);
    alarms($db);
    tenants($db);
});
each_database(\&doctor);
done_testing();

# ---- devices ----

sub pledge
{
    my (%row) = @_;
    insert('est_pledge', manufacturer => 'acme', first_seen_at => $now - $DAY, last_seen_at => $now, %row);
}

sub request
{
    my (%row) = @_;
    insert('est_request', manufacturer => 'acme', idevid_spki => 'cc' x 32, masa_url => 'https://masa.example/',
           created_at => $now - $DAY, next_at => $now + $DAY, %row);
}

sub pledges
{
    my ($db) = @_;

    no_estctl(1, qr/tenant default has never heard of device S1 of manufacturer acme/, 'an unknown device',
              'pledge', 'show', 'acme', 'S1');
    pledge(serial_number => 'S0');
    request(id => 'parked', serial_number => 'S1', task => 'human', detail => 'its operator must say yes');
    my $said = json_estctl('pledge', 'allow', 'acme', 'S1');
    is_deeply($said, { welcome => 'allowed', devices => 1, woken => 1 }, '5.3 pledge allow says what it did');
    cmp_ok($db->sql("SELECT next_at FROM est_request WHERE id = 'parked'"), '<', time * $SECOND + $DAY / 2,
           '5.3 and wakes what waited for it');

    my $p = json_estctl('pledge', 'show', 'acme', 'S1');
    is($p->{welcome}, 'allowed', 'pledge show knows');
    is($p->{welcome_by}, server_user(), 'and by whom');
    is($p->{voucher_status}, undef, 'what was never heard is null');
    is($p->{requests}[0]{id}, 'parked', 'with its requests');
    is($p->{requests}[0]{task}, 'human', 'and what is being done with them');
    is_deeply([ sort keys %$p ], [ sort qw(
        manufacturer serial_number welcome welcome_by attested first_seen_at last_seen_at idevid_spki request
        voucher_at voucher_status voucher_status_at voucher_reason enroll_status enroll_status_at enroll_reason
        verdict verdict_at verdict_rule verdict_text version requests certificates notes) ],
        'pledge show --json has every member');
    ok(!$p->{attested}, 'it is not attested');
    ok_estctl('pledge', 'allow', 'acme', 'S1', '--attested');
    ok(json_estctl('pledge', 'show', 'acme', 'S1')->{attested}, '5.8.3 pledge allow --attested');
    ok_estctl('pledge', 'allow', 'acme', 'S1');
    ok(json_estctl('pledge', 'show', 'acme', 'S1')->{attested}, 'which stays when nothing is said of it');
    ok_estctl('pledge', 'allow', 'acme', 'S1', '--not-attested');
    ok(!json_estctl('pledge', 'show', 'acme', 'S1')->{attested}, 'until it is taken back');
    like(ok_estctl('pledge', 'refuse', 'acme', 'S1'), qr/acme S1 is refused\n.*stay valid/s,
         '5.3 pledge refuse says what it does not end');
    is(json_estctl('pledge', 'show', 'acme', 'S1')->{welcome}, 'refused', 'and it is refused');

    story($db);
    no_estctl(2, qr/not both/, 'both attested and not', 'pledge', 'allow', 'acme', 'S1', '--attested',
              '--not-attested');
    no_estctl(2, qr/say MANUFACTURER and SERIAL, or -/, 'a serial number alone', 'pledge', 'allow', 'S1');
    no_estctl(1, qr/can be empty/, 'an empty name', 'pledge', 'allow', '', 'S1');
    no_estctl(2, qr/--welcome is one of/, 'an unknown word of welcome', 'pledge', 'list', '--welcome', 'maybe');
    no_estctl(2, qr/--verdict is one of/, 'an unknown verdict', 'pledge', 'list', '--verdict', 'ugly');
}

# A device that has been through all of it, in plain words.
sub story
{
    my ($db) = @_;

    pledge(serial_number => 'S2', welcome => 'allowed', welcome_by => 'carla', request => 'r2',
           voucher_at => $now, voucher_status => 0, voucher_status_at => $now, voucher_reason => 'no trust',
           enroll_status => 1, enroll_status_at => $now, verdict => 'bad', verdict_at => $now,
           verdict_rule => 'unknown', verdict_text => 'a stranger had it', idevid => encode_base64($ee_der, ''));
    my $text = ok_estctl('pledge', 'show', 'acme', 'S2');

    like($text, qr/^may join +yes, carla allowed it$/m, 'pledge show tells who allowed it');
    like($text, qr/^voucher +given .*; the device DID NOT ACCEPT it \(.*\): no trust$/m, '5.7 its telemetry');
    like($text, qr/^audit log +BAD, judged .* \(rule 'unknown'\): a stranger had it; the device may not enrol$/m,
         '5.8.3 its verdict with the rule');
    like($text, qr/^enrolment +the device reported success/m, '5.9.4 what it said of its enrolment');
    like($text, qr/^idevid.*^  subject +CN=Acme Signer$/ms, 'and its IDevID');
    is_deeply([ map { $_->{serial_number} } json_lines('pledge', 'list', '--verdict', 'bad') ], ['S2'],
              'pledge list finds bad verdicts');
    is_deeply([ map { $_->{serial_number} } json_lines('pledge', 'list', '--welcome', 'undecided') ], ['S0'],
              'and those nobody has decided on');
}

sub lists
{
    my ($db) = @_;
    my $said = json_estctl('pledge', 'allow', '-',
                           { stdin => "serial_number,manufacturer\nL1,acme\n\"L,2\",bolt\nL1,acme\n" });

    is($said->{devices}, 2, 'pledge allow reads a CSV, each device once');
    is(json_estctl('pledge', 'show', 'bolt', 'L,2')->{welcome}, 'allowed', 'quoted fields too');
    is(json_estctl('pledge', 'allow', '-', '--manufacturer', 'acme', { stdin => "L3\nL4\n" })->{devices}, 2,
       'and a plain list of serial numbers');
    my $many = join '', map { "M$_\n" } 1 .. 501;
    is(json_estctl('pledge', 'allow', '-', '--manufacturer', 'many', { stdin => $many })->{devices}, 501,
       'a list of more than one transaction');
    is(scalar(json_lines('pledge', 'list', '--manufacturer', 'many', '--limit', '0')), 501, 'and all are there');
    $db->sql("DELETE FROM est_pledge WHERE manufacturer = 'many'");
    my ($rc, $out) = estctl('pledge', 'allow', '-', { stdin => "manufacturer,serial_number\nacme,L5\nacme\n,L6\n" });
    is($rc, 1, 'a list with bad lines is refused');
    like($out, qr/line 3: no serial number.*line 4: no manufacturer.*2 bad lines: nothing was changed/s,
         'and each is told');
    no_estctl(1, qr/never heard/, 'what stands in such a list', 'pledge', 'show', 'acme', 'L5');
    ($rc, $out) = estctl('pledge', 'allow', '-', { stdin => "acme,L\e[2J7\n" });
    is($rc, 1, 'control characters in a list are refused');
    like($out, qr/L\\x1b\[2J7/, 'and escaped where they are told');
    ($rc, $out) = estctl('pledge', 'allow', '-', { stdin => '' });
    like($out, qr/names no device/, 'an empty list is told');
    my @all = json_lines('pledge', 'list', '--limit', '0');
    my @first = json_lines('pledge', 'list', '--limit', '2');
    my @rest = json_lines('pledge', 'list', '--limit', '0', '--manufacturer', 'acme', '--after',
                          $first[1]{serial_number});
    is(@first + @rest + 1, @all, 'pledge list goes on behind a device (one is another manufacturer\'s)');
    is_deeply([ map { $_->{manufacturer} } json_lines('pledge', 'list', '--manufacturer', 'bolt') ], ['bolt'],
              'pledge list of one manufacturer');
}

# What a stranger wrote reaches a terminal escaped and a program whole.
sub strangers
{
    my ($db) = @_;

    pledge(serial_number => $evil, voucher_at => $now, voucher_status => 0, voucher_reason => "\e]0;owned\x07");
    for my $args ([ 'pledge', 'list', '--limit', '0' ], [ 'pledge', 'show', 'acme', $evil ]) {
        my $out = ok_estctl(@$args);
        unlike($out, qr/[\x00-\x09\x0b-\x1f\x7f]/, "@{$args}[0, 1] prints no control characters");
        like($out, qr/EVIL\\x1b\[31m\\x07\\x0a/, "@{$args}[0, 1] shows what they were");
    }
    is(json_estctl('pledge', 'show', 'acme', $evil)->{serial_number}, $evil, 'JSON has it as it is');
    my ($rc, $out) = estctl('pledge', 'show', 'acme', "GONE\e[31m");
    unlike($out, qr/\e/, 'a refusal prints no escape');
    $db->sql("DELETE FROM est_pledge WHERE serial_number LIKE 'EVIL%'");
}

sub requests
{
    my ($db) = @_;

    request(id => 'r2', serial_number => 'S2', task => 'none', status => 200, voucher => 'AAAA');
    request(id => 'r3', serial_number => 'S3', task => 'voucher', attempts => 4, detail => 'masa-failed: no route');
    request(id => 'r4', serial_number => 'S4', task => 'none', status => 403, number => 1110,
            text => 'The MASA does not.');
    my %open = map { $_->{id} => $_ } json_lines('voucher', 'list');
    is_deeply([ sort keys %open ], [qw(parked r3)], 'voucher list has what is being worked on');
    like($open{r3}{state}, qr/^the manufacturer's MASA is asked for the voucher, 4 attempts, next .*: masa-failed/,
         'in plain words');
    like($open{parked}{state}, qr/^WAITS FOR YOU/, 'what waits for a human says so');
    is_deeply([ map { $_->{id} } json_lines('voucher', 'list', '--task', 'human') ], ['parked'],
              'voucher list --task');
    my %done = map { $_->{id} => $_ } json_lines('voucher', 'list', '--done');
    is_deeply([ sort keys %done ], [qw(r2 r4)], 'voucher list --done');
    is($done{r4}{state}, 'refused: The MASA does not.', 'a refusal with its sentence');
    like(ok_estctl('voucher', 'list'), qr/^CAME .*STATE\n.*S3 +voucher +the manufacturer/s, 'as a table');
    no_estctl(2, qr/--task is one of/, 'an unknown task', 'voucher', 'list', '--task', 'dance');
}

# ---- trust on first use ----

sub groups
{
    my ($hex) = @_;
    return join ' ', uc($hex) =~ /(.{4})/g;
}

sub shown
{
    my (%row) = @_;
    insert('est_first_use', manufacturer => 'acme', purpose => 'voucher', spki => $ca_key, state => 'waiting',
           host => 'masa.acme.example', first_seen_at => $now,
           chain => encode_base64($ee_der, '') . ' ' . encode_base64($ca_der, ''), %row);
}

sub trust
{
    my ($db) = @_;
    my @approve = ('masa', 'approve', 'acme', 'voucher');

    no_estctl(1, qr/no MASA of manufacturer acme has shown/, 'a manufacturer who showed nothing', 'masa', 'show',
              'acme');
    shown();
    shown(purpose => 'tls', spki => 'dd' x 32, chain => 'AAAA');
    is_deeply([ map { "$_->{purpose} $_->{state}" } json_lines('masa', 'list') ], [ 'tls waiting', 'voucher waiting' ],
              'masa list has what waits');
    my $text = ok_estctl('masa', 'show', 'acme', 'voucher');
    (my $flat = $text) =~ s/\n +/ /g;
    like($text, qr/^  1  CN=Acme Signer\n.*^  2  CN=Acme Root +<- this key is what would be trusted$/ms,
         'masa show has the chain from the signer up');
    like($flat, qr/certificate +\Q@{[ groups($ca_hash) ]}\E/, 'fingerprint of the certificate in groups');
    like($flat, qr/KEY +\Q@{[ groups($ca_key) ]}\E/, 'and that of the key');
    like($text, qr/valid +20\S+Z to 20\S+Z/, 'and how long it is valid');
    like(ok_estctl('masa', 'show', 'acme', 'tls'), qr/a certificate that cannot be read/,
         'what is no certificate is told, and no crash');
    my $json = json_estctl('masa', 'show', 'acme', 'voucher');
    is($json->[0]{chain}[1]{certificate_sha256}, $ca_hash, 'masa show --json has it too');

    no_estctl(1, qr/nobody is there to compare fingerprints/, 'approving without terminal and fingerprint', @approve);
    no_estctl(1, qr/nobody is there/, 'a fingerprint without --yes and terminal', @approve, $ca_key);
    no_estctl(2, qr/--yes needs the FINGERPRINT/, '--yes without fingerprint', @approve, '--yes');
    no_estctl(2, qr/with --json nothing is shown/, '--json without --yes', '--json', @approve, $ca_key);
    no_estctl(2, qr/all 64 hex digits/, 'part of a fingerprint', @approve, substr($ca_key, 0, 16), '--yes');
    no_estctl(1, qr/nothing with this fingerprint was shown.*DO NOT approve/, 'another fingerprint', @approve,
        'ee' x 32,
              '--yes');
    no_estctl(2, qr/voucher or tls/, 'an unknown purpose', 'masa', 'approve', 'acme', 'cloud');
    is($db->sql("SELECT count(*) FROM est_first_use WHERE state = 'waiting'"), "2\n", 'nothing of that approves');
    terminal($db, @approve);

    ok_estctl('masa', 'distrust', 'acme', 'voucher');
    is(state_of($db), "distrusted\n", 'masa distrust');
    no_estctl(1, qr/nothing is waiting/, 'approving when nothing waits', @approve);
    $db->sql("UPDATE est_request SET next_at = " . ($now + 5 * $DAY) . " WHERE id = 'parked'");
    my $said = json_estctl(@approve, groups($ca_hash), '--yes');
    is($said->{state}, 'approved', 'masa approve with the fingerprint of the certificate, in groups');
    is($said->{woken}, 1, '5.4 wakes what waited for it');
    my ($note) = json_lines('alarm', 'list', '--all', '--limit', '1');
    is($note->{kind}, 'masa-approved', 'and who did it is noted');
    like($note->{text}, qr/^\Q@{[ server_user() ]}\E approved the key $ca_key/, 'with the key');
}

sub state_of
{
    my ($db) = @_;
    return $db->sql("SELECT state FROM est_first_use WHERE purpose = 'voucher'");
}

# On a terminal somebody types what he has compared.
sub terminal
{
    my ($db, @approve) = @_;

    SKIP: {
        skip 'no script(1) here', 4 if system('command -v script >/dev/null 2>&1') != 0;
        my ($rc, $out) = terminal_estctl('yes', @approve);
        is($rc, 1, 'yes is not what is asked for');
        like($out, qr/type the last group.*not approved/s, 'and approves nothing');
        ($rc, $out) = terminal_estctl(substr($ca_key, -4), @approve);
        is($rc, 0, 'the last group of the key on a terminal approves');
        is(state_of($db), "approved\n", 'and that is kept');
    }
}

# ---- certificates ----

my $key_count = 0;

sub issued
{
    my (%row) = @_;
    insert('est_certificate', ca => $ca, label => '', request_key => 'key-' . ++$key_count, generation => 1,
           subject => 'CN=dev', spki => 'ee' x 32, manufacturer => 'acme', serial_number => 'S2', username => '',
           not_before => $now - $DAY, not_after => $now + $DAY, issued_at => $now - $DAY,
           der => encode_base64($ee_der, ''), %row);
}

sub certificates
{
    my ($db) = @_;

    no_estctl(1, qr/has issued no certificate 0a0b/, 'a certificate where none was issued', 'cert', 'show', '0A:0B');
    issued(serial => '0a0b');
    issued(serial => '0a0c');
    issued(serial => '0a0d', not_after => $now - 1000);
    issued(serial => '0a0e', manufacturer => '', serial_number => '', username => 'dora');
    issued(serial => 'ff', ca => 'cd' x 32);
    is(scalar(json_lines('cert', 'list')), 5, 'cert list has all');
    is_deeply([ map { $_->{serial} } json_lines('cert', 'list', '--state', 'expired') ], ['0a0d'],
              'cert list --state');
    is_deeply([ map { $_->{serial} } json_lines('cert', 'list', '--ca', $ca, '--after', '0a0d') ], [qw(0a0e ff)],
              'cert list goes on');
    is(scalar(json_lines('cert', 'list', '--manufacturer', 'acme', '--serial-number', 'S2')), 4,
       'cert list of a device');
    like(ok_estctl('cert', 'list'), qr/0a0e .*valid .*user dora/, 'with a user where it is one\'s');
    is(json_estctl('cert', 'show', '0A:0B')->{state}, 'valid', 'cert show reads a serial number with colons');
    like(ok_estctl('cert', 'show', '0a0b', '--pem'), qr/^-----BEGIN CERTIFICATE-----/, 'cert show --pem');

    no_estctl(2, qr/--reason is one of unspecified, keyCompromise, cACompromise, affiliationChanged, superseded/,
              'an unknown reason', 'cert', 'revoke', '0a0b', '--reason', 'spite');
    no_estctl(2, qr/--reason is one of/, '5280-5.3.1 certificateHold', 'cert', 'revoke', '0a0b', '--reason',
              'certificateHold');
    no_estctl(1, qr/has issued no certificate 0bad/, 'revoking what is not there', 'cert', 'revoke', '0bad');
    no_estctl(1, qr/hex digits/, 'what is no serial number', 'cert', 'revoke', 'xyz');
    no_estctl(2, qr/say the certificate's SERIAL/, 'two arguments without --device', 'cert', 'revoke', 'acme', 'S2');
    my $said = json_estctl('cert', 'revoke', '0a0b', '--reason', 'keycompromise');
    is_deeply($said, { revoked => 1, reason => 'keyCompromise' }, '5280-5.3.1 cert revoke with a reason');
    my $c = json_estctl('cert', 'show', '0a0b');
    is("$c->{state} $c->{reason}", 'revoked keyCompromise', 'and it is revoked');
    no_estctl(1, qr/0a0b was revoked 20.*keyCompromise/, 'revoking twice', 'cert', 'revoke', '0a0b');
    is(json_estctl('cert', 'revoke', '--device', 'acme', 'S2')->{revoked}, 2,
       'cert revoke --device takes all that are valid, of every CA');
    no_estctl(1, qr/has no valid certificate/, 'a device without', 'cert', 'revoke', '--device', 'acme', 'S2');
    is(json_estctl('cert', 'show', '0a0d')->{state}, 'expired', 'expired ones stay what they are');
    is((json_lines('alarm', 'list', '--all', '--manufacturer', 'acme', '--serial-number', 'S2'))[0]{kind}, 'revoked',
       'and it is noted with the device');
}

sub waiting
{
    my ($db) = @_;
    my %key = map { $_ => $_ x 64 } qw(1 2 3);

    for my $n (sort keys %key) {
        insert('est_approval', request_key => $key{$n}, label => '', requester => "device \e[1m$n", state => 'waiting',
               created_at => $now + $n, csr => 'AAAA');
    }
    my @list = json_lines('cert', 'waiting');
    is_deeply([ map { $_->{key} } @list ], [ @key{qw(1 2 3)} ], 'cert waiting has the oldest first');
    unlike(ok_estctl('cert', 'waiting'), qr/\e/, 'who asks is printed escaped');
    is(json_estctl('cert', 'approve', '1' x 16)->{state}, 'approved', 'cert approve by the beginning of its key');
    my $out = ok_estctl('cert', 'refuse', $key{2});
    like($out, qr/device \\x1b\[1m2: refused; it is told/, 'cert refuse');
    is_deeply([ map { $_->{key} } json_lines('cert', 'waiting') ], [ $key{3} ], 'both wait no more');
    is((json_lines('cert', 'waiting', '--state', 'approved'))[0]{by}, server_user(), 'and who decided is known');
    no_estctl(1, qr/no enrolment that waits begins with 1111/, 'deciding twice', 'cert', 'refuse', $key{1});
    no_estctl(2, qr/at least 8 characters/, 'a short key', 'cert', 'approve', '3');
    no_estctl(2, qr/--state is one of/, 'an unknown state', 'cert', 'waiting', '--state', 'lost');
}

sub crls
{
    my ($db) = @_;
    my $der = "\x30\x03CRL";
    my $file = new_dir('crl') . '/crl';

    no_estctl(1, qr/several CAs have issued: name one with --ca, of: $ca cd/, 'the CRL of one of two CAs', 'crl',
        'show');
    no_estctl(1, qr/no CA ff has issued here/, 'the CRL of a CA that is none', 'crl', 'show', '--ca', 'ff');
    no_estctl(1, qr/no CRL was made yet/, 'a CRL that was never made', 'crl', 'show', '--ca', 'ab');
    my ($revocations) = $db->sql("SELECT revocations FROM est_ca WHERE ca = '$ca'") =~ /(\d+)/;
    insert('est_crl', ca => $ca, number => 7, revocations => $revocations, this_update => $now,
           next_update => $now + $DAY, der => encode_base64($der, ''));
    my $crl = json_estctl('crl', 'show', '--ca', 'ab');
    is("$crl->{number} $crl->{state}", '7 up to date', '5280-5.1.2.4 crl show tells number and state');
    like($crl->{next_update}, qr/^20\d\d-.*Z$/, '5280-5.1.2.5 and when it ends');
    is($crl->{revoked_now}, 2, 'and how many certificates are revoked');
    like(ok_estctl('crl', 'write', '--ca', 'ab', '--pem'), qr/-----BEGIN X509 CRL-----\nMANDUkw=\n-----END X509 CRL/,
         'crl write --pem');
    chmod 0777, $file =~ m{(.*)/};
    like(ok_estctl('crl', 'write', '--ca', 'ab', '-o', $file), qr/CRL 7, ends 20.*up to date/,
        'crl write says when it ends');
    is(read_file($file), $der, 'and writes DER');
    is(join(' ', map { s{.*/}{}r } glob "$file*"), 'crl', 'and leaves nothing else');
    issued(serial => '0b01');
    ok_estctl('cert', 'revoke', '0b01');
    like(json_estctl('crl', 'show', '--ca', 'ab')->{state}, qr/^behind: something was revoked since/,
         'a CRL that lacks a revocation is behind');
    $db->sql("UPDATE est_crl SET next_update = 1000");
    like(json_estctl('crl', 'show', '--ca', 'ab')->{state}, qr/^ENDED/, 'one that ended says so');
    no_estctl(1, qr{cannot make /no/such}, 'writing where there is nothing', 'crl', 'write', '--ca', 'ab', '-o',
              '/no/such/file');
}

# ---- audit logs ----

sub audit_log
{
    my (@entries) = @_;
    return JSON::PP->new->canonical->encode({
        version => '1', truncation => { 'nonced duplicates' => 0, 'nonceless duplicates' => 0, arbitrary => 2 },
        events => [ map { { date => '2026-01-02T03:04:05Z', assertion => 'proximity', nonce => 'bm9uY2U=', %$_ } }
                    @entries ] });
}

sub audits
{
    my ($db) = @_;
    my $file = new_dir('log') . '/log.json';
    my $log = audit_log({ domainID => $own }, { domainID => $other, nonce => undef, assertion => "log\e[1mged" });

    no_estctl(1, qr/no audit log of this device was judged/, 'a device without a log', 'audit', 'show', 'acme', 'S2');
    insert('est_domain_id', domain_id => $own, subject => 'CN=us', first_at => $now);
    insert('est_verdict', manufacturer => 'acme', serial_number => 'S2', at => $now - 10, request => 'r2',
           verdict => 'good', log => encode_base64(audit_log({ domainID => $own }), ''));
    insert('est_verdict', manufacturer => 'acme', serial_number => 'S2', at => $now, request => 'r2',
           verdict => 'bad', rule => 'nonceless', text => 'a stranger', log => encode_base64($log, ''));
    my $text = ok_estctl('audit', 'show', 'acme', 'S2');
    like($text, qr/^verdict +bad\nrule +nonceless\ntext +a stranger$/m, '5.8.3 audit show tells what policy said');
    like($text, qr/OTHER +log\\x1b\[1mged +\(nonceless\) +\Q$other\E/, '5.8.1 entry by entry, escaped');
    like($text, qr/ours +proximity +bm9uY2U= +\Q$own\E/, '5.8.2 and which are ours');
    like($text, qr/^arbitrary +2$/m, '5.8.1 and what was left out');
    is(scalar @{ json_estctl('audit', 'show', 'acme', 'S2') }, 1, 'the last one');
    is_deeply([ map { $_->{verdict} } @{ json_estctl('audit', 'show', 'acme', 'S2', '--all') } ], [qw(bad good)],
              'or all');

    $log = audit_log({ domainID => $own }, { domainID => $other });
    write_file($file, $log);
    chmod 0644, $file;
    my ($rc, $out) = estctl('audit', 'check', $file);
    is($rc, 1, '5.8.3 audit check refuses a stranger\'s entry by default');
    like($out, qr/^verdict +bad\nrule +unknown$/m, 'and names the rule');
    my @lenient = ('--policy', "known $other", '--policy', 'truncated accept');
    is(json_estctl('audit', 'check', $file, @lenient)->{verdict}, 'good', '5.8.3 unless the domain is known');
    is(json_estctl('audit', 'check', $file, '--policy', 'unknown warn', '--policy', "known $other", '--policy',
                   'known none')->{rule}, 'unknown', 'known none empties the list');
    is(json_estctl('audit', 'check', $file, '--policy', 'unknown warn')->{verdict}, 'warn', 'or the word is warn');
    is(json_estctl('audit', 'check', '-', '--own', $other, '--policy', "known $own", '--policy', 'truncated accept',
                   { stdin => $log })->{verdict}, 'good', 'with other domainIDs of our own, from stdin');
    isnt(json_estctl('audit', 'check', $file, '--attested')->{verdict}, 'bad', 'or somebody vouches for it');
    no_estctl(1, qr/^verdict +bad\nrule +garbage/m, 'what is no log', 'audit', 'check', '/etc/hostname');
    no_estctl(1, qr{cannot read /no/such}, 'a log that is not there', 'audit', 'check', '/no/such');
    no_estctl(2, qr/rules are known, /, 'an unknown rule', 'audit', 'check', $file, '--policy', 'dance on');
    no_estctl(2, qr/accept, warn or refuse/, 'a wrong value', 'audit', 'check', $file, '--policy', 'unknown maybe');
    no_estctl(2, qr/a rule and its value/, 'a rule alone', 'audit', 'check', $file, '--policy', 'unknown');
    no_estctl(2, qr/domainIDs in base64/, 'a wrong domainID', 'audit', 'check', $file, '--policy', 'known ?');
    no_estctl(2, qr/a day such as/, 'a wrong day', 'audit', 'check', $file, '--policy', 'ignore-before then');
    again($db);
}

# A server is asked to look again.
sub again
{
    my ($db) = @_;

    no_estctl(2, qr/judged by the server with ITS policy/, 'a policy for a device', 'audit', 'check', 'acme', 'S2',
              '--policy', 'unknown warn');
    no_estctl(1, qr/got no voucher here/, 'a device without voucher', 'audit', 'check', 'acme', 'S0');
    is(json_estctl('audit', 'check', 'acme', 'S2')->{request}, 'r2', '5.8 audit check of a device');
    like($db->sql("SELECT task FROM est_request WHERE id = 'r2'"), qr/recheck/, 'makes work for a server');
    $db->sql("UPDATE est_request SET task = 'telemetry' WHERE id = 'r2'");
    ok_estctl('audit', 'check', 'acme', 'S2');
    like($db->sql("SELECT task FROM est_request WHERE id = 'r2'"), qr/audit/, 'as joining while it is joining');
    $db->sql("UPDATE est_request SET lease_until = " . ($now + $DAY) . " WHERE id = 'r2'");
    no_estctl(1, qr/a server is at work on it/, 'while a server works on it', 'audit', 'check', 'acme', 'S2');
    $db->sql("UPDATE est_request SET lease_until = 0, task = 'none' WHERE id = 'r2'");
    ok_estctl('pledge', 'allow', 'acme', 'S2', '--attested');
    like($db->sql("SELECT task FROM est_request WHERE id = 'r2'"), qr/recheck/,
         '5.8.3 vouching for a device has its history judged again');
}

sub alarms
{
    my ($db) = @_;

    insert('est_note', at => time() * $SECOND + $SECOND, id => 'n1', kind => 'audit-bad', alarm => 1,
        manufacturer => 'acme',
           serial_number => "S\e2", text => "see \x07 this", request_id => 'q', address => '192.0.2.1');
    my @alarms = json_lines('alarm', 'list');
    is_deeply([ map { $_->{id} } @alarms ], ['n1'], 'alarm list has alarms alone');
    is($alarms[0]{address}, '192.0.2.1', 'with all that is known');
    my $text = ok_estctl('alarm', 'list');
    like($text, qr/audit-bad +acme +S\\x1b2 +see \\x07 this/, 'and escaped for people');
    cmp_ok(scalar(json_lines('alarm', 'list', '--all')), '>', 1, 'alarm list --all has more');
    no_estctl(2, qr/belong together/, 'half a device', 'alarm', 'list', '--manufacturer', 'acme');
}

sub tenants
{
    my ($db) = @_;

    is(scalar(json_lines('pledge', 'list', '--tenant', 'other')), 0, 'another tenant has other devices');
    no_estctl(1, qr/tenant other has never heard/, 'a device of another tenant', 'pledge', 'show', 'acme', 'S1',
        '--tenant',
              'other');
    is(scalar(json_lines('masa', 'list', '--tenant', 'other')), 0, 'and trusts nobody');
}

# ---- doctor ----

sub pem
{
    my ($der) = @_;
    return "-----BEGIN CERTIFICATE-----\n" . encode_base64($der) . "-----END CERTIFICATE-----\n";
}

# What a server published of its configuration.
sub node
{
    my ($name, $hash, %json) = @_;

    insert('est_node_snapshot', node => $name, hash => $hash, published_at => $now,
           json => JSON::PP->new->encode(\%json));
}

sub office
{
    my ($der) = @_;
    return (labels => [ { name => 'office', ca => { chain => [ pem($der) ] } } ]);
}

sub anchored
{
    my ($der, %more) = @_;
    return (manufacturers => [ { name => 'acme', idevid_anchors => [ pem($der) ], %more } ]);
}

sub ill
{
    my ($check, $words, $label) = @_;
    my ($status, $out) = estctl('doctor');

    is($status, 1, "doctor finds $label");
    like($out, qr/^PROBLEM +$check +.*$words/m, 'and says what to do');
}

sub doctor
{
    my ($dialect, $db) = @_;

    ill('servers', qr/ESTEngine On, ESTTenant default/, 'that no server has come');
    node('one', 'h1', office($ca_der));
    my ($status, $out) = estctl('doctor');
    is($status, 0, 'doctor finds nothing wrong') or diag $out;
    like($out, qr/^all is well$/m, 'and says so');
    like($out, qr/^fine +database +(SQLite .*mod_est commits with synchronous=FULL|PostgreSQL)/m,
         'and looks at the database');
    is_deeply([ grep { $_->{state} eq 'PROBLEM' } @{ json_estctl('doctor') } ], [], 'doctor --json has the same');

    node('two', 'h2', office($short_der));
    ill('servers', qr/one .* and two .* are configured differently.*doctor --forget NODE/, 'servers that differ');
    ill('expiry', qr/office, ca, chain: CN=Short CA expires/, 'a CA that ends soon');
    no_estctl(1, qr/no server three has/, 'forgetting who never came', 'doctor', '--forget', 'three');
    ok_estctl('doctor', '--forget', 'two');
    is((estctl('doctor'))[0], 0, 'doctor --forget');
    node('old', 'h1', anchored($short_der));
    ill('expiry', qr/manufacturers acme, idevid anchors: CN=Short CA expires .*from whose it is/,
        'an anchor that ends');
    like(ok_estctl('pledge', 'allow', '-', { stdin => "bolt,B1\nbolt,B2\nacme,A1\n" }),
         qr/\A\S+ warning: no server has <ESTManufacturer bolt>\n3 devices/,
         'pledge allow warns of an unknown maker, once');
    $db->sql('DELETE FROM est_pledge');
    ok_estctl('doctor', '--forget', 'old');
    node('old', 'h1', anchored($short_der, ignore_idevid_expiry => JSON::PP::true));
    is((estctl('doctor'))[0], 0, 'which does not matter where the end of IDevIDs does not');

    request(id => 'r1', serial_number => 'S1', task => 'human', next_at => $now + $DAY);
    ill('requests', qr/1 wait for a human.*voucher list --task human/, 'what is parked');
    $db->sql("UPDATE est_request SET number = 1110, status = 403");
    ($status, $out) = estctl('doctor');
    is($status, 0, 'what was refused is no problem');
    like($out, qr/^note +requests +1 were refused/m, 'but told');
    $db->sql("UPDATE est_request SET task = 'voucher', next_at = " . ($now - $DAY));
    ill('requests', qr/due since 20.*nobody does it/, 'work that nobody does');
    $db->sql('DELETE FROM est_request');
    pledge(serial_number => 'S1', voucher_at => $now - $DAY, request => 'r1');
    ill('devices', qr/1 got a voucher and never said.*pledge list --unheard/, 'a device that stays silent');
    is_deeply([ map { $_->{serial_number} } json_lines('pledge', 'list', '--unheard') ], ['S1'],
        'which pledge list finds');
    $db->sql("UPDATE est_pledge SET voucher_status = 0, verdict = 'bad'");
    ill('devices', qr/1 did not accept their voucher/, 'a device that did not accept');
    ill('devices', qr/1 have a history that is not acceptable/, 'a bad verdict');
    $db->sql('DELETE FROM est_pledge');
    shown();
    ill('trust', qr/whether the MASA of acme may be trusted \(voucher\): 'estctl masa show acme'/,
        'first use that waits');
    $db->sql('DELETE FROM est_first_use');
    insert('est_approval', request_key => 'k', label => '', requester => 'x', state => 'waiting', created_at => $now,
           csr => 'AAAA');
    ill('enrolment', qr/1 wait for a human: 'estctl cert waiting'/, 'enrolments that wait');
    $db->sql('DELETE FROM est_approval');
    issued(serial => '01');
    ok_estctl('cert', 'revoke', '01');
    ill('crl', qr/1 certificates are revoked and no CRL was ever made/, 'a CRL that nobody asks for');
    insert('est_crl', ca => $ca, number => 1, revocations => 1, this_update => 1, next_update => 1000, der => 'AAAA');
    ill('crl', qr/the last CRL ended 1970/, 'a CRL that has ended');
}
