# SPDX-License-Identifier: Apache-2.0
#
# BRSKI::Test::Join::Server: an httpd with a configuration that somebody else wrote, started, asked
# and read like the tests' own: one TLS port, and a log where that configuration says.
package BRSKI::Test::Join::Server;

use strict;
use warnings;
use parent 'BRSKI::Test::Httpd';
use IO::Socket::INET ();
use BRSKI::Test::World qw(new_dir);

# name, port, conf and error_log.
sub of
{
    my ($class, %known) = @_;

    return bless { %known, tls_port => $known{port}, dir => new_dir("httpd-$known{name}"),
                   expected => [], owner => $$ }, $class;
}

sub pid { return $_[0]{pid} }

sub listens
{
    my ($self) = @_;

    return defined IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $self->{port},
                                         Proto => 'tcp', Timeout => 2);
}

1;
