# SPDX-License-Identifier: Apache-2.0
#
# BRSKI::Tool: for the tests of brski that need no httpd: runs it, and offers a small TLS server
# that answers like a MASA, or wrongly, as a test tells it.
package BRSKI::Tool;

use strict;
use warnings;
use Exporter qw(import);
use File::Temp qw(tempdir);
use IO::Socket::INET ();
use JSON::PP ();
use POSIX ();
use Socket qw(IPPROTO_TCP TCP_NODELAY);
use Test::More;

our @EXPORT = qw(brski brski_json brski_ok lab openssl slurp spew start_server stop_server
                 top_builddir top_srcdir vectors work_dir);

my ($dir, %servers);

# Where this test's files go; away afterwards.
sub work_dir
{
    $dir ||= tempdir('brski-tool-XXXXXX', TMPDIR => 1, CLEANUP => 1);
    chmod 0755, $dir;                # a lab warns when the server's user could not reach it
    return $dir;
}

sub top_builddir { return $ENV{top_builddir} || '.' }
sub top_srcdir { return $ENV{top_srcdir} || '.' }

# Published vectors, or undef where they are not.
sub vectors { return $ENV{BRSKI_VECTORS} && -d $ENV{BRSKI_VECTORS} ? $ENV{BRSKI_VECTORS} : undef }

# (status, stdout, stderr) of a command; nothing on its standard input.
sub run
{
    my (@command) = @_;
    my ($out, $err) = (work_dir() . '/out', work_dir() . '/err');

    defined(my $pid = fork) or die "fork: $!";
    if (!$pid) {
        open STDIN, '<', '/dev/null' or die;
        open STDOUT, '>', $out or die;
        open STDERR, '>', $err or die;
        exec @command or die "$command[0]: $!";
    }
    waitpid $pid, 0;
    return ($? & 127 ? 128 + ($? & 127) : $? >> 8, slurp($out), slurp($err));
}

sub brski { return run(top_builddir() . '/tools/brski/brski', @_) }
sub openssl { return run('openssl', @_) }

# A run that must end well; returns what it printed.
sub brski_ok
{
    my ($status, $out, $err) = brski(@_);

    die "brski @_: status $status\n$out$err" if $status != 0;
    return $out;
}

# (status, document) with --json.
sub brski_json
{
    my ($status, $out, $err) = brski(@_, '--json');

    return ($status, scalar eval { JSON::PP->new->utf8->decode($out) }, $err);
}

# A lab in the work directory, with its path; made once for a name and set of arguments.
my %labs;
sub lab
{
    my (@args) = @_;
    my $path = work_dir() . '/lab' . (keys %labs || '');

    return $labs{"@args"} if $labs{"@args"};
    brski_ok('lab', $path, '-q', @args);
    return $labs{"@args"} = $path;
}

sub slurp
{
    my ($file) = @_;

    open my $in, '<:raw', $file or die "$file: $!";
    local $/;
    my $content = <$in>;
    return defined $content ? $content : '';
}

sub spew
{
    my ($file, $content) = @_;

    open my $out, '>:raw', $file or die "$file: $!";
    print $out $content;
    close $out or die "$file: $!";
    return $file;
}

# Start a TLS server with these files on loopback, a process a connection. answer->(path, body,
# head) returns the status line's rest, a reference to the header fields, and the body; nothing
# hangs up. Further arguments are IO::Socket::SSL's. Returns its port.
sub start_server
{
    my ($cert, $key, $answer, @tls) = @_;
    my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => 0, Listen => 64)
        or die "no server: $!";
    my $port = $listener->sockport;

    defined(my $pid = fork) or die "fork: $!";
    if (!$pid) {
        local $SIG{CHLD} = 'IGNORE';
        while (1) {
            my $client = $listener->accept or next;
            next if fork;
            serve($client, $cert, $key, $answer, @tls);
            POSIX::_exit(0);
        }
    }
    close $listener;
    $servers{$port} = $pid;
    return $port;
}

sub serve
{
    my ($socket, $cert, $key, $answer, @tls) = @_;
    my $buffer = '';

    local $SIG{CHLD} = 'DEFAULT';         # what answers may run commands
    local $SIG{PIPE} = 'IGNORE';
    setsockopt $socket, IPPROTO_TCP, TCP_NODELAY, 1;
    my $client = IO::Socket::SSL->start_SSL($socket, SSL_server => 1, SSL_cert_file => $cert,
                                            SSL_key_file => $key, @tls) or return;
    while (my ($path, $body, $head) = read_request($client, \$buffer)) {
        my ($status, $fields, $text) = $answer->($path, $body, $head, $client);
        last if !defined $status;
        syswrite_all($client, answer_text($status, $fields, $text));
        last if $head =~ /^Connection:\s*close/mi || ($fields->{Connection} || '') eq 'close';
    }
    $client->close;
}

sub read_request
{
    my ($client, $buffer) = @_;

    while ($$buffer !~ /\r\n\r\n/) {
        sysread($client, $$buffer, 65536, length $$buffer) or return;
    }
    my ($head, $rest) = split /\r\n\r\n/, $$buffer, 2;
    my $length = $head =~ /^Content-Length:\s*(\d+)/mi ? $1 : 0;
    while (length $rest < $length) {
        sysread($client, $rest, 65536, length $rest) or return;
    }
    $$buffer = substr $rest, $length;
    return ($head =~ /^\w+ (\S+)/, substr($rest, 0, $length), $head);
}

sub answer_text
{
    my ($status, $fields, $body) = @_;
    my %all = %$fields;

    $all{'Content-Length'} = length $body if !$all{'Transfer-Encoding'};
    return join('', "HTTP/1.1 $status\r\n", (map { "$_: $all{$_}\r\n" } sort keys %all), "\r\n",
                $body);
}

sub syswrite_all
{
    my ($client, $text) = @_;

    while (length $text) {
        my $n = syswrite $client, $text or return;
        substr($text, 0, $n) = '';
    }
}

sub stop_server
{
    my ($port) = @_;
    my $pid = delete $servers{$port} or return;

    kill 'TERM', $pid;
    waitpid $pid, 0;
}

END {
    local $?;
    stop_server($_) for keys %servers;
}

1;
