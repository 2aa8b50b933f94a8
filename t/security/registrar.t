# SPDX-License-Identifier: Apache-2.0
#
# registrar.t: whoever signs a request without being a registrar that holds together: no
# id-kp-cmcRA, expired, weak keys and digests, chains of all kinds of deceit, certificates made to
# cost time. A stranger's own good certificate is served where anyone may ask, and gains nobody
# else's name.
use FindBin;
use lib "$FindBin::RealBin/../lib";
use BRSKI::Test;
use BRSKI::Test::Attack;
use BRSKI::Test::Der;
use BRSKI::Test::Pki;
use MIME::Base64 ();

my $pki = BRSKI::Test::Pki->new;
my @CMC_RA = (eku => '1.3.6.1.5.5.7.3.28');
$pki->ca('public')->ca('public-sub', issuer => 'public');
my $masa = under_attack(start_masa(name => 'registrar',
                                   lab => new_lab(devices => 3, args => [ '--odd' ]),
                                   host => 'MASAPublicAnchors ' . $pki->file('public') . "\n"));
my ($lab, $httpd) = ($masa->lab, $masa->httpd);
my $pvr = $lab->pvr;             # of a pledge that met the domain's registrar

# --- odd identities of the lab --------------------------------------------

# With the same certificate in TLS: the handshake lets it in, to be judged.
sub odd
{
    my ($name, %opt) = @_;
    my %identity = $lab->identity('odd', $name);
    my $rvr = $lab->rvr(args => [ map { ("--$_" => $identity{$_}) } qw(cert key) ]);

    return $httpd->post('requestvoucher', $rvr, $opt{no_tls} ? () : %identity);
}

served(odd('self-signed'), '5.5.4 a self-signed registrar with cmcRA is one');
repelled(odd('self-signed-no-cmcra'), 403, 1027, qr/not a registrar's/,
         '5.5.4 a self-signed registrar without cmcRA is refused');
repelled(odd('any-usage'), 403, 1027, qr/not a registrar's/,
         '5.5.4 anyExtendedKeyUsage does not stand for cmcRA');
repelled(odd('expired'), 403, 1024, qr/expired on/, '5.5.3 an expired registrar is refused');
repelled(odd('not-yet-valid'), 403, 1024, qr/is not valid before/,
         '5.5.3 a not-yet-valid registrar is refused');
repelled(odd('rsa1024', no_tls => 1), 403, 1023, qr/too weak/, '5.5.3 RSA-1024 is refused');
repelled(odd('sha1', no_tls => 1), 403, 1023, qr/digest that is too weak/,
         '5.5.3 a certificate signed with SHA-1 is refused');
repelled(odd('weak-root', no_tls => 1), 403, 1023, qr/key that is too weak/,
         '5.5.3 so is one below a root with RSA-1024');

# --- chains ---------------------------------------------------------------

sub ask { return ask_as($pki, @_) }

# The same with these certificates (DER), the signer's first, whatever they are.
sub ask_with
{
    my ($name, $pvr, @certs) = @_;

    return $httpd->post('requestvoucher', cms(content => request_json($pvr), certs => \@certs,
                                              key => $pki->key($name)));
}

# An identity with other certificates in its file than those it was made with.
sub bundle
{
    my ($name, @certs) = @_;

    write_file($pki->file($name), pem_of($pki->der($name), @certs));
    return $name;
}

$pki->ca('root')->registrar('reg', issuer => 'root');
served(ask('reg'), '5.5.2 control: a registrar below a CA of its own');

$pki->make('minted', issuer => 'reg', @CMC_RA);
repelled(ask('minted'), 403, 1024, qr/basicConstraints do not say CA|invalid CA/,
         '5.5.3 the key of an end entity issues no registrars');
$pki->make('half-ca', issuer => 'root', basic => 'critical,CA:TRUE',
           usage => 'critical,digitalSignature');
$pki->registrar('by-half', issuer => 'half-ca');
repelled(ask('by-half'), 403, 1024, qr/does not pass|CA/,
         '5.5.3 a CA without keyCertSign issues none');
$pki->ca('short', issuer => 'root', pathlen => 0)->ca('too-deep', issuer => 'short');
$pki->registrar('deep', issuer => 'too-deep');
repelled(ask('deep'), 403, 1024, qr/path length/, '5.5.3 pathLenConstraint holds');
$pki->make('no-usage', issuer => 'root', @CMC_RA, usage => 'critical,keyAgreement');
repelled(ask('no-usage'), 403, 1024, qr/without digitalSignature/,
         '5.5.3 a key that may not sign, signs no request');

my @constraint = (ext => [ 'nameConstraints=critical,permitted;DNS:.good.example' ]);
$pki->ca('narrow', @constraint);
$pki->registrar('outside', issuer => 'narrow', dns => 'evil.example');
repelled(ask('outside'), 403, 1024, qr/permitted subtree/,
         '5.5.3 name constraints hold, also those of the temporary anchor');
$pki->ca('narrow-sub', issuer => 'narrow');
$pki->registrar('outside-sub', issuer => 'narrow-sub', dns => 'evil.example');
repelled(ask('outside-sub'), 403, 1024, qr/permitted subtree/,
         '5.5.3 and those above a CA that has none');
$pki->registrar('unknown-critical', issuer => 'root',
                ext => [ '1.3.6.1.4.1.55555.2=critical,DER:0500' ]);
repelled(ask('unknown-critical'), 403, 1024, qr/critical extension/,
         '5.5.3 an unknown critical extension is refused');

# Version 1 has no basicConstraints: its signature would make any end entity a CA.
my $v1 = make_cert($pki->der('root'), version => undef, extensions => undef,
                   keyfile => $pki->key('root'));
repelled(ask(bundle('reg', $v1)), 403, 1024, qr/basicConstraints do not say CA/,
         '5.5.3 a version 1 certificate is no CA');
bundle('reg', $pki->der('root'));

$pki->make('two-eku', issuer => 'root', eku => 'clientAuth', bare => 1);
my $part = cert_parts($pki->der('two-eku'));
my ($list) = children($part->{extensions});
my $cmc_ra = sequence(oid('2.5.29.37'), octets(sequence(oid('1.3.6.1.5.5.7.3.28'))));
my $twice = make_cert($pki->der('two-eku'), keyfile => $pki->key('root'),
    extensions => context(3, sequence((map { $_->[1] } children($list->[1])), $cmc_ra)));
repelled(ask_with('two-eku', $pvr, $twice, $pki->der('root')), 400, 1015,
         qr/extension that cannot be read|extension twice/,
         '5.5.4 a second extended key usage does not add cmcRA');
$pki->make('in-extension', issuer => 'root', eku => 'clientAuth',
           ext => [ '1.3.6.1.4.1.55555.3=DER:' . unpack 'H*', $cmc_ra ]);
repelled(ask('in-extension'), 403, 1027, qr/not a registrar's/,
         '5.5.4 cmcRA inside another extension is none');

# Two CAs that certify each other, and no end of it.
$pki->ca('loop-a')->ca('loop-b')->registrar('looped', issuer => 'loop-a');
sub crossed
{
    my ($subject, $issuer) = @_;
    my $part = cert_parts($pki->der($issuer));
    my ($all) = children(cert_parts($pki->der($subject))->{extensions});
    my @ext = grep { index($_, oid('2.5.29.35')) < 0 } map { $_->[1] } children($all->[1]);

    return make_cert($pki->der($subject), issuer => $part->{subject},
                     extensions => context(3, sequence(@ext)), keyfile => $pki->key($issuer));
}
served(ask(bundle('looped', crossed('loop-a', 'loop-b'), crossed('loop-b', 'loop-a'))),
       '5.5.2 a loop of certificates ends');
served(ask(bundle('looped',
                  (map { (crossed('loop-a', 'loop-b'), crossed('loop-b', 'loop-a')) } 1 .. 7))),
       '5.5.2 however many turns it has');

# --- somebody else's name -------------------------------------------------

my $victim_root = (pem_certs($lab->path('domain/registrar.pem')))[1];
my $victim = (pem_certs($lab->path('domain/registrar.pem')))[0];

# The request says all that the victim's would, but for a signature by its key.
repelled($httpd->post('requestvoucher', $lab->rvr(args => [ '--defect', 'other-key' ])), 403, 1021,
         qr/signature of the voucher-request does not verify/,
         '5.5.3 a copied certificate of a registrar without its key is refused');
$pki->registrar('copyist', subject => '/O=Lab Domain/CN=Registrar', bare => 1);
my $names = cert_parts($victim);
my $imposter = make_cert($pki->der('copyist'), keyfile => $pki->key('copyist'),
    map { $_ => $names->{$_} } qw(serial issuer subject validity extensions));
sub imposter { return ask_with('copyist', $pvr, @_) }
repelled(imposter($imposter, $victim_root), 403, 1041, qr/talked to another registrar/,
         '5.5.5 issuer, serial and key identifiers of another registrar make nobody it');
repelled(imposter($imposter, $victim, $victim_root), 403, 1041, qr/talked to another registrar/,
         '5.5.5 nor does its certificate in the message');
repelled(imposter($victim, $imposter, $victim_root), 403, 1021, qr/does not verify/,
         '5.5.3 of two with one issuer and serial the first is the signer');
$pki->registrar('under', issuer => 'root');
repelled(ask(bundle('under', $pki->der('root'), $victim, $victim_root), pvr => $pvr), 403, 1041,
         qr/talked to another registrar/,
         '5.5.5 a certificate that merely lies in the message is not of the registrar\'s chain');
repelled(ask('under', pvr => $lab->pvr(args => [ '--registrar-cert', $pki->file('reg') ])), 403,
         1041,
         qr/talked to another registrar/, '5.5.5 two registrars below one CA are two');
my %copied = $lab->identity('odd', 'copied-root');
repelled($httpd->post('requestvoucher', $lab->rvr(pvr => $pvr, args => [ '--cert', $copied{cert},
                                                                         '--key', $copied{key} ])),
         403, 1041, qr/talked to another registrar/,
         '5.5.5 a root with name and key identifier of another is another');
repelled($httpd->post('requestvoucher', $lab->rvr(args => [ '--defect', 'no-certificates' ])), 403,
         1020,
         qr/does not contain the certificate of its signer/,
             '5.5.2 a signer that is not there is nobody');

# --- a public CA ----------------------------------------------------------

sub pinned { return MIME::Base64::decode_base64($_[0]{'pinned-domain-cert'}) }

$pki->registrar('public-reg', issuer => 'public-sub');
is(pinned(served(ask('public-reg'), '5.5.2 a registrar with a certificate of a public CA')),
   $pki->der('public-reg'), '5.5.2 gets its own pinned, never the public CA');
bundle('public-reg', $pki->der('public-sub'));
is(pinned(served(ask('public-reg'), '5.5.2 one that leaves the public root out')),
   $pki->der('public-reg'), '5.5.2 gets the same');
my $self_root = make_cert($pki->der('public'), serial => integer(77),
                          keyfile => $pki->key('public'));
is(pinned(served(ask(bundle('public-reg', $pki->der('public-sub'), $self_root)),
                 '5.5.2 one with another certificate of the public root\'s key')),
   $pki->der('public-reg'), '5.5.2 too, since keys count');

# --- certificates made to cost time ---------------------------------------

sub rsa_key
{
    my ($bits, $exponent) = @_;
    my $n = "\xC7" . join('', map { chr int rand 256 } 3 .. $bits / 8) . "\x01";

    return sequence(sequence(oid('1.2.840.113549.1.1.1'), null()),
                    tlv(0x03, "\0", sequence(integer($n), integer($exponent))));
}

# A registrar whose issuer could be any of so many, all with keys like that.
sub bomb
{
    my ($bits, $exponent, $n) = @_;
    my $root = $pki->der('root');
    my $pvr = $lab->pvr(args => [ '--registrar-cert', $pki->file('under') ]);
    my $ee = make_cert($pki->der('under'), signature => "\1" x ($bits / 8),
                       algorithm => sequence(oid('1.2.840.113549.1.1.11'), null()));

    return cms(content => request_json($pvr), key => $pki->key('under'), certs => [ $ee,
        map { make_cert($root, spki => rsa_key($bits, $exponent), serial => integer($_),
                        extensions => undef) } 1 .. $n ]);
}

for my $case ([ 'RSA of 8192 bits', 8192, "\1\0\1", 15 ],
              [ 'RSA with an exponent of 3000 bits', 3072, "\x7F" . "\xFF" x 374, 15 ],
              [ 'RSA of 64 thousand bits', 65_536, "\1\0\1", 4 ]) {
    my ($what, @size) = @$case;
    my @bombs = map { bomb(@size) } 1 .. 5;
    my $before = $httpd->cpu_seconds;

    served($httpd->post('requestvoucher', $_), "5.5.2 $size[2] look-alikes of an issuer: $what")
        for @bombs;
    cmp_ok(($httpd->cpu_seconds - $before) / @bombs, '<', 0.05, '5.5.2 cost little');
}
no_harm_done();
done_testing;
