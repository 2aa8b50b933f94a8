# SPDX-License-Identifier: Apache-2.0
#
# BRSKI::Test::Attack: what a test of t/security says of an attack: it was repelled with this
# status, sentence and log number, and left no event; what is not an attack was served. At the end
# no_harm_done(): the log holds what was served and nothing more, its chains are whole, each
# refusal is in evidence, and for one of each kind masactl explain names the rule.
package BRSKI::Test::Attack;

use strict;
use warnings;
use Exporter qw(import);
use Test::More ();
use BRSKI::Test::Answer ();
use BRSKI::Test::World qw(wait_until);

our @EXPORT = qw(under_attack repelled served read_log ask_as request_json no_harm_done events
                 recount);

my ($masa, $events, @kept);

# The MASA that is attacked from now on.
sub under_attack
{
    ($masa) = @_;
    $events = events();
    @kept = ();
    return $masa;
}

# The test itself has added or removed events.
sub recount
{
    $events = events();
}

sub events
{
    return 0 + $masa->db->sql('SELECT count(*) FROM voucher_event');
}

# Refusals that are no evidence: nothing was posted to an operation, it was not for this host, or
# the database is what failed.
my %NO_EVIDENCE = map { $_ => 1 } qw(httpd 1001 1049 1050 1074 1075 1076 1077);

# repelled($response, $status, $number, $sentence, $label): as refused(), and no event was added.
# The request id.
sub repelled
{
    my ($response, $status, $number, $sentence, $label) = @_;
    my $id = do {
        local $Test::Builder::Level = $Test::Builder::Level + 1;
        BRSKI::Test::Answer::refused($masa->httpd, $response, $status, $number, $sentence, $label);
    };
    my $now = events();

    if ($now != $events) {
        Test::More::fail("$label: no event");
        $events = $now;
    }
    push @kept, [ $id, $number, $status, $label ] if defined $id && !$NO_EVIDENCE{$number};
    return $id;
}

# served($response, $label): as issued(), and one event was added; with reissued => 1 none. The
# voucher's leaf.
sub served
{
    my ($response, $label, %opt) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $leaf = BRSKI::Test::Answer::issued($masa->httpd, $response, $label);
    my $now = events();

    my $want = $events + ($opt{reissued} ? 0 : 1);
    Test::More::fail("$label: events $events, now $now") if $now != $want;
    $events = $now;
    return $leaf;
}

# read_log($response, $label): as audit_log().
sub read_log
{
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return BRSKI::Test::Answer::audit_log($masa->httpd, @_);
}

# A request signed by an identity of a BRSKI::Test::Pki, for a device of the lab that sees it.
# Options of Lab->rvr, and post => options of Httpd->post, operation.
sub ask_as
{
    my ($pki, $name, %opt) = @_;
    my $post = delete $opt{post} || {};
    my $operation = delete $opt{operation} || 'requestvoucher';
    my $rvr = $masa->lab->rvr(%opt, args => [ $pki->args($name), @{ $opt{args} || [] } ]);

    return $masa->httpd->post($operation, $rvr, %$post);
}

# The JSON of a registrar's request around a pledge's (octets); with more => text of more members,
# and members by name, which are text.
my %inner;
sub request_json
{
    my ($pvr, %with) = @_;
    my $more = delete $with{more};
    require MIME::Base64;
    require JSON::PP;
    my $json = JSON::PP->new->canonical->utf8;
    my $inner = $inner{$pvr} ||= $json->decode(BRSKI::Test::Answer::cms_content($pvr))
                                     ->{'ietf-voucher-request:voucher'};
    my %member = (assertion => 'proximity', 'created-on' => $inner->{'created-on'},
                  nonce => $inner->{nonce}, 'serial-number' => $inner->{'serial-number'},
                  'prior-signed-voucher-request' => MIME::Base64::encode_base64($pvr, ''), %with);
    delete $member{$_} for grep { !defined $member{$_} } keys %member;
    my $text = $json->encode(\%member);

    $text =~ s/^\{/{$more,/ if defined $more;
    return qq({"ietf-voucher-request:voucher":$text});
}

# --- the end --------------------------------------------------------------

sub no_harm_done
{
    my ($label) = @_;
    my ($status, $said) = $masa->db->try_masactl(qw(log verify));

    $label = defined $label ? "$label: " : '';
    Test::More::is($status, 0, "${label}the chains of events are whole") or Test::More::diag($said);
    if (@kept) {
        in_evidence($label);
        explained($label);
    }
    @kept = ();
}

# Each refusal has its row, with its number and status.
sub in_evidence
{
    my ($label) = @_;
    my (%row, @missing);

    wait_until(20, sub {
        %row = map { /^(\S+?)\|(\d+)\|(\d+)$/ ? ($1 => [ $2, $3 ]) : () }
               split /\n/, $masa->db->sql('SELECT request_id, number, status FROM refusal');
        @missing = grep { !$row{ $_->[0] } || $row{ $_->[0] }[0] != $_->[1]
                          || $row{ $_->[0] }[1] != $_->[2] } @kept;
        return !@missing;
    });
    Test::More::is(scalar @missing, 0, $label . @kept . ' refusals are in evidence');
    Test::More::diag("not in evidence: $_->[3] ($_->[0])") for @missing;
}

# What cannot be judged again: the body was not read, or the records have been mended.
my %NOT_AGAIN = map { $_ => 1 } qw(1002 1004 1047 1048 1079);

# One of each number is judged again and fails the same rule.
sub explained
{
    my ($label) = @_;
    my %sample = map { $NOT_AGAIN{ $_->[1] } ? () : ($_->[1] => $_) } @kept;
    my @wrong;

    for my $number (sort keys %sample) {
        my ($status, $said) = $masa->db->try_masactl('explain', $sample{$number}[0]);
        push @wrong, "$number: $said" if $status != 0 || $said !~ /^number\s+$number$/m
            || $said !~ /^FAILED /m || $said !~ /^the same rule refuses it still$/m;
    }
    Test::More::ok(!@wrong, $label . 'masactl explain shows the rule that failed for '
                   . join(' ', sort keys %sample)) or Test::More::diag(@wrong);
}

1;
