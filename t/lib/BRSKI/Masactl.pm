# SPDX-License-Identifier: Apache-2.0
#
# BRSKI::Masactl: for the tests of masactl: a database to work on, once on SQLite and once on
# PostgreSQL where there is one; masactl run on it; and events of a log made here, by other code
# than the library's, so that the format of the chain is proven twice.
package BRSKI::Masactl;

use strict;
use warnings;
use Digest::SHA qw(sha256_hex);
use Exporter qw(import);
use JSON::PP ();
use MIME::Base64 qw(encode_base64);
use Test::More;
use BRSKI::Test::Database ();
use BRSKI::Test::World qw(new_dir read_file run_command run_dir server_user tool write_file);

our @EXPORT = qw(each_database masactl ok_masactl json_masactl json_lines no_masactl put_event
                 put_events event_hash new_dir read_file write_file masactl_file run_command);

my $db;

# Call test(name of the dialect) with a fresh database on each kind of database there is.
sub each_database
{
    my ($test) = @_;

    for my $dialect (qw(sqlite3 pgsql)) {
        $db = eval { BRSKI::Test::Database->new(dialect => $dialect) };
        if (!$db) {
            die $@ if $dialect eq 'sqlite3' || $@ !~ /status 77/;
            SKIP: { skip "no PostgreSQL on this machine", 1 }
            next;
        }
        note("on $dialect");
        $test->($dialect, $db);
    }
}

# The program where the server's user can run it.
sub masactl_file { return BRSKI::Test::Database::reachable(tool('tools/masactl/masactl')) }

# A configuration file for the database in use.
sub config
{
    $db->{config} ||= do {
        my $file = new_dir('config') . '/masactl.conf';
        write_file($file, sprintf "# a test's\ndriver %s\nparams %s\n", $db->dialect_name,
                   $db->params);
        chown((getpwnam server_user())[2, 3], $file) if $> == 0;
        chmod 0600, $file;
        $file;
    };
    return $db->{config};
}

# (status, stdout and stderr); last argument may be { stdin => text }.
sub masactl
{
    my @args = @_;
    my %opt = ref $args[-1] ? %{ pop @args } : ();

    return run_command([ masactl_file(), '--config', config(), @args ], as => server_user(), %opt);
}

# A run that must end well; what it printed.
sub ok_masactl
{
    my @args = @_;
    my ($status, $out) = masactl(@args);

    $status == 0 or die "masactl @args: status $status\n$out";
    return $out;
}

# What a run with --json and without remarks printed, decoded.
sub json_masactl
{
    my $out = ok_masactl('--json', '--quiet', @_);

    $out =~ s/\A.*?^(?=[\[{])//ms;    # what went to stderr
    return JSON::PP->new->utf8->decode($out);
}

# A list: one object a line.
sub json_lines
{
    my $out = ok_masactl('--json', '--quiet', @_);
    return map { JSON::PP->new->utf8->decode($_) } split /\n/, $out;
}

# A run that must be refused with these words.
sub no_masactl
{
    my ($status, $words, $label, @args) = @_;
    my ($got, $out) = masactl(@args);

    is($got, $status, "$label: status $status");
    like($out, $words, "$label: says why");
}

# ---- events ----

my @HASHED = qw(prev_hash tenant product serial_number epoch seq created_at request_id request_hash
                nonce assertion proximity verified domain_id pin_spki pin_cert signer_spki
                issuer_spki customer signer signer_key expires_on format voucher_hash);

# The hash of an event as docs/design.md has it: netstrings of its fields.
sub event_hash
{
    my ($e) = @_;
    my %text = (%$e, nonce => defined $e->{nonce} ? "+$e->{nonce}" : '-');

    return sha256_hex(join '', map { length($_) . ":$_," } 'masa-event-1', @text{@HASHED});
}

# The event that follows another one of a device, or its first when there is none.
sub next_event
{
    my ($product, $serial, $before, %with) = @_;
    my $seq = $before ? $before->{seq} + 1 : 1;
    my $voucher = "voucher $product $serial $seq";
    my %e = (tenant => 'default', product => $product, serial_number => $serial, epoch => 1,
             seq => $seq, prev_hash => $before ? $before->{hash} : '',
             created_at => 1_700_000_000_000_000 + $seq * 1_000_000,
             request_id => "$product-$serial-$seq",
                 request_hash => sha256_hex("$product/$serial/$seq"),
             nonce => "nonce-$seq", assertion => 'logged', proximity => 0, verified => 0,
             domain_id => 'ZG9tYWlu', pin_spki => 'aa' x 32, pin_cert => 'AAAA',
                 signer_spki => 'bb' x 32,
             issuer_spki => '', customer => '', signer => 'main', signer_key => 'cc' x 32,
             expires_on => 0, format => 'cms', voucher_hash => sha256_hex($voucher), %with);

    $e{hash} = event_hash(\%e);
    @e{qw(tls_spki voucher)} = ('', encode_base64($voucher, ''));
    return \%e;
}

sub insert
{
    my ($table, @rows) = @_;
    my @columns = sort keys %{ $rows[0] };
    my $head = "INSERT INTO $table (" . join(', ', @columns) . ') VALUES ';

    while (my @some = splice @rows, 0, 80) {
        $db->sql($head . join ', ', map { values_of($_, @columns) } @some);
    }
}

sub values_of
{
    my ($row, @columns) = @_;
    return '(' . join(', ', map { defined $_ ? "'$_'" : 'NULL' } @{$row}{@columns}) . ')';
}

# Write the next event of a device.
sub put_event
{
    my $e = next_event(@_);

    insert('voucher_event', $e);
    return $e;
}

# That many events of devices of a product, and their rows; the last event of the last one.
sub put_events
{
    my ($product, $serials, $n) = @_;
    my @serials = ref $serials ? @$serials : ($serials);
    my (@events, $last);

    for my $serial (@serials) {
        undef $last;
        push @events, $last = next_event($product, $serial, $last) for 1 .. $n;
    }
    insert('device', map { { tenant => 'default', serial_number => $_,
                             product => $product } } @serials);
    insert('voucher_event', @events);
    return $last;
}

1;
