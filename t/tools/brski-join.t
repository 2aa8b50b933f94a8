#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# brski join: a strict pledge against a small registrar that is right, and wrong in one way at a
# time: what it sends, what it believes, and what it tells.

use strict;
use warnings;
use Digest::SHA qw(sha256_hex);
use FindBin ();
use lib "$FindBin::Bin/../lib";
use BRSKI::Tool;
use JSON::PP ();
use MIME::Base64 qw(decode_base64 encode_base64);
use Test::More;

eval { require IO::Socket::SSL; 1 } or plan skip_all => 'IO::Socket::SSL is not here';

my $lab = lab('--devices', 2);
my $other = lab('--devices', 1, '--prefix', 'OTHER');
my $dir = work_dir();
my ($domain, $maker) = ("$lab/domain", "$lab/manufacturer");
# The wishes that RFC 8951 3.5 prints: binding, a key on P-384, a SHA-384 signature.
my $WISHES = 'MEEGCSqGSIb3DQEJBzASBgcqhkjOPQIBMQcGBSuBBAAiMBYGCSqGSIb3DQEJDjEJBgcrBgEBAQEWBggqhkjO'
    . 'PQQDAw==';

# A registrar with its MASA and CA behind it. What it was asked stands in a file, a line a request.
my $answer = sub {
    my ($path, $body, $head, $tls) = @_;
    my %how = %{ JSON::PP->new->decode(slurp("$dir/how")) };
    my $operation = (split m{/}, $path)[-1];
    my $times = grep { $_->{operation} eq $operation } asked();

    note_request($path, $operation, $body, $head, $tls);
    show_certificate("$lab/stranger") if $how{swap};
    return @{ $how{$operation} } if ref $how{$operation};
    return ('200 OK', { 'Content-Type' => 'application/voucher-cms+json' }, 'x' x (9 << 20))
        if ($how{large} || '') eq $operation;
    return ('202 Accepted', { 'Retry-After' => 1, $how{close} ? (Connection => 'close') : () }, '')
        if ($how{wait} || '') eq $operation && $times < 2;
    return $operation eq 'requestvoucher' ? voucher_for($body, \%how)
        : $operation eq 'cacerts' ? cacerts(\%how)
        : $operation eq 'csrattrs' ? csrattrs(\%how)
        : $operation =~ /enroll$/ ? certificate_for($body, \%how)
        : ('200 OK', {}, '');
};
my @tls = (SSL_verify_mode => 1, SSL_verify_callback => sub { 1 });
behave();
show_certificate($domain);
my $port = start_server("$dir/server.pem", "$dir/server.key", $answer, @tls);
my @join = ('join', "https://localhost:$port", '--lab', $lab, '--device', 'JADA-0001');

# --- all is well

my ($status, $out) = brski(@join, '-o', "$dir/joined");
is($status, 0, 'a join ends well') or diag $out;
like($out, qr/has joined\.$/m, 'and says so');
my @said = $out =~ /^ +=> (.+)$/mg;
is(scalar @said, 12, 'each of twelve steps says what it proves');
is(join(' ', operations()), 'requestvoucher voucher_status cacerts csrattrs simpleenroll enrollstatus',
   '5.9 the requests come in the order of the RFC');
my %asked = map { $_->{operation} => $_ } asked();
my ($pvr) = inspected($asked{requestvoucher}{body});
is($pvr->{'serial-number'}, 'JADA-0001', '5.2 the request names the device');
is($pvr->{assertion}, 'proximity', '5.2 and asserts proximity');
ok($pvr->{nonce} && $pvr->{'created-on'}, '5.2 with nonce and created-on');
is($pvr->{'proximity-registrar-cert'}{key_sha256}, key_sha256("$domain/registrar.pem"),
   '5.2 it names the certificate that the server showed');
like($asked{requestvoucher}{head}, qr{^Accept: application/voucher-cms\+json\r?$}m, '5.4 Accept');
is($asked{requestvoucher}{client}, subject("$lab/devices/JADA-0001/idevid.pem"),
   '5.1 the IDevID is the TLS client certificate');
is($asked{requestvoucher}{intermediates}, 1, '5.1 and comes with its issuer');
is($asked{requestvoucher}{sni}, '', '5.1 no name is sent');
is_deeply(json($asked{voucher_status}{body}),
          { version => 1, status => JSON::PP::true, reason => 'the voucher is good' },
          '5.7 the voucher is said to be good');
ok(json($asked{enrollstatus}{body})->{status}, '5.9.4 enrolment is said to have worked');
is($asked{simpleenroll}{connection}, $asked{requestvoucher}{connection},
   '5.9 enrolment is on the connection of the voucher');
isnt($asked{enrollstatus}{connection}, $asked{simpleenroll}{connection},
     '5.9.4 the last word is on a new connection');
is($asked{enrollstatus}{client}, subject("$dir/joined/device.pem"),
   '5.9.4 made with the new certificate');
like($asked{simpleenroll}{head}, qr{^Content-Type: application/pkcs10\r?$}m,
     '7030 4.2.1 the media type of a CSR');
like($asked{simpleenroll}{body}, qr{^[A-Za-z0-9+/]+=*$}, '8951 3 the CSR is base64 on one line');
like(csr_text(), qr/serialNumber\s*=\s*JADA-0001/, '5.9.2 without wishes it names the device alone');
is((stat "$dir/joined/device.key")[2] & 0777, 0600, 'the key is its owner\'s');
is((openssl('verify', '-CAfile', "$dir/joined/cacerts.pem", '-untrusted', "$dir/joined/device.pem",
            "$dir/joined/device.pem"))[0], 0, 'certificate and CA certificates are saved');
is((brski('verify', "$dir/joined/voucher.vcj", '--lab', $lab, '--request', "$dir/joined/request.vcj"))[0],
   0, 'voucher and request are saved');

($status, my @steps) = join_json();
is($status, 0, '--json: it ends well');
is(join(' ', map { $_->{step} } @steps),
   'connect request voucher verify registrar voucher_status cacerts csrattrs enroll certificate'
   . ' reconnect enrollstatus end', '--json: an object a step');
is(scalar(grep { $_->{result} eq 'done' && $_->{proves} } @steps), 12, '--json: what each proves');
is($steps[0]{tls}, 'TLSv1.3', '5.1 TLS 1.3 is used');
is($steps[4]{registrar}, $steps[0]{server}, '5.6.2 the registrar is the server');
($status, @steps) = join_json('--tls1.2');
is("$status $steps[0]{tls}", '0 TLSv1.2', '5.1 so is TLS 1.2');

# --- waiting

behave(wait => 'requestvoucher');
($status, $out) = brski(@join);
is($status, 0, '5.6 202 is waited out');
like($out, qr/202: the server asks to come again in 1 s/, '5.6 and told');
my @requests = grep { $_->{operation} eq 'requestvoucher' } asked();
is(scalar @requests, 3, '5.6 it came again until there was a voucher');
is_deeply([ map { $_->{body} } @requests[1, 2] ], [ ($requests[0]{body}) x 2 ],
          '5.4 with the identical request');
behave(wait => 'requestvoucher', close => 1);
is((brski(@join))[0], 0, '5.6 also when the connection was closed meanwhile');
behave(wait => 'simpleenroll');
is((brski(@join))[0], 0, '7030 4.2.3 202 to a CSR is waited out');
behave(requestvoucher => [ '202 Accepted', { 'Retry-After' => 3600 }, '' ]);
($status, $out) = brski(@join, '--max-wait', 30);
is($status, 1, '5.6 waiting ends');
like($out, qr/come again in 60 s/, '5.6 no single wait is longer than 60 s');
behave(requestvoucher => [ '202 Accepted', {}, '' ]);
like((brski(@join, '--max-wait', 1))[1], qr/come again in 5 s/, '5.6 without Retry-After: 5 s');

# --- another server in the place of the one before

behave(wait => 'requestvoucher', close => 1, swap => 1);
($status, $out) = brski(@join);
is($status, 1, '5.1 another certificate on the next connection ends it');
like($out, qr/The server now showed .*Lab Stranger.*; before it was .*Lab Domain/, '5.1 both are named');
is(join(' ', operations()), 'requestvoucher', '5.1 nothing was sent to it');
show_certificate($domain);
behave(wait => 'simpleenroll', close => 1, swap => 1);
($status, $out) = brski(@join);
is($status, 1, '5.6.2 also after the voucher');
like($out, qr/showed .*Lab Stranger.*does not lead to what the pledge trusts/, '5.6.2 which it must fit');
show_certificate($domain);

# --- vouchers that are not believed, and what the registrar is told

my %bad_vouchers = (
    'another nonce' => [ { args => [ '--nonce', 'another' ] }, qr/nonce/ ],
    'no nonce' => [ { args => [ '--expires-on', '2099-01-01T00:00:00Z' ] }, qr/nonce/ ],
    'another device' => [ { args => [ '--serial', 'JADA-0002' ] }, qr/serial-number/ ],
    'another manufacturer' => [ { signer => "$other/manufacturer/masa-signer" }, qr/chain/ ],
    'a turned bit' => [ { args => [ '--defect', 'signature' ] }, qr/signature/ ],
    'from the future' => [ { args => [ '--created-on', '2099-01-01T00:00:00Z' ] }, qr/created-on/ ],
    'the registrar\'s own' => [ { signer => "$domain/registrar" }, qr/chain/ ],
);
for my $case (sort keys %bad_vouchers) {
    my ($how, $why) = @{ $bad_vouchers{$case} };
    behave(voucher => $how);
    ($status, @steps) = join_json();
    is($status, 1, "5.6.1 $case: no join");
    my ($verify) = grep { $_->{step} eq 'verify' } @steps;
    is($verify->{result}, 'failed', "5.6.1 $case: the voucher is refused");
    like($verify->{reason}, $why, "5.6.1 $case: the reason is told");
    is(join(' ', operations()), 'requestvoucher voucher_status', "5.6.1 $case: no EST follows");
    my ($told) = grep { $_->{operation} eq 'voucher_status' } asked();
    is_deeply(json($told->{body}), { version => 1, status => JSON::PP::false,
              reason => 'the voucher was not accepted' }, "5.7 $case: the registrar is told");
}

behave(voucher => { args => [ '--expires-on', '2099-01-01T00:00:00Z' ] });
is((brski(@join, '--nonceless-ok'))[0], 0, '7.2 a voucher without nonce, where policy allows it');

# --- a registrar that the voucher does not name

behave(voucher => { pin => "$lab/stranger/registrar.pem" });
($status, @steps) = join_json();
is($status, 1, '5.6.2 another registrar is pinned: no join');
like($steps[4]{reason}, qr/^The voucher pins .*Stranger.*, but the server showed .*Lab Domain/,
     '5.6.2 and both are named');
is(join(' ', operations()), 'requestvoucher voucher_status', '5.6.2 no EST follows');
for my $pin ('registrar', 'root') {
    behave(voucher => { pin => "$domain/$pin.pem" });
    is((brski(@join))[0], 0, "5.6.2 the pinned certificate may be the $pin");
}
behave(voucher => { pin => "$domain/not-a-registrar.pem" });
is((brski(@join))[0], 1, '5.6.2 but no other of the domain');

# --- answers that are none

my %bad_answers = (
    'empty' => [ [ '200 OK', { 'Content-Type' => 'application/voucher-cms+json' }, '' ],
                 qr/nothing in it/ ],
    'of another type' => [ [ '200 OK', { 'Content-Type' => 'text/html' }, '<html>' ], qr/text\/html/ ],
    'a refusal' => [ [ '404 Not Found', { 'Content-Type' => 'text/plain' }, "Unknown \"device\".\n" ],
                     qr/404: Unknown "device"\./ ],
    'a redirect' => [ [ '307 Temporary Redirect', { Location => 'https://elsewhere.example/' }, '' ],
                      qr/307/ ],
    'garbage' => [ [ '200 OK', { 'Content-Type' => 'application/voucher-cms+json' }, 'x' x 500 ],
                   qr/not to be believed: form/ ],
);
for my $case (sort keys %bad_answers) {
    my ($how, $why) = @{ $bad_answers{$case} };
    behave(requestvoucher => $how);
    ($status, $out) = brski(@join);
    is($status, 1, "5.4 $case: no join");
    like($out, $why, "5.4 $case: the reason is told");
}

behave(large => 'requestvoucher');
($status, $out) = brski(@join);
is($status, 1, '5.1 an answer without end is no voucher');
like($out, qr/too long/, '5.1 and is not read to its end');

# --- wishes

behave(csrattrs_body => $WISHES);
($status, @steps) = join_json('--tls1.2');
is($status, 0, '5.9.2 the wishes of RFC 8951 are honoured');
like(csr_text(), qr/384 bit/, '7030 4.5.2 the key is of the type asked for');
like(csr_text(), qr/ecdsa-with-SHA384/, '7030 4.5.2 so is the signature');
like(csr_text(), qr/challengePassword/, '7030 3.5 the CSR is bound to its connection');
behave(csrattrs_body => $WISHES, wait => 'simpleenroll', close => 1);
is((brski(@join))[0], 0, '7030 3.5 a CSR that is bound is made anew for a new connection');
my %bound = map { $_->{body} => 1 } grep { $_->{operation} eq 'simpleenroll' } asked();
is(scalar keys %bound, 3, '7030 3.5 each time another');
for my $none ('204 No Content', '404 Not Found') {
    behave(csrattrs => [ $none, {}, '' ]);
    is((brski(@join))[0], 0, "7030 4.5.2 $none: no wishes");
}
behave();
($status, @steps) = join_json('--new-key', 'rsa2048');
like(csr_text(), qr/2048 bit/, '--new-key is the key\'s type');

# --- certificates that are not taken

my %bad_certificates = (
    'of another key' => [ { key => 'other' }, qr/another key/ ],
    'a CA' => [ { ca => 1 }, qr/CA/ ],
    'of another CA' => [ { issuer => "$other/domain/ca" }, qr/./ ],
    'two' => [ { two => 1 }, qr/2 certificates/ ],
);
for my $case (sort keys %bad_certificates) {
    my ($how, $why) = @{ $bad_certificates{$case} };
    behave(certificate => $how);
    ($status, @steps) = join_json();
    is($status, 1, "7030 4.2.3 $case: no join");
    my ($bad) = grep { $_->{step} eq 'certificate' } @steps;
    like($bad->{reason}, $why, "7030 4.2.3 $case: the reason is told");
    my ($told) = grep { $_->{operation} eq 'enrollstatus' } asked();
    my ($enroll) = grep { $_->{operation} eq 'simpleenroll' } asked();
    ok($told && !json($told->{body})->{status}, "5.9.4 $case: the registrar is told");
    is($told->{connection}, $enroll->{connection}, "5.9.4 $case: on the same connection");
}
behave(simpleenroll => [ '403 Forbidden', { 'Content-Type' => 'text/plain' }, "Not you.\n" ]);
($status, $out) = brski(@join);
is($status, 1, '7030 4.2.3 a refused CSR is no join');
like($out, qr/No certificate: the server answered 403: Not you\./, '7030 4.2.3 the sentence is told');
behave(cacerts => [ '200 OK', { 'Content-Type' => 'application/pkcs7-mime' }, 'AAAA' ]);
is((brski(@join))[0], 1, '7030 4.1.3 CA certificates that are none end it');

# --- faults on purpose

behave();
brski(@join, '--nonce', 'mine', '--serial', 'JADA-0002');
($pvr) = inspected((asked())[0]{body});
is("$pvr->{nonce} $pvr->{'serial-number'}", 'mine JADA-0002', '--nonce and --serial are sent');
behave();
is((brski(@join, '--no-status'))[0], 0, '--no-status: still joined');
ok(!grep({ $_ eq 'voucher_status' } operations()), '--no-status: nothing is said of the voucher');
behave();
brski(@join, '--status-false');
ok(!json((grep { $_->{operation} eq 'voucher_status' } asked())[0]{body})->{status},
   '--status-false: a good voucher is called bad');
behave();
brski(@join, '--other-csr-key');
spew("$dir/csr.der", decode_base64((grep { $_->{operation} eq 'simpleenroll' } asked())[0]{body}));
isnt((openssl('req', '-inform', 'DER', '-in', "$dir/csr.der", '-verify', '-noout'))[2] =~ /OK/, 1,
     '--other-csr-key: the CSR\'s signature is not its key\'s');
behave();
brski(@join, '--replay', "$dir/joined/request.vcj");
is((asked())[0]{body}, slurp("$dir/joined/request.vcj"), '--replay sends a request of before');
behave();
brski(@join, '--label', 'printers');
ok(grep({ $_->{path} eq '/.well-known/est/printers/simpleenroll' } asked()), '--label is in the path');
ok(grep({ $_->{path} eq '/.well-known/brski/requestvoucher' } asked()), '--label is EST\'s alone');

# --- renewal

behave();
my @renew = ('join', "https://localhost:$port", '--reenroll', '--cert', "$dir/joined/device.pem",
             '--certkey', "$dir/joined/device.key", '--cacerts', "$dir/joined/cacerts.pem");
($status, $out) = brski(@renew, '-o', "$dir/renewed");
is($status, 0, '7030 4.2.2 a certificate is renewed') or diag $out;
is(join(' ', operations()), 'csrattrs simplereenroll', '7030 4.2.2 by simplereenroll');
is(subject("$dir/renewed/device.pem"), subject("$dir/joined/device.pem"), '7030 4.2.2 same subject');
isnt(spki("$dir/renewed/device.pem"), spki("$dir/joined/device.pem"), '7030 4.2.2 with a new key');
is((brski(@renew, '--same-key', '-o', "$dir/renewed"))[0], 0, '--same-key: renewed');
is(spki("$dir/renewed/device.pem"), spki("$dir/joined/device.pem"), '--same-key: the same key');
behave(certificate => { subject => '/CN=somebody else' });
is((brski(@renew))[0], 1, '7030 4.2.2 another subject is not taken');
my @lost = @renew;
$lost[-1] = "$other/domain/root.pem";
($status, $out) = brski(@lost);
is($status, 1, '7030 3.6.1 a server of another CA is not spoken to');
like($out, qr/does not lead to what the pledge trusts/, '7030 3.6.1 and the reason is told');
behave();
is(join(' ', operations()), '', '7030 3.6.1 nothing was asked of it');

# --- step by step

behave();
spew("$dir/words", "status\nenroll\ndance\nvoucher\nenroll\nreenroll\nstatus\nreset\nstatus\nquit\nvoucher\n");
my $words = shell("$dir/words");
like($words, qr/^connection +none yet$/m, 'shell: a pledge as from the factory');
like($words, qr/^connection +trusted: it leads to the CA certificates$/m, 'shell: after enrolment');
is(join(' ', operations()), 'requestvoucher voucher_status cacerts csrattrs simpleenroll'
   . ' enrollstatus csrattrs simplereenroll', 'shell: the words do what they say, up to quit');
like(slurp("$dir/err"), qr/There is no dance/, 'shell: a word that is none');
like(slurp("$dir/err"), qr/enroll needs a trusted connection/, 'shell: nothing before the voucher');
is(scalar(() = $words =~ /^connection +none yet$/mg), 2, 'shell: reset forgets');

# --- the command line

my %wrong = (
    'nobody to ask' => [ 'join', '--idevid', 'x', '--key', 'y', '--anchor', 'z' ],
    'no device' => [ 'join', 'https://localhost:1' ],
    'no anchor' => [ 'join', 'https://localhost:1', '--idevid', 'x', '--key', 'y' ],
    'nothing to renew' => [ 'join', 'https://localhost:1', '--reenroll' ],
);
is((brski(@{ $wrong{$_} }))[0], 2, "$_ is wrong usage") for sort keys %wrong;
like((brski($join[0], 'https://localhost:1/est', @join[2 .. $#join]))[2], qr/the same\s+everywhere/,
     'a path is not the user\'s to say');
like((brski($join[0], 'https://localhost:1', @join[2 .. $#join]))[1], qr/STOP: No connection/,
     'nobody there: said');

stop_server($port);
done_testing();

# --- the registrar

sub behave
{
    my (%how) = @_;
    spew("$dir/asked", '');
    return spew("$dir/how", JSON::PP->new->encode(\%how));
}

# Read anew for every connection.
sub show_certificate
{
    my ($folder) = @_;

    for my $kind ('pem', 'key') {
        spew("$dir/server.$kind.new", slurp("$folder/registrar.$kind"));
        rename "$dir/server.$kind.new", "$dir/server.$kind" or die;
    }
}

sub note_request
{
    my ($path, $operation, $body, $head, $tls) = @_;
    my $cert = $tls->peer_certificate ? $tls->peer_certificate('subject') : '';
    my @chain = $tls->peer_certificate ? $tls->peer_certificates : ();

    open my $log, '>>', "$dir/asked" or die;
    print $log JSON::PP->new->canonical->encode({
        path => $path, operation => $operation, body => encode_base64($body, ''), head => $head,
        connection => $$, client => $cert, intermediates => scalar(@chain) - 1,
        sni => $tls->get_servername || '' }), "\n";
    close $log;
}

sub asked
{
    my @all = map { JSON::PP->new->decode($_) } split /\n/, slurp("$dir/asked");
    $_->{body} = decode_base64($_->{body}) for @all;
    return @all;
}

sub operations { return map { $_->{operation} } asked() }

# What the registrar runs says nothing: the pledge's words are being read.
sub behind
{
    my (@command) = @_;
    my $quoted = join ' ', map { "'$_'" } @command;
    return system("$quoted >/dev/null 2>&1") == 0;
}

sub voucher_for
{
    my ($pvr, $how) = @_;
    my $v = $how->{voucher} || {};
    my $signer = $v->{signer} || "$maker/masa-signer";
    my $request = spew("$dir/pvr.$$", $pvr);
    my @args = @{ $v->{args} || [] };

    behind(top_builddir() . '/tools/brski/brski', 'voucher', '--cert', "$signer.pem", '--key',
           "$signer.key", '--request', $request, '--pin', $v->{pin} || "$domain/root.pem", @args,
           '-o', "$dir/voucher.$$");
    return ('200 OK', { 'Content-Type' => 'application/voucher-cms+json' }, slurp("$dir/voucher.$$"));
}

sub certs_only
{
    my (@files) = @_;
    behind('openssl', 'crl2pkcs7', '-nocrl', '-outform', 'DER', '-out', "$dir/p7.$$",
           map { ('-certfile', $_) } @files);
    return encode_base64(slurp("$dir/p7.$$"));
}

sub cacerts
{
    return ('200 OK', { 'Content-Type' => 'application/pkcs7-mime' }, certs_only("$domain/ca.pem"));
}

sub csrattrs
{
    my ($how) = @_;
    return ('204 No Content', {}, '') if !$how->{csrattrs_body};
    return ('200 OK', { 'Content-Type' => 'application/csrattrs' }, $how->{csrattrs_body});
}

sub certificate_for
{
    my ($body, $how) = @_;
    my $c = $how->{certificate} || {};
    my $issuer = $c->{issuer} || "$domain/ca";
    my @more = $c->{subject} ? ('-subj', $c->{subject}) : ();

    spew("$dir/csr.$$", decode_base64($body));
    spew("$dir/ext.$$", $c->{ca} ? "basicConstraints=critical,CA:TRUE\nkeyUsage=keyCertSign,digitalSignature\n"
                                 : "basicConstraints=CA:FALSE\nkeyUsage=digitalSignature\n");
    if ($c->{key}) {
        push @more, '-force_pubkey', "$lab/devices/JADA-0002/idevid.pub";
        behind('openssl', 'pkey', '-in', "$lab/devices/JADA-0002/idevid.key", '-pubout', '-out', $more[-1]);
    }
    behind('openssl', 'x509', '-req', '-inform', 'DER', '-in', "$dir/csr.$$", '-CA', "$issuer.pem",
           '-CAkey', "$issuer.key", '-days', 30, '-extfile', "$dir/ext.$$", '-out', "$dir/cert.$$",
           @more) or return ('400 Bad Request', { 'Content-Type' => 'text/plain' }, "A bad CSR.\n");
    return ('200 OK', { 'Content-Type' => 'application/pkcs7-mime; smime-type=certs-only' },
            certs_only("$dir/cert.$$", $c->{two} ? "$domain/root.pem" : ()));
}

# --- reading

sub join_json
{
    my ($rc, $text) = brski(@join, @_, '--json');
    return ($rc, map { JSON::PP->new->utf8->decode($_) } split /\n/, $text);
}

sub shell
{
    my ($file) = @_;
    my $tool = top_builddir() . '/tools/brski/brski';
    my $quoted = join ' ', map { "'$_'" } $tool, @join, '--shell';
    return scalar `$quoted <'$file' 2>'$dir/err'`;
}

sub json { return JSON::PP->new->decode($_[0]) }

sub inspected
{
    my ($message) = @_;
    my (undef, $doc) = brski_json('inspect', spew("$dir/inspected", $message));
    return $doc;
}

sub csr_text
{
    my ($last) = reverse grep { $_->{operation} eq 'simpleenroll' } asked();
    spew("$dir/csr.der", decode_base64($last->{body}));
    return (openssl('req', '-inform', 'DER', '-in', "$dir/csr.der", '-noout', '-text'))[1];
}

sub subject
{
    my ($file) = @_;
    return (openssl('x509', '-in', $file, '-noout', '-subject', '-nameopt', 'compat'))[1]
        =~ /subject=(.*)/ ? "$1" : '';
}

sub spki
{
    my ($file) = @_;
    return (openssl('x509', '-in', $file, '-noout', '-pubkey'))[1];
}

# As inspect tells a key.
sub key_sha256
{
    my ($file) = @_;
    spew("$dir/spki.pem", spki($file));
    openssl('pkey', '-pubin', '-in', "$dir/spki.pem", '-outform', 'DER', '-out', "$dir/spki.der");
    return sha256_hex(slurp("$dir/spki.der"));
}
