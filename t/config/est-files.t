# SPDX-License-Identifier: Apache-2.0
#
# est-files.t: configtest opens every file of a registrar and EST server, and tells keys,
# certificates, anchors and CAs that do not fit, with what would be right.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/../lib";
use BRSKI::Test;
use BRSKI::Test::EstConf;

my $lab = conf_lab();
my $pki = conf_pki();
my $dir = new_dir('files');
my ($registrar, $ca) = map { $lab->path("domain/$_") } qw(registrar ca);

sub registrar_of
{
    my ($name) = @_;
    return "ESTRegistrarCertificate @{[ $pki->file($name) ]} @{[ $pki->key($name) ]}\n";
}

# As a part "tls": the server shows this certificate.
sub shows
{
    my ($file, $key) = @_;
    return "SSLEngine On\nSSLVerifyClient optional_no_ca\nSSLCertificateFile $file\n"
        . "SSLCertificateKeyFile $key\n";
}

# --- the registrar's certificates -----------------------------------------

$pki->ca('root');
$pki->registrar('good', issuer => 'root');
$pki->registrar('late', issuer => 'root', from => -172_800, to => -86_400);
$pki->registrar('early', issuer => 'root', from => 86_400);
$pki->make('plain', issuer => 'root', eku => 'serverAuth,clientAuth');
$pki->registrar('alone');
write_file("$dir/empty.pem", "no certificate\n");
write_file("$dir/open.key", read_file("$registrar.key"));
chmod 0644, "$dir/open.key";

refused('5.5 manufacturers without a registrar certificate are refused', certificate => '',
        says => [ qr/BRSKI3017: there are manufacturers, but no certificate of this registrar/ ]);
refused('a file that is not there is refused',
        certificate => "ESTRegistrarCertificate $dir/none.pem $registrar.key\n",
        says => [ qr/BRSKI3010: ESTRegistrarCertificate: .*none\.pem/, qr/\(\S+:\d+\)/ ]);
refused('a file without certificates is refused',
        certificate => "ESTRegistrarCertificate $dir/empty.pem $registrar.key\n",
        says => [ qr/BRSKI3010: .*empty\.pem/ ]);
refused('an expired registrar certificate is refused', certificate => registrar_of('late'),
        tls => shows($pki->file('late'), $pki->key('late')),
        says => [ qr/BRSKI3011: .*does not hold: .*(?:expired|end)/i ]);
refused('one that is not valid yet is refused', certificate => registrar_of('early'),
        tls => shows($pki->file('early'), $pki->key('early')), says => [ qr/BRSKI3011/ ]);
refused('5.5.4 one without id-kp-cmcRA is refused', certificate => registrar_of('plain'),
        tls => shows($pki->file('plain'), $pki->key('plain')),
        says => [ qr/BRSKI3013: .*lacks id-kp-cmcRA \(1\.3\.6\.1\.5\.5\.7\.3\.28\).*have one made/ ]);
refused('a CA in the first place is refused',
        certificate => "ESTRegistrarCertificate $ca.pem $ca.key\n",
        says => [ qr/BRSKI3012: .*is a CA's; the registrar's own must come first/ ]);
refused('another key is refused',
        certificate => "ESTRegistrarCertificate $registrar.pem $ca.key\n",
        says => [ qr/BRSKI3014: .*is not the key of the certificate of/ ]);
refused('a key that everybody can read is refused',
        certificate => "ESTRegistrarCertificate $registrar.pem $dir/open.key\n",
        says => [ qr/BRSKI3014: .*read by everyone.*chmod/ ]);
refused('5.2 a certificate that the server does not show is refused',
        certificate => registrar_of('good'),
        says => [ qr/BRSKI3015: .*is none that this server shows in TLS.*SSLCertificateFile/ ]);
accepted('a self-signed registrar passes', certificate => registrar_of('alone'),
         tls => shows($pki->file('alone'), $pki->key('alone')), quiet => 1);
$pki->registrar('rsa', issuer => 'root',
                type => [ qw(-algorithm RSA -pkeyopt rsa_keygen_bits:2048) ]);
my $two = shows("$registrar.pem", "$registrar.key") . "SSLCertificateFile @{[ $pki->file('rsa') ]}\n"
    . "SSLCertificateKeyFile @{[ $pki->key('rsa') ]}\n";
accepted('a shown certificate that is no ESTRegistrarCertificate is warned of', tls => $two,
         says => [ qr/BRSKI3016: SSLCertificateFile: .*CN=rsa.* get 503/ ]);
accepted('RSA and ECDSA side by side pass', tls => $two, certificate => '+' . registrar_of('rsa'),
         quiet => 1);

# --- manufacturers --------------------------------------------------------

my ($idevid, $voucher) = ($lab->idevid_anchors, $lab->voucher_anchor);
my $anchors = "ESTIDevIDAnchor $idevid\nESTVoucherAnchor $voucher\n";

refused('5.3 a manufacturer without anchors is refused', maker => "ESTVoucherAnchor $voucher\n",
        says => [ qr/BRSKI3020: <ESTManufacturer lab> has no ESTIDevIDAnchor/ ]);
refused('5.3 anchors that hold nothing are refused',
        maker => "ESTIDevIDAnchor $dir/empty.pem\nESTVoucherAnchor $voucher\n",
        says => [ qr/BRSKI3021: ESTIDevIDAnchor in <ESTManufacturer lab>: .*empty\.pem/ ]);
refused('5.6 who signs its vouchers must be said', maker => "ESTIDevIDAnchor $idevid\n",
        says => [ qr/BRSKI3022: <ESTManufacturer lab> does not say who signs its vouchers/,
                  qr/ESTVoucherAnchor tofu/ ]);
refused('a voucher anchor that is not there is refused',
        maker => "ESTIDevIDAnchor $idevid\nESTVoucherAnchor $dir/none.pem\n",
        says => [ qr/BRSKI3023: ESTVoucherAnchor in <ESTManufacturer lab>: .*none\.pem/ ]);
refused('a TLS anchor that holds nothing is refused',
        maker => "${anchors}ESTMASATLSAnchor $dir/empty.pem\n",
        says => [ qr/BRSKI3025: ESTMASATLSAnchor in <ESTManufacturer lab>: .*empty\.pem/ ]);
refused('a client certificate with another key is refused',
        maker => "${anchors}ESTMASAClientCertificate $registrar.pem $ca.key\n",
        says => [ qr/BRSKI3026: ESTMASAClientCertificate in .*is not the key of the certificate/ ]);
refused('5.4 a MASA URL without TLS is refused',
        maker => "${anchors}ESTMASAURL http://masa.example/\n",
        says => [ qr/BRSKI3029: ESTMASAURL http:\/\/masa\.example\/.*https:\/\/masa\.example/ ]);
refused('a MASA URL with a query is refused',
        maker => "${anchors}ESTMASAURL https://masa.example/?x=1\n", says => [ qr/BRSKI3029/ ]);
refused('behind a proxy each MASA must be named', host => "ESTMASAProxy http://proxy.example:3128\n",
        says => [ qr/BRSKI3030: ESTMASAProxy, but <ESTManufacturer lab> has no ESTMASAURL/ ]);
accepted('and passes when it is', host => "ESTMASAProxy http://proxy.example:3128\n",
         maker => "${anchors}ESTMASAURL https://masa.example\n", quiet => 1);
refused('two manufacturers with one anchor are refused',
        maker_end => "</ESTManufacturer>\n<ESTManufacturer other>\n$anchors</ESTManufacturer>\n",
        says => [ qr/BRSKI3031: .*<ESTManufacturer other>: .*anchor of <ESTManufacturer lab> too/ ]);
refused('one name in the main server and the virtual host is refused',
        server => "<ESTManufacturer lab>\nESTIDevIDAnchor @{[ $pki->file('root') ]}\n"
            . "ESTVoucherAnchor tofu\n</ESTManufacturer>\n",
        says => [ qr/BRSKI3032: <ESTManufacturer lab>: there is another section of this name/ ]);

my $login = write_file("$dir/login", "user:secret\n");
chmod 0600, $login;
accepted('a login passes', maker => "${anchors}ESTMASALogin $login\n", quiet => 1);
chmod 0644, $login;
refused('a login that everybody can read is refused', maker => "${anchors}ESTMASALogin $login\n",
        says => [ qr/BRSKI3028: .*can be read or written by others.*chmod 0600/ ]);
refused('a file without a login is refused', maker => "${anchors}ESTMASALogin $dir/empty.pem\n",
        says => [ qr/BRSKI3027: .*holds no login; a file whose first line is USER:PASSWORD/ ]);
refused('a login that is not there is refused', maker => "${anchors}ESTMASALogin $dir/none\n",
        says => [ qr/BRSKI3027: .*none' cannot be read/ ]);
unlike(refused('a secret is never said', maker => "${anchors}ESTMASALogin $login\n",
               says => [ qr/BRSKI3028/ ]), qr/secret/, 'a secret is never said');

# --- CAs, profiles, labels ------------------------------------------------

$pki->ca('oldca', from => -172_800, to => -86_400);
$pki->make('leaf', issuer => 'root');

refused('7030 4.1 no CA is refused', ca => '',
        says => [ qr/BRSKI3042: this server has no CA; write ESTCA local CHAIN\.pem KEY/ ]);
refused('a kind of CA that nobody provides is refused', ca => "ESTCA cmp https://ca.example/cmp\n",
        says => [ qr/BRSKI3040: ESTCA cmp: there is no such kind of CA here; there are local/ ]);
refused('a certificate that is no CA is refused',
        ca => "ESTCA local @{[ $pki->file('leaf') ]} @{[ $pki->key('leaf') ]}\n",
        says => [ qr/BRSKI3041: ESTCA local: .*do not say CA/ ]);
refused('an expired CA is refused',
        ca => "ESTCA local @{[ $pki->file('oldca') ]} @{[ $pki->key('oldca') ]}\n",
        says => [ qr/BRSKI3041: ESTCA local: .*is not valid/ ]);
refused('the key of another CA is refused', ca => "ESTCA local $ca.pem $registrar.key\n",
        says => [ qr/BRSKI3041: ESTCA local: / ]);
refused('a CA that is not there is refused', ca => "ESTCA local $dir/none.pem $ca.key\n",
        says => [ qr/BRSKI3041: ESTCA local: .*none\.pem/ ]);
refused('a CRL that is no URL is refused', ca => "ESTCA local $ca.pem $ca.key crl=here\n",
        says => [ qr/BRSKI3041: .*'crl=here' is no URL/ ]);
refused('a label with a wrong CA is refused',
        host => "<ESTLabel iot>\nESTCA local $ca.pem $registrar.key\n</ESTLabel>\n",
        says => [ qr/BRSKI3041/ ]);
accepted('a label with the CA of the server passes', host => "<ESTLabel iot>\n</ESTLabel>\n",
         quiet => 1);
accepted('a label with a CA of its own passes', quiet => 1, host =>
         "<ESTLabel iot>\nESTCA local @{[ $pki->file('root') ]} @{[ $pki->key('root') ]}\n</ESTLabel>\n");
refused('a label of the main server and of the virtual host is refused',
        server => "<ESTLabel iot>\n</ESTLabel>\n", host => "<ESTLabel iot>\n</ESTLabel>\n",
        says => [ qr/BRSKI3045: <ESTLabel iot>: there is another section of this name/ ]);
refused('a subject that is no name is refused', host => qq{ESTProfile subject "serial"\n},
        says => [ qr/BRSKI3043: ESTProfile of this server: / ]);
refused('a word that nobody fills is refused', host => qq{ESTProfile subject "CN=%{mac}"\n},
        says => [ qr/BRSKI3043: .*mac/ ]);
refused('a key type that is not known is refused', host => "ESTProfile key rsa1024\n",
        says => [ qr/BRSKI3043: .*rsa1024/ ]);
refused('an alternative name that is none is refused', host => "ESTProfile san device.example\n",
        says => [ qr/BRSKI3043: .*device\.example.*write DNS:/ ]);
refused('a lifetime of nothing is refused', host => "ESTProfile lifetime 0\n",
        says => [ qr/BRSKI3043: .*lifetime/ ]);
refused('the profile of a label is looked at too',
        host => "<ESTLabel iot>\nESTProfile key dsa\n</ESTLabel>\n",
        says => [ qr/BRSKI3043: ESTProfile of <ESTLabel iot>: .*dsa/ ]);
refused('a client anchor that is not there is refused', host => "ESTClientAnchor $dir/none.pem\n",
        says => [ qr/BRSKI3044: ESTClientAnchor of this server: .*none\.pem/ ]);

# --- devices of two manufacturers -----------------------------------------

my $makers = "</ESTManufacturer>\n<ESTManufacturer other>\nESTIDevIDAnchor @{[ $pki->file('root') ]}\n"
    . "ESTVoucherAnchor tofu\n</ESTManufacturer>\n";
accepted('two manufacturers and names of serial numbers alone are warned of', maker_end => $makers,
         host => qq{ESTProfile subject "CN=%{serial}"\n},
         says => [ qr/BRSKI3046: ESTProfile of this server names devices by %\{serial\} alone/ ]);
accepted('names with the manufacturer pass', maker_end => $makers, quiet => 1,
         host => qq{ESTProfile subject "CN=%{serial},OU=%{manufacturer}"\n});
refused('a CA of ours among the anchors of IDevIDs is refused', maker_end => $makers, host =>
        "<ESTLabel iot>\nESTCA local @{[ $pki->file('root') ]} @{[ $pki->key('root') ]}\n</ESTLabel>\n",
        says => [ qr/BRSKI3047: ESTIDevIDAnchor of <ESTManufacturer other>: .*issues this server/ ]);

# --- the rest -------------------------------------------------------------

refused('a program that is not there is refused', host => "ESTNotify $dir/none\n",
        says => [ qr/BRSKI3034: ESTNotify \S+none: there is no program of this name/ ]);
refused('one that cannot be run is refused', host => "ESTNotify $dir/empty.pem\n",
        says => [ qr/BRSKI3034/ ]);
accepted('5.8.3 ignoring the history is warned of', host => "ESTAuditPolicy ignore-history On\n",
         says => [ qr/BRSKI3033: ESTAuditPolicy ignore-history: who had a device before/ ]);
my $both = refused('all mistakes are told at once', host => "ESTNotify $dir/none\n", ca => '',
                   maker => "ESTIDevIDAnchor $idevid\n",
                   says => [ qr/BRSKI3022/, qr/BRSKI3034/, qr/BRSKI3042/ ]);
accepted('an EST server without devices passes', certificate => '', maker_start => '', maker => '',
         maker_end => '', quiet => 1);
done_testing;
