#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# masactl log: a log proves itself, and every way to falsify it is found: a row altered, removed,
# cut from the end, put in; a device's whole log removed; a checkpoint or the file of heads changed.

use strict;
use warnings;
use FindBin ();
use lib "$FindBin::RealBin/../lib";
use BRSKI::Masactl;
use BRSKI::Test::World qw(give_to_server);
use JSON::PP ();
use Test::More;

my ($dir, $key, $pub, $other);

each_database(sub {
    my ($dialect, $db) = @_;

    $dir = new_dir('log');
    give_to_server($dir);
    make_keys();
    empty_log();
    my %last = make_log();
    whole_log();
    shown();
    my $checkpoint = checkpoints($db, \%last);
    altered($db, $checkpoint);
    cut_off($db, $checkpoint);
    checkpoint_files($checkpoint);
    proofs($checkpoint);
    exported();
    pages($db);
});
done_testing();

sub make_keys
{
    ($key, $pub, $other) = map { "$dir/$_.pem" } qw(key pub other);
    for ([ $key, $pub ], [ "$dir/otherkey.pem", $other ]) {
        my ($private, $public) = @$_;
        run_command([ 'openssl', 'genpkey', '-algorithm', 'EC', '-pkeyopt',
                      'ec_paramgen_curve:P-256', '-out', $private ]);
        run_command([ 'openssl', 'pkey', '-in', $private, '-pubout', '-out', $public ]);
        chmod 0644, $private, $public;
    }
}

sub verify { return masactl('log', 'verify', @_) }

# The log is not good, for this reason.
sub found
{
    my ($words, $label, @args) = @_;
    my ($status, $out) = verify(@args);

    is($status, 1, "$label: is found");
    like($out, $words, "$label: with device, event and reason");
}

sub is_whole
{
    my ($label, @args) = @_;
    my ($status, $out) = verify(@args);

    is($status, 0, "$label: good") or diag($out);
}

sub empty_log
{
    my ($status, $out) = verify();

    is($status, 0, 'an empty log is whole');
    my $r = json_masactl('log', 'verify');
    is("$r->{devices} $r->{events}", '0 0', 'and has nothing');
    my $cp = json_masactl('log', 'checkpoint', '--key', $key, '-o', "$dir/empty.json");
    is($cp->{devices}, 0, 'it can be signed');
    is_whole('an empty log with its checkpoint', '--checkpoint', "$dir/empty.json", '--key', $pub);
}

sub make_log
{
    return (A => put_events('widget', 'A', 3), B => put_events('widget', 'B', 1),
            C => put_events('gadget', 'C', 2), D => put_events('widget', 'D', 4));
}

sub whole_log
{
    my $r = json_masactl('log', 'verify');

    is("$r->{devices} $r->{events} $r->{problem_count}", '4 10 0',
       'a log that other code wrote proves itself');
}

sub shown
{
    my @events = json_lines('log', 'show', 'A');

    is(join(' ', map { $_->{seq} } @events), '1 2 3', 'log show tells the events, oldest first');
    is($events[2]{nonce}, 'nonce-3', 'with their nonces');
    my $audit = json_masactl('log', 'show', 'A', '--audit');
    is($audit->{version}, 1, '5.8.1 log show --audit is what an owner would read');
    is($audit->{events}[0]{nonce}, 'nonce-3', '5.8.1 newest first');
    is($audit->{truncation}{'nonced duplicates'}, 2, '5.8.1 earlier ones of a domain are counted');
    no_masactl(1, qr/no device Z/, 'the log of an unknown device', 'log', 'show', 'Z');
}

sub checkpoints
{
    my ($db, $last) = @_;
    my $file = "$dir/one.json";
    my $r = json_masactl('log', 'checkpoint', '--key', $key, '-o', $file);

    is("$r->{number} $r->{devices} $r->{events}", '2 4 10',
       'a checkpoint counts devices and events');
    is($db->sql('SELECT root FROM checkpoint WHERE number = 2'), "$r->{root}\n",
       'a copy is in the database');
    my $doc = JSON::PP->new->decode(read_file($file));
    like($doc->{checkpoint}{previous}, qr/^[0-9a-f]{64}$/, 'it names the one before');
    is_whole('the log with its checkpoint', '--checkpoint', $file, '--key', $pub);
    put_event('widget', 'A', $last->{A});
    put_events('widget', 'AA', 2);
    is_whole('the log after more was appended', '--checkpoint', $file, '--key', $pub);
    no_masactl(1, qr/there already/, 'overwriting a checkpoint', 'log', 'checkpoint', '--key', $key,
               '-o', $file);
    no_masactl(2, qr/say --key/, 'a checkpoint without key', 'log', 'checkpoint', '-o',
               "$dir/x.json");
    no_masactl(1, qr/private key/, 'a checkpoint with a public key', 'log', 'checkpoint', '--key',
               $pub, '-o',
               "$dir/x.json");
    return $file;
}

# Change the log, look, change it back.
sub tampered
{
    my ($db, $label, $change, $back, $words, @args) = @_;

    $db->sql($change);
    found($words, $label, @args);
    $db->sql($_) for ref $back ? @$back : $back;
    is_whole("$label, put right", @args);
}

sub altered
{
    my ($db, $file) = @_;
    my $row = q{WHERE serial_number = 'D' AND seq = 2};
    my $is = sub { (my $v = $db->sql("SELECT $_[0] FROM voucher_event $row")) =~ s/\n\z//; $v };

    for my $column (qw(nonce assertion domain_id created_at customer expires_on signer request_id
                       pin_cert epoch voucher_hash hash prev_hash)) {
        my $value = $is->($column);
        my $new = $value =~ /^\d+$/ ? $value + 1 : 'changed';
        tampered($db, "$column altered", "UPDATE voucher_event SET $column = '$new' $row",
                 "UPDATE voucher_event SET $column = '$value' $row",
                 qr/^D of product widget, event \d: /m);
    }
    my $voucher = $is->('voucher');
    tampered($db, 'a voucher replaced', "UPDATE voucher_event SET voucher = 'AAAA' $row",
             "UPDATE voucher_event SET voucher = '$voucher' $row",
                 qr/D of product widget, event 2: its voucher does not/);
    tampered($db, 'a voucher blanked', "UPDATE voucher_event SET voucher = '' $row",
             "UPDATE voucher_event SET voucher = '$voucher' $row",
                 qr/D of product widget, event 2: its voucher is gone/);
    tampered($db, 'a voucher spoiled', "UPDATE voucher_event SET voucher = '%%%' $row",
             "UPDATE voucher_event SET voucher = '$voucher' $row",
                 qr/D of product widget, event 2: its voucher is gone/);
    $db->sql("UPDATE voucher_event SET tls_spki = 'forgotten' $row");
    is_whole('a TLS identity erased, which may be', '--checkpoint', $file, '--key', $pub);

    # An event altered with all hashes after it made anew: only a checkpoint knows.
    my $first = q{serial_number = 'B' AND seq = 1};
    $db->sql("DELETE FROM voucher_event WHERE $first");
    my $forged = put_event('widget', 'B', undef, domain_id => 'Zm9yZ2Vk');
    is_whole('a chain made anew, without a checkpoint');
    found(qr/B of product widget, event 1: it is not the event that the checkpoint knows/,
          'a chain made anew',
          '--checkpoint', $file, '--key', $pub);
    $db->sql("DELETE FROM voucher_event WHERE $first");
    put_event('widget', 'B', undef);
    is_whole('and put right', '--checkpoint', $file, '--key', $pub);
}

sub cut_off
{
    my ($db, $file) = @_;
    my @cp = ('--checkpoint', $file, '--key', $pub);

    $db->sql("CREATE TABLE kept AS SELECT * FROM voucher_event");
    my $back = 'INSERT INTO voucher_event SELECT * FROM kept k WHERE NOT EXISTS '
             . '(SELECT 1 FROM voucher_event e WHERE e.request_id = k.request_id)';
    tampered($db, 'a row removed from the middle',
             "DELETE FROM voucher_event WHERE serial_number = 'D' AND seq = 2",
             $back, qr/D of product widget, event 3: its number does not follow/);
    tampered($db, 'the first row removed',
             "DELETE FROM voucher_event WHERE serial_number = 'C' AND seq = 1",
             $back, qr/C of product gadget, event 2: its number does not follow/);
    $db->sql("DELETE FROM voucher_event WHERE serial_number = 'D' AND seq = 4");
    is_whole('a row cut from the end, without a checkpoint');
    found(qr/D of product widget, event 4: the checkpoint knows it, but the log ends at event 3/,
          'a row cut from the end', @cp);
    $db->sql($back);
    for my $serial (qw(C B D)) {
        tampered($db, "all of $serial removed",
                 "DELETE FROM voucher_event WHERE serial_number = '$serial'", $back,
                 qr/$serial of product \w+, event \d: .*, but the log has no event/, @cp);
    }
    tampered($db, 'everything removed', 'DELETE FROM voucher_event', $back,
             qr/counted 4 devices with 10 events/);
    tampered($db, 'everything removed, with a checkpoint', 'DELETE FROM voucher_event', $back,
             qr/no event/, @cp);
    my $r = json_masactl('log', 'verify', @cp);
    is($r->{problem_count}, 0, 'in the end all is well again');
    $db->sql('DROP TABLE kept');
}

sub checkpoint_files
{
    my ($file) = @_;
    my $doc = read_file($file);
    my $heads = read_file("$file.heads");
    my $try = sub {
        my ($words, $label, $new_doc, $new_heads, $with) = @_;
        write_file("$dir/bad.json", $new_doc);
        write_file("$dir/bad.json.heads", $new_heads);
        found($words, $label, '--checkpoint', "$dir/bad.json", '--key', $with || $pub);
    };

    (my $changed = $doc) =~ s/"events": 10/"events": 9/;
    $try->(qr/signature .* does not verify/, 'a checkpoint changed', $changed, $heads);
    $try->(qr/signature .* does not verify/, 'a checkpoint of another key', $doc, $heads, $other);
    (my $shorter = $heads) =~ s/^widget\tB\t.*\n//m;
    $try->(qr/does not hold the heads/, 'a head removed', $doc, $shorter);
    (my $other_head = $heads) =~ s/^(widget\tB\t1\t)1/${1}2/m;
    $try->(qr/does not hold the heads/, 'a head changed', $doc, $other_head);
    $try->(qr/line 1 is not the first/, 'no heads', $doc, "nothing\n");
    $try->(qr/is cut off/, 'heads cut off', $doc, substr $heads, 0, -5);
    $try->(qr/is no head/, 'heads with text', $doc, "${heads}text\n");
    $try->(qr/is not in order/, 'heads in another order', $doc,
           $heads . "a\ta\t1\t1\t" . 'a' x 64 . "\n");
    $try->(qr/no checkpoint/, 'another document', '{"checkpoint": {"type": "x"}}', $heads);
    $try->(qr/./, 'no JSON', 'checkpoint', $heads);
    no_masactl(1, qr/of tenant default, not of other/, 'a checkpoint of another tenant', '--tenant',
               'other', 'log',
               'verify', '--checkpoint', $file, '--key', $pub);
    no_masactl(2, qr/belong together/, 'a checkpoint without key', 'log', 'verify', '--checkpoint',
               $file);

    my ($status, $out) = run_command([ 'sh', '-c', "cd $dir && "
        . "perl -MJSON::PP -0777 -ne 'print \$1 if /\"checkpoint\": (\\{.*?\\n  \\})/s' one.json | "
        . q{perl -0777 -pe 's/\n\s*//g; s/": /":/g' > signed && }
        . q{perl -MJSON::PP -MMIME::Base64 -0777 -ne }
        . q{'print decode_base64(decode_json($_)->{signature})' one.json > sig && }
        . 'openssl dgst -sha256 -verify pub.pem -signature sig signed' ]);
    like($out, qr/Verified OK/, 'openssl alone can verify a checkpoint');
}

sub proofs
{
    my ($file) = @_;

    for my $serial (qw(A B C D)) {
        my $proof = ok_masactl('log', 'prove', $serial, '--checkpoint', $file, '--key', $pub);
        unlike($proof, qr/"serial_number": "(?!$serial)/,
               "a proof of $serial shows no other device");
        write_file("$dir/proof.json", $proof);
        my ($status, $out) = masactl('log', 'prove', '--check', "$dir/proof.json", '--key', $pub);
        is($status, 0, "a proof of $serial is good");
        like($out, qr/the log of $serial /, 'and says of what');
    }
    (my $proof = read_file("$dir/proof.json")) =~ s/"seq": 4/"seq": 3/;
    write_file("$dir/forged.json", $proof);
    no_masactl(1, qr/does not lead/, 'a proof changed', 'log', 'prove', '--check',
               "$dir/forged.json", '--key', $pub);
    no_masactl(1, qr/does not verify/, 'a proof of another key', 'log', 'prove', '--check',
               "$dir/proof.json", '--key',
               $other);
    no_masactl(1, qr/knows no events of AA/, 'a proof of a device that came later', 'log', 'prove',
               'AA', '--checkpoint',
               $file, '--key', $pub);
    no_masactl(2, qr/say SERIAL/, 'a proof of nothing', 'log', 'prove', '--key', $pub);
}

sub exported
{
    my @events = map { JSON::PP->new->decode($_) } split /\n/, ok_masactl('log', 'export');

    is(scalar @events, 13, 'log export has every event');
    like($events[0]{voucher}, qr/^[A-Za-z0-9+\/]+=*$/, 'with its voucher');
    is("$events[0]{product} $events[0]{serial_number} $events[0]{seq}", 'gadget C 1',
       'in key order');
}

# More events and devices than a page holds, one of them with more than a page alone.
sub pages
{
    my ($db) = @_;

    put_events('pages', [ map { "P$_" } 1 .. 520 ], 1);
    put_events('pages', 'long', 1010);
    my $r = json_masactl('log', 'verify');
    is($r->{problem_count}, 0, 'a log of many pages is whole');
    $r = json_masactl('log', 'checkpoint', '--key', $key, '-o', "$dir/many.json");
    is_whole('a log of many pages with its checkpoint', '--checkpoint', "$dir/many.json", '--key',
             $pub);
    $db->sql(q{DELETE FROM voucher_event WHERE serial_number = 'P500'});
    found(qr/^P500 of product pages/m, 'one device of many removed', '--checkpoint',
          "$dir/many.json", '--key', $pub);
}
