# SPDX-License-Identifier: Apache-2.0
#
# BRSKI::Test::Raw: octets to a server and what comes back, for requests that no library sends.
package BRSKI::Test::Raw;

use strict;
use warnings;
use Exporter qw(import);
use HTTP::Response ();
use IO::Select ();

our @EXPORT = qw(exchange chunks_of);

# exchange($httpd, $octets, options of Httpd->connect): all responses on one connection, until the
# server closes it or is silent for some seconds. half => 1 ends what we send. In scalar context the
# first response. A connection that stays open adds a response of status 0.
sub exchange
{
    my ($httpd, $octets, %opt) = @_;
    my $half = delete $opt{half};
    my $socket = $httpd->connect(%opt) or die "no connection: $!\n";

    send_all($socket, $octets);
    shutdown $socket, 1 if $half;
    my ($text, $closed) = read_all($socket);
    my @responses = split_responses($text);
    push @responses, HTTP::Response->new(0, 'open') if !$closed;
    return wantarray ? @responses : $responses[0];
}

# A server that has enough closes, whatever is still to be sent.
sub send_all
{
    my ($socket, $octets) = @_;
    local $SIG{PIPE} = 'IGNORE';

    while (length $octets) {
        my $n = syswrite $socket, $octets, 16_384;
        return if !$n;
        substr($octets, 0, $n) = '';
    }
}

sub read_all
{
    my ($socket) = @_;
    my $select = IO::Select->new($socket);
    my $text = '';

    while (($socket->can('pending') && $socket->pending) || $select->can_read(4)) {
        my $n = sysread $socket, $text, 65_536, length $text;
        return ($text, 1) if !$n;
    }
    return ($text, 0);
}

sub split_responses
{
    my ($text) = @_;
    my @responses;

    while ($text =~ /\S/) {
        my ($head) = $text =~ /\A(HTTP.*?\r\n\r\n)/s or last;
        my ($length) = $head =~ /^Content-Length: (\d+)/mi;
        my $all = defined $length && $head !~ /\AHTTP\S* 1/ ? length($head) + $length
                : $head =~ /\AHTTP\S* 100/ ? length $head : length $text;
        push @responses, HTTP::Response->parse(substr $text, 0, $all, '');
    }
    return @responses;
}

# A body in chunks.
sub chunks_of
{
    return join '', map { sprintf "%x\r\n%s\r\n", length, $_ } @_, '';
}

1;
