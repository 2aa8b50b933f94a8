# SPDX-License-Identifier: Apache-2.0
#
# est-directives.t: each directive of mod_est refuses what it cannot mean, and says its name, the
# value and what would be right.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/../lib";
use BRSKI::Test;
use BRSKI::Test::EstConf;

# Directive and value at the server, and words of the answer.
my @server = (
    [ 'ESTEngine Perhaps', qr/ESTEngine must be On or Off/ ],
    [ 'ESTTenant "a b"', qr/ESTTenant: 'a b' is not a name; use at most 64 letters/ ],
    [ 'ESTLegacyPaths Maybe', qr/ESTLegacyPaths must be On or Off/ ],
    [ 'ESTRegistrarCertificate a.pem', qr/ESTRegistrarCertificate takes two arguments/ ],
    [ 'ESTRegistrarCertificate a.pem pkcs11:object=x',
      qr/ESTRegistrarCertificate: 'pkcs11:object=x': keys of this kind are not in this version/ ],
    [ 'ESTPinCandidates all', qr/ESTPinCandidates: 'all' is none of chain, registrar/ ],
    [ 'ESTCA', qr/ESTCA: write local CHAIN\.pem KEY/ ],
    [ 'ESTCA local a.pem', qr/ESTCA local: write local CHAIN\.pem KEY/ ],
    [ 'ESTProfile', qr/ESTProfile: '' is none of subject, san, usage, eku/ ],
    [ 'ESTProfile colour blue', qr/ESTProfile: 'colour' is none of subject, san/ ],
    [ 'ESTProfile lifetime', qr/ESTProfile lifetime: write a value/ ],
    [ 'ESTProfile lifetime long', qr/ESTProfile: 'long' is not a duration/ ],
    [ 'ESTProfile lifetime 90 d', qr/ESTProfile: '90' is not a duration/ ],
    [ 'ESTProfile subject CN=a O=b', qr/ESTProfile subject: write one name, in quotes/ ],
    [ 'ESTProfile usage keyCertSign',
      qr/ESTProfile usage: 'keyCertSign' is none of digitalSignature, keyEncipherment/ ],
    [ 'ESTProfile eku cmcRA', qr/ESTProfile eku: 'cmcRA' is none of clientAuth, serverAuth/ ],
    [ 'ESTProfile policy gold', qr/ESTProfile policy: 'gold' is not an object identifier/ ],
    [ 'ESTProfile excess allow', qr/ESTProfile excess: 'allow' is none of refuse, drop/ ],
    [ 'ESTProfile revocation-urls yes', qr/revocation-urls: 'yes' is none of On, Off/ ],
    [ 'ESTRequireVoucher sometimes', qr/ESTRequireVoucher must be On or Off/ ],
    [ 'ESTApprove sometimes', qr/ESTApprove must be On or Off/ ],
    [ 'ESTClients anybody', qr/ESTClients: 'anybody' is none of device, user, none/ ],
    [ 'ESTPoP sometimes', qr/ESTPoP: 'sometimes' is none of optional, required, off/ ],
    [ 'ESTReenroll often', qr/ESTReenroll: 'often' is none of same-key, new-key/ ],
    [ 'ESTReenroll grace=long', qr/ESTReenroll: 'long' is not a duration/ ],
    [ 'ESTReenroll after=1d', qr/ESTReenroll: 'after=1d' is none of same-key, new-key, grace=/ ],
    [ 'ESTAuditPolicy unknown', qr/ESTAuditPolicy unknown: write a rule and its value/ ],
    [ 'ESTAuditPolicy unknown allow',
      qr/ESTAuditPolicy unknown: 'allow' is none of accept, warn, refuse/ ],
    [ 'ESTAuditPolicy unknown warn refuse',
      qr/ESTAuditPolicy unknown: 'refuse' is too much; write one value/ ],
    [ 'ESTAuditPolicy unheard warn', qr/ESTAuditPolicy: 'unheard' is none of known, nonceless-/ ],
    [ 'ESTAuditPolicy known me@example', qr/ESTAuditPolicy: 'me\@example' is not a domainID/ ],
    [ 'ESTAuditPolicy known AAAA', qr/ESTAuditPolicy: 'AAAA' is not a domainID/ ],
    [ 'ESTAuditPolicy ignore-before yesterday',
      qr/ESTAuditPolicy ignore-before: 'yesterday' is not a date; write one such as 2026-01-31/ ],
    [ 'ESTAuditPolicy max-events many', qr/ESTAuditPolicy: 'many' is not a number/ ],
    [ 'ESTAuditPolicy withhold accept', qr/withhold: 'accept' is none of On, Off/ ],
    [ 'ESTAuditRecheck 1min', qr/ESTAuditRecheck: '1min' would tire the MASAs; write 1h or more/ ],
    [ 'ESTAuditRecheck 1d always', qr/ESTAuditRecheck: 'always' is not revoke/ ],
    [ 'ESTMASAAddresses', qr/ESTMASAAddresses: write public, any, or addresses/ ],
    [ 'ESTMASAAddresses example.com', qr/ESTMASAAddresses: 'example\.com' is neither public/ ],
    [ 'ESTMASAAddresses 10.0.0.0/33', qr/ESTMASAAddresses: '10\.0\.0\.0\/33' is neither/ ],
    [ 'ESTMASAProxy proxy.example:3128', qr/ESTMASAProxy: 'proxy\.example:3128' is not a proxy/ ],
    [ 'ESTMASAResolve masa.example', qr/ESTMASAResolve: 'masa\.example' says not where a name is/ ],
    [ 'ESTMASATimeout 0', qr/ESTMASATimeout: '0' is too short; write 1s or more/ ],
    [ 'ESTNotify', qr/ESTNotify: write a program's path/ ],
    [ 'ESTAnswerWithin 1min', qr/ESTAnswerWithin: '1min' would hold a server's thread for too/ ],
    [ 'ESTWorkers 0', qr/ESTWorkers: '0' is not a number from 1 to 256/ ],
    [ 'ESTWaiters -1', qr/ESTWaiters: '-1' is not a number from 0 to 10000/ ],
    [ 'ESTTelemetryWait 0', qr/ESTTelemetryWait: '0' is too short/ ],
    [ 'ESTRequestRetention 0', qr/ESTRequestRetention: '0' is too short/ ],
    [ 'ESTClockSkew five', qr/ESTClockSkew: 'five' is not a duration/ ],
    [ 'ESTContentTransferEncoding base64', qr/ESTContentTransferEncoding must be On or Off/ ],
    [ 'ESTBodyLimit 64K', qr/ESTBodyLimit: '64K' is not a number from 1024 to 16777216/ ],
    [ 'ESTDatabaseWorkers 0', qr/ESTDatabaseWorkers: '0' is not a number from 1 to 10000/ ],
    [ 'ESTDatabasePatience 0', qr/ESTDatabasePatience: '0' is too short; write 1s or more/ ],
    [ 'ESTCertificateCache -1', qr/ESTCertificateCache: '-1' is not a number/ ],
    [ 'ESTServerKeygen On', qr/ESTServerKeygen: 'On'.*is not in this version; write Off/ ],
    [ 'ESTTrustedProxy 10.0.0.1', qr/ESTTrustedProxy: .*are not in this version; let devices' TLS/ ],
    [ 'ESTClientCertHeader rfc9440 Client-Cert', qr/ESTClientCertHeader: .*not in this version/ ],
    [ 'ESTProxyCertificate a.pem', qr/ESTProxyCertificate: .*not in this version/ ],
    [ 'ESTPledges any',
      qr/ESTPledges belongs to a manufacturer: write it inside <ESTManufacturer NAME>/ ],
    [ 'ESTVoucherAnchor tofu', qr/ESTVoucherAnchor belongs to a manufacturer/ ],
    [ 'ESTMASALogin f', qr/ESTMASALogin belongs to a manufacturer/ ],
    [ "<ESTManufacturer>\n</ESTManufacturer>", qr/write <ESTManufacturer NAME> with one name/ ],
    [ "<ESTManufacturer a b>\n</ESTManufacturer>", qr/write <ESTManufacturer NAME> with one name/ ],
    [ "<ESTManufacturer lab>\n</ESTManufacturer>",
      qr/<ESTManufacturer lab>: there is another section of this name \(.*:\d+\)/ ],
    [ "<ESTLabel>\n</ESTLabel>", qr/write <ESTLabel NAME> with one name/ ],
    [ "<ESTLabel simpleenroll>\n</ESTLabel>",
      qr/<ESTLabel simpleenroll>: this is the name of an operation/ ],
    [ "<ESTLabel cacerts>\n</ESTLabel>", qr/name of an operation.*RFC 7030 3\.2\.2/ ],
    [ "<ESTLabel a>\n</ESTLabel>\n<ESTLabel a>\n</ESTLabel>",
      qr/<ESTLabel a>: there is another section of this name \(.*:\d+\)/ ],
    [ "<ESTLabel a>\nESTTenant x\n</ESTLabel>", qr/ESTTenant does not belong inside <ESTLabel>/ ],
    [ "<ESTLabel a>\nESTProfile lifetime x\n</ESTLabel>", qr/ESTProfile: 'x' is not a duration/ ],
    [ "<Location /x>\nESTEngine On\n</Location>", qr/ESTEngine not allowed/ ],
);

# The same inside <ESTManufacturer>.
my @maker = (
    [ 'ESTIgnoreIDevIDExpiry Never', qr/ESTIgnoreIDevIDExpiry must be On or Off/ ],
    [ 'ESTSerialFrom dn', qr/ESTSerialFrom: 'dn' is none of x520, cn, hwmodule/ ],
    [ 'ESTPledges all', qr/ESTPledges: 'all' is none of listed, approve, any/ ],
    [ 'ESTVoucherAnchor tofu', qr/ESTVoucherAnchor: tofu stands alone/ ],
    [ 'ESTVoucherAnchor webpki', qr/ESTVoucherAnchor: 'webpki': public CAs make no signers/ ],
    [ "ESTMASATLSAnchor webpki\nESTMASATLSAnchor tofu", qr/ESTMASATLSAnchor: said twice/ ],
    [ 'ESTMASAClientCertificate a.pem', qr/ESTMASAClientCertificate takes two arguments/ ],
    [ 'ServerName x', qr/ServerName does not belong inside <ESTManufacturer>/ ],
    [ 'ESTTenant x', qr/ESTTenant does not belong inside <ESTManufacturer>/ ],
    [ "<ESTManufacturer y>\n</ESTManufacturer>",
      qr/<ESTManufacturer does not belong inside <ESTManufacturer>/ ],
);

accepted('a right configuration passes', quiet => 1);
for (@server) {
    my ($line, $says) = @$_;
    (my $shown = $line) =~ s/\n/ /g;
    refused("$shown is refused", host => $line, says => [ $says ]);
}
for (@maker) {
    my ($line, $says) = @$_;
    (my $shown = $line) =~ s/\n/ /g;
    refused("$shown is refused in a manufacturer", maker => "+$line\n", says => [ $says ]);
}
accepted('every directive with a right value passes', quiet => 1,
    host => <<'EOF_HOST',
ESTTenant acme.1
ESTLegacyPaths On
ESTPinCandidates registrar
ESTProfile subject "CN=%{serial},O=Example"
ESTProfile san DNS:%{serial}.devices.example
ESTProfile usage digitalSignature keyAgreement
ESTProfile eku clientAuth serverAuth 1.3.6.1.5.5.7.3.17
ESTProfile policy 1.3.6.1.4.1.32473.1
ESTProfile lifetime 30d
ESTProfile backdate 1h
ESTProfile key p256 p384 rsa3072
ESTProfile excess drop
ESTProfile revocation-urls Off
ESTRequireVoucher Off
ESTApprove On
ESTClients device
ESTPoP required
ESTReenroll new-key grace=30d before=10d
ESTAuditPolicy known AAECAwQFBgcICQoLDA0ODxAREhM=
ESTAuditPolicy nonceless-known AAECAwQFBgcICQoLDA0ODxAREhM=
ESTAuditPolicy unknown warn
ESTAuditPolicy logged accept
ESTAuditPolicy nonceless warn
ESTAuditPolicy truncated refuse
ESTAuditPolicy version refuse
ESTAuditPolicy missing warn
ESTAuditPolicy garbage refuse
ESTAuditPolicy ignore-before 2026-01-31
ESTAuditPolicy max-events 5
ESTAuditPolicy withhold On
ESTAuditPolicy revoke Off
ESTAuditRecheck 7d revoke
ESTMASAAddresses public 10.0.0.0/8 fd00::/8 192.0.2.7
ESTMASAResolve masa.example:443:192.0.2.7
ESTMASATimeout 10s
ESTNotify /bin/true it happened
ESTAnswerWithin 0
ESTWorkers 4
ESTWaiters 0
ESTTelemetryWait 1min
ESTRequestRetention 10d
ESTClockSkew 30s
ESTContentTransferEncoding Off
ESTServerKeygen Off
ESTBodyLimit 8192
ESTDatabaseWorkers 4
ESTDatabasePatience 5s
ESTCertificateCache 0
<ESTLabel people>
    ESTClients user
    ESTProfile subject "CN=%{user}"
    ESTProfile san none
    ESTPoP off
    ESTReenroll same-key
    ESTRequireVoucher On
    ESTApprove Off
</ESTLabel>
EOF_HOST
    maker => '+' . <<'EOF_MAKER');
ESTMASATLSAnchor tofu
ESTMASAURL masa.example:9443
ESTIgnoreIDevIDExpiry On
ESTSerialFrom hwmodule
ESTPledges approve
EOF_MAKER
done_testing;
