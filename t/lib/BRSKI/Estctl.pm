# SPDX-License-Identifier: Apache-2.0
#
# BRSKI::Estctl: for the tests of estctl: a registrar's database to work on, once on SQLite and once
# on PostgreSQL where there is one; estctl run on it, on a terminal too; and rows that a server
# would have written.
package BRSKI::Estctl;

use strict;
use warnings;
use Exporter qw(import);
use JSON::PP ();
use MIME::Base64 qw(decode_base64 encode_base64);
use Test::More;
use BRSKI::Test::Database ();
use BRSKI::Test::World qw(new_dir read_file run_command run_dir server_user tool write_file);

our @EXPORT = qw(each_database estctl ok_estctl json_estctl json_lines no_estctl terminal_estctl
                 insert certificate der_of estctl_file new_dir read_file write_file run_command
                 server_user);

my $db;

# Call test(name of the dialect, database) with a fresh database on each kind there is.
sub each_database
{
    my ($test) = @_;

    for my $dialect (qw(sqlite3 pgsql)) {
        $db = eval { BRSKI::Test::Database->new(dialect => $dialect, schema => 0) };
        if (!$db) {
            die $@ if $dialect eq 'sqlite3' || $@ !~ /status 77/;
            SKIP: { skip "no PostgreSQL on this machine", 1 }
            next;
        }
        note("on $dialect");
        ok_estctl('schema', 'apply');
        $test->($dialect, $db);
    }
}

# The program where the server's user can run it.
sub estctl_file { return BRSKI::Test::Database::reachable(tool('tools/estctl/estctl')) }

# A configuration file for the database in use.
sub config
{
    $db->{config} ||= do {
        my $file = new_dir('config') . '/estctl.conf';
        write_file($file, sprintf "# a test's\ndriver %s\nparams %s\n", $db->dialect_name,
                   $db->params);
        chown((getpwnam server_user())[2, 3], $file) if $> == 0;
        chmod 0600, $file;
        $file;
    };
    return $db->{config};
}

# (status, stdout and stderr); last argument may be { stdin => text }.
sub estctl
{
    my @args = @_;
    my %opt = ref $args[-1] ? %{ pop @args } : ();

    return run_command([ estctl_file(), '--config', config(), @args ], as => server_user(), %opt);
}

# The same on a terminal, where somebody types this.
sub terminal_estctl
{
    my ($typed, @args) = @_;
    my $command = join ' ', map { "'$_'" } estctl_file(), '--config', config(), @args;

    return run_command([ 'script', '-qec', $command, '/dev/null' ], as => server_user(),
                       stdin => "$typed\n");
}

# A run that must end well; what it printed.
sub ok_estctl
{
    my ($status, $out) = estctl(@_);

    $status == 0 or die "estctl @_: status $status\n$out";
    return $out;
}

# What a run with --json and without remarks printed, decoded.
sub json_estctl
{
    my $out = ok_estctl('--json', '--quiet', @_);

    $out =~ s/\A.*?^(?=[\[{])//ms;    # what went to stderr
    return JSON::PP->new->utf8->decode($out);
}

# A list: one object a line.
sub json_lines
{
    my $out = ok_estctl('--json', '--quiet', @_);
    return map { JSON::PP->new->utf8->decode($_) } split /\n/, $out;
}

# A run that must be refused with these words.
sub no_estctl
{
    my ($status, $words, $label, @args) = @_;
    my ($got, $out) = estctl(@args);

    is($got, $status, "$label: status $status");
    like($out, $words, "$label: says why");
}

# ---- what a server would have written ----

sub quoted
{
    my ($value) = @_;

    return 'NULL' if !defined $value;
    $value =~ s/'/''/g;
    return "'$value'";
}

# A row: insert('est_pledge', serial_number => 'S1', ...); tenant default unless said.
sub insert
{
    my ($table, %row) = (shift, tenant => 'default', @_);
    my @columns = sort keys %row;

    $db->sql("INSERT INTO $table (" . join(', ', @columns) . ') VALUES ('
             . join(', ', map { quoted($row{$_}) } @columns) . ')');
}

# A self-signed certificate: (DER, SHA-256 of it, SHA-256 of its key), hashes in hex.
sub certificate
{
    my ($subject, @more) = @_;
    my $file = new_dir('cert') . '/cert.pem';
    my ($status, $out) = run_command([
        'openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256',
        '-nodes', '-keyout', '/dev/null', '-subj', $subject, '-out', $file, @more ]);

    $status == 0 or die $out;
    (undef, my $hash) = run_command([ 'sh', '-c',
        "openssl x509 -in $file -outform DER | sha256sum" ]);
    (undef, my $key) = run_command([ 'sh', '-c', "openssl x509 -in $file -noout -pubkey | "
        . 'openssl pkey -pubin -outform DER | sha256sum' ]);
    return (der_of(read_file($file)), (split ' ', $hash)[0], (split ' ', $key)[0]);
}

# The first certificate of PEM text, as octets.
sub der_of
{
    my ($pem) = @_;
    my ($base64) = $pem =~ /-----BEGIN CERTIFICATE-----(.*?)-----END/s or die "no certificate\n";
    return decode_base64($base64);
}

1;
