# SPDX-License-Identifier: Apache-2.0
#
# requestvoucher-pin.t: which certificate a voucher pins: MASAPin for vouchers with and without
# nonce, a customer's grant, what the registrar includes, and that a public CA is never pinned.
use FindBin;
use lib "$FindBin::RealBin/../lib";
use BRSKI::Test;
use BRSKI::Test::Answer;
use BRSKI::Test::Pki;
use Digest::SHA qw(sha256_hex);
use MIME::Base64 qw(decode_base64);

my $pki = BRSKI::Test::Pki->new;
$pki->ca('root')->ca('middle', issuer => 'root')->ca('sub', issuer => 'middle');
$pki->registrar('reg', issuer => 'sub');
$pki->registrar('alone');                            # signed by itself
$pki->ca('public')->ca('public-sub', issuer => 'public');
$pki->registrar('bought', issuer => 'public-sub');
$pki->ca('cross', issuer => 'public')->ca('private', issuer => 'cross');
$pki->registrar('mixed', issuer => 'private');

my $masa = start_masa(name => 'pin', devices => 30,
    host => "MASAPublicAnchors @{[ $pki->file('public') ]}\n",
    lines => [
        unsaid => "MASAOwner any\nMASANonceless customer",
        ee => "MASAOwner any\nMASANonceless customer\nMASAPin ee",
        lowest => "MASAOwner any\nMASANonceless customer\nMASAPin lowest-ca",
        highest => "MASAOwner any\nMASANonceless customer\nMASAPin highest-ca",
        both => "MASAOwner any\nMASANonceless customer\nMASAPin nonced highest-ca\n"
            . 'MASAPin nonceless ee',
    ]);
my ($lab, $httpd) = ($masa->lab, $masa->httpd);

$masa->customer('reg', '--cert' => $pki->file('reg'));
$masa->masactl(qw(customer grant reg nonceless));
$masa->customer('bought', '--cert' => $pki->file('bought'));
$masa->masactl(qw(customer grant bought nonceless));

my %device;
sub ask
{
    my ($product, $who, @args) = @_;
    my $n = $device{"$product $who"} ||= $masa->new_device(product => $product);
    return $httpd->post('requestvoucher', $lab->rvr(device => $n,
                                                    args => [ $pki->args($who), @args ]));
}

# Each one asks and tells whose certificate is pinned.
sub pinned
{
    my ($wanted, $label, $product, $who, @args) = @_;
    my $response = ask($product, $who, @args);
    my $leaf = $response->code == 200 ? voucher_leaf($response->content) : {};
    my $der = decode_base64($leaf->{'pinned-domain-cert'} || '');
    my ($got) = grep { $der eq $pki->der($_) }
                     qw(root middle sub reg alone public public-sub bought cross private mixed);

    is($got || 'none of ours', $wanted, $label) or diag BRSKI::Test::Answer::short($response);
    return $leaf;
}

pinned('sub', '5.5.2 with a nonce the lowest CA is pinned when nothing is said', 'unsaid', 'reg');
pinned('root', '5.5.2 without nonce the highest CA is', 'unsaid', 'reg', '--nonceless');
pinned('reg', '5.5.2 MASAPin ee pins the registrar\'s own certificate', 'ee', 'reg');
pinned('reg', '5.5.2 MASAPin ee holds without nonce too', 'ee', 'reg', '--nonceless');
pinned('sub', '5.5.2 MASAPin lowest-ca pins the nearest CA', 'lowest', 'reg');
pinned('sub', '5.5.2 MASAPin lowest-ca holds without nonce too', 'lowest', 'reg', '--nonceless');
pinned('root', '5.5.2 MASAPin highest-ca pins the farthest CA', 'highest', 'reg');
pinned('root', '5.5.2 MASAPin nonced highest-ca holds with a nonce', 'both', 'reg');
pinned('reg', '5.5.2 and MASAPin nonceless ee without one', 'both', 'reg', '--nonceless');

# What the registrar does not include it does not want pinned.
pinned('reg', '5.5.2 a request with the registrar\'s own certificate alone has it pinned',
       'highest', 'reg', '--include', 'ee');
pinned('alone', '5.5.2 a registrar that signed its own certificate has it pinned', 'lowest', 'alone');

# --- public CAs -----------------------------------------------------------

pinned('bought', '5.5 a public CA is not pinned: lowest-ca falls back to the registrar\'s own',
       'lowest', 'bought');
pinned('bought', '5.5 nor by highest-ca', 'highest', 'bought');
pinned('bought', '5.5 nor without nonce', 'unsaid', 'bought', '--nonceless');
pinned('mixed', '5.5 nor a CA that a public one certifies, however private it calls itself',
       'highest', 'mixed');

# --- grants ---------------------------------------------------------------

$masa->masactl(qw(customer grant reg pin --value highest-ca --product lowest));
pinned('root', '5.5.2 a customer\'s grant says otherwise for one line', 'lowest', 'reg');
pinned('reg', '5.5.2 and nothing for another', 'ee', 'reg');
$masa->masactl(qw(customer grant reg pin --value lowest-ca));
pinned('sub', '5.5.2 a grant for all lines holds there', 'ee', 'reg');
pinned('root', '5.5.2 and not where one for the line stands', 'lowest', 'reg');
$masa->masactl(qw(customer grant bought pin --value highest-ca));
pinned('bought', '5.5 no grant makes a public CA pinned', 'ee', 'bought');

# --- domainID -------------------------------------------------------------

# Hex of the domainID that the log names for a voucher.
sub domain_id
{
    my ($who) = @_;

    ask('highest', $who);
    my @lines = grep { /BRSKI2211: .*product highest, domainID/ } $httpd->log_lines;
    return $lines[-1] =~ /domainID ([^,]+),/ ? unpack 'H*', decode_base64($1) : $lines[-1];
}

$masa->masactl(qw(customer remove reg));
my $root = $pki->file('root');
my ($ski) = `openssl x509 -in $root -noout -ext subjectKeyIdentifier` =~ /([0-9A-F:]{59})/;
is(domain_id('reg'), lc $ski =~ s/://gr, '5.8.2 domainID is the SubjectKeyIdentifier of the pinned CA');
$pki->ca('plain', ski => 0)->registrar('of-plain', issuer => 'plain', aki => 0);
my $plain = $pki->file('plain');
my $spki = `openssl x509 -in $plain -noout -pubkey | openssl pkey -pubin -outform DER`;
is(domain_id('of-plain'), sha256_hex($spki),
   '5.8.2 without one it is the SHA-256 of the SubjectPublicKeyInfo');
done_testing;
