# SPDX-License-Identifier: Apache-2.0
#
# BRSKI::Test::Parallel: asks several things at once, each in a process of its own.
package BRSKI::Test::Parallel;

use strict;
use warnings;
use Exporter qw(import);
use POSIX ();
use Storable ();

our @EXPORT = qw(parallel begin collect);

# parallel($n, $code): what code->(0) .. code->($n - 1) return, in that order. A response of LWP is
# fine; nothing else with a handle in it.
sub parallel
{
    my ($n, $code) = @_;
    return map { collect($_) } map { my $i = $_; begin(sub { $code->($i) }) } 0 .. $n - 1;
}

# Begin one, and go on.
sub begin
{
    my ($code) = @_;

    pipe my $in, my $out or die "pipe: $!\n";
    my $pid = fork;
    defined $pid or die "fork: $!\n";
    if ($pid) {
        close $out;
        return { pid => $pid, in => $in };
    }
    close $in;
    # A server that is killed meanwhile is an answer too.
    local $SIG{PIPE} = 'IGNORE';
    my $result = eval { $code->() };
    my $failed = $@;
    # A response refers to its request, and that to its code.
    delete $result->{request} if ref $result && $result->isa('HTTP::Message');
    eval { Storable::store_fd([ $result, $failed ], $out) };
    close $out;
    POSIX::_exit(0);
}

# What it returned; dies when it died.
sub collect
{
    my ($job) = @_;
    my $got = eval { Storable::fd_retrieve($job->{in}) };

    waitpid $job->{pid}, 0;
    die "a process of the test ended early\n" if !$got;
    die $got->[1] if $got->[1];
    return $got->[0];
}

1;
