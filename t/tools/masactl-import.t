#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# masactl device import: lists good and bad, imported whole or not at all, again and again; what
# the service has decided stays decided.

use strict;
use warnings;
use FindBin ();
use lib "$FindBin::RealBin/../lib";
use BRSKI::Masactl;
use BRSKI::Test::World qw(wait_until);
use POSIX ();
use Test::More;

my $dir = new_dir('lists');
my $KEYID = '00112233445566778899aabbccddeeff00112233';

each_database(sub {
    my ($dialect, $db) = @_;

    good_lists($db);
    bad_lists($db);
    issuers();
    order_of_time();
    blocks();
    many($db);
    oddities();
    interrupted($db);
});
done_testing();

sub list
{
    my ($text) = @_;
    return write_file("$dir/list.csv", $text);
}

sub import_list { return json_masactl('device', 'import', list($_[0]), @_[1 .. $#_]) }
sub device { return json_masactl('device', 'show', $_[0])->[0] }
sub known { return scalar json_lines('device', 'list', '--limit', 0) }

sub good_lists
{
    my ($db) = @_;

    my $r = import_list("product,serial_number\nwidget,G1\nwidget,G2\n");
    is($r->{devices}, 2, 'columns may come in any order');
    is($r->{changed}, 2, 'and new devices are told as changed');
    $r = import_list("product,serial_number\nwidget,G1\nwidget,G2\n");
    is($r->{devices}, 2, 'the same list again is good');
    is($r->{changed}, 0, 'and changes nothing');
    $r = import_list("serial_number,product,customer,signer,idevid_issuer,status,made_at,sold_at,"
                     . "as_of\r\n"
                     . "G3,\"widget, \"\"big\"\"\",acme,s1,$KEYID,active,2024-01-02,"
                     . "2024-02-03T04:05:06Z,2024-03-01\r\n");
    my $d = device('G3');
    is($d->{product}, 'widget, "big"', 'a quoted field is read');
    is($d->{customer}, 'acme', 'customer');
    is($d->{signer}, 's1', 'signer');
    is($d->{idevid_issuer}, $KEYID, 'idevid_issuer');
    is($d->{made_at}, '2024-01-02T00:00:00Z', 'made_at, a day');
    is($d->{sold_at}, '2024-02-03T04:05:06Z', 'sold_at, a time');
    is($d->{as_of}, '2024-03-01T00:00:00Z', 'as_of');
    import_list("\xef\xbb\xbfserial_number,product\nG\xc3\xa9,widget\n");
    is(device("G\xc3\xa9")->{product}, 'widget', 'UTF-8, behind a byte order mark');
    is(json_masactl('device', 'import', '-',
                    { stdin => "serial_number,product\nG4,widget\n" })->{devices}, 1,
       'a list comes in through a pipe');
    import_list("serial_number,product\nG5,widget\nG5,gadget\n");
    is(scalar @{ json_masactl('device', 'show', 'G5') }, 2,
       'two product lines may share a serial number');
    is($db->sql("SELECT state FROM import_batch WHERE state <> 'done'"), '',
       'every import came to its end');
}

# Whole lists that are refused: [header and lines, what is said].
sub bad_lists
{
    my ($db) = @_;
    my $before = known();
    my $h = "serial_number,product,customer,status,made_at,idevid_issuer\n";
    my @bad = (
        ['', qr/is empty/], ["serial_number\nX\n", qr/lacks the column 'product'/],
        ["serial_number,product,colour\nX,w,red\n", qr/names a column 'colour'/],
        ["serial_number,product,product\nX,w,w\n", qr/'product' twice/],
        ["$h,w,,,,\n", qr/line 2: serial_number is empty/],
            ["${h}X,,,,,\n", qr/line 2: product is empty/],
        ["${h}X,w\n", qr/line 2: has 2 fields, the header line has 6/],
        ["${h}X,w,,red,,\n", qr/line 2: status 'red' is not active/],
        ["${h}X,w,,,yesterday,\n", qr/line 2: made_at: 'yesterday' is not a time/],
        ["${h}X,w,,,2024-02-30,\n", qr/line 2: made_at: '2024-02-30' is not a time/],
        ["${h}X,w,,,,!!\n", qr/line 2: idevid_issuer: write/],
        ["${h}X ,w,,,,\n", qr/line 2: serial_number begins or ends with a blank/],
        ["${h}X\x07,w,,,,\n", qr/line 2: serial_number holds control characters/],
        ["${h}X\xff,w,,,,\n", qr/line 2: serial_number holds .* not UTF-8/],
        ["${h}X\xc0\x80,w,,,,\n", qr/line 2: serial_number holds .* not UTF-8/],
        ["${h}X\xe0\x80\xaf,w,,,,\n", qr/line 2: serial_number holds .* not UTF-8/],
        ["${h}X\xed\xa0\x80,w,,,,\n", qr/line 2: serial_number holds .* not UTF-8/],
        [$h . 'X' x 129 . ",w,,,,\n", qr/line 2: serial_number is too long/],
        ["${h}X,w,,,,\nY,w,,,,\nX,w,,,,\n", qr/line 4: X of product w stands on line 2 too/],
        ["${h}\"X\ny,w,,,,\nZ,w,,,,\n", qr/line 2: has a quote that is never closed/],
        ["${h}X,w,,,,\0\n", qr/line 2: contains a NUL octet/],
    );

    for my $case (@bad) {
        my ($text, $words) = @$case;
        no_masactl(1, $words, 'a list is refused', 'device', 'import', list($text));
    }
    is(known(), $before, 'nothing of a bad list was imported');

    my $text = "serial_number,product\n" . join '',
        map { $_ % 3 ? "B$_,widget\n" : ",widget\n" } 1 .. 90;
    my ($status, $out) = masactl('device', 'import', list($text));
    is($status, 1, 'a list with many bad lines is refused');
    is(scalar(() = $out =~ /serial_number is empty/g), 20, 'twenty are told');
    like($out, qr/and 10 more/, 'and how many more there are');
    (undef, $out) = masactl('device', 'import', '--all-errors', list($text));
    is(scalar(() = $out =~ /serial_number is empty/g), 30, '--all-errors tells each');
    is(known(), $before, 'still nothing was imported');
    my $r = import_list($text, '--dry-run', '--skip-bad');
    is("$r->{lines} $r->{bad} $r->{devices}", '90 30 0', '--dry-run judges');
    is(known(), $before, 'and writes nothing');
    $r = import_list($text, '--skip-bad');
    is("$r->{lines} $r->{bad} $r->{devices}", '90 30 60', '--skip-bad imports the good lines');
    is(known(), $before + 60, 'and only those');
    $r = import_list("serial_number,product,customer\nD1,w,a\nD2,w,a\nD1,w,b\n", '--skip-bad');
    is($r->{devices}, 1, 'of a device that stands twice --skip-bad imports neither line');
    no_masactl(1, qr/no device D1/, 'a doubtful device', 'device', 'show', 'D1');
    no_masactl(1, qr/cannot read/, 'a list that is not there', 'device', 'import', '/no/such/list');
}

# Every form that people have comes to one.
sub issuers
{
    my @forms = ($KEYID, uc $KEYID, join(':', $KEYID =~ /../g),
                 '30168014' . $KEYID, '041830168014' . $KEYID,
                 'ABEiM0RVZneImaq7zN3u/wARIjM=', 'MBaAFAARIjNEVWZ3iJmqu8zd7v8AESIz',
                 'BBgwFoAUABEiM0RVZneImaq7zN3u/wARIjM=');

    for my $form (@forms) {
        import_list("serial_number,product,idevid_issuer,as_of\nI1,w,$form,2024-01-01\n");
        is(device('I1')->{idevid_issuer}, $KEYID, "idevid_issuer as $form");
    }
    import_list("serial_number,product,idevid_issuer\nI2,w,\"name:CN=IDevID CA,O=Maker\"\n");
    is(device('I2')->{idevid_issuer}, 'name:CN=IDevID CA,O=Maker', 'idevid_issuer as a name');
}

sub order_of_time
{
    my $h = "serial_number,product,customer,as_of\n";

    import_list("${h}T1,w,new,2024-06-01\n");
    import_list("${h}T1,w,old,2024-05-01\n");
    is(device('T1')->{customer}, 'new', 'an older as_of never undoes a newer one');
    my $version = device('T1')->{version};
    import_list("${h}T1,w,new,2024-07-01\n");
    is(device('T1')->{as_of}, '2024-07-01T00:00:00Z',
       'a newer one that says the same is newer all the same');
    is(device('T1')->{version}, $version, 'but no decision has to be made again');
    import_list("${h}T1,w,old,2024-06-15\n");
    is(device('T1')->{customer}, 'new', 'so that one in between comes too late');
    import_list("serial_number,product,sold_at\nT1,w,2024-08-01\n", '--as-of', '2024-09-01');
    is(device('T1')->{customer}, 'new', 'a column that a list lacks is left alone');
    is(device('T1')->{sold_at}, '2024-08-01T00:00:00Z', 'and one it has is taken');
    import_list("${h}T1,w,,2024-10-01\n");
    is(device('T1')->{customer}, '', 'an empty value says that there is none');
}

sub blocks
{
    my $h = "serial_number,product,status,as_of\n";

    import_list("${h}K1,w,stolen,2024-01-01\n");
    is(device('K1')->{status}, 'stolen', 'a list may block a device');
    import_list("${h}K1,w,active,2024-02-01\n");
    is(device('K1')->{status}, 'stolen', 'an import never clears a block');
    ok_masactl('device', 'unblock', 'K1');
    is(device('K1')->{status}, 'active', 'device unblock does');
    import_list("${h}K1,w,active,2024-02-02\n");
    is(device('K1')->{status}, 'active', 'and the list that says nothing else leaves it so');
    ok_masactl('device', 'block', 'K1', '--reason', 'reported');
    import_list("${h}K1,w,end-of-life,2024-03-01\n");
    is(device('K1')->{status}, 'blocked', 'a block of the service is not changed by a list');
    ok_masactl('device', 'unblock', 'K1');
    import_list("${h}K1,w,end-of-life,2024-04-01\n");
    is(device('K1')->{status}, 'active', 'what a list said before the service decided is no news');
    import_list("${h}K1,w,stolen,2024-01-15\n");
    is(device('K1')->{status}, 'active', 'an older list does not block');
}

# More than one transaction, one statement and one page; and in no order.
sub many
{
    my ($db) = @_;
    my $before = known();
    my @serials = map { sprintf 'M%05d', $_ * 7919 % 10007 } 1 .. 5000;

    my $r = import_list("serial_number,product\n" . join('', map { "$_,many\n" } @serials),
                        '--batch', 333);
    is($r->{devices}, 5000, 'every device of a long list');
    is(known(), $before + 5000, 'is there');
    is($db->sql("SELECT applied FROM import_batch WHERE staged = 5000"), "5000\n",
       'and the journal knows');
    my @listed = map { $_->{serial_number} } json_lines('device', 'list', '--product', 'many',
                                                        '--limit', 0);
    is_deeply(\@listed, [ sort @serials ], 'a list is in order of serial numbers');
    my ($first) = json_lines('device', 'list', '--product', 'many', '--after', $listed[99],
                             '--limit', 1);
    is($first->{serial_number}, $listed[100], '--after goes on behind a serial number');
    my $csv = ok_masactl('device', 'export', '--product', 'many');
    is(scalar(split /\r\n/, $csv), 5001, 'an export has them all');
    $r = import_list($csv);
    is("$r->{devices} $r->{changed}", '5000 0', 'and an import of it changes nothing');
}

sub oddities
{
    my $h = "serial_number,product,customer\n";
    my ($status, $out) = masactl('device', 'import', list("${h}O1,w,stranger\nO2,w,stranger\n"));

    is($status, 0, 'an unknown customer is no error');
    like($out, qr/warning: customer 'stranger' is not known.*\(2 lines\)/, 'but is warned about');
    ok_masactl('customer', 'add', 'stranger');
    (undef, $out) = masactl('device', 'import',
                            list("serial_number,product,customer\nO1,w,stranger\n"));
    unlike($out, qr/stranger/, 'until it is known');
}

# A lock that another process holds is waited for.
sub interrupted
{
    my ($db) = @_;

    return if $db->dialect_name ne 'sqlite3';
    my $pid = fork;
    hold_lock($db->file) if !$pid;
    wait_until(10, sub { -e "$dir/locked" });
    my $r = import_list("serial_number,product\nL1,w\n");
    waitpid $pid, 0;
    is($r->{devices}, 1, 'a lock that another process holds for seconds is waited for');
    cmp_ok($r->{milliseconds}, '>', 1000, 'for as long as it takes');
}

sub hold_lock
{
    my ($file) = @_;
    require DBI;
    my $dbh = DBI->connect("dbi:SQLite:dbname=$file", '', '', { RaiseError => 1, AutoCommit => 1 });

    $dbh->do('BEGIN IMMEDIATE');
    write_file("$dir/locked", '');
    sleep 3;
    $dbh->do('COMMIT');
    $dbh->disconnect;
    POSIX::_exit(0);
}
