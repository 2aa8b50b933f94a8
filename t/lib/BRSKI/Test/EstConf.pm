# SPDX-License-Identifier: Apache-2.0
#
# BRSKI::Test::EstConf: what BRSKI::Test::Conf is for a MASA, for a registrar: configurations that
# are right but for one thing, shown to `httpd -t`.
package BRSKI::Test::EstConf;

use strict;
use warnings;
use Exporter qw(import);
use BRSKI::Test ();
use BRSKI::Test::Conf ();

our @EXPORT = qw(accepted refused conf_lab conf_database conf_pki openssl);

my ($database, $pki);

sub conf_lab { goto &BRSKI::Test::Conf::conf_lab }
sub conf_database { return $database ||= BRSKI::Test::new_database(tool => 'estctl') }
sub openssl { goto &BRSKI::Test::Conf::openssl }

# Certificates that a lab does not have.
sub conf_pki
{
    require BRSKI::Test::Pki;
    return $pki ||= BRSKI::Test::Pki->new;
}

# The parts of a right configuration, in their order.
my @PARTS = qw(dbd server tls engine certificate ca profile
               maker_start maker maker_end handler host);

sub part
{
    my ($name) = @_;
    my $lab = conf_lab();
    my ($registrar, $ca) = map { $lab->path("domain/$_") } qw(registrar ca);

    return conf_database()->directives if $name eq 'dbd';
    return {
        tls => "SSLEngine On\nSSLVerifyClient optional_no_ca\n"
            . "SSLCertificateFile $registrar.pem\nSSLCertificateKeyFile $registrar.key\n",
        engine => "ESTEngine On\n",
        certificate => "ESTRegistrarCertificate $registrar.pem $registrar.key\n",
        ca => "ESTCA local $ca.pem $ca.key\n",
        maker_start => "<ESTManufacturer lab>\n",
        maker => "ESTIDevIDAnchor @{[ $lab->idevid_anchors ]}\n"
            . "ESTVoucherAnchor @{[ $lab->voucher_anchor ]}\n",
        maker_end => "</ESTManufacturer>\n",
        handler => qq{<Location "/.well-known/est">\nSetHandler est\n</Location>\n}
            . qq{<Location "/.well-known/brski">\nSetHandler est\n</Location>\n},
    }->{$name} || '';
}

# Text with parts replaced; a value that begins with + is added to the part.
sub conf_text
{
    my (%with) = @_;
    my $text = '';

    for my $name (@PARTS) {
        my $new = delete $with{$name};
        $text .= "Listen 127.0.0.1:\@TLSPORT\@\n<VirtualHost 127.0.0.1:\@TLSPORT\@>\n"
            . "ServerName registrar.example\n" if $name eq 'tls';
        $text .= !defined $new ? part($name) : $new =~ s/^\+// ? part($name) . $new : $new;
        $text .= "\n";
    }
    die 'no such part: ' . join(' ', keys %with) . "\n" if %with;
    return "$text</VirtualHost>\n";
}

sub configtest
{
    my (%with) = @_;
    return BRSKI::Test::make_httpd('conf', conf_text(%with), modules => ['est'])->configtest;
}

# As in BRSKI::Test::Conf; quiet => 1: nothing of ours is said.
sub accepted
{
    my ($label, %with) = @_;
    my $says = delete $with{says} || [];
    my $quiet = delete $with{quiet};
    my ($status, $output) = configtest(%with);

    BRSKI::Test::Conf::report($status == 0 && $output =~ /Syntax OK/
                              && !grep({ $output !~ $_ } @$says)
                              && !($quiet && $output =~ /BRSKI/), $label, $output, $says);
    return $output;
}

sub refused
{
    my ($label, %with) = @_;
    my $says = delete $with{says};
    my ($status, $output) = configtest(%with);

    BRSKI::Test::Conf::report($status != 0 && !grep({ $output !~ $_ } @$says), $label, $output,
                              $says);
    return $output;
}

1;
