# SPDX-License-Identifier: Apache-2.0
#
# BRSKI::Test::Answer: what a test says of a MASA's or registrar's answer. Each of these is one test
# with one label: a voucher came and is whole; it was refused with this status, this sentence, this
# log number; the audit log came. A failed one shows the answer.
package BRSKI::Test::Answer;

use strict;
use warnings;
use Exporter qw(import);
use File::Temp ();
use JSON::PP ();
use Test::More ();
use BRSKI::Test::World qw(run_command run_dir top_srcdir);

our @EXPORT = qw(issued refused audit_log voucher_leaf cms_content der_file);

# issued($httpd, $response, $label): 200 with a voucher and a line in the log. The voucher's leaf:
# what stands in "ietf-voucher:voucher".
sub issued
{
    my ($httpd, $response, $label) = @_;
    my @wrong = wrong_head($response, 200, 'application/voucher-cms+json');
    my $leaf = @wrong ? {} : eval { voucher_leaf($response->content) } || {};

    push @wrong, "no voucher: $@" if !@wrong && !%$leaf;
    push @wrong, 'the log has no BRSKI2211 for it'
        if !@wrong && !$httpd->log_line(qr/\[masa:info\].*BRSKI2211: voucher (?:re)?issued: /);
    return report($response, $label, $leaf, @wrong);
}

# Level of a number's line in the error log, from the table of failures.
my %level;
sub level_of
{
    my ($number) = @_;
    my %word = (I => 'info', W => 'warn', E => 'error');

    if (!%level) {
        my $table = BRSKI::Test::World::read_file(top_srcdir() . '/lib/brski_err_codes.h');
        $level{$1} = $word{$2} while $table =~ /^BRSKI_ERR\(\w+, (\d+), \d+, ([IWE]),/mg;
    }
    return $level{$number} || 'info';
}

# refused($httpd, $response, $status, $number, $sentence, $label): that status, one line of
# text/plain that matches the sentence and names the request, and a line of the log with that
# number, at its level, for that request. $number may be 'httpd' (BRSKI2201, BRSKI3201). Returns the
# request id.
sub refused
{
    my ($httpd, $response, $status, $number, $sentence, $label) = @_;
    my @wrong = wrong_head($response, $status, 'text/plain; charset=utf-8');
    my ($said, $id) = $response->decoded_content =~ /\A([^\n]+) \(request ([\w@-]+)\)\n\z/;

    push @wrong, 'the body is not one line with the request id' if !defined $id;
    push @wrong, "not the sentence: $sentence" if defined $said && $said !~ $sentence;
    push @wrong, wrong_fields($response, $status, $number);
    if (defined $id) {
        my $line = refusal_line($httpd, $status, $number, $id);
        $line ? $httpd->expect(qr/\Q$id\E/) : push @wrong, "the log has no BRSKI$number for $id";
    }
    return report($response, $label, $id, @wrong);
}

sub refusal_line
{
    my ($httpd, $status, $number, $id) = @_;
    my $level = level_of($number);

    return $httpd->log_line($number eq 'httpd'
        ? qr/\[(?:masa|est):info\].*BRSKI[23]201: httpd answered $status \(request \Q$id\E\)/
        : qr/\[(?:masa|est):$level\].*BRSKI$number: .*\banswered $status: .*\brequest \Q$id\E\)/);
}

sub wrong_head
{
    my ($response, $status, $type) = @_;
    my $got = $response->header('Content-Type') || 'none';
    my @wrong;

    push @wrong, "status $status was wanted" if $response->code != $status;
    push @wrong, "Content-Type $type was wanted, not $got" if $got ne $type;
    push @wrong, 'no Cache-Control: no-store'
        if ($response->header('Cache-Control') || '') ne 'no-store';
    return @wrong;
}

# What RFC 9110 wants beside some statuses.
sub wrong_fields
{
    my ($response, $status, $number) = @_;
    my %wanted = (405 => [ Allow => qr/^(?:POST|GET, HEAD)$/ ],
                  503 => [ 'Retry-After' => qr/^\d+$/ ],
                  415 => [ Accept => qr{^application/(?:voucher-cms\+json|pkcs10|json)$} ]);
    $wanted{401} = [ 'WWW-Authenticate' => qr/./ ] if $number eq 'httpd';
    my ($name, $match) = @{ $wanted{$status} || return () };

    return ($response->header($name) || '') =~ $match ? () : "$name is wrong or missing";
}

# audit_log($httpd, $response, $label): 200 with an audit log. The log, decoded.
sub audit_log
{
    my ($httpd, $response, $label) = @_;
    my @wrong = wrong_head($response, 200, 'application/json');
    my $log = @wrong ? {} : eval { JSON::PP->new->utf8->decode($response->content) } || {};

    push @wrong, "no audit log: $@" if !@wrong && ref $log->{events} ne 'ARRAY';
    push @wrong, 'the log has no BRSKI2212 for it'
        if !@wrong && !$httpd->log_line(qr/\[masa:info\].*BRSKI2212: audit log read/);
    return report($response, $label, $log, @wrong);
}

sub report
{
    my ($response, $label, $result, @wrong) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 2;

    Test::More::ok(!@wrong, $label)
        or Test::More::diag(join "\n", @wrong, 'the answer was:', short($response));
    return $result;
}

sub short
{
    my ($response) = @_;
    (my $text = substr $response->as_string, 0, 1500) =~ s/[^\x20-\x7e\n]/./g;

    return $text;
}

# --- artifacts ------------------------------------------------------------

# Octets in a file that lasts as long as what is returned; it is its name too.
sub der_file
{
    my ($octets) = @_;
    my $file = File::Temp->new(DIR => run_dir());

    binmode $file;
    print {$file} $octets;
    $file->flush;
    return $file;
}

# The signed content of a CMS as openssl reads it, no signer trusted.
sub cms_content
{
    my ($der) = @_;
    my $in = der_file($der);
    my $out = File::Temp->new(DIR => run_dir());
    my ($status, $said) = run_command([ qw(openssl cms -verify -noverify -binary -inform DER -in),
                                        $in->filename, '-out', $out->filename ]);

    $status == 0 or die "openssl cms: $said";
    return BRSKI::Test::World::read_file($out->filename);
}

sub voucher_leaf
{
    my ($der) = @_;
    my $json = JSON::PP->new->utf8->decode(cms_content($der));

    return $json->{'ietf-voucher:voucher'} || die "not a voucher\n";
}

1;
