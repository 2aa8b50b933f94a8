# SPDX-License-Identifier: Apache-2.0
#
# requestvoucher-nonceless.t: vouchers that can be used again: who may have them (MASANonceless),
# for how long (MASANoncelessLifetime), which key signs them, how one that is still valid stands in
# another domain's way, and how its own domain renews it.
use FindBin;
use lib "$FindBin::RealBin/../lib";
use BRSKI::Test;
use BRSKI::Test::Answer;
use BRSKI::Test::Pki;
use MIME::Base64 qw(encode_base64);
use POSIX ();
use Time::Local ();

my $pki = BRSKI::Test::Pki->new;
$pki->ca('brief-root', to => 86_400)->registrar('brief', issuer => 'brief-root', to => 80_000);

my $masa = start_masa(name => 'nonceless', devices => 20,
    signers => [ [ lab => 'masa-signer' ], [ offline => 'nonceless-signer', 'nonceless' ] ],
    lines => [
        deny => 'MASAOwner any',
        sold => "MASAOwner any\nMASANonceless sold",
        granted => "MASAOwner any\nMASANonceless customer\nMASANoncelessLifetime 90d\n"
            . 'MASASignWith lab offline',
        forever => "MASAOwner any\nMASANonceless customer\nMASANoncelessLifetime none",
        short => "MASAOwner any\nMASANonceless customer\nMASANoncelessLifetime 10s",
    ]);
my ($lab, $httpd) = ($masa->lab, $masa->httpd);

$masa->customer('domain', '--cert' => $lab->path('domain/registrar.pem'));
$masa->customer('stranger', '--cert' => $lab->path('stranger/registrar.pem'));
$masa->customer('brief', '--cert' => $pki->file('brief'));

sub ask
{
    my ($device, %opt) = @_;
    my @args = (@{ $opt{args} || [] }, $opt{nonced} ? () : '--nonceless');
    return $httpd->post('requestvoucher', $lab->rvr(device => $device, domain => $opt{domain},
                                                    args => \@args));
}

sub seconds
{
    my ($text) = @_;
    my @t = ($text || '') =~ /^(\d+)-(\d+)-(\d+)T(\d+):(\d+):(\d+)(?:\.\d+)?Z$/ or return -1;

    return Time::Local::timegm($t[5], $t[4], $t[3], $t[2], $t[1] - 1, $t[0]);
}

# --- one that ends while we ask on ----------------------------------------

$masa->masactl(qw(customer grant domain nonceless --product short));
my $short = $masa->new_device(product => 'short');
issued($httpd, ask($short), '5.6 one that is valid for ten seconds');
my $ends = time + 11;
refused($httpd, ask($short, domain => 'stranger', nonced => 1), 403, 1044,
        qr/nonceless voucher for another domain is outstanding/,
        '5.6 is in the way of another domain while it is valid');

# --- who ------------------------------------------------------------------

my $device = $masa->new_device(product => 'deny', customer => 'domain');
refused($httpd, ask($device), 403, 1031, qr/^Nonceless vouchers are not issued to this registrar/,
        '5.5.4 MASANonceless deny refuses even the buyer');
issued($httpd, ask($device, nonced => 1), '5.5.4 who gets one with a nonce');

$device = $masa->new_device(product => 'sold', customer => 'domain');
refused($httpd, ask($device, args => [ $pki->args('brief') ]), 403, 1031, qr/^Nonceless vouchers/,
        '5.5.4 MASANonceless sold refuses a customer that is not the buyer');
my $leaf = issued($httpd, ask($device), '5.5.4 MASANonceless sold: the buyer gets one');
is($leaf->{assertion}, 'verified', '5.5.5 that says verified');
ok(!exists $leaf->{nonce}, '5.5.6 and has no nonce');
my $life = seconds($leaf->{'expires-on'}) - seconds($leaf->{'created-on'});
is($life, 20 * 60, '5.6 and ends after 20 minutes, when nothing else is said');

$device = $masa->new_device(product => 'granted');
refused($httpd, ask($device), 403, 1031, qr/^Nonceless vouchers/,
        '5.5.4 MASANonceless customer refuses a customer without the grant');
$masa->masactl(qw(customer grant domain nonceless --product forever));
refused($httpd, ask($device), 403, 1031, qr/^Nonceless vouchers/,
        '7.4.1 a grant for another product line is none');
$masa->masactl(qw(customer grant domain nonceless --product granted --until),
               POSIX::strftime('%Y-%m-%dT%H:%M:%SZ', gmtime(time + 86_400)));
my $answer = ask($device);
$leaf = issued($httpd, $answer, '7.4.1 MASANonceless customer: with the grant it is issued');
is($leaf->{assertion}, 'logged', '5.5.5 no proximity and no sales record: logged');
$masa->db->sql("UPDATE customer_grant SET until_at = 1000000 WHERE product = 'granted'");
refused($httpd, ask($device), 403, 1031, qr/^Nonceless vouchers/, '7.4.1 a grant ends at its date');
$masa->masactl(qw(customer grant domain nonceless));
$masa->masactl(qw(customer revoke domain nonceless --product granted));
issued($httpd, ask($device), '7.4.1 a grant without product line holds for all of them');
$masa->masactl(qw(customer revoke domain nonceless));
refused($httpd, ask($device), 403, 1031, qr/^Nonceless vouchers/, '7.4.1 until it is taken back');

$pki->registrar('unknown');
refused($httpd, ask($masa->new_device(product => 'granted'), args => [ $pki->args('unknown') ]),
        403, 1032, qr/not an authenticated customer/,
        '5.5.4 a registrar that nobody knows is not authenticated');

# --- what -----------------------------------------------------------------

ok($httpd->log_line(qr/BRSKI2211: .*product granted, .*signer offline/),
   '11.6.2.2 a signer for nonceless vouchers signs them');
$masa->masactl(qw(customer grant domain nonceless));
issued($httpd, ask($device, nonced => 1), '5.6 a voucher with a nonce of the same device');
ok($httpd->log_line(qr/BRSKI2211: .*product granted, .*signer lab/),
   '11.6.2.2 is signed by another one');
my ($status, $said) = $lab->verify($answer->content, '--device', $lab->serial($device),
                                   '--nonceless-ok', '--registrar', $lab->path('domain/registrar.pem'));
is($status, 0, '5.6.1 a device that goes without nonce accepts it') or diag $said;

$leaf = issued($httpd, ask($masa->new_device(product => 'forever')),
               '5.6 MASANoncelessLifetime none is issued');
ok(!exists $leaf->{'expires-on'} && !exists $leaf->{nonce}, '8366-5.3 with neither nonce nor end');

$masa->masactl(qw(customer grant brief nonceless));
my $brief = $masa->new_device(product => 'granted');
$leaf = issued($httpd, ask($brief, args => [ $pki->args('brief') ]),
               '8366-5.3 a certificate that ends before the lifetime can be pinned');
my $left = seconds($leaf->{'expires-on'}) - time;
ok($left > 0 && $left <= 86_400, '8366-5.3 the voucher ends with the pinned certificate')
    or diag $leaf->{'expires-on'};

refused($httpd, ask($device, args => [ '--set', 'prior-signed-voucher-request='
                                       . encode_base64($lab->pvr(device => $device), '') ]),
        403, 1042, qr/nonce of the request and of the pledge's request are not the same/,
        '5.5.6 a pledge\'s request with a nonce makes no nonceless voucher');

# --- one that is still valid ----------------------------------------------

$masa->masactl(qw(customer grant stranger nonceless));
refused($httpd, ask($device, domain => 'stranger'), 403, 1044,
        qr/nonceless voucher for another domain is outstanding/,
        '5.6 while one is valid another domain gets none');
refused($httpd, ask($device, domain => 'stranger', nonced => 1), 403, 1044,
        qr/nonceless voucher for another domain is outstanding/, '5.6 not even with a nonce');
issued($httpd, ask($device), '5.5.1 its own domain renews it');
issued($httpd, ask($device, args => [ '--set', 'prior-signed-voucher-request='
                                      . encode_base64($answer->content, '') ]),
       '5.5.1 also with the old voucher in the request');
$masa->masactl(qw(device assign --customer stranger), $lab->serial($device));
issued($httpd, ask($device, domain => 'stranger', nonced => 1),
       '5.6 the sales record overrides it: that is how a device changes hands');

sleep $ends - time if $ends > time;
issued($httpd, ask($short, domain => 'stranger', nonced => 1),
       '5.6 the one of ten seconds is not any more');
issued($httpd, ask($short), '5.6 and a voucher with a nonce is in nobody\'s way');
done_testing;
