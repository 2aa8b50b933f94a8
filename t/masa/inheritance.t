# SPDX-License-Identifier: Apache-2.0
#
# inheritance.t: where a MASA's directives may stand: all of them in the main server without any
# virtual host; signers, product lines and anchors in the main server and more of them in a virtual
# host, where they add up; another database for one virtual host.
use FindBin;
use lib "$FindBin::RealBin/../lib";
use BRSKI::Test;
use BRSKI::Test::Answer;

my $lab = new_lab(devices => 8);
my ($tls, $anchors) = ($lab->path('tls/server'), $lab->idevid_anchors);
my ($signer, $offline) = map { $lab->path("manufacturer/$_") } qw(masa-signer nonceless-signer);
my $ssl = "SSLEngine On\nSSLCertificateFile $tls.pem\nSSLCertificateKeyFile $tls.key\n"
    . "SSLVerifyClient optional_no_ca\n";
my $handler = "<Location \"/.well-known/brski\">\nSetHandler masa\nRequire all granted\n</Location>\n";
my $lab_line = "MASASigner lab $signer.pem $signer.key\n<MASAProduct lab>\n"
    . "MASAIDevIDAnchor $anchors\nMASASignWith lab\nMASAOwner any\n</MASAProduct>\n";

sub import_as
{
    my ($db, %product) = @_;
    my $file = write_file(run_dir() . "/inherit-$$.csv", join '', "serial_number,product\n",
                          map { $lab->serial($_) . ",$product{$_}\n" } sort keys %product);

    chmod 0644, $file;
    $db->masactl('device', 'import', $file);
}

# --- no virtual host ------------------------------------------------------

my $db = new_database();
import_as($db, 1 => 'lab');
my $main = start_httpd('alone', $db->directives . "SSLSessionCache none\nListen 127.0.0.1:\@TLSPORT\@\n"
    . "ServerName masa.example\n${ssl}MASAEngine On\n$lab_line$handler");
my $rvr = $lab->rvr(device => 1);
issued($main, $main->post('requestvoucher', $rvr, $lab->identity),
       '5.4 a MASA in the main server issues vouchers');
audit_log($main, $main->post('requestauditlog', $rvr, $lab->identity), '5.8 and shows logs');
my $plain = $main->post('requestvoucher', $rvr, tls => 0);
isnt($plain->code, 200, '5.4 and serves nobody without TLS');
$main->stop;

# --- some here, some there ------------------------------------------------

my $other = new_database();
$db = new_database();
import_as($db, 2 => 'lab', 3 => 'host');
import_as($other, 4 => 'lab');
my $httpd = start_httpd('some', $db->directives . <<"EOF_CONF");
SSLSessionCache none
MASAReuse 0
$lab_line
Listen 127.0.0.1:\@TLSPORT\@
<VirtualHost 127.0.0.1:\@TLSPORT\@>
    ServerName masa.example
    $ssl
    MASAEngine On
    MASACertificateCache 0
    MASASigner offline $offline.pem $offline.key
    <MASAProduct host>
        MASAIDevIDAnchor $anchors
        MASASignWith offline lab
        MASAOwner any
    </MASAProduct>
    $handler
</VirtualHost>
<VirtualHost 127.0.0.1:\@TLSPORT\@>
    ServerName other.example
    $ssl
    MASAEngine On
    MASAReuse 1h
    @{[ $other->directives ]}
    $handler
</VirtualHost>
<VirtualHost 127.0.0.1:\@TLSPORT\@>
    ServerName plain.example
    $ssl
    <Location "/.well-known/brski">
        Require all granted
    </Location>
</VirtualHost>
EOF_CONF

sub post { return $httpd->post('requestvoucher', @_) }

my $two = $lab->rvr(device => 2);
issued($httpd, post($two), '5.6 a virtual host has the product lines of the main server');
ok($httpd->log_line(qr/BRSKI2211: .*product lab, .*signer lab/), '5.6 with its signers');
refused($httpd, post($two), 403, 1043, qr/^The request is stale/, '5.6 and other settings');
issued($httpd, post($lab->rvr(device => 3)), '5.6 and those of its own');
ok($httpd->log_line(qr/BRSKI2211: .*product host, .*signer offline/),
   '5.6 whose signers may be of both');

my %other = (host => 'other.example');
refused($httpd, post($two, %other), 404, 1028, qr/does not know the device/,
        'a virtual host with a database of its own has its own devices');
my $four = $lab->rvr(device => 4);
issued($httpd, post($four, %other), '5.6 for which it issues vouchers');
issued($httpd, post($four, %other), '5.6 by its own settings');
is($other->sql('SELECT count(*) FROM voucher_event') + 0, 1, '5.6 into its own log');
is($httpd->post('requestvoucher', $two, host => 'plain.example')->code, 404,
   'a virtual host without MASAEngine is none');
done_testing;
