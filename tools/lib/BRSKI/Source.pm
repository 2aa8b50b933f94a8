# SPDX-License-Identifier: Apache-2.0
#
# BRSKI::Source: what the checks of the source share: where the tree is, which files it has, and
# C text without its comments or with nothing but its string literals.
package BRSKI::Source;

use strict;
use warnings;
use Exporter qw(import);
use File::Find qw(find);
use FindBin ();
use Test::More ();

our @EXPORT = qw(top_dir files slurp without_comments string_literals line_of is_none);

# A build elsewhere says where the source is; by hand it is the folder above tools/.
sub top_dir
{
    return $ENV{top_srcdir} || "$FindBin::Bin/..";
}

# Files below folders of the tree whose name matches, as paths from its top, sorted. Build folders,
# generated files and what git keeps are left out.
sub files
{
    my ($match, @folders) = @_;
    my $top = top_dir();
    my @found;

    for my $folder (map { "$top/$_" } @folders) {
        next if !-d $folder;
        find({ no_chdir => 1, wanted => sub {
            if (-d && m{/(?:\.git|\.libs|\.deps|build-[^/]*|autom4te\.cache)$}) {
                $File::Find::prune = 1;
                return;
            }
            (my $path = $_) =~ s{^\Q$top\E/(?:\./)?}{};
            push @found, $path if -f && $path =~ $match && $path !~ m{brski_\w*statements\.[ch]$};
        } }, $folder);
    }
    return sort @found;
}

sub slurp
{
    my ($path) = @_;

    open my $in, '<:raw', top_dir() . "/$path" or die "$path: $!\n";
    local $/;
    my $text = <$in>;
    return defined $text ? $text : '';
}

# Comments become blanks; lines keep their numbers.
sub without_comments
{
    my ($text) = @_;

    $text =~ s{("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')|(/\*.*?\*/)|(//[^\n]*)}
              {defined $1 ? $1 : defined $2 ? $2 =~ tr/\n//cdr : ''}gse;
    return $text;
}

# String literals outside comments, each [line, text]; neighbours are joined as the compiler does.
sub string_literals
{
    my ($text) = @_;
    my @found;

    $text = without_comments($text);
    while ($text =~ /("(?:[^"\\\n]|\\.)*"(?:\s*"(?:[^"\\\n]|\\.)*")*)/g) {
        my ($literal, $line) = ($1, line_of($text, $-[0]));
        $literal = substr $literal, 1, -1;
        $literal =~ s/"\s*"//g;
        push @found, [ $line, $literal ];
    }
    return @found;
}

# A test that passes when nothing was found, and else shows each finding.
sub is_none
{
    my ($label, @found) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;

    Test::More::ok(!@found, $label);
    Test::More::diag("  $_") for @found;
}

sub line_of
{
    my ($text, $offset) = @_;
    return 1 + (substr($text, 0, $offset) =~ tr/\n//);
}

1;
