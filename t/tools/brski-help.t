#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# brski tells how it is used on one screen, and what is wrong with a command line in a sentence.

use strict;
use warnings;
use FindBin ();
use lib "$FindBin::Bin/../lib";
use BRSKI::Tool;
use Test::More;

my @commands = qw(lab inspect verify pvr rvr voucher ask join load);

my ($status, $out, $err) = brski('--help');
is($status, 0, '--help is no error');
like($out, qr/^  $_ /m, "--help tells of $_") for @commands;
fits($out, '--help');

for my $command (@commands) {
    ($status, $out) = brski($command, '--help');
    is($status, 0, "$command --help is no error");
    like($out, qr/^usage: brski $command\b/, "$command --help begins with the usage");
    fits($out, "$command --help");
    ($status, $out, $err) = brski($command, '--no-such-option');
    is($status, 2, "$command refuses an unknown option with status 2");
    like($err, qr/no-such-option/, "$command names the unknown option");
}

($status, $out, $err) = brski('dance');
is($status, 2, 'an unknown command is wrong usage');
like($err, qr/dance/, 'and is named');
($status, $out, $err) = brski();
is($status, 2, 'no command is wrong usage');

for my $command (qw(verify ask join load pvr rvr voucher)) {
    my @args = $command eq 'verify' ? ('/dev/null') : ();
    ($status, $out, $err) = brski($command, @args);
    is($status, 2, "$command without what it needs is wrong usage");
    like($err, qr/^brski: say /, "$command says what is missing");
}

SKIP: {
    skip 'no mandoc here', 1 if system('command -v mandoc >/dev/null 2>&1') != 0;
    my @pages = glob top_srcdir() . '/docs/man/brski*.1';
    my $lint = `mandoc -Tlint -W warning @pages 2>&1`;
    is($lint, '', 'mandoc finds nothing to say about the manuals');
}

done_testing();

sub fits
{
    my ($text, $what) = @_;
    my @lines = split /\n/, $text;

    cmp_ok(scalar @lines, '<=', 24, "$what fits 24 lines");
    is(join("\n", grep { length > 80 } @lines), '', "$what fits 80 columns");
}
