# SPDX-License-Identifier: Apache-2.0
#
# BRSKI::Test::Httpd: an httpd of our own: on loopback, with nothing of the machine's
# configuration, started in the foreground as a child and ended by its process id. It sends
# requests with and without client certificates, and reads its error log: what BRSKI says there at
# warning or above without being expected fails the test.
package BRSKI::Test::Httpd;

use strict;
use warnings;
use Cwd qw(abs_path);
use HTTP::Request ();
use IO::Socket::INET ();
use POSIX ();
use BRSKI::Test::World qw(top_builddir new_dir free_port server_user run_command spawn_process
                          stop_process wait_until write_file read_file sanitizer_library);

my @running;

# Static in Debian's httpd and often elsewhere: a LoadModule for them would be an error there.
my @MODULES = qw(unixd log_config logio authn_core authn_file auth_basic authz_core
                 authz_host authz_user dbd dir env headers setenvif socache_shmcb ssl status);

sub httpd_program { return makefile_value('HTTPD') }
sub module_dir { return makefile_value('APACHE_LIBEXECDIR') }

my %makefile;
sub makefile_value
{
    my ($name) = @_;

    if (!%makefile) {
        my $text = read_file(top_builddir() . '/Makefile');
        $makefile{$1} = $2 while $text =~ /^(\w+) = (.*)$/mg;
    }
    return $makefile{$name};
}

# Environment of every httpd: no home (libpq would look there as the wrong user), sanitizers if
# built in.
sub environment
{
    my %env = (HOME => undef, LANG => 'C', PGPASSFILE => '/dev/null', LD_PRELOAD => undef,
               HTTPS_PROXY => undef, https_proxy => undef, http_proxy => undef);

    if (my $library = sanitizer_library()) {
        $env{LD_PRELOAD} = $library;
        $env{ASAN_OPTIONS} = 'detect_leaks=0:abort_on_error=0:exitcode=99:detect_odr_violation=0';
        $env{UBSAN_OPTIONS} = 'print_stacktrace=1:halt_on_error=1';
    }
    return \%env;
}

# LoadModule lines for what exists as a file, beside what is static, and for the modules under
# test: both, so that each lives beside the other in every test.
sub load_modules
{
    my ($self, $mpm, @more) = @_;
    my $dir = module_dir();
    my %static = map { $_ => 1 } static_modules();
    my $text = "<IfModule !mpm_${mpm}_module>\n" . $self->mpm_text($mpm) . "</IfModule>\n";

    for my $name (@MODULES, @more) {
        next if $static{"mod_$name"} || !-f "$dir/mod_$name.so";
        $text .= "LoadModule ${name}_module $dir/mod_$name.so\n";
    }
    for my $name (qw(masa est)) {
        my $module = top_builddir() . "/.libs/mod_$name.so";
        $text .= "LoadModule ${name}_module $module\n" if -f $module;
    }
    return $text;
}

# As much configuration as httpd needs to say which version it is.
sub mpm_text
{
    my ($class, $mpm) = @_;
    $mpm ||= 'event';
    my $file = module_dir() . "/mod_mpm_$mpm.so";
    return -f $file ? "LoadModule mpm_${mpm}_module $file\n" : "# the MPM is built in\n";
}

# Nonzero when httpd can run with an MPM.
sub has_mpm
{
    my ($class, $mpm) = @_;
    return -f module_dir() . "/mod_mpm_$mpm.so";
}

my @static;
sub static_modules
{
    if (!@static) {
        my ($status, $output) = run_command([ httpd_program(), '-l' ], env => environment());
        @static = $output =~ /^\s+(\w+)\.c$/mg;
    }
    return @static;
}

# Options: name; conf (text, see expand()); modules => [more module names]; workers => {
# StartServers, ThreadsPerChild, ... }; mpm (event); log_level; host (masa.example): whom requests
# are for.
sub new
{
    my ($class, %opt) = @_;
    my $self = bless { name => $opt{name}, expected => [], owner => $$,
                       host => $opt{host} || 'masa.example' }, $class;

    $self->{dir} = new_dir("httpd-$opt{name}");
    $self->{port} = free_port();
    $self->{tls_port} = free_port();
    $self->{error_log} = "$self->{dir}/error_log";
    $self->{conf} = "$self->{dir}/httpd.conf";
    $self->configure(%opt);
    return $self;
}

# A server that t/TEST runs: read, asked, not stopped.
sub attach
{
    my ($class, %known) = @_;
    my $self = bless { host => 'masa.example', %known, expected => [], owner => 0 }, $class;

    push @running, $self;
    $self->mark;
    return $self;
}

sub configure
{
    my ($self, %opt) = @_;
    write_file($self->{conf}, $self->server_text(%opt) . $self->expand($opt{conf} || ''));
}

# Tokens in a test's configuration: @PORT@ and @TLSPORT@ (free ports of this server), @DIR@ (its own
# directory), @USER@.
sub expand
{
    my ($self, $text) = @_;
    my %token = (PORT => $self->{port}, TLSPORT => $self->{tls_port}, DIR => $self->{dir},
                 USER => server_user());

    $text =~ s/\@(PORT|TLSPORT|DIR|USER)\@/$token{$1}/g;
    return $text;
}

sub server_text
{
    my ($self, %opt) = @_;
    my $mpm = $opt{mpm} || 'event';
    my %workers = $mpm eq 'prefork'
                ? (StartServers => 4, ServerLimit => 16, MaxRequestWorkers => 16)
                : (StartServers => 2, ServerLimit => 2, ThreadsPerChild => 16, ThreadLimit => 64,
                   MaxRequestWorkers => 32, MinSpareThreads => 1, MaxSpareThreads => 32);

    %workers = (%workers, GracefulShutdownTimeout => 2, %{ $opt{workers} || {} });
    my $user = server_user();
    my $group = getgrgid((getpwnam $user)[3]);

    return "ServerRoot $self->{dir}\nDefaultRuntimeDir $self->{dir}\n"
        . "PidFile $self->{dir}/httpd.pid\n"
        . $self->load_modules($mpm, @{ $opt{modules} || [] })
        . ($> == 0 ? "User $user\nGroup $group\n" : '')
        . join('', map { "$_ $workers{$_}\n" } sort keys %workers)
        . "ServerName localhost\nListen 127.0.0.1:$self->{port}\n"
        . "ErrorLog $self->{error_log}\nLogLevel " . ($opt{log_level} || 'info') . "\n"
        . "CustomLog $self->{dir}/access_log \"%h %p %t \\\"%r\\\" %>s %b\"\n"
        . "SSLRandomSeed startup builtin\nTimeout 30\n"
        . "<Directory />\n    Require all denied\n</Directory>\n\n";
}

sub name { return $_[0]{name} }
sub dir { return $_[0]{dir} }
sub port { return $_[0]{port} }
sub tls_port { return $_[0]{tls_port} }
sub pid { return $_[0]{pid} || (read_file("$_[0]{dir}/httpd.pid") =~ /(\d+)/)[0] }

sub command
{
    my ($self, @args) = @_;
    return [ httpd_program(), '-d', $self->{dir}, '-f', $self->{conf}, @args ];
}

# What an administrator asks before a reload: (exit status, what httpd said).
sub configtest
{
    my ($self) = @_;
    return run_command($self->command('-t'), env => environment());
}

sub start
{
    my ($self) = @_;

    $self->try_start or die "httpd $self->{name} does not start:\n" . $self->complaint;
    return $self;
}

# True when it listens; false when it ended first.
sub try_start
{
    my ($self) = @_;

    open my $out, '>>', "$self->{dir}/output" or die "$self->{dir}/output: $!\n";
    # prefork ends by a signal to its process group
    $self->{pid} = spawn_process($self->command('-DFOREGROUND'), env => environment(), dir => '/',
                                 stdout => $out, stderr => $out, group => 1);
    close $out;
    $self->{owner} = $$;
    my $ended = 0;
    my $up = wait_until(30, sub {
        $ended = waitpid($self->{pid}, POSIX::WNOHANG()) == $self->{pid};
        return $ended || $self->listens;
    });
    if ($ended) {
        delete $self->{pid};
        return 0;
    }
    push @running, $self if $up && !grep { $_ == $self } @running;
    return $up;
}

sub listens
{
    my ($self) = @_;

    return 0 if !-s "$self->{dir}/httpd.pid";
    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $self->{port},
                                       Proto => 'tcp', Timeout => 2);
    return defined $socket;
}

sub complaint
{
    my ($self) = @_;
    my $text = read_file("$self->{dir}/output");

    $text .= read_file($self->{error_log}) if -f $self->{error_log};
    return substr $text, -4000;
}

sub stop
{
    my ($self, $signal) = @_;

    return if !$self->{pid} || $self->{owner} != $$;
    stop_process(delete $self->{pid}, $signal || 'TERM');
}

sub graceful
{
    my ($self) = @_;
    my $before = () = read_file($self->{error_log}) =~ /AH00489|resuming normal operations/g;

    kill 'USR1', $self->pid;
    wait_until(20, sub {
        my $now = () = read_file($self->{error_log}) =~ /AH00489|resuming normal operations/g;
        return $now > $before;
    }) or die "httpd $self->{name} does not come back from a graceful restart\n";
}

# CPU time that its processes have used, in seconds.
sub cpu_seconds
{
    my ($self) = @_;
    my $ticks = 0;

    for my $stat (glob '/proc/[0-9]*/stat') {
        open my $in, '<', $stat or next;
        my ($pid, $parent, $user, $system) =
            (readline($in) || '') =~ /^(\d+) \(.*\) \S (\d+)(?: \S+){9} (\d+) (\d+)/ or next;
        $ticks += $user + $system if $pid == $self->pid || $parent == $self->pid;
    }
    return $ticks / POSIX::sysconf(POSIX::_SC_CLK_TCK());
}

# --- asking ---------------------------------------------------------------

sub url
{
    my ($self, $path, $tls) = @_;
    return ($tls ? "https://127.0.0.1:$self->{tls_port}" : "http://127.0.0.1:$self->{port}")
        . $path;
}

# One request; an HTTP::Response. Options: tls (default 1), cert and key (PEM files; the
# certificate's file may hold its chain), sni and host (default: host of new()), anchor (PEM;
# default: the server's certificate is not judged), headers => { }, body, agent (from agent(), to
# keep a connection), tls_version and ciphers (as SSL_version and SSL_cipher_list of
# IO::Socket::SSL).
sub request
{
    my ($self, $method, $path, %opt) = @_;
    my $tls = exists $opt{tls} ? $opt{tls} : 1;
    my $agent = $opt{agent} || $self->agent(%opt);
    my %headers = (Host => $opt{host} || $self->{host}, %{ $opt{headers} || {} });
    my $request = HTTP::Request->new($method, $self->url($path, $tls));

    for my $name (sort keys %headers) {
        $request->header($name => $headers{$name}) if defined $headers{$name};
    }
    $request->content($opt{body}) if defined $opt{body};
    return $agent->request($request);
}

sub get
{
    my ($self, $path, %opt) = @_;
    return $self->request('GET', $path, %opt);
}

# A voucher-request, or whatever body, to an operation of /.well-known/brski or to a whole path.
# Options of request(), and type and accept.
sub post
{
    my ($self, $operation, $body, %opt) = @_;
    my $path = $operation =~ m{^/} ? $operation : "/.well-known/brski/$operation";
    my $type = exists $opt{type} ? $opt{type} : 'application/voucher-cms+json';
    my %headers = ('Content-Type' => $type, Accept => $opt{accept}, %{ $opt{headers} || {} });

    return $self->request('POST', $path, %opt, body => $body, headers => \%headers);
}

# post(), and again as Retry-After says: on SQLite a child has one connection, and a writer that
# still asks for a lock keeps it from those who would only read.
sub post_again
{
    my ($self, @request) = @_;
    my $response;

    for (1 .. 4) {
        $response = $self->post(@request);
        last if $response->code != 503;
        sleep($response->header('Retry-After') || 1);
    }
    return $response;
}

# An agent that keeps its connection for several requests.
sub agent
{
    my ($self, %opt) = @_;
    require LWP::UserAgent;
    my $agent = LWP::UserAgent->new(timeout => $opt{timeout} || 60, keep_alive => $opt{keep_alive},
                                    max_redirect => 0, env_proxy => 0, agent => 'brski-test',
                                    ssl_opts => { tls_options(host => $self->{host}, %opt) });
    $agent->proxy([ 'http', 'https' ], undef);
    return $agent;
}

sub tls_options
{
    my (%opt) = @_;
    my %ssl = (verify_hostname => 0, SSL_verify_mode => $opt{anchor} ? 1 : 0,
               SSL_hostname => exists $opt{sni} ? $opt{sni} : $opt{host});

    $ssl{SSL_ca_file} = $opt{anchor} if $opt{anchor};
    $ssl{SSL_cert_file} = $opt{cert} if $opt{cert};
    $ssl{SSL_key_file} = $opt{key} if $opt{key};
    $ssl{SSL_version} = $opt{tls_version} if $opt{tls_version};
    $ssl{SSL_cipher_list} = $opt{ciphers} if $opt{ciphers};
    $ssl{SSL_verifycn_scheme} = 'none';
    return %ssl;
}

# A bare connection, for requests that no library would send: an IO::Socket::SSL, or undef when the
# handshake fails (its reason in $IO::Socket::SSL::SSL_ERROR). Options as request().
sub connect
{
    my ($self, %opt) = @_;

    if (exists $opt{tls} && !$opt{tls}) {
        return IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $self->{port},
                                     Proto => 'tcp');
    }
    require IO::Socket::SSL;
    return IO::Socket::SSL->new(PeerAddr => '127.0.0.1', PeerPort => $self->{tls_port},
                                Proto => 'tcp', Timeout => 20,
                                tls_options(host => $self->{host}, %opt));
}

# --- its log --------------------------------------------------------------

# What was logged up to here is read.
sub mark
{
    my ($self) = @_;
    $self->{mark} = -s $self->{error_log} || 0;
}

# Lines of the error log since the mark.
sub log_lines
{
    my ($self) = @_;
    open my $in, '<:raw', $self->{error_log} or return;

    seek $in, $self->{mark} || 0, 0;
    my @lines = <$in>;
    chomp @lines;
    return @lines;
}

# The first line since the mark that matches, waiting a moment for it; undef if none comes.
sub log_line
{
    my ($self, $match, $seconds) = @_;
    my $found;

    $match = qr/\b$match\b/ if !ref $match;
    wait_until($seconds || 3, sub {
        ($found) = grep { /$match/ } $self->log_lines;
        return defined $found;
    });
    return $found;
}

# This may stand in the log at warning or above in this test: 'BRSKI2041' or a pattern.
sub expect
{
    my ($self, @matches) = @_;
    push @{ $self->{expected} }, map { ref $_ ? $_ : qr/\b\Q$_\E\b/ } @matches;
}

# What every httpd of the tests says: its certificate is for other names than its virtual hosts',
# and it keeps no sessions.
my $USUAL = qr/\bAH0(?:1909|1906|1873)\b/;

# Since the mark: lines at warning or above that nobody expects, and what nobody ever may expect.
sub unexpected
{
    my ($self) = @_;
    my @bad;
    my $worse = qr/\[\w*:(?:emerg|alert|crit|error|warn)\]/;
    my $crash = qr/exit signal|Sanitizer|runtime error:|Assertion/;

    for my $line ($self->log_lines) {
        next if $line =~ $USUAL || ($line !~ $worse && $line !~ $crash);
        push @bad, $line if !grep { $line =~ $_ } @{ $self->{expected} };
    }
    if (-f "$self->{dir}/output") {
        push @bad, grep { /AddressSanitizer|runtime error:|LeakSanitizer/ }
                   split /\n/, read_file("$self->{dir}/output");
    }
    return @bad;
}

# All servers that this test talks to.
sub running { return @running }

sub DESTROY
{
    my ($self) = @_;
    local ($?, $@);
    $self->stop;
}

1;
