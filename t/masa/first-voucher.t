# SPDX-License-Identifier: Apache-2.0
#
# first-voucher.t: the shortest way through everything: a device, its registrar, a voucher that the
# device accepts, an event in the audit log, and what is refused leaves a reason.
use FindBin;
use lib "$FindBin::RealBin/../lib";
use BRSKI::Test;
use JSON::PP qw(decode_json);

my $masa = main_server();
my ($lab, $httpd) = ($masa->lab, $masa->httpd);
my %registrar = $lab->identity;

my $rvr = $lab->rvr(device => 1);
my $voucher = $httpd->post('requestvoucher', $rvr, %registrar);
is($voucher->code, 200, '5.6 a good request is answered with 200') or diag $voucher->as_string;
is($voucher->header('Content-Type'), 'application/voucher-cms+json', '5.6 with a voucher');
my ($status, $said) = $lab->verify($voucher->content, '--device', $lab->serial(1),
                                   '--registrar', $registrar{cert});
is($status, 0, '5.6.1 which the device accepts') or diag $said;

my $log = $httpd->post('requestauditlog', $rvr, %registrar, accept => 'application/json');
is($log->code, 200, '5.8 the owner reads the log') or diag $log->as_string;
is(scalar @{ decode_json($log->content)->{events} }, 1, '5.8.1 which has this event');

my $get = $httpd->get('/.well-known/brski/requestvoucher', %registrar);
is($get->code, 405, '5.5 a request comes by POST, not by GET');

my $stolen = $lab->rvr(pvr => $lab->pvr(device => 2), domain => 'stranger');
my $refused = $httpd->post('requestvoucher', $stolen, $lab->identity('stranger'));
is($refused->code, 403, '5.5.5 a request with the proximity of another registrar is refused');
like($refused->header('Content-Type'), qr{^text/plain; charset=utf-8}i, '5.6 in plain text, UTF-8');
like($refused->content, qr/another registrar/, '5.6 which says why');
ok($httpd->log_line('BRSKI1041'), 'the log names the rule');
done_testing;
