# SPDX-License-Identifier: Apache-2.0
#
# cms.t: messages that are not quite CMS SignedData, or not quite signed: detached, empty, of two
# signers, without or with wrong signed attributes, in BER, of other types, with more in them than
# anybody reads. RFC 8366 section 5.4, RFC 5652.
use FindBin;
use lib "$FindBin::RealBin/../lib";
use BRSKI::Test;
use BRSKI::Test::Attack;
use BRSKI::Test::Der;
use BRSKI::Test::Pki;
use Digest::SHA qw(sha256);

my $pki = BRSKI::Test::Pki->new;
$pki->ca('root')->registrar('reg', issuer => 'root', bare => 1);
my $masa = under_attack(start_masa(name => 'cms', devices => 3,
                                   policy => "MASAOwner any\nMASAProximity required"));
my ($lab, $httpd) = ($masa->lab, $masa->httpd);
my ($reg, $root) = map { $pki->der($_) } qw(reg root);
my $content = request_json($lab->pvr(args => [ '--registrar-cert', $pki->file('reg') ]));

# A right message, or one with parts replaced.
sub message
{
    return cms(content => $content, certs => [ $reg, $root ], key => $pki->key('reg'), @_);
}
sub post { return $httpd->post('requestvoucher', $_[0]) }

# One refused for what it is, and one for what is said of its signature.
sub no_cms { repelled(post($_[0]), 400, 1008, $_[1], "8366-5.4 $_[2]") }
sub not_signed { repelled(post($_[0]), 403, $_[1], $_[2], "5.5.3 $_[3]") }

served(post(message()), 'control: a message by hand');
served(post(message(econtent => 'data')), '8366-5.4 control: id-data, as most software writes');

# --- content --------------------------------------------------------------

my $anima = oid('1.2.840.113549.1.9.16.1.40');
no_cms(message(encap => sequence($anima)), qr/the content is detached/,
       'a detached CMS is refused');
no_cms(message(encap => sequence($anima, context(0, octets('')))), qr/the content is empty/,
       'an empty CMS is refused');
no_cms($lab->rvr(args => [ '--defect', $_->[0] ]), $_->[1], "and as brski makes it: $_->[0]")
    for [ detached => qr/detached/ ], [ empty => qr/empty/ ],
        [ 'two-signers' => qr/more than one signer/ ],
        [ 'no-signer' => qr/has no signer/ ], [ trailing => qr/followed by more octets/ ],
        [ truncated => qr/not a DER-encoded/ ];
no_cms(message(econtent => '1.2.840.113549.1.7.3'), qr/neither id-ct-animaJSONVoucher nor id-data/,
       'content of another type is refused');
no_cms(message(econtent => '1.2.840.113549.1.9.16.1.4'), qr/neither/, 'also a timestamp\'s');
no_cms(message(encap => sequence($anima, context(0, octets('{}')), octets('{}'))),
       qr/eContent is followed by more/, 'content twice is refused');
no_cms(message(encap => sequence($anima, context(0, octets('{}'), octets('{}')))),
       qr/eContent is followed by more/, 'also inside');

# --- signers --------------------------------------------------------------

my $info = sequence(integer(1), sequence(map { cert_parts($reg)->{$_} } qw(issuer serial)),
                    sequence(oid('2.16.840.1.101.3.4.2.1')), sequence(oid('1.2.840.10045.4.3.2')),
                    octets('x'));
no_cms(message(infos => [ $info, $info ]), qr/more than one signer/, 'two SignerInfos are refused');
no_cms(message(infos => []), qr/has no signer/, 'none too');
no_cms(message(infos => [ sequence(integer(1)) ]), qr/SignerInfo/, 'half of one too');
not_signed(message(infos => [ $info ]), 1022, qr/signed attributes .*there are none/,
           'signed attributes missing: refused');
not_signed($lab->rvr(args => [ '--defect', 'no-attributes' ]), 1022, qr/there are none/,
           'and as brski makes it');
not_signed(message(certs => [ $root ],
                   sid => sequence(map { cert_parts($reg)->{$_} } qw(issuer serial))),
           1020, qr/does not contain the certificate of its signer/,
           'a signer without certificate is refused');
not_signed(message(sid => tlv(0x80, "\1" x 20)), 1020, qr/does not contain the certificate/,
           'a key identifier of nobody is refused');
not_signed(message(sid => sequence(map { cert_parts($root)->{$_} } qw(issuer serial))), 1021,
           qr/does not verify/, 'the name of another signer in the message is refused');

# --- signed attributes ----------------------------------------------------

sub attribute { my $type = shift; return sequence(oid("1.2.840.113549.1.9.$type"), tlv(0x31, @_)) }

# With exactly these attributes, well signed.
sub with_attributes
{
    my ($make) = @_;
    my ($type, $digest) = (attribute(3, $anima), attribute(4, octets(sha256($content))));

    return cms(content => $content, certs => [ $reg, $root ], key => $pki->key('reg'),
               attributes => [ $make->($type, $digest) ]);
}

served(post(with_attributes(sub { ($_[0], $_[1]) })), 'control: attributes by hand');
my $once = qr/contentType and messageDigest must be there, once/;
not_signed(with_attributes($_->[0]), 1022, $_->[1], $_->[2]) for
    [ sub { $_[0] }, $once, 'without messageDigest it is refused' ],
    [ sub { $_[1] }, $once, 'without contentType too' ],
    [ sub { ($_[0], $_[1], $_[1]) }, $once, 'with two messageDigests too' ],
    [ sub { ($_[0], attribute(4, octets(sha256('x')), octets(sha256($content)))) }, $once,
      'with two values in one too' ],
    [ sub { ($_[0], attribute(4)) }, $once, 'with none in it too' ],
    [ sub { (attribute(3, oid('1.2.840.113549.1.7.1')), $_[1]) },
     qr/contentType is not the eContentType/,
      'with another contentType too' ],
    [ sub { (attribute(3, octets('x')), $_[1]) }, qr/contentType is not the eContentType/,
      'with one that is no identifier too' ],
    [ sub { ($_[0], $_[1], "\x30\x80") }, qr/they are not DER/, 'with what is no DER too' ];
not_signed(with_attributes(sub { ($_[0], attribute(4, octets(sha256('another')))) }), 1021,
           qr/does not verify/, 'with the digest of another content it is refused');
not_signed(with_attributes(sub { ($_[0], attribute(4, octets(substr sha256($content), 0, 31))) }),
           1021,
           qr/does not verify/, 'with a shorter digest too');

# The signature is over attributes, so nobody may call a signed content attributes or the reverse.
not_signed(cms(content => $content, certs => [ $reg, $root ], key => $pki->key('reg'),
               attributes => []),
           1022, qr/there are none/, 'a signature over the bare content is refused');

# --- algorithms -----------------------------------------------------------

not_signed(message(digest => 'sha1'), 1023, qr/digest that is not allowed/, 'SHA-1 is refused');
not_signed($lab->rvr(args => [ '--defect', 'sha1' ]), 1023, qr/digest that is not allowed/,
           'and as brski makes it');
not_signed(message(digest => 'md5', signature => 'sha256'), 1023, qr/digest that is not allowed/,
           'MD5 is refused');
not_signed(message(signature => 'sha1'), 1023, qr/names one digest|not one of|not allowed|type/,
           'SHA-256 under a SHA-1 signature is refused');
served(post(message(digest => 'sha512')), 'control: SHA-512');

# --- signatures -----------------------------------------------------------

not_signed(message(value => $_->[0]), 1021, qr/does not verify/,
           "a signature $_->[1] is refused") for
    [ '', 'of no octets' ], [ "\0" x 72, 'of zeros' ], [ 'x' x 10_000, 'of ten thousand octets' ],
    [ sequence(integer(0), integer(0)), 'with r and s zero' ],
    [ sequence(integer("\xFF" x 32), integer("\xFF" x 32)), 'beyond the order' ],
    [ sequence(tlv(2, "\x80" . "\0" x 31), integer(1)), 'with a negative number' ];
my $good = sign_with($pki->key('reg'), tlv(0x31, 'x'));
not_signed(message(value => $good), 1021, qr/does not verify/,
           'a signature of something else is refused');
not_signed(message(value => sequence(map { $_->[1] } reverse children($good))), 1021,
           qr/does not verify/,
           'with r and s swapped too');

# --- DER and nothing else -------------------------------------------------

my $right = message();
no_cms("\x30\x80" . substr($right, 4) . "\0\0", qr/not a DER-encoded/,
       'indefinite length is refused');
no_cms("\x30\x83\0" . substr($right, 2), qr/not a DER-encoded/,
       'a length in more octets than needed is refused');
no_cms("\x30\x84\xFF\xFF\xFF\xFF" . substr($right, 4), qr/not a DER-encoded/,
       'a length beyond the message is refused');
no_cms("\x30\x88" . "\x7F" . "\xFF" x 7 . substr($right, 4), qr/not a DER-encoded/,
       'a length beyond all memory is refused');
no_cms(sequence(oid('1.2.840.113549.1.7.3'), context(0, sequence(integer(0)))),
       qr/is not SignedData/,
       'EnvelopedData is refused');
no_cms('-----BEGIN CMS-----' . "\n" . MIME::Base64::encode_base64($right) . "-----END CMS-----\n",
       qr/not a DER-encoded/, 'PEM is refused');
no_cms(MIME::Base64::encode_base64($right), qr/not a DER-encoded/, 'base64 is refused');
no_cms("\x30" x 60_000, qr/not a DER-encoded/, 'nothing but beginnings is refused');
my $deep = octets('x');
$deep = sequence($deep) for 1 .. 5000;
no_cms($deep, qr/not a DER-encoded/, 'a nesting of five thousand is refused');
no_cms(message(encap => sequence($anima, context(0, tlv(0x24, octets('{'), octets('}'))))),
       qr/eContent/,
       'content in pieces is refused');

# --- too much -------------------------------------------------------------

repelled(post(message(certs => [ $reg, ($root) x 16 ])), 400, 1011, qr/more than 16 certificates/,
         '5.5 seventeen certificates are refused');
my $small = sequence(integer(1));
repelled(post(message(certs => [ $reg, ($small) x 1000 ])), 400, 1015, qr/cannot be parsed/,
         '5.5 a thousand that are none are refused at the first');
repelled(post(message(certs => [ $reg, (context(2, 'x')) x 1000 ])), 400, 1011, qr/more than 16/,
         '5.5 a thousand of another kind are refused');
repelled(post(message(certs => [ $reg, ($root) x 1000 ])), 413, 1002,
         qr/larger than this server reads/,
         '5.5 a thousand certificates are refused');
repelled(post(message(certs => [ $reg, make_cert($root, extensions => context(3, sequence(
    sequence(oid('1.2.3.4'), octets('x' x 17_000))))) ])), 400, 1011, qr/larger than 16384/,
         '5.5 a certificate of 17 thousand octets is refused');
repelled(post(message(certs => [ $reg, make_cert($root, extensions => context(3, sequence(
    map { sequence(oid("1.2.3.$_"), octets('')) } 1 .. 800))) ])), 400, 1015, qr/too many/,
         '5.5 one with 800 extensions is refused');
served(post(message(crls => sequence(octets('x' x 1000)), unsigned => [ attribute(6, $info) ])),
       '8366-5.4 what nobody asked for, CRLs and unsigned attributes, is passed over');
no_harm_done();
done_testing;
