# SPDX-License-Identifier: Apache-2.0
#
# requestauditlog-access.t: who may read a device's log: its owners, past and present, known by a
# key that they prove now; nobody else, in words that do not tell whether the device exists.
use FindBin;
use lib "$FindBin::RealBin/../lib";
use BRSKI::Test;
use BRSKI::Test::Answer;
use BRSKI::Test::Pki;
use POSIX ();

my $pki = BRSKI::Test::Pki->new;
$pki->ca('acme-root')->registrar('acme', issuer => 'acme-root');
$pki->registrar('acme-2', issuer => 'acme-root');
$pki->make('acme-tls', issuer => 'acme-root', eku => 'clientAuth');
$pki->make('elsewhere');                             # a TLS key of no chain at all
$pki->ca('public')->registrar('bought', issuer => 'public')->registrar('bought-2', issuer => 'public');

my $users = write_file(run_dir() . "/log-users-$$", "anna:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\n");
chmod 0644, $users;
my $masa = start_masa(name => 'access', devices => 20,
    lines => [ any => 'MASAOwner any', customer => 'MASAOwner customer' ], host => <<"EOF_HOST");
MASAPublicAnchors @{[ $pki->file('public') ]}
<Location "/.well-known/brski">
    AuthType Basic
    AuthName brski
    AuthUserFile $users
    <RequireAny>
        Require valid-user
        Require expr %{HTTP:Authorization} == ''
    </RequireAny>
</Location>
EOF_HOST
my ($lab, $httpd) = ($masa->lab, $masa->httpd);
my %anna = (headers => { Authorization => 'Basic YW5uYTpzZWNyZXQ=' });
my $none = qr/^There is no audit log that this requester may read\.$/;

sub id
{
    my ($name) = @_;
    return $name =~ /^(?:domain|stranger)$/ ? $lab->identity($name) : $pki->identity($name);
}

sub rvr
{
    my ($device, $name, @args) = @_;
    return $lab->rvr(device => $device, $name =~ /^(?:domain|stranger)$/ ? (domain => $name) : (),
                     args => [ $name =~ /^(?:domain|stranger)$/ ? () : $pki->args($name), @args ]);
}

# A device that somebody got a voucher for; with the request.
sub owned_by
{
    my ($name, %with) = @_;
    my $device = $masa->new_device(product => $with{product} || 'any');
    my $rvr = rvr($device, $name);
    my $response = $httpd->post('requestvoucher', $rvr, %{ $with{tls} || {} });

    $response->code == 200 or die $response->as_string;
    return ($device, $rvr);
}

sub ask { return $httpd->post('requestauditlog', @_) }

# --- the key that TLS proves ----------------------------------------------

my ($device, $rvr) = owned_by('acme');
audit_log($httpd, ask($rvr, id('acme')), '5.8 the same request, with its key in TLS, opens the log');
audit_log($httpd, ask($rvr, id('acme-2')),
          '5.8 and with a key that the same CA certified');
refused($httpd, ask($rvr), 404, 1046, $none, '5.8 the same request without key in TLS opens nothing');
refused($httpd, ask($rvr, id('stranger')), 404, 1046, $none, '5.8 nor with another\'s key');
refused($httpd, ask($rvr, id('elsewhere')), 404, 1046, $none, '5.8 nor with one that nobody knows');
audit_log($httpd, ask(rvr($device, 'acme', '--no-prior', '--nonce', 'x'), id('acme')),
          '5.8 for its log a request is not judged for proximity');

my ($by_tls, $by_tls_rvr) = owned_by('acme', tls => { id('elsewhere') });
audit_log($httpd, ask($by_tls_rvr, id('elsewhere')),
          '5.8 the TLS key that asked for the voucher opens its log');
audit_log($httpd, ask(rvr($by_tls, 'stranger'), id('elsewhere')),
          '5.8 whoever signed the request');
refused($httpd, ask($by_tls_rvr, id('stranger')), 404, 1046, $none, '5.8 and no other key does');

# --- a fresh request ------------------------------------------------------

my $fresh = rvr($device, 'acme');
audit_log($httpd, ask($fresh), '5.8 a fresh request of the owner needs no key in TLS');
refused($httpd, ask($fresh), 404, 1046, $none, '5.8 but it opens the log once: copies open nothing');
$fresh = rvr($device, 'acme');
audit_log($httpd, ask($fresh, id('elsewhere')), '5.8 used with a key in TLS');
audit_log($httpd, ask($fresh, id('elsewhere')), '5.8 it opens the log for that key again');
refused($httpd, ask($fresh, id('stranger')), 404, 1046, $none, '5.8 and for no other');
audit_log($httpd, ask(rvr($device, 'acme-2')), '5.8 a fresh request of another registrar of the domain');
refused($httpd, ask(rvr($device, 'stranger')), 404, 1046, $none,
        '5.8 a stranger\'s own good request opens nothing');
refused($httpd, ask(rvr($device, 'stranger'), id('stranger')), 404, 1046, $none,
        '5.8 nor with the key in TLS');
my $old = POSIX::strftime('%Y-%m-%dT%H:%M:%SZ', gmtime(time - 900));
refused($httpd, ask(rvr($device, 'acme', '--created-on', $old)), 404, 1046, $none,
        '5.8 a request that was made a while ago is not fresh');
refused($httpd, ask(rvr($device, 'acme', '--created-on', 'none')), 404, 1046, $none,
        '5.8 nor one that does not say');
audit_log($httpd, ask(rvr($device, 'acme', '--created-on', $old), id('acme')),
          '5.8 its key in TLS makes up for that');

# --- what must not be told ------------------------------------------------

my $unused = $masa->new_device(product => 'any');
refused($httpd, ask(rvr($unused, 'acme'), id('acme')), 404, 1046, $none,
        '5.8 a device that has no voucher yet is answered with 404');
refused($httpd, ask(rvr($masa->new_device, 'acme'), id('acme')), 404, 1028, $none,
        '5.8 in the same words as an unknown one');

# --- past and present owners ----------------------------------------------

my $again = $httpd->post('requestvoucher', rvr($device, 'stranger'));
issued($httpd, $again, '5.6 the device changes hands');
my $log = audit_log($httpd, ask(rvr($device, 'stranger')), '5.8 its new owner reads the log');
is(scalar @{ $log->{events} }, 2, '5.8.1 with what was before');
$log = audit_log($httpd, ask($rvr, id('acme')), '5.8 the former owner reads it, too');
is(scalar @{ $log->{events} }, 2, '5.8.1 with what came after');
$masa->masactl(qw(device block --reason test), $lab->serial($device));
audit_log($httpd, ask($rvr, id('acme')), '5.8 also while the device is blocked');

# --- customers ------------------------------------------------------------

$masa->customer('acme', '--user' => 'anna', '--cert' => $pki->file('acme'));
my ($sold, $sold_rvr) = owned_by('acme', product => 'customer');
audit_log($httpd, ask($sold_rvr, %anna), '5.8 the customer of an event is known by an HTTP user');
audit_log($httpd, ask(rvr($sold, 'stranger'), %anna), '5.8 whoever signed the request');
refused($httpd, ask($sold_rvr), 404, 1046, $none, '5.8 and not without logging in');
$masa->customer('acme', '--cert' => $pki->file('elsewhere'));
audit_log($httpd, ask($sold_rvr, id('elsewhere')), '5.8 a customer is known by a key in TLS');
my ($other) = owned_by('domain');
refused($httpd, ask(rvr($other, 'acme'), %anna), 404, 1046, $none,
        '5.8 a customer reads no log of devices that it never had');

# --- a public CA is nobody's domain ---------------------------------------

my ($bought, $bought_rvr) = owned_by('bought');
audit_log($httpd, ask($bought_rvr, id('bought')), '5.8 an owner with a public certificate reads');
refused($httpd, ask($bought_rvr, id('bought-2')), 404, 1046, $none,
        '5.8 others whom the same public CA certified do not');
refused($httpd, ask(rvr($bought, 'bought-2')), 404, 1046, $none, '5.8 not with a request of their own');

# --- judged like a request for a voucher ----------------------------------

refused($httpd, ask($lab->rvr(device => $device, args => [ '--defect', 'signature' ]), id('acme')),
        403, 1021, qr/^The signature of the voucher-request does not verify/,
        '5.8 a request for the log must be signed well');
my @no_ra = map { ($_ => $lab->path("domain/not-a-registrar.$_")) } qw(pem key);
refused($httpd, ask($lab->rvr(device => $device, args => [ '--cert', $no_ra[1], '--key', $no_ra[3] ])),
        403, 1027, qr/lacks id-kp-cmcRA/, '5.8 by a registrar');
refused($httpd, ask('junk', id('acme')), 400, 1008, qr/not a DER-encoded CMS/, '5.8 and be one at all');
done_testing;
