# SPDX-License-Identifier: Apache-2.0
#
# BRSKI::Test::Postgres: a private PostgreSQL of a run, made and ended by t/lib/pg-start and
# pg-stop; a database of its own for each MASA. It has nothing to do with clusters that the
# machine may run.
package BRSKI::Test::Postgres;

use strict;
use warnings;
use BRSKI::Test::World qw(new_dir run_command read_file top_srcdir);

# Make a cluster and start it. settings => { name => value } for the server.
sub new
{
    my ($class, %opt) = @_;
    my $self = bless { dir => new_dir('pg'), owner => $$,
                       settings => $opt{settings} || {} }, $class;

    chmod 0755, $self->{dir};
    $self->start;
    return $self;
}

# Use a cluster that another process of this run has started.
sub attach
{
    my ($class, $dir) = @_;
    return bless { dir => $dir, owner => 0, settings => {} }, $class;
}

sub dir { return $_[0]{dir} }
sub pid { return (read_file("$_[0]{dir}/data/postmaster.pid") =~ /^(\d+)/)[0] }

# For DBDParams and masactl: a libpq conninfo, with the password.
sub params
{
    my ($self, $database) = @_;

    $self->{dsn} ||= (split /\n/, read_file("$self->{dir}/dsn"))[0];
    (my $params = $self->{dsn}) =~ s/\bdbname=\S+/dbname=$database/;
    return $params;
}

sub start
{
    my ($self) = @_;
    my @settings = map { ('--set', "$_=$self->{settings}{$_}") } sort keys %{ $self->{settings} };

    $self->command([ top_srcdir() . '/t/lib/pg-start', @settings, $self->{dir} ]);
}

# Fast shutdown: connections are cut, what was committed is there. kill => 1: as a power failure.
sub stop
{
    my ($self, %opt) = @_;
    $self->command([ top_srcdir() . '/t/lib/pg-stop', '--keep', $opt{kill} ? '--kill' : (),
                     $self->{dir} ]);
}

sub restart
{
    my ($self, %opt) = @_;
    $self->stop(%opt);
    $self->start;
}

# SQL as the owner of the MASA's databases, or as another role; rows as text, columns separated by
# |.
sub sql
{
    my ($self, $database, $sql, $role) = @_;
    my $params = $self->params($database);
    my $password = $params =~ /\bpassword=(\S+)/ ? $1 : '';

    $params =~ s/\buser=\S+/user=$role/ if $role;
    $params =~ s/\s*\bpassword=\S+//;
    return $self->command([ 'psql', '-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', '-d', $params,
                            '-c', $sql ], env => { PGPASSWORD => $password });
}

sub create_database
{
    my ($self, $name) = @_;
    $self->sql('postgres', qq{CREATE DATABASE "$name" OWNER masa}, 'postgres');
}

sub command
{
    my ($self, $command, %opt) = @_;
    my ($status, $output) = run_command($command, %opt);

    $status == 0 or die "@$command: status $status\n$output";
    return $output;
}

sub DESTROY
{
    my ($self) = @_;
    local ($?, $@);

    $self->stop if $self->{owner} == $$ && -e "$self->{dir}/data/postmaster.pid";
}

1;
