#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# masactl schema: applied once, told, refused when newer; and whose SQLite's files are.

use strict;
use warnings;
use FindBin ();
use lib "$FindBin::RealBin/../lib";
use BRSKI::Masactl;
use BRSKI::Test::World qw(server_user);
use Test::More;

each_database(sub {
    my ($dialect, $db) = @_;
    my $status = json_masactl('schema', 'status');

    is($status->{version}, $status->{known}, 'schema status knows what was applied');
    is($status->{state}, 'up to date', 'and says so');
    my $again = json_masactl('schema', 'apply');
    is_deeply($again->{applied}, [], 'an upgrade is applied once');
    $db->sql("INSERT INTO schema_version (number, name, applied_at) VALUES (9999, 'later', 0)");
    no_masactl(1, qr/newer masactl/, 'tables of a newer version', 'schema', 'apply');
    no_masactl(1, qr/newer/, 'work on tables of a newer version', 'device', 'list');
    my ($rc, $out) = masactl('schema', 'status');
    is($rc, 1, 'schema status of newer tables is a problem');
    $db->sql('DELETE FROM schema_version');
    $db->sql('DROP TABLE schema_version');
    no_masactl(1, qr/masactl schema apply/, 'a database without tables', 'device', 'list');
});

SKIP: {
    skip 'ownership is for root to test', 1 if $> != 0;
    ownership();
}
done_testing();

sub owner { return (getpwuid((stat $_[0])[4]))[0] }

# As root, on a file of its own.
sub apply
{
    my ($file, @args) = @_;
    return run_command([ masactl_file(), '--db', "sqlite3:$file", 'schema', 'apply', @args ]);
}

sub ownership
{
    my $dir = new_dir('owned');
    my ($status, $out) = apply("$dir/new/masa.db", '--user', server_user());

    is($status, 0, 'root makes a database for the server');
    is(owner("$dir/new"), server_user(), 'its directory is made for the server');
    is(owner("$dir/new/masa.db"), server_user(), 'the file belongs to the server');
    is((stat "$dir/new/masa.db")[2] & 0007, 0, 'others cannot read the records');

    ($status, $out) = apply("$dir/roots.db", '--user', server_user());
    is($status, 1, 'a directory in which the server cannot make files is refused');
    like($out, qr/cannot make files in \Q$dir\E.*chown/, 'and what to do is said');
    ok(!-e "$dir/roots.db", 'and nothing is left');

    chown 0, 0, "$dir/new/masa.db";
    my ($rc, $text) = run_command([ masactl_file(), '--db', "sqlite3:$dir/new/masa.db", 'device',
                                    'list' ], as => server_user());
    is($rc, 1, 'another user than the owner is refused');
    like($text, qr/belongs to root/, 'and told whose it is');
    ($status, $out) = apply("$dir/new/masa.db", '--user', server_user());
    is(owner("$dir/new/masa.db"), server_user(), 'a database that root took is given back');
    like($out, qr/belong to/, 'and that is said');
    run_command([ masactl_file(), '--db', "sqlite3:$dir/new/masa.db", 'device', 'list' ]);
    my @files = glob "$dir/new/*";
    is(join(' ', map { owner($_) } @files), join(' ', (server_user()) x @files),
       'root leaves no file of its own');
    ($status, $out) = apply("$dir/new/masa.db", '--user', 'no-such-user');
    like($out, qr/no user 'no-such-user'/, 'an unknown user is refused');
}
