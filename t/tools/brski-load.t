#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# brski load: counts right, notices what is wrong, and does not leave this machine unasked.

use strict;
use warnings;
use FindBin ();
use lib "$FindBin::Bin/../lib";
use BRSKI::Tool;
use Test::More;

eval { require IO::Socket::SSL; 1 } or plan skip_all => 'IO::Socket::SSL is not here';

my $lab = lab('--devices', 5);
my $dir = work_dir();
my $count = 0;

# One good voucher for one request, served again and again; or what the path asks for.
brski_ok('rvr', '--lab', $lab, '--device', 'JADA-0001', '-o', "$dir/rvr");
brski_ok('voucher', '--cert', "$lab/manufacturer/masa-signer.pem", '--key',
         "$lab/manufacturer/masa-signer.key",
         '--request', "$dir/rvr", '-o', "$dir/voucher");
my $voucher = slurp("$dir/voucher");
my $port = start_server("$lab/tls/server.pem", "$lab/tls/server.key", sub {
    my ($path) = @_;
    my $n = $count++;             # of this connection's process
    return ('403 No', { 'Content-Type' => 'text/plain' }, "no\n") if $path =~ /refuse/
        || ($path =~ /mixed/ && $n % 2);
    return () if $path =~ /hangup/;
    return ('200 OK', { 'Transfer-Encoding' => 'chunked' },
            chunked($voucher)) if $path =~ /chunked/;
    return ('200 OK', { Connection => 'close' }, $voucher) if $path =~ /close/;
    return ('200 OK', {}, $voucher);
});
my $base = "https://localhost:$port";
mkdir "$dir/same";
spew("$dir/same/1.vcj", slurp("$dir/rvr"));
my @load = ('--lab', $lab, '--requests', "$dir/same", '-q');

my ($status, $doc) = load('good', '-n', 40, '-c', 4, '--verify', 10);
is($status, 0, 'all 200 is a success');
is($doc->{answered}, 40, 'all are counted');
is_deeply($doc->{statuses}, { 200 => 40 }, 'by status');
is($doc->{opened}, 4, 'connections are kept');
is($doc->{vouchers_checked}, 4, 'each tenth voucher is checked');
is($doc->{vouchers_bad}, 0, 'and good');
my $l = $doc->{latency_us};
ok($l->{p50} <= $l->{p90} && $l->{p90} <= $l->{p99} && $l->{p99} <= $l->{max} && $l->{p50} > 0,
   'percentiles rise');

($status, $doc) = load('good', '-n', 20, '-c', 2, '--new-connections');
is($doc->{opened}, 20, '--new-connections opens one each');
($status, $doc) = load('close', '-n', 6, '-c', 1);
is("$doc->{answered} $doc->{opened}", '6 6', 'a server that closes is asked on a new connection');
($status, $doc) = load('chunked', '-n', 6, '-c', 1, '--verify', 1);
is("$doc->{answered} $doc->{vouchers_bad}", '6 0', 'chunked answers are put together');
($status, $doc) = load('good', '-n', 10, '-c', 1, '--warmup', 7);
is("$doc->{answered} $doc->{opened}", '10 0', '--warmup is not counted');
($status, $doc) = load('good', '-s', 1, '-c', 2);
ok($doc->{answered} > 0 && $doc->{duration_us} >= 900_000 && $doc->{duration_us} < 3_000_000,
   '-s ends in time');

($status, $doc) = load('refuse', '-n', 5, '-c', 1);
is($status, 1, 'refusals are no success');
is_deeply($doc->{statuses}, { 403 => 5 }, 'and are counted');
is((load('refuse', '-n', 5, '-c', 1, '--expect', 403))[0], 0, 'unless they are expected');
is((load('mixed', '-n', 6, '-c', 1))[0], 1, 'one that differs is no success');
($status, $doc) = load('hangup', '-n', 3, '-c', 1);
is($status, 1, 'no answers are no success');
is_deeply($doc->{failures}, { receive => 3 }, 'failures are counted by kind');
($status, $doc) = load('good', '-n', 4, '-c', 1, '--anchor', "$lab/domain/root.pem");
is_deeply($doc->{failures}, { handshake => 4 }, 'a server of another CA is not believed');
like($doc->{first_failure}, qr/certificate/, 'and the reason is told');

# a voucher for another request
brski_ok('rvr', '--lab', $lab, '--device', 'JADA-0002', '-o', "$dir/same/1.vcj");
($status, $doc) = load('good', '-n', 3, '-c', 1, '--verify', 1);
is("$status $doc->{vouchers_bad}", '1 3', 'wrong vouchers are found');

# --- preparing

brski_ok('load', '--lab', $lab, '--prepare', "$dir/made", '-n', 12, '-q');
my @made = glob "$dir/made/*";
is(scalar @made, 12, '--prepare writes requests');
my %nonces = map { my (undef, $d) = brski_json('inspect',
    $_); ("$d->{'serial-number'} $d->{nonce}" => 1) } @made;
is(scalar keys %nonces, 12, 'each has its own nonce');
is(scalar(keys %{ { map { (split ' ')[0] => 1 } keys %nonces } }), 5,
   'for one device after the other');
my (undef, $first) = brski_json('inspect', $made[0]);
is($first->{signature}{verdict}, 'holds', 'signed');
is($first->{'prior-signed-voucher-request'}{signature}{verdict}, 'holds',
   'as is the pledge\'s request');

# --- bounds

my ($code, $out, $err) = brski('load', 'https://192.0.2.1', '--lab', $lab, '-n', 1);
is($code, 1, 'another machine is refused');
like($err, qr/i-own-this-server/, 'and how it would be right is said');
is((brski('load', '--join'))[0], 2, '--join without a lab is wrong usage');
($code, $out, $err) = brski('load', '--join', $base, '--lab', $lab, '-n', 100_000);
is($code, 1, '--join of more devices than there are is refused');
like($err, qr/too few/, 'and says so');
for my $bad ([ '-n', 100_000_001 ], [ '-c', 10_000 ], [ '-s', 100_000 ]) {
    is((brski('load', $base, '--lab', $lab, @$bad))[0], 1, "@$bad is beyond a bound");
}
($code, $out) = brski('load', "$base/good", @load, '-n', 4, '-c', 1, '--pid', $$);
like($out, qr/^server +[\d,]+ us CPU a request; \d+ processes/m, 'the server\'s CPU time is told');
like($out, qr/^latency +p50 [\d.]+ +p90 [\d.]+ +p99 [\d.]+ +max [\d.]+ ms$/m,
     'people are told the latencies');

stop_server($port);
done_testing();

sub load { my ($path, @args) = @_; return brski_json('load', "$base/$path", @load, @args) }

sub chunked
{
    my ($text) = @_;
    my @parts = unpack '(a700)*', $text;

    return join('', map { sprintf "%x\r\n%s\r\n", length, $_ } @parts) . "0\r\n\r\n";
}
