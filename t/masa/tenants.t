# SPDX-License-Identifier: Apache-2.0
#
# tenants.t: two manufacturers on one httpd and one database, chosen by SNI: what one knows the other
# does not: devices, customers, vouchers, logs, refusals.
use FindBin;
use lib "$FindBin::RealBin/../lib";
use BRSKI::Test;
use BRSKI::Test::Answer;
use BRSKI::Test::Pki;

my $lab = new_lab(devices => 6);
my $pki = BRSKI::Test::Pki->new;
$pki->ca('maker-root')->make('maker', issuer => 'maker-root');
my $maker = $pki->file('maker');
my $key = $pki->key('maker');
my $masa = start_masa(name => 'tenants', lab => $lab,
    lines => [ lab => "MASAOwner any\nMASANonceless customer" ], more => [
        'two.example' => { host => "MASATenant two\nMASASigner maker $maker $key\n",
                           lines => [ lab => "MASAOwner customer\nMASASignWith maker" ] },
    ]);
my ($httpd, $db) = ($masa->httpd, $masa->db);
my %one = (host => 'masa.example');
my %two = (host => 'two.example');
my %registrar = $lab->identity;
my $none = qr/^There is no audit log that this requester may read\.$/;

# Device 1 is of the first tenant, 2 of the second, 3 of both.
for my $case ([ 'default', 1, 3 ], [ 'two', 2, 3 ]) {
    my ($tenant, @devices) = @$case;
    my $file = write_file(run_dir() . "/tenant-$tenant-$$.csv", join '', "serial_number,product\n",
                          map { $lab->serial($_) . ",lab\n" } @devices);
    chmod 0644, $file;
    $db->masactl('--tenant', $tenant, 'device', 'import', $file);
}
sub rvr { return $lab->rvr(device => $_[0], args => [ @_[1 .. $#_] ]) }
sub post { return $httpd->post('requestvoucher', @_) }

# --- devices --------------------------------------------------------------

issued($httpd, post(rvr(1), %one), '5.6 a tenant has its devices');
refused($httpd, post(rvr(1), %two), 404, 1028, qr/does not know the device/,
        '5.6 the other tenant does not know them');
refused($httpd, post(rvr(2), %one), 404, 1028, qr/does not know the device/, '5.6 nor this one his');

# --- customers ------------------------------------------------------------

my $shared = rvr(3);
refused($httpd, post($shared, %two), 403, 1032, qr/not an authenticated customer/,
        '5.5.4 a stranger to the second tenant');
$masa->customer('domain', '--cert' => $registrar{cert});
refused($httpd, post($shared, %two), 403, 1032, qr/not an authenticated customer/,
        '5.5.4 a customer of the first is still one');
$db->masactl(qw(--tenant two customer add domain));
my ($pem) = read_file($registrar{cert}) =~ /(-----BEGIN.*?-----END CERTIFICATE-----\n)/s;
my $cert = write_file(run_dir() . "/tenant-cert-$$", $pem);
chmod 0644, $cert;
$db->masactl(qw(--tenant two customer key add domain --cert), $cert);

# --- vouchers and their logs ----------------------------------------------

my $of_two = post($shared, %two, %registrar);
issued($httpd, $of_two, '5.6 the second tenant issues to its own');
my $of_one = post($shared, %one, %registrar);
issued($httpd, $of_one, '5.6 the same bytes get another voucher of the first');
ok($of_one->content ne $of_two->content, '5.6 and not the one that is there');
like($httpd->log_line(qr/BRSKI2211: .*serial-number \Q@{[ $lab->serial(3) ]}\E,.*signer maker/) || '',
     qr/signer maker/, '5.6 each with its own signer');
for my $host (\%one, \%two) {
    my $log = audit_log($httpd, $httpd->post('requestauditlog', $shared, %$host, %registrar),
                        "5.8 the log of $host->{host}");
    is(scalar @{ $log->{events} }, 1, '5.8.1 has one event');
    ok(!$log->{events}[0]{truncated}, '5.8.1 of one tenant');
}
my $first = rvr(1);
issued($httpd, post($first, %one, %registrar), '5.6 a voucher of the first tenant');
refused($httpd, $httpd->post('requestauditlog', $first, %two, %registrar), 404, 1028, $none,
        '5.8 opens no log of the second');

# --- nonceless vouchers, blocks -------------------------------------------

$masa->masactl(qw(customer grant domain nonceless));
issued($httpd, post(rvr(3, '--nonceless'), %one), '5.6 a nonceless voucher of the first tenant');
my $stranger = $lab->path('stranger/registrar.pem');
($pem) = read_file($stranger) =~ /(-----BEGIN.*?-----END CERTIFICATE-----\n)/s;
write_file($cert, $pem);
$db->masactl(qw(--tenant two customer add stranger));
$db->masactl(qw(--tenant two customer key add stranger --cert), $cert);
my $other = $lab->rvr(device => 3, domain => 'stranger');
refused($httpd, post($other, %one), 403, 1044, qr/is outstanding/, '5.6 is in the way there');
issued($httpd, post($other, %two), '5.6 and not with the second');
$db->masactl(qw(--tenant two device block --reason test), $lab->serial(3));
refused($httpd, post(rvr(3), %two), 403, 1030, qr/: test\./, '10.4 a block of the second tenant');
issued($httpd, post(rvr(3), %one), '10.4 does not hold with the first');

# --- one connection, one tenant -------------------------------------------

refused($httpd, post(rvr(1), host => 'masa.example', sni => 'two.example'), 421, 1049,
        qr/^The TLS connection was made for another host; open a new connection for this one\.$/,
        '5.4 a connection for one tenant does not serve the other');
refused($httpd, post(rvr(3), host => 'two.example', sni => 'masa.example'), 421, 1049,
        qr/was made for another host/, '5.4 nor the other way round');
refused($httpd, post(rvr(3), host => 'two.example', sni => ''), 421, 1049, qr/was made for another host/,
        '5.4 nor one that named no host');
issued($httpd, post(rvr(1), host => 'masa.example', sni => ''),
       '5.4 without server_name it is the first host\'s');

# --- what is kept ---------------------------------------------------------

wait_until(10, sub { $db->sql("SELECT count(*) FROM refusal WHERE tenant = 'two'") >= 5 });
my $kept = $db->sql('SELECT tenant, number, count(*) FROM refusal GROUP BY tenant, number '
                    . 'ORDER BY tenant, number');
is($kept, join("\n", qw(default|1028|1 default|1044|1 two|1028|2 two|1030|1 two|1032|2), ''),
   'refusals are kept by tenant');
like($db->masactl(qw(--tenant two explain)), qr/DEVICE_BLOCKED/, 'and explained by tenant');
unlike($db->masactl(qw(explain)), qr/DEVICE_BLOCKED/, 'not to the other');
done_testing;
