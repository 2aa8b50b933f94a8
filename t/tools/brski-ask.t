#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# brski ask, and through it the library's HTTPS client: what is sent, what is told of each answer,
# and that no server is believed that cannot show who it is.

use strict;
use warnings;
use FindBin ();
use lib "$FindBin::Bin/../lib";
use BRSKI::Tool;
use JSON::PP ();
use Test::More;

eval { require IO::Socket::SSL; 1 } or plan skip_all => 'IO::Socket::SSL is not here';

my $lab = lab('--devices', 2);
my $other = lab('--devices', 1);
my $dir = work_dir();
my @signer = ('--cert', "$lab/manufacturer/masa-signer.pem", '--key',
              "$lab/manufacturer/masa-signer.key");
my $LOG = '{"version":1,"events":[{"date":"2021-04-13T21:43:24Z","domainID":"aGk=","nonce":null,'
    . '"assertion":"logged"}]}';
my @seen;

# What it answers depends on the first part of the path.
my $answer = sub {
    my ($path, $body, $head) = @_;
    my $case = (split m{/}, $path)[1];
    spew("$dir/seen-head", $head);
    spew("$dir/seen-body", $body);
    return refusal($case) if $case =~ /^\d/;
    return ('200 OK', { 'Content-Type' => 'application/json' }, $LOG) if $case eq 'log-here';
    return ('201 Created', { Location => '/log-here', 'Content-Type' => 'text/plain' },
            'made') if $case eq 'log-there';
    return ('201 Created', { Location => 'https://elsewhere.example/log' },
            '') if $case eq 'log-elsewhere';
    return ('302 Found', { Location => '/log-here' }, '') if $case eq 'redirect';
    return ('200 OK', {}, 'x' x (9 * 1024 * 1024)) if $case eq 'large';
    return () if $case eq 'silent';
    return ('200 OK', { 'Content-Type' => 'application/voucher-cms+json' }, voucher($case));
};
my $port = start_server("$lab/tls/server.pem", "$lab/tls/server.key", $answer);
my $base = "https://localhost:$port";
my @ask = ('--lab', $lab, '--device', 'JADA-0001');

# --- a voucher

my ($status, $doc) = ask_json('good', @ask, '-o', "$dir/voucher", '--save-request', "$dir/request");
is($status, 0, 'a good voucher is a success');
is($doc->{verdict}, 'good', 'which a pledge accepts');
is($doc->{status}, 200, 'the status is told');
is($doc->{voucher}{'serial-number'}, 'JADA-0001', 'the voucher is shown');
is((brski('verify', "$dir/voucher", '--lab', $lab, '--request', "$dir/request"))[0], 0,
   'it was saved');
is(slurp("$dir/seen-body"), slurp("$dir/request"), '5.5 the request went out as it was saved');
my $head = slurp("$dir/seen-head");
like($head, qr{^POST /good/requestvoucher HTTP/1\.1}, '5.5 it is a POST to requestvoucher');
like($head, qr{^Content-Type: application/voucher-cms\+json\r?$}m, '5.5 with the media type');
like($head, qr{^Accept: application/voucher-cms\+json\r?$}m, '5.5 and Accept');
like($head, qr{^Host: localhost:$port\r?$}m, 'to the host');

($status, $doc) = ask_json('wrong-nonce', @ask);
is($status, 1, '5.6.1 a voucher that a pledge refuses is no success');
is($doc->{verdict}, 'bad', '5.6.1 and is told to be bad');
($status, $doc) = ask_json('good', '--request', "$dir/request", '--cert',
                           "$lab/domain/registrar.pem", '--key',
                           "$lab/domain/registrar.key", '--anchor', "$lab/tls/ca.pem");
is($doc->{verdict}, 'not anchored', 'without an anchor it is not said to be good');
($status, $doc) = ask_json('good', @ask, '--nonceless');
is($status, 0, 'a nonceless voucher answers a nonceless request');

my (undef, $out) = brski('ask', "$base/good", @ask);
like($out, qr/^asked +\Q$base\E\/good\/requestvoucher for JADA-0001$/m,
     'people are told what was asked');
like($out, qr/^answered +200, /m, 'and the answer');
like($out, qr/^verified +a pledge accepts it:$/m, 'and the verdict');

brski('ask', "$base/good", @ask, '--accept', 'a/b', '--content-type', 'c/d');
like(slurp("$dir/seen-head"), qr{^Accept: a/b\r?$}m, '--accept is sent');
like(slurp("$dir/seen-head"), qr{^Content-Type: c/d\r?$}m, '--content-type is sent');
brski('ask', "$base/good", @ask, '--accept', 'none', '--content-type', 'none');
unlike(slurp("$dir/seen-head"), qr{^(?:Accept|Content-Type):}m, 'none leaves them out');
spew("$dir/login", "joe:secret\n");
brski('ask', "$base/good", @ask, '--login', "$dir/login");
unlike(slurp("$dir/seen-head"), qr{secret}, 'a password is not sent before the server asks for it');

# --- refusals

for my $code (400, 401, 403, 404, 406, 415, 429, 500, 503) {
    ($status, $doc) = ask_json($code, @ask);
    is($status, 1, "$code is a refusal");
    is($doc->{status}, $code, "$code is told");
    is($doc->{text}, "No \"$code\" for you. (request abc-$code)", "$code: the sentence is told");
    is($doc->{request_id}, "abc-$code", "$code: the request id is found");
}
is($doc->{retry_after}, 7, '5.6 Retry-After is told');
(undef, $out) = brski('ask', "$base/503", @ask);
like($out, qr/^refused +No "503" for you\. \(request abc-503\)$/m, 'people are told the sentence');
like($out, qr/masactl explain abc-503/, 'and how to learn more');
like($out, qr/in 7 s/, 'and when to ask again');
($status, $doc) = ask_json('redirect', @ask);
is("$status $doc->{status}", '1 302', 'a redirect is not followed');

# --- the audit log

my ($code, $log) = brski('ask', "$base/log-here", '--lab', $lab, '--auditlog', '--request',
                         "$dir/request");
is($code, 0, '5.8 the audit log is read');
like($log, qr/^2021-04-13T21:43:24Z logged /m, '5.8 as a table');
like(slurp("$dir/seen-head"), qr{^POST /log-here/requestauditlog }, '5.8 from requestauditlog');
($code, $log) = brski('ask', "$base/log-here", '--lab', $lab, '--auditlog', '--request',
                      "$dir/request", '--json');
is_deeply(JSON::PP->new->decode($log), JSON::PP->new->decode($LOG), '5.8 --json gives it as it is');
($code, $log) = brski('ask', "$base/log-there", '--lab', $lab, '--auditlog', '--request',
                      "$dir/request");
is($code, 0, '5.8 201 leads to the log');
like($log, qr/^2021-04-13T21:43:24Z logged /m, '5.8 which is read');
($code, undef, $log) = brski('ask', "$base/log-elsewhere", '--lab', $lab, '--auditlog',
                             '--request', "$dir/request");
is($code, 1, '5.8 a log at another host is not fetched');
like($log, qr/not at this MASA/, '5.8 and that is said');
($code, undef, $log) = brski('ask', "$base/good", '--lab', $lab, '--auditlog', '--request',
                             "$dir/request");
is($code, 1, '5.8 a voucher is no audit log');

# --- servers that are not believed

my %wrong = (
    'another CA' => [ "https://localhost:$port/good", [ '--anchor', "$other/tls/ca.pem" ],
                      qr/certificate/i ],
    'another name' => [ "https://masa.example:$port/good",
                        [ '--resolve', "masa.example:$port:127.0.0.1" ], qr/name/i ],
    'nobody there' => [ 'https://localhost:1/good', [], qr/connect/i ],
    'no TLS' => [ "http://localhost:$port/good", [], qr/https/ ],
    'too much' => [ "https://localhost:$port/large", [], qr/larger/ ],
    'silence' => [ "https://localhost:$port/silent", [], qr/No answer/ ],
);
for my $case (sort keys %wrong) {
    my ($url, $args, $say) = @{ $wrong{$case} };
    my ($rc, $said, $why) = brski('ask', $url, @ask, @$args);
    is($rc, 1, "$case: no success");
    like($why, $say, "$case: the reason is said");
}
is((brski('ask', "https://127.0.0.1:$port/good", @ask))[0], 0,
   'an address that the certificate names is fine');

stop_server($port);
done_testing();

sub ask_json
{
    my ($case, @args) = @_;
    return brski_json('ask', "$base/$case", @args);
}

sub refusal
{
    my ($code) = @_;
    my %fields = ('Content-Type' => 'text/plain; charset=utf-8');

    $fields{'Retry-After'} = 7 if $code == 503;
    return ("$code No", \%fields, "No \"$code\" for you. (request abc-$code)\n");
}

sub voucher
{
    my ($case) = @_;
    my @args = $case eq 'wrong-nonce' ? ('--nonce', 'another') : ();

    brski_ok('voucher', @signer, '--request', "$dir/seen-body", @args, '-o', "$dir/answer");
    return slurp("$dir/answer");
}
