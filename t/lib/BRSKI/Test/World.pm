# SPDX-License-Identifier: Apache-2.0
#
# BRSKI::Test::World: where a test lives: the source and build trees, a run directory outside of
# both that the server's user can reach, free ports on loopback, and commands run with a time
# limit. Also who the server runs as: a suite started as root keeps root for httpd's parent alone.
package BRSKI::Test::World;

use strict;
use warnings;
use Exporter qw(import);
use Cwd qw(abs_path);
use File::Basename qw(dirname);
use File::Path qw(make_path remove_tree);
use File::Temp qw(tempdir);
use IO::Socket::INET ();
use POSIX ();
use Time::HiRes ();

our @EXPORT_OK = qw(top_srcdir top_builddir run_dir new_dir free_port dialect server_user server_ids
                    give_to_server run_command spawn_process stop_process tool write_file read_file
                    sanitizer_library wait_until);

my $here = abs_path(dirname(__FILE__));
my $run_dir;
my %used_port;

sub top_srcdir
{
    return $ENV{top_srcdir} || abs_path("$here/../../../..");
}

# The build tree: said by make, or the working directory, or the source tree.
sub top_builddir
{
    for my $dir ($ENV{top_builddir}, '.', '..', top_srcdir()) {
        return abs_path($dir) if defined $dir && -f "$dir/config.status";
    }
    die "no build found: run in the build tree, or set top_builddir\n";
}

# sqlite3 or pgsql: which database the endpoint suites use in this run.
sub dialect
{
    my $dialect = $ENV{BRSKI_TEST_DB} || 'sqlite3';
    $dialect =~ /^(?:sqlite3|pgsql)$/ or die "BRSKI_TEST_DB: sqlite3 or pgsql, not $dialect\n";
    return $dialect;
}

# One directory a run of t/TEST, shared by its test files; a test run by hand makes its own. It is
# in TMPDIR because a child of httpd cannot read below the home of root.
sub run_dir
{
    return $run_dir if $run_dir;
    if ($ENV{BRSKI_TEST_RUN}) {
        return $run_dir = $ENV{BRSKI_TEST_RUN};
    }
    $run_dir = tempdir('brski-test-XXXXXX', TMPDIR => 1);
    chmod 0755, $run_dir;
    my $owner = $$;
    eval 'END { remove_run_dir($owner) }';
    return $run_dir;
}

sub remove_run_dir
{
    my ($owner) = @_;

    return if $$ != $owner || $ENV{BRSKI_TEST_RUN} || $ENV{BRSKI_TEST_KEEP};
    local $?;
    chdir '/';    # Apache::Test may be inside when it is interrupted
    remove_tree($run_dir);
}

# A directory of this name in the run directory, with a number if it is taken.
sub new_dir
{
    my ($name) = @_;
    my ($dir, $n) = (run_dir() . "/$name", 1);

    $dir = run_dir() . "/$name-" . ++$n while -e $dir;
    make_path($dir, { mode => 0755 });
    return $dir;
}

# A port on loopback that nobody listens on now; never the same twice in a process.
sub free_port
{
    for (1 .. 100) {
        my $socket = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => 0, Proto => 'tcp',
                                           Listen => 1) or die "no port on loopback: $!\n";
        my $port = $socket->sockport;
        close $socket;
        return $port if !$used_port{$port}++;
    }
    die "no free port\n";
}

# The user that httpd's children run as: the caller, or nobody for root.
sub server_user
{
    return scalar getpwuid $> if $> != 0;
    return defined getpwnam 'nobody' ? 'nobody' : die "root needs a user nobody to run httpd\n";
}

sub server_ids
{
    my (undef, undef, $uid, $gid) = getpwnam server_user();
    return ($uid, $gid);
}

# Files that the server's children write.
sub give_to_server
{
    my (@paths) = @_;

    return if $> != 0;
    my ($uid, $gid) = server_ids();
    chown $uid, $gid, @paths;
}

# A program of this build.
sub tool
{
    my ($name) = @_;
    my $path = top_builddir() . "/$name";

    -x $path or die "$path is not built\n";
    return $path;
}

# Run a command with a time limit: (exit status, stdout and stderr together). Options: as (a user),
# env => {NAME => value or undef}, stdin => text, limit => seconds.
sub run_command
{
    my ($command, %opt) = @_;
    my $out = File::Temp->new(DIR => run_dir());
    my $pid = spawn_process($command, %opt, stdout => $out, stderr => $out);
    my $limit = $opt{limit} || 120;
    my $deadline = time + $limit;
    my $status;

    while (1) {
        my $done = waitpid $pid, POSIX::WNOHANG();
        if ($done == $pid) {
            $status = $? & 127 ? 128 + ($? & 127) : $? >> 8;
            last;
        }
        if (time > $deadline) {
            kill 'KILL', $pid;
            waitpid $pid, 0;
            $status = 124;
            print {$out} "\nended after $limit s\n";
            last;
        }
        select undef, undef, undef, 0.01;
    }
    return ($status, read_file($out->filename));
}

# Start a process that dies with this one. Options: as, env, stdin, stdout, stderr, dir, group (a
# process group of its own: for what signals its group). Returns its id.
sub spawn_process
{
    my ($command, %opt) = @_;
    my @full = with_death_signal($opt{as}, @$command);
    my $stdin;

    if (defined $opt{stdin}) {
        $stdin = File::Temp->new(DIR => run_dir());
        print {$stdin} $opt{stdin};
        $stdin->flush;
        seek $stdin, 0, 0;
    }
    my $pid = fork;
    defined $pid or die "fork: $!\n";
    return $pid if $pid;

    # In the child nothing of this program may run any more, not even END blocks.
    eval {
        my %env = %{ $opt{env} || {} };
        defined $env{$_} ? ($ENV{$_} = $env{$_}) : delete $ENV{$_} for keys %env;
        chdir $opt{dir} if $opt{dir};
        setpgrp if $opt{group};
        open STDIN, '<&', $stdin || do { open my $null, '<', '/dev/null'; $null };
        open STDOUT, '>&', $opt{stdout} if $opt{stdout};
        open STDERR, '>&', $opt{stderr} if $opt{stderr};
        no warnings 'exec';
        exec { $full[0] } @full;
    };
    print STDERR "$full[0]: $!\n";
    POSIX::_exit(127);
}

sub with_death_signal
{
    my ($as, @command) = @_;
    my ($setpriv) = grep { -x } qw(/usr/bin/setpriv /bin/setpriv);

    if (defined $as && $> == 0) {
        my (undef, undef, $uid, $gid) = getpwnam $as or die "no user $as\n";
        $setpriv or die "setpriv (util-linux) is needed to run as $as\n";
        return ($setpriv, "--reuid=$uid", "--regid=$gid", '--clear-groups', '--pdeathsig=TERM',
                '--', @command);
    }
    return $setpriv ? ($setpriv, '--pdeathsig=TERM', '--', @command) : @command;
}

# End a child of ours by its id: signal, then KILL after some seconds. Its exit status.
sub stop_process
{
    my ($pid, $signal, $seconds) = @_;

    # No id would be 0 to kill: the process group of the test, and of what started it.
    die "stop_process: no process\n" if !$pid || $pid < 2;
    local $?;
    kill $signal, $pid;
    for (1 .. 100 * ($seconds || 15)) {
        return $? if waitpid($pid, POSIX::WNOHANG()) != 0;
        select undef, undef, undef, 0.01;
    }
    kill 'KILL', $pid;
    waitpid $pid, 0;
    return $?;
}

# True as soon as done() is; false after some seconds.
sub wait_until
{
    my ($seconds, $done) = @_;

    my $until = Time::HiRes::time() + $seconds;

    while (!$done->()) {
        return 0 if Time::HiRes::time() > $until;
        select undef, undef, undef, 0.02;
    }
    return 1;
}

sub write_file
{
    my ($path, $text) = @_;

    open my $out, '>:raw', $path or die "$path: $!\n";
    print {$out} $text;
    close $out or die "$path: $!\n";
    return $path;
}

sub read_file
{
    my ($path) = @_;

    open my $in, '<:raw', $path or die "$path: $!\n";
    local $/;
    my $text = <$in>;
    return defined $text ? $text : '';
}

# The runtime that must be preloaded into httpd when the module was built with sanitizers, or ''.
sub sanitizer_library
{
    my $makefile = top_builddir() . '/Makefile';

    return '' if !-f $makefile;
    return read_file($makefile) =~ /^ASAN_LIBRARY = (\S+)/m ? $1 : '';
}

1;
