# SPDX-License-Identifier: Apache-2.0
#
# database.t: a registrar's database that is locked, gone or away: 503 within seconds, what needs no
# records is told, nobody is joined by halves, and all goes on as soon as it is well.
use FindBin;
use lib "$FindBin::RealBin/../lib";
use BRSKI::Test;
use BRSKI::Test::Answer;
use BRSKI::Test::Parallel;
use Time::HiRes qw(time);

my $masa = main_server();
my $lab = $masa->lab;
# Of its own, so that it can be taken away.
my $cluster = dialect() eq 'pgsql' ? BRSKI::Test::Postgres->new : undef;
my $est = start_est(name => 'database', lab => $lab, masa => $masa->httpd,
                    db => new_database(tool => 'estctl', cluster => $cluster),
                    est => "    ESTRequireVoucher Off\n");
my ($httpd, $db) = ($est->httpd, $est->db);
my $n = $masa->new_device;
my %device = $lab->device($n);
my $csr = $est->csr(subject => '/CN=' . $lab->serial($n))->{der};
$httpd->expect(qr/\[dbd:|BRSKI10(?:7[4567])|BRSKI11\d\d|BRSKI3106/);

sub enrolled
{
    my ($label) = @_;
    my $response;

    for (1 .. 10) {
        $response = $est->enrol('simpleenroll', $csr, %device);
        last if $response->code == 200;
        sleep 1;
    }
    is($response->code, 200, $label) or diag $response->as_string;
    return $response->content;
}

my $first = enrolled('7030 4.2.3 a certificate while all is well');
take_away();
my $began = time;
my $other = $est->csr(subject => '/CN=' . $lab->serial($n) . '/O=Test')->{der};
refused($httpd, $est->enrol('simpleenroll', $other, %device), 503, 1074,
        qr/cannot reach its records/, '7030 4.2.3 none while the records are away');
refused($httpd, $httpd->post('requestvoucher', $lab->pvr(device => $n), %device), 503, 1074,
        qr/cannot reach its records/, '5.6 and no voucher');
my @answers = parallel(8, sub { $est->enrol('simpleenroll', $other, %device) });
is(join(' ', map { $_->code } @answers), join(' ', (503) x 8), '7030 4.2.3 for all who ask');
cmp_ok(time - $began, '<', 40, '7030 4.2.3 within seconds');
is($est->get('cacerts')->code, 200, '7030 4.1 CA certificates need no records');
is($httpd->get('/crl')->code, 503, '5280 5 a revocation list does');
ok($httpd->log_line('BRSKI3232'), 'which is told');
$httpd->expect('BRSKI3232');
bring_back();
is(enrolled('7030 4.2.3 certificates again as soon as it is well'), $first,
   '5.9 the same one for the same request');

# --- at the start ---------------------------------------------------------

take_away();
$httpd->stop;
$httpd->expect(qr/\[dbd:|BRSKI306[56]|BRSKI3106/);
if (dialect() eq 'pgsql') {
    $httpd->start;
    is($est->get('cacerts')->code, 200, '7030 4.1 a server starts without its database');
    is($est->enrol('simpleenroll', $csr, %device)->code, 503, '7030 4.2.3 and answers 503');
    bring_back();
    enrolled('7030 4.2.3 until it is there');
}
else {
    my ($status, $said) = $httpd->configtest;
    isnt($status, 0, '7030 4.2.3 a file that is not there is an error of configuration');
    like($said, qr/BRSKI3065: .*estctl schema apply/, '7030 4.2.3 which says what to do');
    bring_back();
    $httpd->start;
    enrolled('7030 4.2.3 with it all is well');
}
done_testing;

sub take_away
{
    $cluster ? $cluster->stop : rename($db->file, $db->file . '.away');
}

sub bring_back
{
    $cluster ? $cluster->start : rename($db->file . '.away', $db->file);
}
