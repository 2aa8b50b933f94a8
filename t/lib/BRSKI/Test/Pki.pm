# SPDX-License-Identifier: Apache-2.0
#
# BRSKI::Test::Pki: certificates that a lab does not have: longer chains, other names, ends in the
# past, IDevIDs of another factory. Made by openssl, P-256, in a directory of their own.
package BRSKI::Test::Pki;

use strict;
use warnings;
use POSIX ();
use BRSKI::Test::World qw(new_dir read_file run_command write_file);

sub new
{
    my ($class) = @_;
    return bless { dir => new_dir('pki'), issuer => {} }, $class;
}

# What `identity()` of a lab gives, for one made here: the file has the chain up to the root.
sub identity
{
    my ($self, $name) = @_;
    return (cert => $self->file($name), key => $self->key($name));
}

sub file { return "$_[0]{dir}/$_[1].pem" }
sub key { return "$_[0]{dir}/$_[1].key" }

# brski's options for it.
sub args
{
    my ($self, $name) = @_;
    return ('--cert', $self->file($name), '--key', $self->key($name));
}

# Make one. Options:
#   issuer    name of a CA made before, or { cert => PEM, key => PEM } (default: itself)
#   subject   (/O=Test/CN=name);  serial => X520SerialNumber in the subject
#   ca        1: a CA;  pathlen
#   basic, usage  what basicConstraints and keyUsage say, in place of what goes with that
#   eku       words of openssl or OIDs ('1.3.6.1.5.5.7.3.28' is id-kp-cmcRA)
#   dns       a name in subjectAltName
#   ski, aki  0: without the extension
#   ext       [more lines of extensions]
#   from, to  seconds from now (-86400, 365 days)
#   bare      1: the file has the certificate alone, without its chain
#   key       name of another certificate made here whose key it has
#   type      of the key: arguments of openssl req -newkey (ec with P-256)
sub make
{
    my ($self, $name, %opt) = @_;
    my ($file, $key) = ($self->file($name), $self->key($name));
    my $issuer = ref $opt{issuer} ? $opt{issuer}
               : defined $opt{issuer} ? { cert => $self->file($opt{issuer}),
                                          key => $self->key($opt{issuer}) } : undef;

    $self->make_request($name, %opt);
    my $conf = write_file("$self->{dir}/$name.cnf", $self->config($name, !$issuer, %opt));
    write_file("$self->{dir}/$name.index", '');
    openssl('ca', '-batch', '-notext', '-config', $conf, '-in', "$self->{dir}/$name.csr",
            '-out', $file, '-outdir', $self->{dir},
            '-startdate', stamp(defined $opt{from} ? $opt{from} : -86_400),
            '-enddate', stamp(defined $opt{to} ? $opt{to} : 365 * 86_400),
            $issuer ? ('-cert', $issuer->{cert}, '-keyfile', $issuer->{key})
                    : ('-selfsign', '-keyfile', $key));
    write_file($file, read_file($file) . read_file($issuer->{cert})) if $issuer && !$opt{bare};
    return $self;
}

# A CA, and a registrar: what most tests want.
sub ca
{
    my ($self, $name, %opt) = @_;
    return $self->make($name, ca => 1, %opt);
}

sub registrar
{
    my ($self, $name, %opt) = @_;
    return $self->make($name, eku => '1.3.6.1.5.5.7.3.28,serverAuth,clientAuth', %opt);
}

# DER of the certificate.
sub der
{
    my ($self, $name) = @_;
    require MIME::Base64;
    my ($text) = read_file($self->file($name)) =~ /CERTIFICATE-----\n(.*?)-----END/s;

    return MIME::Base64::decode_base64($text);
}

sub make_request
{
    my ($self, $name, %opt) = @_;
    my $subject = $opt{subject} || "/O=Test/CN=$name";
    my $key = $self->key($name);

    $subject .= "/serialNumber=$opt{serial}" if defined $opt{serial};
    if ($opt{key}) {
        write_file($key, read_file($self->key($opt{key})));
    }
    else {
        openssl('genpkey', $opt{type} ? @{ $opt{type} }
                                      : (qw(-algorithm EC -pkeyopt ec_paramgen_curve:P-256)),
                '-out', $key);
    }
    chmod 0600, $key;
    openssl('req', '-new', '-utf8', '-key', $key, '-subj', $subject,
            '-out', "$self->{dir}/$name.csr");
}

sub config
{
    my ($self, $name, $self_signed, %opt) = @_;
    my ($basic, $usage) = $opt{ca}
        ? ('critical,CA:TRUE' . (defined $opt{pathlen} ? ",pathlen:$opt{pathlen}" : ''),
           'critical,keyCertSign,cRLSign')
        : ('critical,CA:FALSE', 'critical,digitalSignature');
    my @ext = ('basicConstraints=' . (defined $opt{basic} ? $opt{basic} : $basic),
               'keyUsage=' . (defined $opt{usage} ? $opt{usage} : $usage));

    push @ext, "extendedKeyUsage=$opt{eku}" if $opt{eku};
    push @ext, "subjectAltName=DNS:$opt{dns}" if $opt{dns};
    push @ext, 'subjectKeyIdentifier=' . (exists $opt{ski} && !$opt{ski} ? 'none' : 'hash');
    push @ext, 'authorityKeyIdentifier=' . (exists $opt{aki} && !$opt{aki} ? 'none' : 'keyid')
        if !$self_signed;
    push @ext, @{ $opt{ext} || [] };
    return "[ca]\ndefault_ca=d\n[d]\ndatabase=$self->{dir}/$name.index\npolicy=p\n"
        . "default_md=sha256\nrand_serial=yes\nx509_extensions=e\nunique_subject=no\npreserve=yes\n"
        . "email_in_dn=no\n[p]\ncountryName=optional\norganizationName=optional\n"
        . "organizationalUnitName=optional\ncommonName=optional\nserialNumber=optional\n[e]\n"
        . join("\n", @ext) . "\n";
}

sub stamp
{
    my ($seconds) = @_;
    return POSIX::strftime('%Y%m%d%H%M%SZ', gmtime(time + $seconds));
}

sub openssl
{
    my (@args) = @_;
    my ($status, $output) = run_command([ 'openssl', @args ]);

    $status == 0 or die "openssl @args:\n$output";
}

1;
