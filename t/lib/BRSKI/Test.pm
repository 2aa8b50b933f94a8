# SPDX-License-Identifier: Apache-2.0
#
# BRSKI::Test: all that an endpoint test says: `use BRSKI::Test;` brings Test::More, servers,
# databases and labs. done_testing() also fails the file when a server it used logged a BRSKI line
# at warning or above that the test did not expect().
#
#   use FindBin;
#   use lib "$FindBin::RealBin/../lib";
#   use BRSKI::Test;
#
#   my $masa = main_server();                       # started by t/TEST, or here when run by hand
#   my $rvr = $masa->lab->rvr(device => 1);
#   my $res = $masa->httpd->post('requestvoucher', $rvr, $masa->lab->registrar_tls);
#   is($res->code, 200, '5.6 answers a good request with a voucher');
#   done_testing;
package BRSKI::Test;

use strict;
use warnings;
use Test::More ();
use BRSKI::Test::Database ();
use BRSKI::Test::Est ();
use BRSKI::Test::Httpd ();
use BRSKI::Test::Lab ();
use BRSKI::Test::Masa ();
use BRSKI::Test::World ();

my @OWN = qw(done_testing main_server start_masa start_est start_httpd make_httpd new_lab
             new_database dialect run_dir new_dir run_command write_file read_file tool
             wait_until top_srcdir free_port);

sub import
{
    my ($class, @plan) = @_;
    my $caller = caller;

    strict->import;
    warnings->import;
    no strict 'refs';
    for my $name (@Test::More::EXPORT) {
        next if $name eq 'done_testing' || $name =~ /^[\$\@%]/;
        *{"${caller}::$name"} = \&{"Test::More::$name"};
    }
    *{"${caller}::$_"} = \&{"${class}::$_"} for @OWN;
    Test::More::plan(@plan) if @plan;
}

sub dialect { goto &BRSKI::Test::World::dialect }
sub run_dir { goto &BRSKI::Test::World::run_dir }
sub new_dir { goto &BRSKI::Test::World::new_dir }
sub run_command { goto &BRSKI::Test::World::run_command }
sub write_file { goto &BRSKI::Test::World::write_file }
sub read_file { goto &BRSKI::Test::World::read_file }
sub tool { goto &BRSKI::Test::World::tool }
sub wait_until { goto &BRSKI::Test::World::wait_until }
sub top_srcdir { goto &BRSKI::Test::World::top_srcdir }
sub free_port { goto &BRSKI::Test::World::free_port }

# The MASA that t/TEST started, or one of this test's own.
sub main_server { return BRSKI::Test::Masa->main }

# A MASA of this test's own; options of BRSKI::Test::Masa->new.
sub start_masa { return BRSKI::Test::Masa->new(@_)->start }

# A registrar and EST server; options of BRSKI::Test::Est->new.
sub start_est { return BRSKI::Test::Est->new(@_)->start }

# Any other httpd: start_httpd(name => conf text, more options of BRSKI::Test::Httpd->new).
sub start_httpd
{
    my ($name, $conf, %opt) = @_;
    return BRSKI::Test::Httpd->new(name => $name, conf => $conf, %opt)->start;
}

# The same, not started: for configtest() and for servers that must refuse to start.
sub make_httpd
{
    my ($name, $conf, %opt) = @_;
    return BRSKI::Test::Httpd->new(name => $name, conf => $conf, %opt);
}

sub new_lab { return BRSKI::Test::Lab->new(@_) }
sub new_database { return BRSKI::Test::Database->new(@_) }

# A server that crashed or complained fails the test, whatever its answers were.
sub done_testing
{
    for my $httpd (BRSKI::Test::Httpd::running()) {
        my @bad = $httpd->unexpected;
        Test::More::ok(!@bad, 'the error log of ' . $httpd->name . ' holds nothing unexpected');
        Test::More::diag("  $_") for @bad;
    }
    Test::More::done_testing(@_);
}

1;
