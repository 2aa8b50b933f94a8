# SPDX-License-Identifier: Apache-2.0
#
# BRSKI::Test::Est: a registrar and EST server whole: a lab's domain, a database, and an httpd that
# serves both on a TLS virtual host named registrar.example; and clients that ask it.
package BRSKI::Test::Est;

use strict;
use warnings;
use File::Temp ();
use MIME::Base64 qw(decode_base64 encode_base64);
use BRSKI::Test::Database ();
use BRSKI::Test::Httpd ();
use BRSKI::Test::Lab ();
use BRSKI::Test::World qw(new_dir read_file run_command run_dir);

# Options:
#   name       of the server, for messages (est)
#   lab, db    of another server of this test; made when left out
#   devices    of a lab made here (3)
#   masa       BRSKI::Test::Httpd of the MASA that devices are asked about; none: a port where
#              nobody listens
#   maker      lines of <ESTManufacturer lab> beside its anchors (ESTPledges any)
#   est        lines of the directives beside the lab's certificate and CA
#   enrol      what stands in <Location "/.well-known/est"> (Require all granted)
#   host       more lines in the virtual host;  server: more lines outside of it
#   conf       whole text of the configuration beyond the bare httpd, instead
#   httpd      { options of BRSKI::Test::Httpd->new }
sub new
{
    my ($class, %opt) = @_;
    my $self = bless { name => $opt{name} || 'est' }, $class;
    my %httpd = %{ $opt{httpd} || {} };

    $self->{lab} = $opt{lab} || BRSKI::Test::Lab->new(devices => $opt{devices} || 3);
    $self->{db} = $opt{db} || BRSKI::Test::Database->new(tool => 'estctl');
    $self->{httpd} = BRSKI::Test::Httpd->new(
        host => 'registrar.example', %httpd, name => $self->{name},
        conf => $opt{conf} || $self->conf_text(%opt));
    return $self;
}

sub lab { return $_[0]{lab} }
sub db { return $_[0]{db} }
sub httpd { return $_[0]{httpd} }

sub start
{
    my ($self) = @_;
    $self->{httpd}->start;
    return $self;
}

sub stop
{
    my ($self) = @_;
    $self->{httpd}->stop;
}

sub estctl
{
    my ($self, @args) = @_;
    return $self->{db}->estctl(@args);
}

sub conf_text
{
    my ($self, %opt) = @_;

    return $self->{db}->directives . "SSLSessionCache none\n"
        . (defined $opt{server} ? $opt{server} : '') . "\nListen 127.0.0.1:\@TLSPORT\@\n"
        . $self->host_text('registrar.example', %opt);
}

# A virtual host that is a registrar.
sub host_text
{
    my ($self, $name, %opt) = @_;
    my $lab = $self->{lab};
    my $enrol = defined $opt{enrol} ? $opt{enrol} : 'Require all granted';

    return <<"EOF_CONF" . (defined $opt{host} ? $opt{host} : '') . "\n</VirtualHost>\n";
<VirtualHost 127.0.0.1:\@TLSPORT\@>
    ServerName $name
    SSLEngine On
    SSLProtocol -all +TLSv1.2 +TLSv1.3
    SSLCertificateFile @{[ $lab->path('domain/registrar.pem') ]}
    SSLCertificateKeyFile @{[ $lab->path('domain/registrar.key') ]}
    SSLVerifyClient optional_no_ca
    ESTEngine On
@{[ $self->engine_text(%opt) ]}
    <Location "/.well-known/brski">
        SetHandler est
        Require all granted
    </Location>
    <Location "/.well-known/est">
        SetHandler est
        $enrol
    </Location>
    <Location "/crl">
        SetHandler est-crl
        Require all granted
    </Location>
EOF_CONF
}

sub engine_text
{
    my ($self, %opt) = @_;
    my $lab = $self->{lab};
    my $maker = defined $opt{maker} ? $opt{maker} : 'ESTPledges any';
    my $port = $opt{masa} ? $opt{masa}->tls_port : 9;
    my ($registrar, $ca) = map { $lab->path("domain/$_") } qw(registrar ca);

    return <<"EOF_CONF";
    ESTRegistrarCertificate $registrar.pem $registrar.key
    ESTCA local $ca.pem $ca.key
    ESTProfile subject "CN=%{serial},O=Test"
    ESTMASAAddresses public 127.0.0.0/8
    <ESTManufacturer lab>
        ESTIDevIDAnchor @{[ $lab->idevid_anchors ]}
        ESTVoucherAnchor @{[ $lab->voucher_anchor ]}
        ESTMASATLSAnchor @{[ $lab->tls_anchor ]}
        ESTMASAURL https://localhost:$port
$maker
    </ESTManufacturer>
@{[ defined $opt{est} ? $opt{est} : '' ]}
EOF_CONF
}

# Another CA, self-signed, of this name: (certificate, key), files that the server may read.
sub new_ca
{
    my ($self, $name) = @_;
    my $dir = new_dir('ca');
    my ($status, $out) = run_command([
        qw(openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -sha256 -days 30),
        '-subj', "/CN=$name", '-keyout', "$dir/ca.key", '-out', "$dir/ca.pem",
        '-addext', 'keyUsage=critical,keyCertSign,cRLSign' ]);

    $status == 0 or die "openssl req: $out";
    return ("$dir/ca.pem", "$dir/ca.key");
}

# --- clients --------------------------------------------------------------

# A key and a request for a certificate: { key => file, pem => text, der => octets }. Options:
# subject ('/CN=x'; '': that of a configuration), and args => [more arguments of openssl req].
sub csr
{
    my ($self, %opt) = @_;
    my $dir = new_dir('csr');
    my ($status, $out) = run_command([
        qw(openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -sha256),
        '-keyout', "$dir/key.pem", '-out', "$dir/csr.pem",
        defined $opt{subject} && $opt{subject} eq '' ? () : ('-subj', $opt{subject} || '/CN=x'),
        @{ $opt{args} || [] } ]);

    $status == 0 or die "openssl req: $out";
    my $pem = read_file("$dir/csr.pem");
    my ($base64) = $pem =~ /-----BEGIN [A-Z ]+-----(.*?)-----END/s;
    return { key => "$dir/key.pem", dir => $dir, pem => $pem, der => decode_base64($base64) };
}

# POST to an EST operation ("simpleenroll", "LABEL/simpleenroll") or a whole path; the body is
# octets and goes in base64 on one line unless raw => 1. Options of BRSKI::Test::Httpd->post.
sub enrol
{
    my ($self, $operation, $body, %opt) = @_;
    my $path = $operation =~ m{^/} ? $operation : "/.well-known/est/$operation";

    return $self->{httpd}->post($path, delete $opt{raw} ? $body : encode_base64($body, ''),
                                type => 'application/pkcs10', %opt);
}

sub get
{
    my ($self, $operation, %opt) = @_;
    return $self->{httpd}->get("/.well-known/est/$operation", %opt);
}

# The certificates of a certs-only answer in base64, as text of openssl.
sub certificates
{
    my ($self, $base64) = @_;
    my $file = File::Temp->new(DIR => run_dir());

    binmode $file;
    print {$file} decode_base64($base64);
    $file->flush;
    my ($status, $out) = run_command([ qw(openssl pkcs7 -inform DER -print_certs -text -in),
                                       $file->filename ]);
    $status == 0 or die "openssl pkcs7: $out";
    return $out;
}

# The PEM of the first of them.
sub certificate_pem
{
    my ($self, $base64) = @_;
    my ($pem) = $self->certificates($base64)
        =~ /(-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n)/s;

    return $pem;
}

1;
