# SPDX-License-Identifier: Apache-2.0
#
# requestvoucher-owner.t: MASAOwner any, customer and sold: who may have a voucher, by what a
# customer is recognised (keys, CA, DNS name, HTTP user), and what the assertion says of it.
use FindBin;
use lib "$FindBin::RealBin/../lib";
use BRSKI::Test;
use BRSKI::Test::Answer;
use BRSKI::Test::Pki;

# A customer with a CA of its own, whose registrars carry a DNS name; the TLS key is another one
# than the one that signs.
my $pki = BRSKI::Test::Pki->new;
$pki->ca('acme-root')->ca('acme-sub', issuer => 'acme-root');
$pki->registrar('acme', issuer => 'acme-sub', dns => 'registrar.acme.example');
$pki->registrar('acme-2', issuer => 'acme-sub', dns => 'Two.acme.example');
$pki->make('acme-tls', issuer => 'acme-sub', eku => 'clientAuth', dns => 'tls.acme.example');
# One who calls himself the same, below a CA of his own with the same names.
$pki->ca('false-root', subject => '/O=Test/CN=acme-root');
$pki->registrar('false', issuer => 'false-root', dns => 'registrar.acme.example');

my $users = write_file(run_dir() . "/users-$$", "anna:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\n");
chmod 0644, $users;
my $masa = start_masa(name => 'owner', devices => 20,
    lines => [ first => 'MASAOwner any', known => 'MASAOwner customer', sold => 'MASAOwner sold' ],
    host => <<"EOF_HOST");
MASACustomerAnchor @{[ $pki->file('acme-root') ]}
<LocationMatch "^/.well-known/brski/">
    AuthType Basic
    AuthName brski
    AuthUserFile $users
    <RequireAny>
        Require valid-user
        Require expr %{HTTP:Authorization} == ''
    </RequireAny>
</LocationMatch>
EOF_HOST
my ($lab, $httpd) = ($masa->lab, $masa->httpd);
$httpd->expect('AH01617');              # a wrong password

$masa->customer('domain', '--cert' => $lab->path('domain/registrar.pem'));

sub ask
{
    my ($who, $device, %opt) = @_;
    my @args = $who =~ /^(?:domain|stranger)$/ ? (domain => $who) : (args => [ $pki->args($who) ]);
    my $rvr = $lab->rvr(device => $device, @args);
    my %tls = $opt{tls} ? $pki->identity($opt{tls}) : ();

    return $httpd->post('requestvoucher', $rvr, %tls, headers => $opt{headers});
}

# --- any ------------------------------------------------------------------

my $leaf = issued($httpd, ask('stranger', $masa->new_device(product => 'first')),
                  '5.5.4 MASAOwner any: whoever has the device gets a voucher');
is($leaf->{assertion}, 'proximity', '5.5.5 which says no more than that it was there');
$leaf = issued($httpd, ask('stranger', $masa->new_device(product => 'first', customer => 'domain')),
               '5.5.4 MASAOwner any: also when it was sold to somebody else');
is($leaf->{assertion}, 'proximity', '5.5.5 without calling him the owner');
$leaf = issued($httpd, ask('domain', $masa->new_device(product => 'first', customer => 'domain')),
               '5.5.4 MASAOwner any: the buyer gets one');
is($leaf->{assertion}, 'verified', '5.5.5 and the sales record makes it verified');
is($masa->db->sql("SELECT proximity, verified FROM voucher_event WHERE assertion = 'verified'"),
   "1|1\n", '5.5.5 its event keeps that proximity was proven, too');

# --- customer -------------------------------------------------------------

refused($httpd, ask('stranger', $masa->new_device(product => 'known')), 403, 1032,
        qr/not an authenticated customer/, '5.5.4 MASAOwner customer refuses a stranger');
$leaf = issued($httpd, ask('domain', $masa->new_device(product => 'known')),
               '5.5.4 MASAOwner customer: the key that signed the request is known');
is($leaf->{assertion}, 'proximity', '5.5.5 a known customer is not yet the owner');

my $device = $masa->new_device(product => 'known');
refused($httpd, ask('acme', $device), 403, 1032, qr/not an authenticated customer/,
        '5.5.4 a CA below MASACustomerAnchor is no customer by itself');
$masa->customer('acme', '--cert' => $pki->file('acme-tls'));
refused($httpd, ask('acme', $device), 403, 1032, qr/not an authenticated customer/,
        '5.5.4 a customer known by its TLS key does not count without that key');
issued($httpd, ask('acme', $device, tls => 'acme-tls'),
       '5.4 the TLS key of a customer counts, whichever key signed');

$device = $masa->new_device(product => 'known');
$masa->customer('by-dns', '--dns' => 'two.acme.example', '--dns' => 'registrar.acme.example');
issued($httpd, ask('acme-2', $device), '5.5.4 a DNS name below MASACustomerAnchor counts, in any case');
refused($httpd, ask('false', $device), 403, 1032, qr/not an authenticated customer/,
        '5.5.4 the same DNS name below another CA does not');
$masa->masactl(qw(customer key retire by-dns --dns), $_)
    for qw(two.acme.example registrar.acme.example);
refused($httpd, ask('acme-2', $device), 403, 1032, qr/not an authenticated customer/,
        '5.5.4 a key that was retired counts no more');

$masa->customer('by-ca', '--ca' => $pki->file('acme-root'));
issued($httpd, ask('acme-2', $device), '5.5.4 an issuing CA counts on a path to MASACustomerAnchor');
refused($httpd, ask('false', $device), 403, 1032, qr/not an authenticated customer/,
        '5.5.4 one of the same name does not');
$masa->masactl(qw(customer key retire by-ca --ca), $pki->file('acme-root'));

$masa->customer('by-user', '--user' => 'anna');
my %anna = ('Authorization' => 'Basic YW5uYTpzZWNyZXQ=');
my %guess = ('Authorization' => 'Basic YW5uYTpndWVzcw==');
issued($httpd, ask('stranger', $device, headers => \%anna),
       '5.4 a user that httpd has authenticated counts');
refused($httpd, ask('stranger', $device, headers => \%guess), 401, 'httpd',
        qr/HTTP authentication/, '5.4 a wrong password is 401');

# --- sold -----------------------------------------------------------------

$device = $masa->new_device(product => 'sold', customer => 'domain');
refused($httpd, ask('stranger', $device), 403, 1032, qr/not an authenticated customer/,
        '5.5.4 MASAOwner sold refuses a stranger');
refused($httpd, ask('acme', $device, tls => 'acme-tls'), 403, 1033, qr/has not been sold to/,
        '5.5.4 MASAOwner sold refuses another customer');
$leaf = issued($httpd, ask('domain', $device), '5.5.4 MASAOwner sold: the buyer gets a voucher');
is($leaf->{assertion}, 'verified', '5.5.5 which says verified');
$masa->masactl(qw(device assign --customer acme), $lab->serial($device));
refused($httpd, ask('domain', $device), 403, 1033, qr/has not been sold to/,
        '5.5.4 after a resale the former owner gets none');
issued($httpd, ask('acme', $device, tls => 'acme-tls'), '5.5.4 and the new one does');
refused($httpd, ask('domain', $masa->new_device(product => 'sold')), 403, 1033,
        qr/has not been sold to/, '5.5.4 MASAOwner sold: what was sold to nobody, nobody gets');
done_testing;
