# SPDX-License-Identifier: Apache-2.0
#
# require-customer.t: Require masa-customer: lets in whose TLS certificate or HTTP user belongs to a
# known customer, by each kind of identity, and says nothing of who signed the request.
use FindBin;
use lib "$FindBin::RealBin/../lib";
use BRSKI::Test;
use BRSKI::Test::Answer;
use BRSKI::Test::Pki;

my $pki = BRSKI::Test::Pki->new;
$pki->ca('root')->ca('sub', issuer => 'root');
$pki->make('key');
$pki->make('issued', issuer => 'sub', eku => 'clientAuth');
$pki->make('named', issuer => 'sub', eku => 'clientAuth', dns => 'reg.acme.example');
$pki->ca('false', subject => '/O=Test/CN=root');
$pki->make('forged', issuer => 'false', eku => 'clientAuth', dns => 'reg.acme.example');

my $users = write_file(run_dir() . "/require-users-$$",
                       "anna:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\nbert:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\n");
chmod 0644, $users;
my $gate = "<Location \"/.well-known/brski\">\nRequire masa-customer\n</Location>\n";
my $login = "<Location \"/.well-known/brski\">\nAuthType Basic\nAuthName \"the MASA\"\n"
    . "AuthUserFile $users\nRequire masa-customer\n</Location>\n";
my $anchor = 'MASACustomerAnchor ' . $pki->file('root') . "\n";
my $masa = start_masa(name => 'require', devices => 3, policy => 'MASAOwner any',
    host => $anchor . $gate, more => [
        'login.example' => { policy => 'MASAOwner any', host => $login },
        'log.example' => { policy => 'MASAOwner any', host => <<'EOF_HOST' },
<Location "/.well-known/brski/requestauditlog">
    Require masa-customer
</Location>
EOF_HOST
        'either.example' => { policy => 'MASAOwner any', host => <<'EOF_HOST' },
<Location "/.well-known/brski">
    <RequireAny>
        Require masa-customer
        Require ip 192.0.2.0/24
    </RequireAny>
</Location>
EOF_HOST
    ], server => <<'EOF_SERVER');
<Location "/plain">
    Require masa-customer
</Location>
EOF_SERVER
my ($lab, $httpd) = ($masa->lab, $masa->httpd);
my $rvr = $lab->rvr(device => 1);
$httpd->expect('AH01617', 'AH01630', 'AH01631');      # what httpd says of its refusals
my $closed = qr/^This server's access rules do not let this client in\.$/;

sub post
{
    my ($who, %opt) = @_;
    return $httpd->post('requestvoucher', $rvr, $who ? $pki->identity($who) : (), %opt);
}

sub login
{
    my ($user) = @_;
    require MIME::Base64;
    return (headers => { Authorization => 'Basic ' . MIME::Base64::encode_base64($user, '') });
}

# --- by TLS ---------------------------------------------------------------

refused($httpd, post(), 403, 'httpd', $closed, '5.4 a client without certificate is refused');
refused($httpd, post('key'), 403, 'httpd', $closed, '5.4 so is one that nobody knows');
$masa->customer('acme', '--cert' => $pki->file('key'));
issued($httpd, post('key'), '5.4 a customer\'s key is let in, whoever signed the request');

refused($httpd, post($_), 403, 'httpd', $closed, "5.4 a CA below the anchor alone is none: $_")
    for qw(issued named);
$masa->customer('by-name', '--dns' => 'reg.acme.example');
issued($httpd, post('named'), '5.4 a customer\'s DNS name below the anchor is let in');
refused($httpd, post('forged'), 403, 'httpd', $closed, '5.4 the same name below another CA is not');
refused($httpd, post('issued'), 403, 'httpd', $closed, '5.4 nor another name');
$masa->customer('by-ca', '--ca' => $pki->file('sub'));
issued($httpd, post('issued'), '5.4 a customer\'s CA is let in');
refused($httpd, post('forged'), 403, 'httpd', $closed, '5.4 another of the root\'s name is not');
$masa->masactl(qw(customer remove by-ca));
refused($httpd, post('issued'), 403, 'httpd', $closed, '5.4 nor a customer that was removed');

# --- by HTTP --------------------------------------------------------------

my %at = (host => 'login.example');
refused($httpd, post(undef, %at), 401, 'httpd', qr/^This MASA requires HTTP authentication\.$/,
        '5.4 where users can log in, a stranger is asked to');
is(post(undef, %at)->header('WWW-Authenticate'), 'Basic realm="the MASA"', '5.4 as httpd is told');
refused($httpd, post(undef, %at, login('anna:wrong')), 401, 'httpd', qr/HTTP authentication/,
        '5.4 a wrong password is 401');
my $answer = post(undef, %at, login('anna:secret'));
ok($answer->code == 403 || $answer->code == 401, '5.4 a user that is no customer is refused')
    or diag $answer->as_string;
$masa->customer('acme', '--user' => 'anna');
issued($httpd, post(undef, %at, login('anna:secret')), '5.4 one that is a customer is let in');
issued($httpd, post('key', %at), '5.4 a customer\'s key needs no user');
my $bert = post(undef, %at, login('bert:secret'));
isnt($bert->code, 200, '5.4 another user is not');

# --- where it stands ------------------------------------------------------

%at = (host => 'log.example');
issued($httpd, post(undef, %at), '5.4 a rule for the log does not hold for vouchers');
refused($httpd, $httpd->post('requestauditlog', $rvr, %at, $lab->identity), 403, 'httpd', $closed,
        '5.4 and holds for the log, before ownership is looked at');
audit_log($httpd, $httpd->post('requestauditlog', $rvr, %at, $pki->identity('key')),
          '5.4 a customer passes it');
refused($httpd, $httpd->post('/.well-known/brski//requestauditlog', $rvr, %at, $lab->identity), 403,
        'httpd', $closed, '5.4 two slashes do not walk around it');
refused($httpd, $httpd->post('/.well-known/brski/x/../requestauditlog', $rvr, %at, $lab->identity),
        403, 'httpd', $closed, '5.4 nor does a dotted path');
refused($httpd, $httpd->post('/.well-known/brski/%72equestauditlog', $rvr, %at, $lab->identity),
        403, 'httpd', $closed, '5.4 nor an encoded letter');
issued($httpd, post('key', host => 'either.example'), '5.4 it can stand beside other rules');
refused($httpd, post(undef, host => 'either.example'), 403, 'httpd', $closed,
        '5.4 of which one must hold');

is($httpd->get('/plain', tls => 0)->code, 403, '5.4 where no MASA works it lets nobody in');
ok($httpd->log_line(qr/\[masa:error\].*BRSKI2221: Require masa-customer/), '5.4 and says so');
$httpd->expect('BRSKI2221');
done_testing;
