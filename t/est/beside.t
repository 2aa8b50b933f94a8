# SPDX-License-Identifier: Apache-2.0
#
# beside.t: a MASA, a registrar and another site in one httpd: each with its own database or both in
# one, and a device joins through both.
use FindBin;
use lib "$FindBin::RealBin/../lib";
use BRSKI::Test;
use BRSKI::Test::Est;
use BRSKI::Test::Masa;

my $lab = new_lab(devices => 4);
my $n = 0;

sub both
{
    my ($masa_db, $est_db, $shared) = @_;
    my $masa = bless { lab => $lab, db => $masa_db }, 'BRSKI::Test::Masa';
    my $est = bless { lab => $lab, db => $est_db }, 'BRSKI::Test::Est';
    my $masa_host = $masa->host_text('localhost', $shared ? () : (host => $masa_db->directives));
    my $est_host = $est->host_text('registrar.example', $shared ? () : (host => $est_db->directives));

    # each on a port of its own: a device need not send a server name
    $masa_host =~ s/\@TLSPORT\@/\@MASAPORT\@/g;
    my $port = free_port();
    my $conf = ($shared ? $masa_db->directives : '') . "SSLSessionCache none\nLogLevel info\n"
        . "Listen 127.0.0.1:$port\nListen 127.0.0.1:\@TLSPORT\@\n$masa_host$est_host"
        . "<Location \"/site\">\n    Require all granted\n    Redirect 204 /site\n</Location>\n";
    $conf =~ s/\@MASAPORT\@/$port/g;
    $conf =~ s{ESTMASAURL \S+}{ESTMASAURL https://localhost:$port};
    $masa->import_devices;
    my $httpd = BRSKI::Test::Httpd->new(name => $shared ? 'shared' : 'apart', conf => $conf,
                                        modules => ['alias'], host => 'registrar.example')->start;
    $est->{httpd} = $httpd;
    return $est;
}

sub joined
{
    my ($est, $label) = @_;
    my %device = $lab->device(++$n);
    my $pvr = $lab->pvr(device => $n);
    my $csr = $est->csr(subject => '/CN=' . $lab->serial($n));
    my ($voucher, $issued);

    for (1 .. 15) {
        $voucher = $est->httpd->post('requestvoucher', $pvr, %device);
        last if $voucher->code != 202;
        sleep 1;
    }
    is($voucher->code, 200, "5.6 $label: a voucher") or diag $voucher->as_string;
    for (1 .. 15) {
        $issued = $est->enrol('simpleenroll', $csr->{der}, %device);
        last if $issued->code != 202;
        sleep 1;
    }
    is($issued->code, 200, "5.9 $label: a certificate") or diag $issued->as_string;
}

my $apart = both(new_database(), new_database(tool => 'estctl'), 0);
joined($apart, 'two databases');
is($apart->httpd->get('/site', tls => 0, host => 'x')->code, 204, 'another site is served as ever');
$apart->httpd->graceful;
joined($apart, 'two databases, after a graceful restart');

my $one = new_database();
$one->estctl('schema', 'apply');
my $shared = both($one, $one, 1);
joined($shared, 'one database');
$shared->httpd->graceful;
joined($shared, 'one database, after a graceful restart');
done_testing;
