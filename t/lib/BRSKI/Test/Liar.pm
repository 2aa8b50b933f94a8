# SPDX-License-Identifier: Apache-2.0
#
# BRSKI::Test::Liar: a MASA that does what a test wants of it, once for each device and question:
# answers late, never, too much, half, something else; signs vouchers with a lab's keys for other
# devices, nonces and domains; tells any history. What nobody planned it answers truthfully.
package BRSKI::Test::Liar;

use strict;
use warnings;
use Fcntl qw(:flock);
use File::Temp ();
use IO::Socket::INET ();
use IO::Socket::SSL ();
use JSON::PP ();
use MIME::Base64 qw(encode_base64);
use POSIX ();
use Time::HiRes ();
use BRSKI::Test::World qw(free_port new_dir read_file run_command tool write_file);

my $json = JSON::PP->new->canonical->utf8;

# Options: lab; port (a free one); cert and key (those of the lab's MASA); mute => 1: it takes
# connections and never says a word.
sub new
{
    my ($class, %opt) = @_;
    my $lab = $opt{lab};
    my $self = bless { port => free_port(), cert => $lab->path('tls/server.pem'),
                       key => $lab->path('tls/server.key'), %opt, owner => $$,
                       dir => new_dir('liar') }, $class;

    $self->{domain_id} = domain_id($lab->path('domain/root.pem'));
    $self->start;
    return $self;
}

sub tls_port { return $_[0]{port} }

# What it does for a device at an operation: steps, of which each question takes one and the last
# stays. A step is { } with any of
#   status, type, body, headers  of the answer (200, what fits the operation, the truth, { })
#   voucher  [more arguments of brski voucher]: the body is that voucher
#   log      { } put into a truthful audit log; undef takes a member out
#   wait     seconds before it answers;  until: a file that must be there first
#   file     whose octets are the voucher
#   cut      1: the connection ends in the middle of the body
#   endless  1: the body never ends;  drip: seconds between its octets
#   hangup   1: the connection ends without an answer
#   tamper   1: an octet of the voucher is another one
sub plan
{
    my ($self, $serial, $operation, @steps) = @_;
    write_file($self->file('plan', $serial, $operation), $json->encode(\@steps));
    return $self;
}

# How often it was asked for a device.
sub asked
{
    my ($self, $serial, $operation) = @_;
    my $file = $self->file('asked', $serial, $operation);

    return -f $file ? length read_file($file) : 0;
}

sub file
{
    my ($self, $what, $serial, $operation) = @_;
    $serial =~ s/([^A-Za-z0-9-])/sprintf '_%02x', ord $1/ge;
    return "$self->{dir}/$what.$operation.$serial";
}

# One entry of a log; the domain's own, nonced, unless something else is said.
sub entry
{
    my ($self, %with) = @_;
    my %entry = (date => POSIX::strftime('%Y-%m-%dT%H:%M:%SZ', gmtime), nonce => 'bm9uY2U=',
                 domainID => $self->{domain_id}, assertion => 'proximity', %with);

    delete $entry{$_} for grep { defined $entry{$_} && $entry{$_} eq 'absent' } keys %entry;
    return \%entry;
}

# Subject key identifier of the first certificate of a PEM file, in base64.
sub domain_id
{
    my ($file) = @_;
    my (undef, $said) = run_command([ qw(openssl x509 -noout -ext subjectKeyIdentifier -in),
                                      $file ]);
    my ($hex) = $said =~ /((?:[0-9A-F]{2}:){7,}[0-9A-F]{2})/ or die "$file: $said";

    $hex =~ s/://g;
    return encode_base64(pack('H*', $hex), '');
}

# --- the server -----------------------------------------------------------

sub start
{
    my ($self) = @_;
    my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $self->{port},
                                         Proto => 'tcp', Listen => 64, ReuseAddr => 1)
        or die "port $self->{port}: $!\n";
    my $test = $$;
    my $pid = fork;

    defined $pid or die "fork: $!\n";
    $self->{pid} = $pid;
    if ($pid) {
        close $listener;
        return;
    }
    eval { $self->serve($listener, $test) };
    print STDERR "the liar ended: $@" if $@;
    POSIX::_exit(0);
}

sub stop
{
    my ($self) = @_;
    return if !$self->{pid} || $self->{owner} != $$;
    BRSKI::Test::World::stop_process(delete $self->{pid}, 'TERM');
}

# As long as the test lives; each connection in a process of its own.
sub serve
{
    my ($self, $listener, $test) = @_;
    local $SIG{CHLD} = 'IGNORE';
    local $SIG{TERM} = sub { POSIX::_exit(0) };

    while (getppid == $test) {
        my $ready = '';
        vec($ready, fileno $listener, 1) = 1;
        next if select($ready, undef, undef, 1) < 1;
        my $socket = $listener->accept or next;
        my $pid = fork;
        if (defined $pid && !$pid) {
            eval { $self->connection($socket) };
            POSIX::_exit(0);
        }
        close $socket;
    }
}

sub connection
{
    my ($self, $socket) = @_;
    local $SIG{PIPE} = 'IGNORE';
    local $SIG{ALRM} = sub { POSIX::_exit(0) };
    local $SIG{CHLD} = 'DEFAULT';

    alarm 60;
    if ($self->{mute}) {
        sleep 60;
        return;
    }
    IO::Socket::SSL->start_SSL($socket, SSL_server => 1, SSL_cert_file => $self->{cert},
                               SSL_key_file => $self->{key}) or return;
    while (my ($path, $body) = $self->request($socket)) {
        last if !$self->answer($socket, $path, $body);
    }
    $socket->close(SSL_no_shutdown => 0);
}

sub request
{
    my ($self, $socket) = @_;
    my ($head, $body) = ('', '');

    while ($head !~ /\r\n\r\n/) {
        my $line = <$socket>;
        return if !defined $line;
        $head .= $line;
    }
    my ($path) = $head =~ m{^[A-Z]+ (\S+) HTTP/1\.1} or return;
    my ($length) = $head =~ /^Content-Length: *(\d+)/mi;
    print {$socket} "HTTP/1.1 100 Continue\r\n\r\n" if $head =~ /^Expect:/mi;
    read $socket, $body, $length if $length;
    return ($path, $body);
}

# True when the connection may go on.
sub answer
{
    my ($self, $socket, $path, $rvr) = @_;
    my ($operation) = $path =~ m{/([^/?]+)(?:\?.*)?$};
    my ($serial) = $rvr =~ /"serial-number":"([^"]*)"/;
    ($operation, $serial) = ('log', $1) if $path =~ m{/log/([^/]+)$};
    my $step = $self->next_step(defined $serial ? $serial : '', $operation);

    Time::HiRes::sleep($step->{wait}) if $step->{wait};
    BRSKI::Test::World::wait_until(50, sub { -e $step->{until} }) if $step->{until};
    return 0 if $step->{hangup};
    my ($type, $body) = $self->content($step, $operation, $rvr);
    my %headers = ('Content-Type' => exists $step->{type} ? $step->{type} : $type,
                   'Content-Length' => length($body) + ($step->{cut} ? 1000 : 0),
                   %{ $step->{headers} || {} });
    delete $headers{'Content-Length'} if $step->{endless};
    delete $headers{$_} for grep { !defined $headers{$_} } keys %headers;
    print {$socket} 'HTTP/1.1 ' . ($step->{status} || 200) . " x\r\n"
        . join('', map { "$_: $headers{$_}\r\n" } sort keys %headers) . "\r\n";
    return send_body($socket, $step, $body);
}

sub send_body
{
    my ($socket, $step, $body) = @_;

    while ($step->{endless} && !$step->{drip}) {
        print {$socket} 'x' x 8192 or return 0;
    }
    while ($step->{drip}) {
        print {$socket} 'x' or return 0;
        Time::HiRes::sleep($step->{drip});
    }
    print {$socket} $body;
    return !$step->{cut};
}

sub next_step
{
    my ($self, $serial, $operation) = @_;
    my $plan = $self->file('plan', $serial, $operation);
    my $steps = -f $plan ? $json->decode(read_file($plan)) : [];

    open my $asked, '>>', $self->file('asked', $serial, $operation) or die "asked: $!\n";
    flock $asked, LOCK_EX;
    my $n = -s $asked;
    syswrite $asked, 'x';
    close $asked;
    return {} if !@$steps;
    return $steps->[ $n < @$steps ? $n : -1 ];
}

# --- what it says ---------------------------------------------------------

sub content
{
    my ($self, $step, $operation, $rvr) = @_;

    return ('application/octet-stream', '') if $step->{endless} || $step->{drip};
    return ('text/plain', $step->{body}) if defined $step->{body} && $step->{status};
    my ($type, $truth) = $operation eq 'requestvoucher'
        ? ('application/voucher-cms+json', sub { $self->voucher($step, $rvr) })
        : ('application/json', sub { $self->log_text($step) });
    return ($type, defined $step->{body} ? $step->{body} : $truth->());
}

sub voucher
{
    my ($self, $step, $rvr) = @_;
    my ($request, $out) = map { File::Temp->new(DIR => $self->{dir}) } 1 .. 2;
    return read_file($step->{file}) if defined $step->{file};
    my @maker = map { $self->{lab}->path("manufacturer/masa-signer.$_") } qw(pem key);

    write_file($request->filename, $rvr);
    my ($status, $said) = run_command([
        tool('tools/brski/brski'), 'voucher', '--cert', $maker[0], '--key', $maker[1], '--request',
        $request->filename, '-o', $out->filename, '--assertion', 'proximity',
        @{ $step->{voucher} || [] } ]);
    $status == 0 or print STDERR "brski voucher: $said";
    my $voucher = read_file($out->filename);
    substr($voucher, -10, 1) ^= "\1" if $step->{tamper};
    return $voucher;
}

sub log_text
{
    my ($self, $step) = @_;
    my %log = (version => '1', events => [ $self->entry ],
               truncation => { 'nonced duplicates' => '0', 'nonceless duplicates' => '0',
                               arbitrary => '0' }, %{ $step->{log} || {} });

    delete $log{$_} for grep { !defined $log{$_} } keys %log;
    return $json->encode(\%log);
}

sub DESTROY
{
    my ($self) = @_;
    local ($?, $@);
    $self->stop;
}

1;
