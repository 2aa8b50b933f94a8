# SPDX-License-Identifier: Apache-2.0
#
# Bench: what bench/run and bench/join share: a directory that goes away, commands, servers that
# end with the run, CPU time from /proc, and what one durable commit costs.
package Bench;

use strict;
use warnings;
use Cwd qw(abs_path);
use Exporter qw(import);
use File::Basename qw(dirname);
use File::Temp qw(tempdir);
use File::Path qw(remove_tree);
use Getopt::Long ();
use IO::Socket::INET ();
use JSON::PP;
use POSIX ();
use Time::HiRes qw(time sleep);

our @EXPORT = qw(at_end brski commit_us cpu fail free_port keep_figures libpq_environment median
                 options pgsql_server run say_machine say_row slurp spew sql start_httpd stop_httpd
                 $build $dir $source);

our ($build, $source, $dir);
my ($httpd, @stop);

$| = 1;
$SIG{INT} = $SIG{TERM} = sub { exit 1 };
END {
    my $status = $?;
    $_->() for reverse @stop;
    remove_tree($dir) if $dir && -d $dir;
    $? = $status;
}

# The command line, and where everything is. --help prints the program's first comment.
sub options
{
    my @names = @_;
    my %opt = (build => '.');

    Getopt::Long::GetOptions(\%opt, 'build=s', 'help', @names) or exit 2;
    if ($opt{help}) {
        open my $self, '<', $0 or die $!;
        while (<$self>) { print s/^# ?//r if 4 .. /^$/ }
        exit 0;
    }
    $build = abs_path($opt{build});
    $source = abs_path(dirname($0) . '/..');
    $httpd = slurp("$build/config.log") =~ /^HTTPD='([^']+)'/m ? $1 : '/usr/sbin/apache2';
    $dir = tempdir('brski-bench-XXXXXX', TMPDIR => 1, CLEANUP => 0);
    chmod 0755, $dir;
    return %opt;
}

sub at_end { push @stop, @_ }

# ---- running things ----

sub fail { print STDERR "bench: @_\n"; exit 1 }

# What a command prints; a command that fails ends the run, unless { may_fail => 1 } comes first.
sub run
{
    my @command = @_;
    my %how = ref $command[0] ? %{ shift @command } : ();
    my $may_fail = delete $how{may_fail};
    my $pid = open(my $out, '-|');

    if (!$pid) {
        @ENV{ keys %how } = values %how;
        open STDERR, '>', "$dir/stderr";
        { exec @command }
        POSIX::_exit(127);
    }
    local $/;
    my $text = <$out>;
    close $out or $may_fail
        or fail("@command[0 .. 1] failed: $text" . slurp("$dir/stderr"));
    return $text;
}

sub slurp
{
    my ($file) = @_;
    local $/;
    open my $in, '<', $file or return '';
    return <$in> // '';
}

sub spew
{
    my ($file, $text) = @_;
    open my $out, '>', $file or fail("$file: $!");
    print $out $text;
    close $out or fail("$file: $!");
}

sub brski { return run("$build/tools/brski/brski", @_) }

sub say_row { printf "  %-58s %s\n", @_ }

sub say_machine
{
    my ($what) = @_;
    my $info = slurp('/proc/cpuinfo');
    my $processors = () = $info =~ /^processor/mg;
    printf "%s: %s, %d processors, %s, load %s\n", $what, scalar gmtime, $processors,
        ($info =~ /^model name\s*: (.*)/m)[0] // "of an unknown kind",
        (slurp("/proc/loadavg") =~ /^(\S+)/)[0] // "unknown";
}

sub keep_figures
{
    my ($file, $figure) = @_;
    spew($file, JSON::PP->new->pretty->canonical->encode($figure)) if $file;
}

sub median { my @v = sort { $a <=> $b } @_; return $v[ $#v / 2 ] }

# CPU seconds of processes and all below them, ended children included.
sub cpu
{
    my %roots = map { $_ => 1 } @_;
    my (%parent, %used);

    for my $file (glob '/proc/[0-9]*/stat') {
        my ($pid, @f) = slurp($file) =~ /^(\d+) \(.*\) (.*)/s ? ($1, split ' ', $2) : next;
        $parent{$pid} = $f[1];
        $used{$pid} = ($f[11] + $f[12] + $f[13] + $f[14]) / POSIX::sysconf(POSIX::_SC_CLK_TCK());
    }
    my $sum = 0;
    for my $pid (keys %used) {
        my $p = $pid;
        $p = $parent{$p} while $p && !$roots{$p};
        $sum += $used{$pid} if $p;
    }
    return $sum;
}

# ---- servers ----

sub free_port
{
    my $s = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1') or fail("no port: $!");
    return $s->sockport;
}

# A server of { lab, pid_file (of lab/run; httpd.pid) }; its process is {pid}.
sub start_httpd
{
    my ($m, $conf) = @_;
    my $file = "$m->{lab}/run/" . ($m->{pid_file} || 'httpd.pid');

    run($httpd, '-f', "$m->{lab}/$conf", '-k', 'start');
    for (1 .. 100) {
        last if -s $file;
        sleep 0.1;
    }
    chomp($m->{pid} = slurp($file));
    sleep 0.5;
}

sub stop_httpd
{
    my ($m) = @_;
    my $pid = delete $m->{pid} or return;
    kill TERM => $pid;
    for (1 .. 200) { last unless kill 0 => $pid; sleep 0.05 }
    unlink "$m->{lab}/run/" . ($m->{pid_file} || 'httpd.pid');
}

# ---- databases ----

# { name, driver, params, pids: of the database's server }
sub pgsql_server
{
    my $params = run("$source/t/lib/pg-start", '--set', 'shared_buffers=256MB', "$dir/pg");
    at_end(sub { system("$source/t/lib/pg-stop", "$dir/pg") });
    chomp $params;
    my ($pid) = slurp("$dir/pg/data/postmaster.pid") =~ /^(\d+)/;
    return { name => 'PostgreSQL', driver => 'pgsql', params => $params, pids => [$pid] };
}

sub libpq_environment
{
    my ($db) = @_;
    return map { /^(host|port|user|password|dbname)=(.*)/
                 ? ($1 eq 'dbname' ? 'PGDATABASE' : uc "PG$1", $2) : () }
           split ' ', $db->{params};
}

sub sql
{
    my ($db, $text) = @_;

    spew("$dir/do.sql", $text);
    return run('sh', '-c', "sqlite3 '$db->{params}' <$dir/do.sql") if $db->{driver} eq 'sqlite3';
    my %env = libpq_environment($db);
    return run(\%env, 'psql', '-qAt', '-v', 'ON_ERROR_STOP=1', '-f', "$dir/do.sql");
}

# CPU microseconds of one durable commit of so long a row, among $n. On PostgreSQL there is a table
# bench_row (k, v).
sub commit_us
{
    my ($db, $row, $n) = @_;

    if ($db->{driver} eq 'sqlite3') {
        spew("$dir/commit.sql", "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
             . "CREATE TABLE t (k TEXT PRIMARY KEY, v TEXT);\n"
             . "INSERT INTO t VALUES (hex(randomblob(16)), hex(zeroblob($row / 2)));\n" x $n);
        my $start = (POSIX::times())[3] + (POSIX::times())[4];
        run('sh', '-c', "sqlite3 $dir/commit.db <$dir/commit.sql");
        my $used = (POSIX::times())[3] + (POSIX::times())[4] - $start;
        unlink glob "$dir/commit.db*";
        return $used / POSIX::sysconf(POSIX::_SC_CLK_TCK()) * 1e6 / $n;
    }
    my %env = libpq_environment($db);
    spew("$dir/commit.sql", 'INSERT INTO bench_row VALUES '
         . "(md5(random()::text) || md5(random()::text), repeat('x', $row));\n");
    my $before = cpu(@{ $db->{pids} });
    run(\%env, 'pgbench', '-n', '-M', 'prepared', '-c', 4, '-t', int($n / 4), '-f',
        "$dir/commit.sql");
    my $used = cpu(@{ $db->{pids} }) - $before;
    return $used * 1e6 / $n;
}

1;
