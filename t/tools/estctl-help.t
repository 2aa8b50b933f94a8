#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# estctl tells how it is used on one screen, what is wrong with a command line in a sentence, and
# which database it works on from a file that must not give a password away.

use strict;
use warnings;
use FindBin ();
use lib "$FindBin::RealBin/../lib";
use BRSKI::Estctl;
use BRSKI::Test::World qw(server_user top_srcdir);
use Test::More;

my %commands = (
    schema  => [qw(apply status)],
    pledge  => [qw(list show allow refuse)],
    voucher => [qw(list prefetch)],
    masa    => [qw(list show approve distrust)],
    cert    => [qw(list show revoke waiting approve refuse)],
    crl     => [qw(show write)],
    audit   => [qw(show check)],
    alarm   => [qw(list)],
    doctor  => [''],
    backup  => [''],
    restore => [''],
);

my ($status, $out) = run(['--help']);
is($status, 0, '--help is no error');
fits($out, '--help');
for my $group (sort keys %commands) {
    like($out, qr/^  $group /m, "--help tells of $group");
    if (@{ $commands{$group} } > 1) {
        ($status, my $text) = run([ $group, '--help' ]);
        is($status, 0, "$group --help is no error");
        like($text, qr/estctl \Q$group $_\E/,
             "$group --help tells of $_") for @{ $commands{$group} };
    }
    check_command($_ eq '' ? $group : "$group $_") for @{ $commands{$group} };
}

($status, $out) = run(['dance']);
is($status, 2, 'an unknown command is wrong usage');
like($out, qr/dance/, 'and is named');
($status, $out) = run([]);
is($status, 2, 'no command is wrong usage');
($status, $out) = run(['pledge']);
is($status, 2, 'a group alone is wrong usage');
like($out, qr/pledge allow/, 'and its commands are told');
($status, $out) = run(['pledge', 'show']);
is($status, 2, 'a missing argument is wrong usage');
($status, $out) = run(['pledge', 'show', 'a', 'b', 'c']);
is($status, 2, 'an argument too many is wrong usage');
($status, $out) = run(['--version']);
like($out, qr/^estctl \d/, '--version says it');

for my $later ([ 'backup', 'now' ], ['restore'], [ 'voucher', 'prefetch', 'list.csv' ]) {
    ($status, $out) = run($later);
    is($status, 2, "$later->[0] of a later version is wrong usage");
    like($out, qr/this version/, "$later->[0] says that this version has it not");
}

configuration();

SKIP: {
    skip 'no mandoc here', 1 if system('command -v mandoc >/dev/null 2>&1') != 0;
    my @pages = glob top_srcdir() . '/docs/man/estctl*.1';
    is(`mandoc -Tlint -W warning @pages 2>&1`, '', 'mandoc finds nothing to say about the manuals');
}
done_testing();

sub run
{
    my ($args, %env) = @_;
    return run_command([ estctl_file(), @$args ], as => server_user(), env => \%env);
}

sub check_command
{
    my ($command) = @_;
    my @words = split / /, $command;

    my ($status, $out) = run([ @words, '--help' ]);
    is($status, 0, "$command --help is no error");
    like($out, qr/^usage: estctl \Q$command\E\b/, "$command --help begins with the usage");
    fits($out, "$command --help");
    ($status, $out) = run([ @words, '--no-such-option' ]);
    is($status, 2, "$command refuses an unknown option with status 2");
    like($out, qr/no-such-option/, "$command names the unknown option");
}

sub fits
{
    my ($text, $what) = @_;
    my @lines = split /\n/, $text;

    cmp_ok(scalar @lines, '<=', 24, "$what fits 24 lines");
    is(join("\n", grep { length > 80 } @lines), '', "$what fits 80 columns");
}

sub refused
{
    my ($text, $mode, $words, $label) = @_;
    my $file = new_dir('conf') . '/estctl.conf';

    write_file($file, $text);
    chmod $mode, $file;
    chown((getpwnam server_user())[2, 3], $file) if $> == 0;
    my ($status, $out) = run([ '--config', $file, 'schema', 'status' ]);
    is($status, 1, "$label: refused");
    like($out, $words, "$label: says why");
    unlike($out, qr/sesame/, "$label: keeps the password to itself");
}

sub configuration
{
    my ($status, $out) = run([ '--config', '/no/such', 'schema', 'status' ]);
    is($status, 1, 'a configuration that is not there is refused');
    like($out, qr{/no/such}, 'and named');
    ($status, $out) = run([ 'schema', 'status' ], ESTCTL_CONFIG => '/from/environment');
    like($out, qr{/from/environment}, 'ESTCTL_CONFIG names the configuration');

    refused("driver pgsql\nparams host=127.0.0.1 port=1 password=sesame\n", 0644,
            qr/everybody can read it: chmod/, 'a password that everybody can read');
    refused("driver sqlite3\nparams /no/such/est.db\n", 0666, qr/everybody can write/,
            'a configuration that everybody can write');
    refused("driver oracle\nparams x\n", 0644, qr/no database driver 'oracle'; sqlite3 and pgsql/,
            'an unknown driver');
    refused("driver sqlite3\n", 0644, qr/does not say which database/, 'no params');
    refused("dirver sqlite3\n", 0644, qr/line 1: there is no word 'dirver'/, 'an unknown word');
    refused("driver\n", 0644, qr/line 1: 'driver' needs a value/, 'a word without value');
    refused("driver sqlite3\nparams /no/such/est.db\n", 0644,
            qr{cannot find the database /no/such},
            'a database that is not there');
    refused("driver pgsql\nparams host=127.0.0.1 port=1 password=sesame\n", 0640, qr/cannot open/,
            'a server that does not answer');
    ($status, $out) = run([ '--db', 'sqlite3', 'schema', 'status' ]);
    like($out, qr/write DRIVER:PARAMS/, '--db without parameters');
    ($status, $out) = run([ '--db', 'pgsql:host=127.0.0.1 port=1 password=sesame', 'schema',
                            'status' ]);
    like($out, qr/a password in --db shows in the list of processes/,
         'a password in --db is warned about');
    unlike($out, qr/sesame/, 'and not repeated');
}
