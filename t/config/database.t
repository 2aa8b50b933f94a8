# SPDX-License-Identifier: Apache-2.0
#
# database.t: configtest looks into the database: tables that are missing or of another version are
# an error, a database that is away is a warning, and it leaves nothing behind that the server could
# not write.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/../lib";
use BRSKI::Test;
use BRSKI::Test::Conf;

my $empty = new_database(schema => 0);
my $newer = new_database();
my $schema = $newer->sql('SELECT max(number) FROM schema_version');

refused('no database is refused', dbd => '', says => [ qr/BRSKI2050: .*write DBDriver sqlite3/ ]);
refused('no DBDParams is refused', dbd => "DBDriver sqlite3\n",
        says => [ qr/BRSKI2052: DBDriver sqlite3, but no DBDParams/ ]);
refused('DBDPersist Off is refused', dbd => conf_database()->directives . "DBDPersist Off\n",
        says => [ qr/BRSKI2054: DBDPersist Off/ ]);
accepted('DBDParams of the virtual host count', dbd => '', host => conf_database()->directives);
refused('a database without tables is refused', dbd => $empty->directives,
        says => [ qr/BRSKI2055: DBDParams: .*masactl schema apply/, qr/\(\S+:\d+\)/ ]);

$newer->sql(sprintf "INSERT INTO schema_version (number, name, applied_at) VALUES (%d, 'later', 0)",
            $schema + 1);
refused('a newer schema is refused', dbd => $newer->directives, says => [ qr/BRSKI2055: .*newer/ ]);
$newer->sql("DELETE FROM schema_version WHERE name = 'later'");
accepted('and passes when it is as it should be', dbd => $newer->directives);

if (dialect() eq 'sqlite3') {
    my $dir = new_dir('gone');
    my $file = conf_database()->file;

    refused('a file that is not there is refused, and not made',
            dbd => "DBDriver sqlite3\nDBDParams $dir/no.db\nDBDMax 1\n",
            says => [ qr/BRSKI2055: .*no\.db does not exist; run 'masactl schema apply'/ ]);
    ok(!-e "$dir/no.db", 'and not made');
    accepted('more than one connection a process is warned of',
             dbd => "DBDriver sqlite3\nDBDParams $file\nDBDMax 4\n",
             says => [ qr/BRSKI2053: DBDMax 4 with sqlite3/ ]);
    my $owner = (stat $file)[4];
    is_deeply([ grep { (stat)[4] != $owner } glob "$file*" ], [],
              'configtest leaves no file of another owner');
}
else {
    my $dbd = qq{DBDriver pgsql\nDBDParams "host=127.0.0.1 port=1 dbname=x connect_timeout=1"\n};
    accepted('a database that is away is a warning', dbd => $dbd,
             says => [ qr/BRSKI2056: DBDParams: the database cannot be asked now/ ]);

    # A server that takes connections and says nothing.
    require IO::Socket::INET;
    my $mute = IO::Socket::INET->new(Listen => 5, LocalAddr => '127.0.0.1') or die "listen: $!\n";
    my $began = time;
    accepted('a database that hangs is a warning, soon',
             dbd => sprintf(qq{DBDriver pgsql\nDBDParams "host=127.0.0.1 port=%d dbname=x"\n},
                            $mute->sockport),
             says => [ qr/BRSKI2056: .*did not answer within 5 seconds/ ]);
    cmp_ok(time - $began, '<', 15, 'within seconds');
}
done_testing;
