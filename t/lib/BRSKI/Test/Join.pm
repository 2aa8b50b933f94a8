# SPDX-License-Identifier: Apache-2.0
#
# BRSKI::Test::Join: a manufacturer's MASA and a network's registrar of one lab, each its own httpd
# with the configuration and SQLite database that `brski lab` made for it, and pledges that join.
package BRSKI::Test::Join;

use strict;
use warnings;
use JSON::PP ();
use BRSKI::Test::Database ();
use BRSKI::Test::Join::Server ();
use BRSKI::Test::Lab ();
use BRSKI::Test::World qw(free_port read_file run_command server_user tool top_builddir write_file);

# Options: devices (3); masa and est: a function that changes the text of masa.conf, est.conf, given
# and returned as a string; import 0: the MASA knows no device; lab_args.
sub new
{
    my ($class, %opt) = @_;
    my ($masa_port, $est_port) = (free_port(), free_port());
    my $lab = BRSKI::Test::Lab->new(
        devices => $opt{devices} || 3, port => $masa_port,
        args => [ '--est-port', $est_port, '--est-module', top_builddir() . '/.libs/mod_est.so',
                  @{ $opt{lab_args} || [] } ]);
    my $self = bless { lab => $lab }, $class;

    for my $server ([ masa => $masa_port, 'masa.conf', 'error.log' ],
                    [ est => $est_port, 'est.conf', 'est-error.log' ]) {
        my ($name, $port, $conf, $log) = @$server;
        my $file = $lab->path($conf);
        write_file($file, $opt{$name}->(read_file($file))) if $opt{$name};
        $self->{$name} = BRSKI::Test::Join::Server->of(
            name => $name, port => $port, conf => $file, error_log => $lab->path("logs/$log"));
    }
    $self->masactl('schema', 'apply');
    $self->masactl('device', 'import', $lab->devices_csv) if !exists $opt{import} || $opt{import};
    $self->estctl('schema', 'apply');
    return $self;
}

sub lab { return $_[0]{lab} }
sub masa { return $_[0]{masa} }
sub est { return $_[0]{est} }
sub url { return 'https://localhost:' . $_[0]{est}->port }

sub start
{
    my ($self) = @_;
    $self->{$_}->start for qw(masa est);
    return $self;
}

sub masactl { my ($self, @args) = @_; return $self->admin('masactl', @args) }
sub estctl { my ($self, @args) = @_; return $self->admin('estctl', @args) }

# As the user of the server, whose files these are.
sub admin
{
    my ($self, $tool, @args) = @_;
    my $program = BRSKI::Test::Database::reachable(tool("tools/$tool/$tool"));
    my ($status, $output) = run_command([ $program, '--config', $self->{lab}->path("$tool.conf"),
                                          @args ], as => server_user());

    $status == 0 or die "$tool @args: status $status\n$output";
    return $output;
}

# What a query on the database of 'masa' or 'est' finds: a line a row, '|' between columns, without
# the last line's end.
sub sql
{
    my ($self, $which, $sql) = @_;
    my $rows = BRSKI::Test::Database->attach('sqlite3', $self->{lab}->path("db/$which.sqlite3"))
        ->sql($sql);

    chomp $rows;
    return $rows;
}

# How many events the MASA's log has of the nth device.
sub events
{
    my ($self, $n) = @_;
    return scalar grep { /^\{/ }
           split /\n/, $self->masactl('log', 'show', $self->{lab}->serial($n), '--json');
}

# brski join as the nth device: (exit status, step => { what it said }, ...); 'end' is the last.
sub join
{
    my ($self, $n, @args) = @_;
    return $self->pledge('--lab', $self->{lab}->dir, '--device', $self->{lab}->serial($n), @args);
}

# brski join with these arguments; a step that came twice is told as it ended.
sub pledge
{
    my ($self, @args) = @_;
    my ($status, $output) = run_command([ tool('tools/brski/brski'), 'join', $self->url, '--json',
                                          @args ]);
    my %steps;

    for my $line (split /\n/, $output) {
        my $step = eval { JSON::PP->new->utf8->decode($line) } or next;
        $steps{ $step->{step} } = $step;
    }
    $steps{output} = $output;
    return ($status, %steps);
}

1;
