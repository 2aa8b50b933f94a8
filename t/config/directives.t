# SPDX-License-Identifier: Apache-2.0
#
# directives.t: each directive refuses what it cannot mean, and says its name, the value and what
# would be right.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/../lib";
use BRSKI::Test;
use BRSKI::Test::Conf;

# Directive and value at the server, and words of the answer.
my @server = (
    [ 'MASAEngine Perhaps', qr/MASAEngine: 'Perhaps' is none of On, Off/ ],
    [ 'MASAEngine Front', qr/MASAEngine: 'Front'.*is not in this version/ ],
    [ 'MASATenant "a b"', qr/MASATenant: 'a b' is not a name; use at most 64 letters/ ],
    [ 'MASABase brski', qr/MASABase: 'brski' is not a path.*\.well-known\/brski/ ],
    [ 'MASABase /brski/', qr/MASABase: '\/brski\/' is not a path/ ],
    [ 'MASABase /a/../b', qr/MASABase: '\/a\/\.\.\/b' is not a path/ ],
    [ 'MASALegacyPaths Maybe', qr/MASALegacyPaths must be On or Off/ ],
    [ 'MASASigner lab', qr/MASASigner: write NAME CHAIN\.pem KEY-URI/ ],
    [ 'MASASigner x a.pem a.key always', qr/MASASigner: write NAME CHAIN\.pem KEY-URI/ ],
    [ 'MASASigner x raw a.key', qr/MASASigner x: 'raw'.*is not in this version/ ],
    [ 'MASASigner -x a.pem a.key', qr/MASASigner: '-x' is not a name/ ],
    [ 'MASASigner lab a.pem a.key',
      qr/MASASigner lab: there is another one of this name \(.*:\d+\)/ ],
    [ 'MASAClientCertificate optional',
      qr/MASAClientCertificate: 'optional' is none of none, request, require, known/ ],
    [ 'MASARevocation on', qr/MASARevocation: 'on' is none of off, soft, hard/ ],
    [ 'MASAReuse 10', qr/MASAReuse: '10' is not a duration; write a number and s, min, h, d or y/ ],
    [ 'MASAReuse 10weeks', qr/MASAReuse: '10weeks' is not a duration/ ],
    [ 'MASAMaxAge -1d', qr/MASAMaxAge: '-1d' is not a duration/ ],
    [ 'MASAClockSkew five', qr/MASAClockSkew: 'five' is not a duration/ ],
    [ 'MASADatabaseWorkers 0', qr/MASADatabaseWorkers: '0' is not a number from 1 to 10000/ ],
    [ 'MASADatabaseWorkers 1e3', qr/MASADatabaseWorkers: '1e3' is not a number/ ],
    [ 'MASADatabasePatience 0', qr/MASADatabasePatience: '0' is too short; write 1s or more/ ],
    [ 'MASARefusalRetention ever', qr/MASARefusalRetention: 'ever' is not a duration/ ],
    [ 'MASACertificateCache -1', qr/MASACertificateCache: '-1' is not a number/ ],
    [ 'MASABodyLimit 64K', qr/MASABodyLimit: '64K' is not a number from 1024 to 16777216/ ],
    [ 'MASABodyLimit 100', qr/MASABodyLimit: '100' is not a number/ ],
    [ 'MASAOwner any',
      qr/MASAOwner belongs to a product line: write it inside <MASAProduct NAME>/ ],
    [ 'MASAProximity required', qr/MASAProximity belongs to a product line/ ],
    [ "<MASAProduct>\n</MASAProduct>", qr/write <MASAProduct NAME> with one name/ ],
    [ "<MASAProduct a b>\n</MASAProduct>", qr/write <MASAProduct NAME> with one name/ ],
    [ "<MASAProduct lab>\n</MASAProduct>",
      qr/<MASAProduct lab>: there is another section of this name \(.*:\d+\)/ ],
    [ "<Location /x>\nMASAEngine On\n</Location>", qr/MASAEngine not allowed/ ],
);

# The same inside <MASAProduct>.
my @product = (
    [ 'MASASignWith lab match=^A', qr/MASASignWith: 'match=\^A'.*are not in this version/ ],
    [ 'MASASignWith made=2020..2021', qr/MASASignWith: 'made=2020\.\.2021'/ ],
    [ 'MASASignerPolicyOID policy', qr/MASASignerPolicyOID: 'policy' is not an object identifier/ ],
    [ 'MASANonceless allow', qr/MASANonceless: 'allow' is none of deny, sold, customer/ ],
    [ 'MASANoncelessLifetime never', qr/MASANoncelessLifetime: 'never' is not a duration/ ],
    [ 'MASANoncelessLifetime 0', qr/MASANoncelessLifetime: a voucher that is valid for no time/ ],
    [ 'MASAPin root', qr/MASAPin: 'root' is none of ee, lowest-ca, highest-ca/ ],
    [ 'MASAPin sometimes ee', qr/MASAPin: 'sometimes' is none of nonced, nonceless/ ],
    [ 'MASAPin nonced root', qr/MASAPin: 'root' is none of ee, lowest-ca, highest-ca/ ],
    [ 'MASAProximity strict',
      qr/MASAProximity: 'strict' is none of required, optional, downgrade/ ],
    [ 'MASAFormats cms cose', qr/MASAFormats: 'cose' is not in this version; write cms/ ],
    [ 'MASAFormats pdf', qr/MASAFormats: 'pdf' is none of cms/ ],
    [ 'MASAEContentType json', qr/MASAEContentType: 'json' is none of anima, data/ ],
    [ 'MASAIgnoreIDevIDExpiry Never', qr/MASAIgnoreIDevIDExpiry must be On or Off/ ],
    [ 'ServerName x', qr/ServerName does not belong inside <MASAProduct>/ ],
    [ 'MASATenant x', qr/MASATenant does not belong inside <MASAProduct>/ ],
    [ "<MASAProduct y>\n</MASAProduct>", qr/<MASAProduct does not belong inside <MASAProduct>/ ],
);

accepted('a right configuration passes');
for (@server) {
    my ($line, $says) = @$_;
    (my $shown = $line) =~ s/\n/ /g;
    refused("$shown is refused", host => $line, says => [ $says ]);
}
for (@product) {
    my ($line, $says) = @$_;
    (my $shown = $line) =~ s/\n/ /g;
    refused("$shown is refused in a product line", product => "+$line\n", says => [ $says ]);
}
accepted('every directive with a right value passes',
    host => <<'EOF_HOST',
MASATenant acme.1
MASABase /masa/brski
MASALegacyPaths On
MASAClientCertificate known
MASARevocation soft
MASAReuse 0
MASAMaxAge 2d
MASAClockSkew 30s
MASADatabaseWorkers 4
MASADatabasePatience 5s
MASARefusalRetention 1y
MASACertificateCache 0
MASABodyLimit 8192
MASAPublicAnchors none
EOF_HOST
    product => '+' . <<'EOF_PRODUCT');
MASANonceless customer
MASANoncelessLifetime none
MASAPin nonced ee
MASAPin nonceless highest-ca
MASAProximity downgrade
MASAFormats cms
MASAEContentType data
MASAIgnoreIDevIDExpiry On
EOF_PRODUCT
done_testing;
