# SPDX-License-Identifier: Apache-2.0
#
# BRSKI::Test::Database: one database of a MASA or of a registrar, its schema applied by masactl or
# estctl: a SQLite file, or a database of its own in the private PostgreSQL of the run, as
# BRSKI_TEST_DB says.
package BRSKI::Test::Database;

use strict;
use warnings;
use File::Copy qw(copy);
use BRSKI::Test::Postgres ();
use BRSKI::Test::World qw(dialect give_to_server new_dir run_command run_dir server_user tool);

my $postgres;
my $count = 0;

# Options: dialect (default: that of the run), tool (masactl; or estctl), schema => 0 leaves the
# database empty, cluster (a BRSKI::Test::Postgres; default: that of the run).
sub new
{
    my ($class, %opt) = @_;
    my $self = bless { dialect => $opt{dialect} || dialect(), postgres => $opt{cluster} }, $class;

    $self->{dialect} eq 'sqlite3' ? $self->make_sqlite3 : $self->make_pgsql;
    $self->run_tool($opt{tool} || 'masactl', 'schema', 'apply')
        if !exists $opt{schema} || $opt{schema};
    return $self;
}

sub make_sqlite3
{
    my ($self) = @_;
    my $dir = new_dir('db');

    $self->{file} = "$dir/masa.db";
    $self->{params} = $self->{file};
    give_to_server($dir);
}

sub make_pgsql
{
    my ($self) = @_;

    $self->{postgres} ||= postgres();
    $self->{database} = sprintf 'masa_%d_%d', $$, ++$count;
    $self->{postgres}->create_database($self->{database});
    $self->{params} = $self->{postgres}->params($self->{database});
}

# The cluster of the run: started by t/TEST, or by the first test that wants it.
sub postgres
{
    $postgres ||= $ENV{BRSKI_TEST_PG} ? BRSKI::Test::Postgres->attach($ENV{BRSKI_TEST_PG})
                                      : BRSKI::Test::Postgres->new;
    return $postgres;
}

# The same database by its address, for a test file that did not make it.
sub attach
{
    my ($class, $dialect, $params) = @_;
    my $self = bless { dialect => $dialect, params => $params }, $class;

    if ($dialect eq 'sqlite3') {
        $self->{file} = $params;
    }
    else {
        ($self->{database}) = $params =~ /dbname=(\S+)/;
        $self->{postgres} = postgres();
    }
    return $self;
}

sub dialect_name { return $_[0]{dialect} }
sub params { return $_[0]{params} }
sub file { return $_[0]{file} }
sub cluster { return $_[0]{postgres} }

# What --db of masactl takes.
sub url { return "$_[0]{dialect}:$_[0]{params}" }

# Directives of mod_dbd for this database. One connection a child on SQLite: its driver stalls
# with more. busy_timeout last: it gives a row, and mod_dbd runs no DBDInitSQL after that.
sub directives
{
    my ($self) = @_;

    if ($self->{dialect} eq 'sqlite3') {
        return qq{DBDriver sqlite3\nDBDParams "$self->{params}"\nDBDMax 1\nDBDKeep 1\n}
            . qq{DBDInitSQL "PRAGMA synchronous=FULL"\nDBDInitSQL "PRAGMA busy_timeout=250"\n};
    }
    return qq{DBDriver pgsql\nDBDParams "$self->{params}"\n}
        . qq{DBDMin 1\nDBDMax 8\nDBDKeep 8\n};
}

# Run masactl or estctl on it as the server's user, so that it leaves files which httpd's children
# can write. Dies when it fails, returns what it printed.
sub masactl
{
    my ($self, @args) = @_;
    return $self->run_tool('masactl', @args);
}

sub estctl
{
    my ($self, @args) = @_;
    return $self->run_tool('estctl', @args);
}

sub run_tool
{
    my ($self, $tool, @args) = @_;
    my ($status, $output) = $self->try_tool($tool, @args);

    $status == 0 or die "$tool @args: status $status\n$output";
    return $output;
}

# The same, but (status, output).
sub try_masactl
{
    my ($self, @args) = @_;
    return $self->try_tool('masactl', @args);
}

sub try_tool
{
    my ($self, $tool, @args) = @_;
    return run_command([ reachable(tool("tools/$tool/$tool")), '--db', $self->url, @args ],
                       as => server_user());
}

# The server's user may be unable to reach the build tree (below root's home): it gets a copy.
sub reachable
{
    my ($path) = @_;

    return $path if $> != 0;
    (my $name = $path) =~ s{.*/}{};
    my $copy = run_dir() . "/$name";
    if (!-e $copy || -M $copy > -M $path) {
        copy($path, "$copy.$$") or die "$copy: $!\n";
        chmod 0755, "$copy.$$";
        rename "$copy.$$", $copy or die "$copy: $!\n";
    }
    return $copy;
}

# SQL past the MASA, for tests that tamper or look; rows as text, columns separated by |.
sub sql
{
    my ($self, $sql) = @_;

    return $self->{postgres}->sql($self->{database}, $sql) if $self->{dialect} eq 'pgsql';
    require DBI;
    my $dbh = DBI->connect("dbi:SQLite:dbname=$self->{file}", '', '',
                           { RaiseError => 1, PrintError => 0,
                             sqlite_use_immediate_transaction => 1 });
    $dbh->sqlite_busy_timeout(5000);
    my $sth = $dbh->prepare($sql);
    $sth->execute;
    my @rows = $sth->{NUM_OF_FIELDS} ? @{ $sth->fetchall_arrayref } : ();
    $sth->finish;
    $dbh->disconnect;
    give_to_server(glob "$self->{file}*");
    return join '', map { join('|', map { defined $_ ? $_ : '' } @$_) . "\n" } @rows;
}

1;
