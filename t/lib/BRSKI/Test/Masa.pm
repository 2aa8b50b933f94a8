# SPDX-License-Identifier: Apache-2.0
#
# BRSKI::Test::Masa: a MASA whole: a lab, a database with the lab's devices, and an httpd that
# serves both on a TLS virtual host named masa.example.
package BRSKI::Test::Masa;

use strict;
use warnings;
use File::Temp ();
use JSON::PP ();
use BRSKI::Test::Database ();
use BRSKI::Test::Httpd ();
use BRSKI::Test::Lab ();
use BRSKI::Test::World qw(dialect read_file run_dir write_file);

my $POLICY = "MASAOwner any\nMASANonceless deny\nMASAProximity required\n";

# Options:
#   name      of the server, for messages (masa)
#   lab, db   of another MASA of this test; made when left out
#   devices   of a lab made here (3)
#   import    0: the lab's devices are not imported
#   policy    lines of <MASAProduct lab> beside its anchor and signer (first come)
#   lines     [name => policy, ...] instead of policy: product lines with the lab's anchors and
#             signer, unless their policy says otherwise; no device is imported
#   signers   [[name => file of manufacturer/, words], ...] instead of [[lab => 'masa-signer']]
#   products  whole text of the MASASigner and <MASAProduct> directives, instead
#   client    MASAClientCertificate (request)
#   host      more lines in the virtual host;  server: more lines outside of it
#   more      [name => { policy, lines, signers, products, client, host }, ...]: more virtual hosts
#             on the same port
#   conf      whole text of the configuration beyond the bare httpd, instead
#   httpd     { options of BRSKI::Test::Httpd->new }
sub new
{
    my ($class, %opt) = @_;
    my $self = bless { name => $opt{name} || 'masa' }, $class;

    $self->{lab} = $opt{lab} || BRSKI::Test::Lab->new(devices => $opt{devices} || 3);
    $self->{db} = $opt{db} || BRSKI::Test::Database->new;
    $self->import_devices if !$opt{db} && (exists $opt{import} ? $opt{import} : !$opt{lines});
    $self->{httpd} = BRSKI::Test::Httpd->new(%{ $opt{httpd} || {} }, name => $self->{name},
                                             conf => $opt{conf} || $self->conf_text(%opt));
    return $self;
}

# The MASA that t/TEST started; without t/TEST one of this process.
my $main;
sub main
{
    my ($class) = @_;

    if (!$main && $ENV{BRSKI_TEST_MAIN}) {
        my $known = JSON::PP::decode_json(read_file($ENV{BRSKI_TEST_MAIN}));
        $main = bless { name => 'main', lab => BRSKI::Test::Lab->attach($known->{lab}),
                        db => BRSKI::Test::Database->attach(@{$known}{qw(dialect params)}),
                        httpd => BRSKI::Test::Httpd->attach(%{ $known->{httpd} }) }, $class;
    }
    return $main ||= $class->new(name => 'main', devices => 20)->start;
}

# Where another process finds this one: for BRSKI_TEST_MAIN.
sub describe
{
    my ($self, $file) = @_;
    my %httpd = map { $_ => $self->{httpd}{$_} } qw(name dir port tls_port error_log conf);

    return write_file($file, JSON::PP::encode_json({
        lab => $self->{lab}->dir, dialect => $self->{db}->dialect_name,
        params => $self->{db}->params, httpd => \%httpd }));
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

sub import_devices
{
    my ($self) = @_;
    $self->{db}->masactl('device', 'import', $self->{lab}->devices_csv);
}

# A device of the lab that no test has used; with options it is imported now: product, customer,
# signer, idevid_issuer, status. Its number.
sub new_device
{
    my ($self, %row) = @_;
    my $n = $self->{lab}->next_device;

    $self->import_row($self->{lab}->serial($n), %row) if %row;
    return $n;
}

# One row of a list of devices; what is not named the list does not say.
sub import_row
{
    my ($self, $serial, %row) = @_;
    my @columns = sort keys %row;
    my $file = File::Temp->new(DIR => run_dir());

    print {$file} join(',', 'serial_number', @columns), "\n",
                  join(',', map { quoted($_) } $serial, @row{@columns}), "\n";
    $file->flush;
    chmod 0644, $file->filename;
    $self->masactl('device', 'import', $file->filename);
}

sub quoted
{
    my ($field) = @_;

    $field =~ s/"/""/g;
    return qq{"$field"};
}

sub conf_text
{
    my ($self, %opt) = @_;
    my @more = @{ $opt{more} || [] };
    my $text = $self->host_text('masa.example', %opt);

    while (my ($name, $its) = splice @more, 0, 2) {
        $text .= $self->host_text($name, %$its);
    }
    return $self->{db}->directives . "SSLSessionCache none\n"
        . (defined $opt{server} ? $opt{server} : '') . "\nListen 127.0.0.1:\@TLSPORT\@\n$text";
}

# A virtual host that is a MASA.
sub host_text
{
    my ($self, $name, %opt) = @_;
    my $lab = $self->{lab};
    my $products = $opt{products} || $self->products_text(%opt);
    my $client = $opt{client} || 'request';
    my $verify = $client eq 'none' ? 'none' : 'optional_no_ca';

    return <<"EOF_CONF" . (defined $opt{host} ? $opt{host} : '') . "\n</VirtualHost>\n";
<VirtualHost 127.0.0.1:\@TLSPORT\@>
    ServerName $name
    SSLEngine On
    SSLProtocol -all +TLSv1.2 +TLSv1.3
    SSLCertificateFile @{[ $lab->path('tls/server.pem') ]}
    SSLCertificateKeyFile @{[ $lab->path('tls/server.key') ]}
    SSLVerifyClient $verify
    MASAEngine On
    MASAClientCertificate $client
$products
    <Location "/.well-known/brski">
        SetHandler masa
        Require all granted
    </Location>
    <Location "/masa-status">
        SetHandler masa-status
        Require all granted
    </Location>
    <Location "/masa-health">
        SetHandler masa-health
        Require all granted
    </Location>
EOF_CONF
}

sub products_text
{
    my ($self, %opt) = @_;
    my @lines = $opt{lines} ? @{ $opt{lines} } : (lab => $opt{policy} || $POLICY);
    my $text = join '', map { $self->signer_text(@$_) }
                        @{ $opt{signers} || [ [ lab => 'masa-signer' ] ] };

    while (my ($name, $policy) = splice @lines, 0, 2) {
        $policy .= "\nMASAIDevIDAnchor " . $self->{lab}->idevid_anchors
            if $policy !~ /MASAIDevIDAnchor/;
        $policy .= "\nMASASignWith lab" if $policy !~ /MASASignWith/;
        $text .= "<MASAProduct $name>\n$policy\n</MASAProduct>\n";
    }
    return $text;
}

# A MASASigner line for a signer of the lab.
sub signer_text
{
    my ($self, $name, $file, @words) = @_;
    my $base = $self->{lab}->path("manufacturer/$file");

    return join(' ', 'MASASigner', $name, "$base.pem", "$base.key", @words) . "\n";
}

# Make a customer known, by identities as --dns => NAME, --user => NAME, --cert or --ca => a PEM
# file, whose first certificate counts.
sub customer
{
    my ($self, $name, @identities) = @_;

    $self->masactl('customer', 'add', $name);
    while (my ($kind, $value) = splice @identities, 0, 2) {
        my $file;
        if ($kind =~ /^--(?:cert|ca)$/) {
            my ($pem) = read_file($value) =~ /(-----BEGIN CERT.*?-----END CERTIFICATE-----\n)/s;
            $file = File::Temp->new(DIR => run_dir());
            print {$file} $pem;
            $file->flush;
            chmod 0644, $file->filename;
        }
        $self->masactl(qw(customer key add), $name, $kind, $file ? $file->filename : $value);
    }
}

# The audit log's side door, as the administrator sees it.
sub masactl
{
    my ($self, @args) = @_;
    return $self->{db}->masactl(@args);
}

1;
