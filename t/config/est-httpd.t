# SPDX-License-Identifier: Apache-2.0
#
# est-httpd.t: what a registrar needs of mod_ssl, of the sections around it, and of the database.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/../lib";
use BRSKI::Test;
use BRSKI::Test::EstConf;

my $registrar = conf_lab()->path('domain/registrar');
my $certificate = "SSLCertificateFile $registrar.pem\nSSLCertificateKeyFile $registrar.key\n";

# --- mod_ssl --------------------------------------------------------------

refused('5.1 a server without TLS is refused', tls => '',
        says => [ qr/BRSKI3050: ESTEngine On, but this server does not speak TLS.*SSLEngine On/ ]);
refused('5.1 a missing SSLVerifyClient is refused', tls => "SSLEngine On\n$certificate",
        says => [ qr/BRSKI3051: SSLVerifyClient none: .*write SSLVerifyClient optional_no_ca/ ]);
refused('5.1 SSLVerifyClient require is refused', tls => "+SSLVerifyClient require\n",
        says => [ qr/BRSKI3051: SSLVerifyClient require: /, qr/\(\S+:\d+\)/ ]);
accepted('5.1 SSLVerifyClient of the main server counts', tls => "SSLEngine On\n$certificate",
         server => "SSLVerifyClient optional_no_ca\n", quiet => 1);
refused('5.1 SSLVerifyClient in a section is refused',
        host => "<Location /x>\nSSLVerifyClient require\n</Location>\n",
        says => [ qr/BRSKI3052: SSLVerifyClient require in a section/ ]);
refused('5.1 SSLOCSPEnable is refused', host => "SSLOCSPEnable On\n",
        says => [ qr/BRSKI3053: SSLOCSPEnable On/ ]);
refused('FakeBasicAuth is refused', host => "SSLOptions +StdEnvVars +FakeBasicAuth\n",
        says => [ qr/BRSKI3054: SSLOptions FakeBasicAuth.*ESTClientAnchor/ ]);
refused('SSLUserName is refused', host => "SSLUserName SSL_CLIENT_S_DN_CN\n",
        says => [ qr/BRSKI3055: SSLUserName/ ]);
refused('SSLUserName in a section is refused',
        host => "<Location />\nSSLUserName SSL_CLIENT_S_DN_CN\n</Location>\n",
        says => [ qr/BRSKI3055: SSLUserName/ ]);

# --- handlers -------------------------------------------------------------

accepted('a registrar to which nothing is handed is warned of', handler => '',
         says => [ qr/BRSKI3056: .*SetHandler est/ ]);
for my $handler (qw(est-admin est-ocsp)) {
    refused("SetHandler $handler is refused",
            host => "<Location /x>\nSetHandler $handler\n</Location>\n",
            says => [ qr/BRSKI3057: SetHandler $handler is not in this version/ ]);
}
refused('a server that is a MASA too is refused', host => "MASAEngine On\n",
        says => [ qr/BRSKI(?:2048|3058): .*a <VirtualHost> of its own/ ]);
accepted('est-crl, est-health and est-status pass', quiet => 1,
         host => join '', map { "<Location /$_>\nSetHandler $_\n</Location>\n" }
                          qw(est-crl est-health est-status));
accepted('an httpd without a registrar is left alone', engine => '', tls => '', dbd => '',
         certificate => '', ca => '', maker_start => '', maker => '', maker_end => '', quiet => 1);

# --- the database ---------------------------------------------------------

my $empty = new_database(schema => 0);
my $newer = new_database(tool => 'estctl');
my $schema = $newer->sql('SELECT max(number) FROM est_schema_version');

refused('no database is refused', dbd => '', says => [ qr/BRSKI3060: .*write DBDriver sqlite3/ ]);
refused('another driver is refused', dbd => "DBDriver mysql\nDBDParams x\n",
        says => [ qr/BRSKI3061: DBDriver mysql: .*sqlite3 or pgsql/ ]) if -f
    BRSKI::Test::Httpd::module_dir() . '/../../apr-util-1/apr_dbd_mysql.so';
refused('no DBDParams is refused', dbd => "DBDriver sqlite3\n",
        says => [ qr/BRSKI3062: DBDriver sqlite3, but no DBDParams/ ]);
refused('DBDPersist Off is refused', dbd => conf_database()->directives . "DBDPersist Off\n",
        says => [ qr/BRSKI3064: DBDPersist Off/ ]);
accepted('DBDParams of the virtual host count', dbd => '', host => conf_database()->directives,
         quiet => 1);
refused('a database without tables is refused', dbd => $empty->directives,
        says => [ qr/BRSKI3065: DBDParams: .*estctl schema apply/, qr/\(\S+:\d+\)/ ]);
$newer->sql("INSERT INTO est_schema_version (number, name, applied_at) VALUES ($schema + 1, 'x', 0)");
refused('a newer schema is refused', dbd => $newer->directives, says => [ qr/BRSKI3065: .*newer/ ]);
$newer->sql("DELETE FROM est_schema_version WHERE name = 'x'");
accepted('and passes when it is as it should be', dbd => $newer->directives, quiet => 1);

if (dialect() eq 'sqlite3') {
    my $dir = new_dir('gone');
    my $file = conf_database()->file;

    refused('a file that is not there is refused',
            dbd => "DBDriver sqlite3\nDBDParams $dir/no.db\nDBDMax 1\n",
            says => [ qr/BRSKI3065: .*no\.db does not exist; run 'estctl schema apply'/ ]);
    ok(!-e "$dir/no.db", 'and not made');
    accepted('more than one connection a process is warned of',
             dbd => "DBDriver sqlite3\nDBDParams $file\nDBDMax 4\n",
             says => [ qr/BRSKI3063: DBDMax 4 with sqlite3/ ]);
    my $owner = (stat $file)[4];
    is_deeply([ grep { (stat)[4] != $owner } glob "$file*" ], [],
              'configtest leaves no file of another owner');
}
else {
    my $dbd = qq{DBDriver pgsql\nDBDParams "host=127.0.0.1 port=1 dbname=x connect_timeout=1"\n};
    accepted('a database that is away is a warning', dbd => $dbd,
             says => [ qr/BRSKI3066: DBDParams: the database cannot be asked now/ ]);
}
done_testing;
