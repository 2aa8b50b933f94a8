# SPDX-License-Identifier: Apache-2.0
#
# BRSKI::Test::Asn1: takes DER apart, strictly and by other code than the MASA's, so that tests see
# what it wrote: certificates' parts and CMS SignedData. BRSKI::Test::Der is for writing it. A node
# is { tag, raw (with its head), value, kids }, kids of constructed tags alone.
package BRSKI::Test::Asn1;

use strict;
use warnings;
use Exporter qw(import);

our @EXPORT = qw(der_read der_at der_oid cert_part cms_parts);

# Every node of this level. Dies on what is no DER: indefinite or not minimal lengths, octets left.
sub der_read
{
    my ($octets) = @_;
    my ($at, @nodes) = (0);

    while ($at < length $octets) {
        my $start = $at;
        my $tag = ord substr $octets, $at++, 1;
        ($tag & 0x1f) != 0x1f or die "high tag at $start\n";
        my $length = ord substr $octets, $at++, 1;
        if ($length & 0x80) {
            my $n = $length & 0x7f;
            $n > 0 && $n <= 4 or die "indefinite length at $start\n";
            $length = unpack 'N', substr "\0\0\0\0" . substr($octets, $at, $n), -4;
            $length >= ($n == 1 ? 0x80 : 1 << 8 * ($n - 1)) or die "length not minimal at $start\n";
            $at += $n;
        }
        $at + $length <= length $octets or die "cut off at $start\n";
        my $value = substr $octets, $at, $length;
        $at += $length;
        push @nodes, { tag => $tag, raw => substr($octets, $start, $at - $start), value => $value,
                       kids => $tag & 0x20 ? [ der_read($value) ] : undef };
    }
    return @nodes;
}

# der_at($node, 0, 2, 1): kid 1 of kid 2 of kid 0.
sub der_at
{
    my ($node, @path) = @_;
    for my $n (@path) {
        $node = $node->{kids}[$n] || die "no such kid: $n\n";
    }
    return $node;
}

# Text of an OBJECT IDENTIFIER.
sub der_oid
{
    my ($node) = @_;
    my @arcs = unpack 'w*', $node->{value};
    my $first = shift @arcs;

    return join '.', $first < 80 ? (int $first / 40, $first % 40) : (2, $first - 80), @arcs;
}

# DER of a certificate's 'issuer' or 'subject'.
sub cert_part
{
    my ($cert, $name) = @_;
    my $tbs = der_at((der_read($cert))[0], 0);
    my $skip = $tbs->{kids}[0]{tag} == 0xa0 ? 1 : 0;

    return der_at($tbs, $skip + { serial => 0, issuer => 2, subject => 4 }->{$name})->{raw};
}

# A CMS SignedData taken apart: { type, version, digests, content_type, content, certs => [DER],
# crls => [node], signers => [{ version, sid, digest, attrs => { oid => node }, attrs_raw,
# signature_algorithm, signature }] }.
sub cms_parts
{
    my ($octets) = @_;
    my @top = der_read($octets);
    @top == 1 or die "more than one\n";
    my $data = der_at($top[0], 1, 0);
    my %parts = (type => der_oid(der_at($top[0], 0)), version => ord der_at($data, 0)->{value},
                 digests => [ map { der_oid($_->{kids}[0]) } @{ der_at($data, 1)->{kids} } ],
                 content_type => der_oid(der_at($data, 2, 0)), certs => [], crls => []);

    $parts{content} = @{ der_at($data, 2)->{kids} } > 1 ? der_at($data, 2, 1, 0)->{value} : undef;
    for my $node (@{ $data->{kids} }[3 .. $#{ $data->{kids} }]) {
        $parts{certs} = [ map { $_->{raw} } @{ $node->{kids} } ] if $node->{tag} == 0xa0;
        $parts{crls} = $node->{kids} if $node->{tag} == 0xa1;
        $parts{signers} = [ map { signer($_) } @{ $node->{kids} } ] if $node->{tag} == 0x31;
    }
    return \%parts;
}

sub signer
{
    my ($node) = @_;
    my ($version, $sid, $digest, @rest) = @{ $node->{kids} };
    my %signer = (version => ord $version->{value}, sid => $sid,
                  digest => der_oid($digest->{kids}[0]));

    if ($rest[0]{tag} == 0xa0) {
        my $attrs = shift @rest;
        $signer{attrs} = { map { der_oid($_->{kids}[0]) => der_at($_, 1, 0) } @{ $attrs->{kids} } };
        $signer{attrs_raw} = [ map { $_->{raw} } @{ $attrs->{kids} } ];
    }
    $signer{signature_algorithm} = der_oid($rest[0]{kids}[0]);
    $signer{signature} = $rest[1]{value};
    return \%signer;
}

1;
