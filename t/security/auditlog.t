# SPDX-License-Identifier: Apache-2.0
#
# auditlog.t: who should not read a device's log and tries: strangers, with copies of what an owner
# sent, with an owner's names and key identifiers, at once or through another MASA; and what they
# learn from being refused.
use FindBin;
use lib "$FindBin::RealBin/../lib";
use BRSKI::Test;
use BRSKI::Test::Attack;
use BRSKI::Test::Der;
use BRSKI::Test::Parallel;
use BRSKI::Test::Pki;

# The owner has a CA of its own, several registrars, and TLS keys that sign no requests.
my $pki = BRSKI::Test::Pki->new;
$pki->ca('owner-root')->registrar('owner', issuer => 'owner-root');
$pki->make('owner-tls', issuer => 'owner-root', eku => 'clientAuth');
$pki->ca('thief-root', subject => '/O=Test/CN=owner-root')->registrar('thief',
    issuer => 'thief-root');
$pki->make('passer-by', eku => 'clientAuth');
my $masa = under_attack(start_masa(name => 'auditlog', devices => 8));
my ($lab, $httpd) = ($masa->lab, $masa->httpd);
my $none = qr/^There is no audit log that this requester may read\.$/;

sub rvr
{
    my ($name, %opt) = @_;
    return $lab->rvr(%opt, args => [ $pki->args($name), @{ $opt{args} || [] } ]);
}
sub tls { my ($name) = @_; return $name ? $pki->identity($name) : () }
sub ask_log { my ($rvr, @tls) = @_; return $httpd->post('requestauditlog', $rvr, @tls) }
sub denied { repelled($_[0], 404, 1046, $none, "5.8 $_[1]") }

my $bought = rvr('owner');
served($httpd->post('requestvoucher', $bought, tls('owner-tls')),
       'control: the owner got a voucher');
is(scalar @{ read_log(ask_log($bought, tls('owner-tls')),
                      '5.8 the owner reads the log')->{events} }, 1,
   '5.8.1 with its event');

# --- a stranger -----------------------------------------------------------

denied(ask_log(rvr('thief'), tls('thief')), 'a stranger with a request of its own reads nothing');
denied(ask_log(rvr('thief')), 'nor without a TLS certificate');
denied(ask_log(rvr('thief', args => [ '--no-prior' ]), tls('thief')),
       'nor without a pledge\'s request');
my %device = $lab->device(1);
denied(ask_log(rvr('thief'), %device), 'nor with the device\'s own certificate in TLS');
denied(ask_log($bought, %device), 'nor does the device itself');
repelled(ask_log($lab->rvr(args => [ '--cert', $device{cert}, '--key', $device{key} ]),
                 %device), 403, 1027, qr/not a registrar's/,
                     '5.5.4 who signs but is no registrar reads nothing');

# --- copies ---------------------------------------------------------------

denied(ask_log($bought, tls('thief')), 'replaying another\'s request opens nothing');
denied(ask_log($bought, tls('passer-by')), 'with no key of anybody');
denied(ask_log($bought), 'nor without a key');
my ($owner, $root) = pem_certs($pki->file('owner'));
my $foreign = write_file(new_dir('tls') . '/chain.pem', pem_of($pki->der('thief'), $owner, $root));
denied(ask_log($bought, cert => $foreign, key => $pki->key('thief')),
       'nor with the owner\'s certificates beside one\'s own in TLS');
denied(ask_log(rvr('thief', args => [ '--cert', $foreign ]), cert => $foreign,
               key => $pki->key('thief')),
       'nor in the request');

# A fresh request opens the log for its sender; a copy of it does not.
my $fresh = rvr('owner');
read_log(ask_log($fresh, tls('passer-by')),
         '5.8 a fresh request by the owner\'s key, with another in TLS');
denied(ask_log($fresh, tls('thief')), 'a copy of a fresh request that was used opens nothing');
denied(ask_log($fresh), 'nor without a key');
read_log(ask_log($fresh, tls('passer-by')), '5.8 who brought it first may repeat it');
denied(ask_log(rvr('owner', args => [ '--created-on', '2020-01-01T00:00:00Z' ]), tls('thief')),
       'an old one that was never used opens nothing');
denied(ask_log(rvr('owner', args => [ '--created-on', 'none' ]), tls('thief')),
       'nor does one without a time');
denied(ask_log(rvr('owner', args => [ '--created-on', '2099-01-01T00:00:00Z' ]), tls('thief')),
       'nor one that was made for later');

# Races: of those who bring the same fresh request at once one wins.
for my $name ('', 'thief') {
    my $request = rvr('owner');
    my @all = parallel(6, sub { ask_log($request, $_[0] % 2 ? () : tls($name)) });
    my $who = $name ? 'with and without key' : 'without key';

    # the same TLS key may repeat
    my @without = map { $_->code } @all[ grep { $_ % 2 || !$name } 0 .. 5 ];
    my @with = map { $_->code } @all[ grep { !($_ % 2 || !$name) } 0 .. 5 ];
    my $first = grep { $_ == 200 } @without;
    is($first + (grep({ $_ == 200 } @with) ? 1 : 0), 1, "5.8 six at once, $who: one is the first")
        or diag "@without / @with";
    is(scalar(grep { $_ != 200 && $_ != 404 } @without, @with), 0, '5.8 and the others are 404');
}

# --- a request that was made for another MASA ------------------------------

# A stranger makes a pledge of the same serial number, which names the stranger's MASA: the owner's
# registrar sends its request there, and it is handed on at once.
my ($key_id) = pem_certs($lab->path('manufacturer/idevid-ca.pem'));
($key_id) = cert_parts($key_id)->{extensions} =~ /\x06\x03\x55\x1D\x0E\x04\x16\x04\x14(.{20})/s;
$pki->ca('other-maker', ski => 0, ext => [ 'subjectKeyIdentifier=' . unpack 'H*', $key_id ]);
$pki->make('pledge', issuer => 'other-maker', serial => $lab->serial(1));
my $pvr = $lab->pvr(args => [ $pki->args('pledge'), '--registrar-cert', $pki->file('owner') ]);
denied(ask_log(rvr('owner', pvr => $pvr), tls('thief')),
       'a fresh request around another manufacturer\'s pledge opens nothing');
$pvr = $lab->pvr(device => 2, args => [ '--registrar-cert', $pki->file('owner') ]);
denied(ask_log(rvr('owner', pvr => $pvr, args => [ '--serial', $lab->serial(1) ]), tls('thief')),
       'nor one around another device');
read_log(ask_log(rvr('owner', pvr => $pvr, args => [ '--serial', $lab->serial(1) ]), tls('owner')),
         '5.8 whoever has the owner\'s key may send what it wants');

# --- names ----------------------------------------------------------------

sub with_names_of
{
    my ($name, $certificate, @keep) = @_;
    my $part = cert_parts($certificate);

    return make_cert($pki->der($name), keyfile => $pki->key($name),
                     map { $_ => $part->{$_} } @keep);
}
my $copy = with_names_of('thief-root', $root, qw(serial issuer subject validity extensions));
my $ee = make_cert($pki->der('thief'), keyfile => $pki->key('thief-root'),
                   map { $_ => cert_parts($owner)->{$_} } qw(serial issuer subject extensions));
my $copied = write_file(new_dir('copied') . '/chain.pem', pem_of($ee, $copy));
my @as_copied = (cert => $copied, key => $pki->key('thief'));
my $request = $lab->rvr(args => [ '--cert', $copied, '--key', $pki->key('thief') ]);
denied(ask_log($request, @as_copied),
       'an owner\'s names and key identifier in a stranger\'s certificates open nothing');
denied(ask_log($bought, @as_copied), 'nor with a copy of the owner\'s request');
my $self = with_names_of('thief', $root, qw(serial issuer subject extensions));
my $self_file = write_file(new_dir('copied') . '/chain.pem', pem_of($self));
denied(ask_log($bought, cert => $self_file, key => $pki->key('thief')), 'nor the CA\'s own');

# --- other devices, other times -------------------------------------------

denied(ask_log(rvr('owner', device => 2), tls('owner')),
       'an owner reads nothing of another device');
served($httpd->post('requestvoucher', rvr('thief', device => 1), tls('thief')),
       'control: the device changes hands');
is(scalar @{ read_log(ask_log($bought, tls('owner-tls')),
                      '5.8 a former owner still reads')->{events} }, 2,
   '5.8 and sees to whom it went');
read_log(ask_log(rvr('owner'), tls('owner')), '5.8 also by a fresh request');
denied(ask_log(rvr('thief', device => 3), tls('thief')), 'the new one reads nothing of others');

# --- what a refusal tells -------------------------------------------------

# Of a device that exists, was never asked for, is blocked, or does not exist.
$masa->masactl(qw(device block --reason secret), $lab->serial(4));
sub answer_of
{
    my ($response) = @_;
    my $text = join '', map { "$_: " . $response->header($_) . "\n" }
               grep { !/^(?:Date|Client-)/ } sort $response->header_field_names;

    return $response->code . "\n$text" . $response->content =~ s/request \w+/request ID/r;
}
my @by = (tls('thief'));
my $owned = answer_of(ask_log(rvr('thief', device => 1, args => [ '--serial', $lab->serial(2) ]),
                              @by));
is(answer_of(ask_log(rvr('thief', device => 4), @by)), $owned,
   '5.8 a blocked device is like any other');
is(answer_of(ask_log(rvr('thief', device => 5), @by)), $owned,
   '5.8 so is one that nobody has asked for');
is(answer_of(ask_log(rvr('thief', device => 5, args => [ '--serial', 'no-such' ]), @by)), $owned,
   '5.8 and one that does not exist: a stranger cannot tell');
is(answer_of(ask_log(rvr('thief', device => 5, args => [ '--idevid-issuer', '3006800401020304' ]),
                     @by)),
   $owned, '5.8 nor by the issuer that it names');
is(answer_of(ask_log($bought, tls('passer-by'))), $owned, '5.8 nor by another\'s request');
is($httpd->get('/.well-known/brski/requestauditlog', tls('owner'))->code, 405,
   '5.8 GET reads nothing');
no_harm_done();
done_testing;
