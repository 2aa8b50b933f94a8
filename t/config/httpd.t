# SPDX-License-Identifier: Apache-2.0
#
# httpd.t: what a MASA needs of mod_ssl, of the sections around it and of mod_dbd's directives.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/../lib";
use BRSKI::Test;
use BRSKI::Test::Conf;

my $tls = conf_lab()->path('tls');
my $certificate = "SSLCertificateFile $tls/server.pem\nSSLCertificateKeyFile $tls/server.key\n";

refused('5.4 a server without TLS is refused', tls => '',
        says => [ qr/BRSKI2040: MASAEngine On, but this server does not speak TLS/,
                  qr/write SSLEngine On/ ]);
refused('5.4 SSLEngine Off is refused', tls => "SSLEngine Off\n",
        says => [ qr/BRSKI2040/ ]);
refused('5.4 MASAEngine in the main server holds for hosts without TLS too', tls => '',
        engine => '', server => "MASAEngine On\n", says => [ qr/BRSKI2040.*main server/ ]);

refused('5.4 a missing SSLVerifyClient is refused', tls => "SSLEngine On\n$certificate",
        says => [ qr/BRSKI2041: SSLVerifyClient none: .*write SSLVerifyClient optional_no_ca/ ]);
refused('5.4 SSLVerifyClient require is refused', tls => "+SSLVerifyClient require\n",
        says => [ qr/BRSKI2041: SSLVerifyClient require: .*write SSLVerifyClient optional_no_ca/,
                  qr/\(\S+:\d+\)/ ]);
accepted('5.4 SSLVerifyClient of the main server counts', tls => "SSLEngine On\n$certificate",
         server => "SSLVerifyClient optional_no_ca\n");
refused('5.4 the virtual host overrides the main server', tls => "+SSLVerifyClient optional\n",
        server => "SSLVerifyClient optional_no_ca\n",
        says => [ qr/BRSKI2041: SSLVerifyClient optional:/ ]);
refused('5.4 who asks for no certificate says so to mod_ssl too',
        host => "MASAClientCertificate none\n",
        says => [ qr/BRSKI2041: .*write SSLVerifyClient none/ ]);
accepted('5.4 MASAClientCertificate none with SSLVerifyClient none passes',
         tls => "SSLEngine On\n$certificate", host => "MASAClientCertificate none\n");
refused('5.4 SSLVerifyClient in a section is refused',
        host => "<Location /x>\nSSLVerifyClient require\n</Location>\n",
        says => [ qr/BRSKI2042: SSLVerifyClient require in a section/ ]);
refused('5.4 in a section of the main server too',
        server => "<Location /x>\nSSLVerifyClient require\n</Location>\n",
        says => [ qr/BRSKI2042/ ]);
refused('5.4 inside IfModule too',
        host => "<IfModule ssl_module>\n<Location /x>\nSSLVerifyClient require\n</Location>\n"
            . "</IfModule>\n",
        says => [ qr/BRSKI2042/ ]);
refused('5.4 SSLOCSPEnable is refused', host => "SSLOCSPEnable On\n",
        says => [ qr/BRSKI2047: SSLOCSPEnable On/ ]);

refused('5.4 FakeBasicAuth is refused', host => "SSLOptions +StdEnvVars +FakeBasicAuth\n",
        says => [ qr/BRSKI2043: SSLOptions FakeBasicAuth/ ]);
refused('5.4 FakeBasicAuth of the main server is refused', server => "SSLOptions FakeBasicAuth\n",
        says => [ qr/BRSKI2043/ ]);
refused('5.4 SSLUserName is refused', host => "SSLUserName SSL_CLIENT_S_DN_CN\n",
        says => [ qr/BRSKI2044: SSLUserName/ ]);
refused('5.4 SSLUserName in a section is refused',
        host => "<Location />\nSSLUserName SSL_CLIENT_S_DN_CN\n</Location>\n",
        says => [ qr/BRSKI2045: SSLUserName in a section/ ]);

accepted('a MASA to which nothing is handed is warned of', handler => '',
         says => [ qr/BRSKI2046: .*SetHandler masa/ ]);
refused('Require masa-customer takes no argument',
        host => "<Location /x>\nRequire masa-customer acme\n</Location>\n",
        says => [ qr/Require masa-customer: 'acme' is too much/ ]);
accepted('an httpd without MASA is left alone', engine => '', tls => '', dbd => '', signers => '',
         product_start => '', product => '', product_end => '');
done_testing;
