# SPDX-License-Identifier: Apache-2.0
#
# BRSKI::Test::Lab: a manufacturer, two domains and devices, made by `brski lab`, with names for
# what is in it and for the artifacts that brski makes from it.
package BRSKI::Test::Lab;

use strict;
use warnings;
use File::Temp ();
use BRSKI::Test::World qw(new_dir read_file run_command run_dir server_user tool top_builddir);

# Options: devices (3), port and host of the MASA, args => [more arguments of brski lab].
sub new
{
    my ($class, %opt) = @_;
    my $dir = new_dir('lab');
    my $self = bless { dir => $dir }, $class;
    my @args = ($dir, '--devices', $opt{devices} || 3,
                '--module', top_builddir() . '/.libs/mod_masa.so');

    push @args, '--port', $opt{port} if $opt{port};
    push @args, '--host', $opt{host} if $opt{host};
    push @args, '--user', server_user() if $> == 0;
    $self->brski('lab', @args, @{ $opt{args} || [] });
    return $self;
}

# One that is there already.
sub attach
{
    my ($class, $dir) = @_;
    return bless { dir => $dir }, $class;
}

sub dir { return $_[0]{dir} }

# A file of the lab: path('tls/ca.pem').
sub path { return "$_[0]{dir}/$_[1]" }

sub voucher_anchor { return $_[0]->path('manufacturer/root.pem') }
sub idevid_anchors { return $_[0]->path('manufacturer/idevid-anchors.pem') }
sub tls_anchor { return $_[0]->path('tls/ca.pem') }
sub devices_csv { return $_[0]->path('devices.csv') }

# Serial number of the nth device, from 1.
sub serial
{
    my ($self, $n) = @_;

    $self->{serials} ||= [ map { (split /,/)[0] } grep { !/^serial_number/ }
                           split /\r?\n/, read_file($self->devices_csv) ];
    return $self->{serials}[$n - 1];
}

# Number of a device that nobody was given before, in any process; from the last down, so that a
# test that names the first ones meets nobody.
sub next_device
{
    my ($self) = @_;

    $self->serial(1);
    for my $n (reverse 1 .. @{ $self->{serials} }) {
        return $n if mkdir "$self->{dir}/used-$n";
    }
    die "the lab has no more devices: $self->{dir}\n";
}

# (cert => PEM, key => PEM) for requests of BRSKI::Test::Httpd: the registrar of 'domain' or
# 'stranger', or with a second argument another identity of that folder ('not-a-registrar').
sub identity
{
    my ($self, $domain, $name) = @_;
    my $base = $self->path(($domain || 'domain') . '/' . ($name || 'registrar'));

    return (cert => "$base.pem", key => "$base.key");
}

# The same for a device.
sub device
{
    my ($self, $n) = @_;
    my $base = $self->path('devices/' . $self->serial($n) . '/idevid');

    return (cert => "$base.pem", key => "$base.key");
}

# A pledge's request and a registrar's, as octets. Options: device (number or serial number; 1),
# domain ('domain'), pvr (octets of a pledge's request, for rvr), args => [more arguments of brski].
sub pvr
{
    my ($self, %opt) = @_;
    return $self->artifact('pvr', %opt);
}

sub rvr
{
    my ($self, %opt) = @_;
    return $self->artifact('rvr', %opt);
}

sub artifact
{
    my ($self, $command, %opt) = @_;
    my $out = File::Temp->new(DIR => run_dir());
    my $device = $opt{device} || 1;
    my @args = ('--lab', $self->{dir}, '-o', $out->filename);
    my $pvr;

    if (defined $opt{pvr}) {
        $pvr = File::Temp->new(DIR => run_dir());
        binmode $pvr;
        print {$pvr} $opt{pvr};
        $pvr->flush;
        push @args, '--pvr', $pvr->filename;
    }
    else {
        push @args, '--device', $device =~ /^\d+$/ ? $self->serial($device) : $device;
    }
    push @args, '--domain', $opt{domain} if $opt{domain};
    $self->brski($command, @args, @{ $opt{args} || [] });
    return read_file($out->filename);
}

# Judge a voucher as the device would: (exit status, what brski verify said).
sub verify
{
    my ($self, $voucher, @args) = @_;
    my $file = File::Temp->new(DIR => run_dir());

    binmode $file;
    print {$file} $voucher;
    $file->flush;
    return $self->try_brski('verify', $file->filename, '--lab', $self->{dir}, @args);
}

# Run brski; dies when it fails, returns what it printed.
sub brski
{
    my ($self, @args) = @_;
    my ($status, $output) = $self->try_brski(@args);

    $status == 0 or die "brski @args: status $status\n$output";
    return $output;
}

# As brski(), but (status, output).
sub try_brski
{
    my ($self, @args) = @_;
    return run_command([ tool('tools/brski/brski'), @args ]);
}

1;
