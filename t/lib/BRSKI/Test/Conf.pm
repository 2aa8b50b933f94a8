# SPDX-License-Identifier: Apache-2.0
#
# BRSKI::Test::Conf: configurations of a MASA, right but for one thing, shown to `httpd -t`: what
# t/config/*.t says. Each part of a right configuration has a name and can be replaced.
package BRSKI::Test::Conf;

use strict;
use warnings;
use Exporter qw(import);
use Test::More ();
use BRSKI::Test ();

our @EXPORT = qw(accepted refused conf_lab conf_database openssl);

my ($lab, $database);

# Shared by the tests of a file.
sub conf_lab { return $lab ||= BRSKI::Test::new_lab(devices => 1) }
sub conf_database { return $database ||= BRSKI::Test::new_database() }

# The parts of a right configuration, in their order.
my @PARTS = qw(dbd server tls engine signers product_start product product_end handler host);

sub part
{
    my ($name) = @_;
    my ($dir, $tls) = map { conf_lab()->path($_) } qw(manufacturer tls);

    return conf_database()->directives if $name eq 'dbd';
    return {
        tls => "SSLEngine On\nSSLVerifyClient optional_no_ca\n"
            . "SSLCertificateFile $tls/server.pem\nSSLCertificateKeyFile $tls/server.key\n",
        engine => "MASAEngine On\n",
        signers => "MASASigner lab $dir/masa-signer.pem $dir/masa-signer.key\n",
        product_start => "<MASAProduct lab>\n",
        product => "MASAIDevIDAnchor $dir/idevid-anchors.pem\nMASASignWith lab\nMASAOwner any\n",
        product_end => "</MASAProduct>\n",
        handler => qq{<Location "/.well-known/brski">\nSetHandler masa\n</Location>\n},
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
            . "ServerName masa.example\n" if $name eq 'tls';
        $text .= !defined $new ? part($name) : $new =~ s/^\+// ? part($name) . $new : $new;
        $text .= "\n";
    }
    die 'no such part: ' . join(' ', keys %with) . "\n" if %with;
    return "$text</VirtualHost>\n";
}

sub configtest
{
    my (%with) = @_;
    my ($status, $output) = BRSKI::Test::make_httpd('conf', conf_text(%with))->configtest;

    return ($status, $output);
}

# accepted($label, part => text, ..., says => [patterns]): httpd starts with it; says are warnings.
sub accepted
{
    my ($label, %with) = @_;
    my $says = delete $with{says} || [];
    my ($status, $output) = configtest(%with);

    report($status == 0 && $output =~ /Syntax OK/ && !grep({ $output !~ $_ } @$says), $label,
           $output, $says);
    return $output;
}

# refused($label, part => text, ..., says => [patterns]): httpd does not, and says all of these.
sub refused
{
    my ($label, %with) = @_;
    my $says = delete $with{says};
    my ($status, $output) = configtest(%with);

    report($status != 0 && !grep({ $output !~ $_ } @$says), $label, $output, $says);
    return $output;
}

sub report
{
    my ($ok, $label, $output, $says) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 2;

    Test::More::ok($ok, $label)
        or Test::More::diag("wanted: @$says\nhttpd -t said:\n$output");
}

# openssl with these arguments; dies when it fails.
sub openssl
{
    my (@args) = @_;
    my ($status, $output) = BRSKI::Test::run_command([ 'openssl', @args ]);

    $status == 0 or die "openssl @args:\n$output";
    return $output;
}

1;
