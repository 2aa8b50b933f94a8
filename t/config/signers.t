# SPDX-License-Identifier: Apache-2.0
#
# signers.t: a signer that could not sign, or whose vouchers nobody could verify, does not pass
# configtest.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/../lib";
use BRSKI::Test;
use BRSKI::Test::Conf;

my $dir = new_dir('signers');
my $man = conf_lab()->path('manufacturer');
my $right = "MASASigner lab $man/masa-signer.pem $man/masa-signer.key\n";

# A key, and a certificate for it made by the lab's root: files NAME.key, NAME.pem (with the root).
sub signer
{
    my ($name, $days, @extensions) = @_;

    openssl('genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out',
            "$dir/$name.key");
    openssl('req', '-new', '-key', "$dir/$name.key", '-subj', "/CN=$name",
            '-out', "$dir/$name.csr");
    write_file("$dir/$name.ext", join('', map { "$_\n" } @extensions));
    openssl('x509', '-req', '-in', "$dir/$name.csr", '-CA', "$man/root.pem", '-CAkey',
            "$man/root.key", '-extfile', "$dir/$name.ext", '-out', "$dir/$name.crt", @$days);
    write_file("$dir/$name.pem", read_file("$dir/$name.crt") . read_file("$man/root.pem"));
    chmod 0600, "$dir/$name.key";
    return "MASASigner lab $dir/$name.pem $dir/$name.key\n";
}

my @ee = ('basicConstraints=CA:FALSE', 'keyUsage=digitalSignature');
my @year = ('-days', 365);

accepted('8366-5.4 a signer with chain and root passes', signers => signer('good', \@year, @ee));

refused('8366-5.4 a CA certificate is no signer',
        signers => signer('ca', \@year, 'basicConstraints=critical,CA:TRUE'),
        says => [ qr/BRSKI2011: MASASigner lab: .*\bCA\b/, qr/\(\S+:\d+\)/ ]);
refused('8366-5.4 an expired chain is refused',
        signers => signer('expired', [ '-days', 0 ], @ee),
        says => [ qr/BRSKI2011: MASASigner lab: .*expired/ ]);

signer('alone', \@year, @ee);
refused('8366-5.4 a chain without its root is refused',
        signers => "MASASigner lab $dir/alone.crt $dir/alone.key\n",
        says => [ qr/BRSKI2011: MASASigner lab: \S*.*alone\.crt/ ]);
refused('8366-5.4 a file that is not there is refused',
        signers => "MASASigner lab $dir/none.pem $man/masa-signer.key\n",
        says => [ qr/BRSKI2011: MASASigner lab: .*none\.pem/ ]);
write_file("$dir/junk.pem", "this is no certificate\n");
refused('8366-5.4 a file without certificate is refused',
        signers => "MASASigner lab $dir/junk.pem $man/masa-signer.key\n",
        says => [ qr/BRSKI2011: MASASigner lab: .*junk\.pem/ ]);

refused('a key file that is not there is refused',
        signers => "MASASigner lab $man/masa-signer.pem $dir/none.key\n",
        says => [ qr/BRSKI201[123]: MASASigner lab: .*none\.key/ ]);
write_file("$dir/junk.key", "this is no key\n");
chmod 0600, "$dir/junk.key";
refused('a file without key is refused',
        signers => "MASASigner lab $man/masa-signer.pem $dir/junk.key\n",
        says => [ qr/BRSKI201[123]: MASASigner lab: .*junk\.key/ ]);
refused('the key of another certificate is refused',
        signers => "MASASigner lab $man/masa-signer.pem $dir/good.key\n",
        says => [ qr/BRSKI2013: MASASigner lab: the key '\S+good\.key' is not the key of the/ ]);
refused('a kind of key that no module knows is refused',
        signers => "MASASigner lab $man/masa-signer.pem pkcs11:token=masa\n",
        says => [ qr/BRSKI2010: MASASigner lab: no module knows keys of kind 'pkcs11'/ ]);

refused('a product line without signer is refused',
        product => "MASAIDevIDAnchor $man/idevid-anchors.pem\nMASAOwner any\n",
        says => [ qr/BRSKI2022: <MASAProduct lab> names no signer; write MASASignWith/ ]);
refused('a signer that is not there is refused', product => "+MASASignWith other\n",
        says => [ qr/BRSKI2021: MASASignWith other: there is no MASASigner of this name/ ]);
refused('11.6.2.2 a line with nothing but a signer for nonceless vouchers is refused',
        signers => "MASASigner lab $man/masa-signer.pem $man/masa-signer.key nonceless\n",
        says => [ qr/BRSKI2023: <MASAProduct lab>: all its signers are for nonceless vouchers/ ]);
refused('one name in main server and virtual host is refused', server => $right,
        says => [ qr/BRSKI2014: MASASigner lab: there is another one of this name/ ]);

accepted('5280-4.2.1.4 a signer with the policy passes',
         signers => signer('policy', \@year, @ee, 'certificatePolicies=1.3.6.1.4.1.32473.1'),
         product => "+MASASignerPolicyOID 1.3.6.1.4.1.32473.1\n");
refused('5280-4.2.1.4 a signer without the policy is refused',
        product => "+MASASignerPolicyOID 1.3.6.1.4.1.32473.1\n",
        says => [ qr/BRSKI2020: MASASignerPolicyOID 1\.3\.6\.1\.4\.1\.32473\.1: neither/ ]);
done_testing;
