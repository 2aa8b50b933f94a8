# SPDX-License-Identifier: Apache-2.0
#
# examples.t: the configurations in conf/ are what they say: Included by an httpd that loads the
# modules, with their files defined, they serve a voucher.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/../lib";
use File::Copy qw(copy);
use BRSKI::Test;

my $lab = new_lab(devices => 2);
my $etc = new_dir('etc');
my %name = ('signer' => 'manufacturer/masa-signer', 'nonceless' => 'manufacturer/nonceless-signer',
            'tls' => 'tls/server');

for my $to (keys %name) {
    for my $end (qw(pem key)) {
        copy($lab->path("$name{$to}.$end"), "$etc/$to.$end") or die "$to.$end: $!\n";
        chmod 0600, "$etc/$to.$end" if $end eq 'key';
    }
}
copy($lab->idevid_anchors, "$etc/idevid-anchors.pem") or die "anchors: $!\n";
copy($lab->path('domain/root.pem'), "$etc/customers.pem") or die "customers: $!\n";

my $conf = dialect() eq 'sqlite3' ? 'masa-sqlite.conf' : 'masa-postgresql.conf';
my $db = new_database();
my $define = "Define MASA_HOST masa.example\nDefine MASA_PORT \@TLSPORT\@\nDefine MASA_ETC $etc\n"
    . "Define MASA_DB \"@{[ $db->params ]}\"\nDefine MASA_PRODUCT lab\n"
    . "Listen 127.0.0.1:\@TLSPORT\@\n";

$db->masactl('device', 'import', $lab->devices_csv);
my $httpd = start_httpd('example', $define . 'Include ' . top_srcdir() . "/conf/$conf\n");
my ($status, $said) = $httpd->configtest;
is($status, 0, "$conf passes configtest");
unlike($said, qr/BRSKI/, 'without a remark');

if ($conf eq 'masa-postgresql.conf') {
    # Its product line serves the customer of the sales record.
    my $res = $httpd->post('requestvoucher', $lab->rvr(device => 1), $lab->identity);
    is($res->code, 403, '5.5.4 refuses whom the sales record does not name');
    like($res->content, qr/not an authenticated customer|has not been sold/, 'and says why');
    $db->masactl('customer', 'add', 'acme');
    my $chain = read_file($lab->path('domain/registrar.pem'));
    my ($registrar) = $chain =~ /(-----BEGIN.*?END[^\n]*\n)/s;
    write_file("$etc/registrar.pem", $registrar);
    $db->masactl('customer', 'key', 'add', 'acme', '--cert', "$etc/registrar.pem");
    $db->masactl('device', 'assign', $lab->serial(1), '--customer', 'acme');
}
my $res = $httpd->post('requestvoucher', $lab->rvr(device => 1), $lab->identity);
is($res->code, 200, "5.6 $conf serves a voucher") or diag($res->content);
is($res->header('Content-Type'), 'application/voucher-cms+json', '5.6 of the right type');
done_testing;
