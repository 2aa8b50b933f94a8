# SPDX-License-Identifier: Apache-2.0
#
# foreign-curl.t: EST by hand, with nothing but openssl and curl: what a person does to try a server.
use FindBin;
use lib "$FindBin::RealBin/../lib";
use BRSKI::Test;

my $lab = new_lab(devices => 1);
my $est = start_est(name => 'curl', lab => $lab, est => <<'EOF_EST');
    ESTRequireVoucher Off
    ESTProfile subject "CN=%{serial},O=Test"
    ESTProfile key p256 rsa2048
EOF_EST
my $url = 'https://localhost:' . $est->httpd->tls_port . '/.well-known/est';
my $dir = new_dir('curl');
my %device = $lab->device(1);
my $serial = $lab->serial(1);
my $curl = "curl -sS --fail-with-body --cacert $lab->{dir}/domain/root.pem";

shell("$curl $url/cacerts | base64 -d | openssl pkcs7 -inform DER -print_certs -out $dir/ca.pem",
      '7030 4.1.3 CA certificates by curl, base64 and openssl pkcs7');
shell("$curl $url/csrattrs | base64 -d | openssl asn1parse -inform DER -out /dev/null",
      '7030 4.5.2 attributes are DER');
shell("openssl req -new -newkey rsa:2048 -nodes -keyout $dir/key.pem -subj /CN=$serial -out $dir/csr.pem",
      'a request');
for my $form ([ PEM => "$dir/csr.pem" ], [ 'base64 in lines', "$dir/csr.b64" ]) {
    my ($name, $file) = @$form;

    shell("openssl req -in $dir/csr.pem -outform DER | base64 > $dir/csr.b64", "$name is made");
    shell("$curl --cert $device{cert} --key $device{key} -H 'Content-Type: application/pkcs10'"
          . " --data-binary \@$file $url/simpleenroll | base64 -d"
          . " | openssl pkcs7 -inform DER -print_certs -out '$dir/$name.pem'",
          "7030 4.2.1 enrolment with $name");
    shell("openssl verify -CAfile $dir/ca.pem '$dir/$name.pem'",
          "7030 4.2.3 openssl verifies the certificate by what cacerts told, $name");
}
is(read_file("$dir/base64 in lines.pem"), read_file("$dir/PEM.pem"),
   '5.9 the same request in another form gives the same certificate');
shell("openssl req -new -newkey rsa:2048 -nodes -keyout $dir/key2.pem -subj '/O=Test/CN=$serial'"
      . " -out $dir/csr2.pem", 'a request with another key');
shell("$curl --cert $dir/PEM.pem --key $dir/key.pem -H 'Content-Type: application/pkcs10'"
      . " --data-binary \@$dir/csr2.pem $url/simplereenroll | base64 -d"
      . " | openssl pkcs7 -inform DER -print_certs | grep -q 'subject=O = Test, CN = $serial'",
      '7030 4.2.2 renewal with another key');
done_testing;

sub shell
{
    my ($line, $label) = @_;
    my ($status, $output) = run_command([ 'bash', '-o', 'pipefail', '-c', $line ]);

    is($status, 0, $label) or diag "$line\n$output";
}
