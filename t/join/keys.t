# SPDX-License-Identifier: Apache-2.0
#
# keys.t: joins where everybody, from the manufacturer's root to the device, has keys of another type
# than the usual one, and where the new key is of each type that the profile allows.
use FindBin;
use lib "$FindBin::RealBin/../lib";
use BRSKI::Test;
use BRSKI::Test::Join ();

for my $type (qw(rsa2048 p384)) {
    my $world = BRSKI::Test::Join->new(devices => 3, lab_args => [ '--key', $type ],
                                       est => \&any_key)->start;
    my $n = 0;

    for my $new ('p256', 'p384', 'rsa2048') {
        my $out = new_dir("$type-$new");
        my ($status, %step) = $world->join(++$n, '--new-key', $new, '--out', $out, $n > 1 ? '--tls1.2' : ());
        my (undef, $text) = run_command([ 'openssl', 'x509', '-in', "$out/device.pem", '-noout', '-text' ]);
        my $bits = { p256 => 256, p384 => 384, rsa2048 => 2048 }->{$new};

        is($status, 0, "5.9.3 keys of type $type, new key of type $new: joined") or diag $step{output};
        like($text, qr/\($bits bit\)/, "7030 4.2.3 the certificate is of that key");
    }
    $world->$_->stop for qw(masa est);
}
done_testing;

sub any_key
{
    return $_[0] =~ s/^ESTEngine On$/ESTEngine On\nESTProfile key p256 p384 rsa2048/mr;
}
