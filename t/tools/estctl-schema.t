#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# estctl schema: applied once, told, refused when newer; and whose SQLite's files are.

use strict;
use warnings;
use FindBin ();
use lib "$FindBin::RealBin/../lib";
use BRSKI::Estctl;
use BRSKI::Test::World qw(server_user);
use Test::More;

each_database(sub {
    my ($dialect, $db) = @_;
    my $status = json_estctl('schema', 'status');

    is($status->{version}, $status->{known}, 'schema status knows what was applied');
    is($status->{state}, 'up to date', 'and says so');
    my $again = json_estctl('schema', 'apply');
    is_deeply($again->{applied}, [], 'an upgrade is applied once');
    $db->masactl('schema', 'apply');
    like($db->masactl('schema', 'status'), qr/up to date/, "one database may hold a MASA's tables too");
    is(json_estctl('schema', 'status')->{state}, 'up to date', 'and neither knows of the other');
    $db->sql("INSERT INTO est_schema_version (number, name, applied_at) VALUES (9999, 'later', 0)");
    no_estctl(1, qr/newer estctl/, 'tables of a newer version', 'schema', 'apply');
    no_estctl(1, qr/newer/, 'work on tables of a newer version', 'pledge', 'list');
    my ($rc, $out) = estctl('schema', 'status');
    is($rc, 1, 'schema status of newer tables is a problem');
    $db->sql('DELETE FROM est_schema_version');
    $db->sql('DROP TABLE est_schema_version');
    no_estctl(1, qr/estctl schema apply/, 'a database without tables', 'pledge', 'list');
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
    return run_command([ estctl_file(), '--db', "sqlite3:$file", 'schema', 'apply', @args ]);
}

sub ownership
{
    my $dir = new_dir('owned');
    my ($status, $out) = apply("$dir/new/est.db", '--user', server_user());

    is($status, 0, 'root makes a database for the server');
    is(owner("$dir/new"), server_user(), 'its directory is made for the server');
    is(owner("$dir/new/est.db"), server_user(), 'the file belongs to the server');
    is((stat "$dir/new/est.db")[2] & 0007, 0, 'others cannot read the records');

    ($status, $out) = apply("$dir/roots.db", '--user', server_user());
    is($status, 1, 'a directory in which the server cannot make files is refused');
    like($out, qr/cannot make files in \Q$dir\E.*chown/, 'and what to do is said');
    ok(!-e "$dir/roots.db", 'and nothing is left');

    chown 0, 0, "$dir/new/est.db";
    my ($rc, $text) = run_command([ estctl_file(), '--db', "sqlite3:$dir/new/est.db", 'pledge',
                                    'list' ], as => server_user());
    is($rc, 1, 'another user than the owner is refused');
    like($text, qr/belongs to root/, 'and told whose it is');
    ($status, $out) = apply("$dir/new/est.db", '--user', server_user());
    is(owner("$dir/new/est.db"), server_user(), 'a database that root took is given back');
    like($out, qr/belong to/, 'and that is said');
    run_command([ estctl_file(), '--db', "sqlite3:$dir/new/est.db", 'pledge', 'list' ]);
    my @files = glob "$dir/new/*";
    is(join(' ', map { owner($_) } @files), join(' ', (server_user()) x @files),
       'root leaves no file of its own');
    ($status, $out) = apply("$dir/new/est.db", '--user', 'no-such-user');
    like($out, qr/no user 'no-such-user'/, 'an unknown user is refused');
}
