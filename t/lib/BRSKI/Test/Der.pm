# SPDX-License-Identifier: Apache-2.0
#
# BRSKI::Test::Der: DER by hand, for messages and certificates that no tool would make: elements,
# certificates cut and put together otherwise, CMS SignedData with any part replaced. Signatures are
# openssl's.
package BRSKI::Test::Der;

use strict;
use warnings;
use Digest::SHA ();
use Exporter qw(import);
use File::Temp ();
use MIME::Base64 qw(decode_base64 encode_base64);
use BRSKI::Test::World qw(read_file run_command run_dir);

our @EXPORT = qw(tlv sequence set_of context oid integer octets null children pem_certs pem_of
                 cert_parts make_cert cms sign_with);

# --- elements -------------------------------------------------------------

sub tlv
{
    my ($tag, @pieces) = @_;
    my $value = join '', @pieces;

    return chr($tag) . length_octets(length $value) . $value;
}

sub length_octets
{
    my ($n) = @_;
    my $octets = '';

    return chr $n if $n < 0x80;
    for (; $n; $n >>= 8) {
        $octets = chr($n & 0xFF) . $octets;
    }
    return chr(0x80 | length $octets) . $octets;
}

sub sequence { return tlv(0x30, @_) }
sub set_of { return tlv(0x31, sort @_) }
sub context { my $n = shift; return tlv(0xA0 + $n, @_) }
sub octets { return tlv(0x04, @_) }
sub null { return tlv(0x05) }

sub integer
{
    my ($n) = @_;
    my $octets = $n =~ /^\d+$/ ? pack('N', $n) =~ s/^\0{1,3}//r : $n;

    $octets = "\0$octets" if ord($octets) & 0x80;
    return tlv(0x02, $octets);
}

sub oid
{
    my ($first, $second, @rest) = split /\./, $_[0];
    return tlv(0x06, pack 'w*', 40 * $first + $second, @rest);
}

# (tag, whole element) pairs of what a constructed element holds.
sub children
{
    my ($element) = @_;
    my (undef, $inside) = cut($element);
    my @found;

    while (length $inside) {
        my ($tag, undef, $whole) = cut($inside);
        push @found, [ $tag, $whole ];
        substr($inside, 0, length $whole) = '';
    }
    return @found;
}

# (tag, value, whole) of the first element.
sub cut
{
    my ($text) = @_;
    my ($tag, $length) = unpack 'CC', $text;
    my $head = 2;

    if ($length & 0x80) {
        my $n = $length & 0x7F;
        $length = 0;
        $length = $length << 8 | ord substr $text, 2 + $_, 1 for 0 .. $n - 1;
        $head += $n;
    }
    return ($tag, substr($text, $head, $length), substr($text, 0, $head + $length));
}

# --- certificates ---------------------------------------------------------

# DER of all certificates of a PEM file.
sub pem_certs
{
    my ($file) = @_;
    return map { decode_base64($_) }
           read_file($file) =~ /-----BEGIN CERTIFICATE-----\n(.*?)-----END/sg;
}

sub pem_of
{
    return join '', map { "-----BEGIN CERTIFICATE-----\n" . encode_base64($_)
                          . "-----END CERTIFICATE-----\n" } @_;
}

# The parts of a certificate, whole elements by name: version serial algorithm issuer validity
# subject spki extensions.
my @TBS = qw(serial algorithm issuer validity subject spki);
sub cert_parts
{
    my ($der) = @_;
    my ($tbs) = children($der);
    my %part;

    my @elements = children($tbs->[1]);
    $part{version} = (shift @elements)->[1] if $elements[0][0] == 0xA0;
    $part{$_} = (shift @elements)->[1] for @TBS;
    $part{extensions} = $elements[-1][1] if @elements && $elements[-1][0] == 0xA3;
    return \%part;
}

# A certificate like this one (DER), with parts replaced: whole elements, or undef to leave one out;
# keyfile => who signs it, or signature => octets (default: an invented one).
sub make_cert
{
    my ($like, %with) = @_;
    my ($keyfile, $signature) = delete @with{qw(keyfile signature)};
    my %part = (%{ cert_parts($like) }, %with);
    my $tbs = sequence(grep { defined } @part{'version', @TBS, 'extensions'});
    $signature = $keyfile ? sign_with($keyfile, $tbs)
                          : sequence(integer("\1" x 32), integer("\1" x 32)) if !defined $signature;

    return sequence($tbs, $part{algorithm}, tlv(0x03, "\0", $signature));
}

# --- CMS ------------------------------------------------------------------

sub sign_with
{
    my ($keyfile, $octets, $digest) = @_;
    my @files = map { File::Temp->new(DIR => run_dir()) } 1 .. 2;

    binmode $files[0];
    print { $files[0] } $octets;
    $files[0]->flush;
    my ($status, $said) = run_command([ 'openssl', 'dgst', '-' . ($digest || 'sha256'), '-sign',
                                        $keyfile, '-out', map { $_->filename } reverse @files ]);
    $status == 0 or die "openssl dgst: $said";
    return read_file($files[1]->filename);
}

my %DIGEST = (sha1 => '1.3.14.3.2.26', sha256 => '2.16.840.1.101.3.4.2.1',
              sha384 => '2.16.840.1.101.3.4.2.2', sha512 => '2.16.840.1.101.3.4.2.3',
              md5 => '1.2.840.113549.2.5');
my %ECDSA = (sha1 => '1.2.840.10045.4.1', sha256 => '1.2.840.10045.4.3.2',
             sha384 => '1.2.840.10045.4.3.3', sha512 => '1.2.840.10045.4.3.4');
my %CONTENT = (anima => '1.2.840.113549.1.9.16.1.40', data => '1.2.840.113549.1.7.1');

sub attribute { my $type = shift; return sequence(oid($type), set_of(@_)) }

# A SignedData by an EC key. What is not given is right:
#   content  octets        certs  [DER, the signer's first]    key  PEM file
#   econtent anima|data|OID   digest, signature  names of digests (sha256)
#   attributes  [whole attributes], in place of contentType, messageDigest;  more => [ones beside]
#   sid, infos ([whole SignerInfos]), unsigned ([whole attributes]), crls (octets of [1]),
#   encap (whole EncapsulatedContentInfo), digests (whole set), value (octets of the signature)
sub cms
{
    my (%opt) = @_;
    my $type = oid($CONTENT{ $opt{econtent} || 'anima' } || $opt{econtent});
    my $encap = defined $opt{encap} ? $opt{encap}
                                    : sequence($type, context(0, octets($opt{content})));
    my $certs = join '', @{ $opt{certs} || [] };
    my @infos = $opt{infos} ? @{ $opt{infos} } : signer_info(%opt, type => $type);

    return sequence(oid('1.2.840.113549.1.7.2'), context(0, sequence(
        integer(3), defined $opt{digests} ? $opt{digests} : set_of(digest_algorithm(%opt)), $encap,
        length $certs ? context(0, $certs) : '', defined $opt{crls} ? context(1, $opt{crls}) : '',
        tlv(0x31, @infos))));
}

sub digest_algorithm { my (%opt) = @_; return sequence(oid($DIGEST{ $opt{digest} || 'sha256' })) }

sub signer_info
{
    my (%opt) = @_;
    my $digest = $opt{digest} || 'sha256';
    my @attributes = $opt{attributes} ? @{ $opt{attributes} }
        : (attribute('1.2.840.113549.1.9.3', $opt{type}),
           attribute('1.2.840.113549.1.9.4', octets(hash_of($digest, $opt{content}))));
    my $set = join '', sort @attributes, @{ $opt{more} || [] };
    my $signed = $opt{attributes} && !@attributes ? $opt{content} : tlv(0x31, $set);
    my $value = defined $opt{value} ? $opt{value} : sign_with($opt{key}, $signed, $digest);

    return sequence(integer(1), defined $opt{sid} ? $opt{sid} : sid_of($opt{certs}[0]),
                    digest_algorithm(%opt), length $set ? context(0, $set) : '',
                    sequence(oid($ECDSA{ $opt{signature} || $digest })), octets($value),
                    $opt{unsigned} ? context(1, @{ $opt{unsigned} }) : '');
}

sub sid_of
{
    my $part = cert_parts($_[0]);
    return sequence($part->{issuer}, $part->{serial});
}

sub hash_of
{
    my ($digest, $octets) = @_;
    my $bits = $digest =~ /^sha(\d+)$/ ? $1 : 256;

    return Digest::SHA->new($bits)->add($octets)->digest;
}

1;
