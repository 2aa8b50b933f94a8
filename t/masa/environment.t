# SPDX-License-Identifier: Apache-2.0
#
# environment.t: what a log format and an expression see of a request: MASA_RESULT, MASA_SERIAL and
# their kin, for vouchers, logs and refusals as far as they came; client text in them is escaped.
use FindBin;
use lib "$FindBin::RealBin/../lib";
use BRSKI::Test;
use BRSKI::Test::Answer;

my $format = join '|', '%>s', map { "%{MASA_$_}e" }
    qw(RESULT SERIAL PRODUCT DOMAINID ASSERTION SIGNER REQUEST_ID);
my $masa = start_masa(name => 'environment', devices => 5, lines => [
        first => 'MASAOwner any', known => 'MASAOwner customer' ], host => <<"EOF_HOST");
CustomLog \@DIR\@/masa_log "$format"
CustomLog \@DIR\@/issued_log "%{MASA_SERIAL}e" "expr=%{reqenv:MASA_RESULT} == 'issued'"
<Location "/.well-known/brski/requestauditlog">
    <If "%{HTTP:X-Closed} == 'yes'">
        Require all denied
    </If>
</Location>
EOF_HOST
my ($lab, $httpd) = ($masa->lab, $masa->httpd);
my $device = $masa->new_device(product => 'first');
my $known = $masa->new_device(product => 'known');
my ($serial, $known_serial) = map { $lab->serial($_) } $device, $known;
my $rvr = $lab->rvr(device => $device);
my %registrar = $lab->identity;

# The line of the last request, split; the log is written when the answer has gone.
my $count = 0;
sub line
{
    my $n = ++$count;
    my @lines;
    wait_until(5, sub { @lines = split /\n/, read_file($httpd->dir . '/masa_log'); @lines >= $n });
    return [ split /\|/, $lines[$n - 1] || '', -1 ];
}

sub is_line
{
    my ($wanted, $label, $id) = @_;
    my $got = line();
    my $last = pop @$got;
    like($last, defined $id ? qr/^\Q$id\E$/ : qr/^[0-9a-f]{32}$/, "$label: the request's id");
    is(join('|', @$got), join('|', map { defined $_ ? $_ : '-' } @$wanted), $label);
}

my $voucher = $httpd->post('requestvoucher', $rvr, %registrar);
issued($httpd, $voucher, '5.6 a voucher');
my ($domain_id) = $httpd->log_line('BRSKI2211') =~ /domainID ([^,]+),/;
is_line([ 200, 'issued', $serial, 'first', $domain_id, 'proximity', 'lab' ], 'a voucher');
issued($httpd, $httpd->post('requestvoucher', $rvr), '5.6 again');
is_line([ 200, 'reissued', $serial, 'first', $domain_id, 'proximity', 'lab' ], 'a voucher again');
audit_log($httpd, $httpd->post('requestauditlog', $rvr, %registrar), '5.8 a log');
is_line([ 200, 'auditlog', $serial, 'first', (undef) x 3 ], 'an audit log');

# --- refusals, as far as they came ----------------------------------------

my $id = refused($httpd, $httpd->post('requestvoucher', 'junk'), 400, 1008, qr/./, '5.5 junk');
is_line([ 400, 'CMS', (undef) x 5 ], 'what is no request', $id);
$id = refused($httpd, $httpd->post('requestvoucher', $lab->rvr(device => $device, args => [
    '--defect', 'signature' ])), 403, 1021, qr/./, '5.5.3 a bad signature');
is_line([ 403, 'SIGNATURE', $serial, (undef) x 4 ], 'a bad signature', $id);
$id = refused($httpd, $httpd->post('requestvoucher', $lab->rvr(device => $device, args => [
    '--no-prior' ])), 403, 1034, qr/./, '5.5.5 no pledge\'s request');
is_line([ 403, 'PRIOR_MISSING', $serial, 'first', (undef) x 3 ], 'a refusal of policy', $id);
$id = refused($httpd, $httpd->post('requestvoucher', $lab->rvr(device => $known)), 403, 1032, qr/./,
              '5.5.4 no customer');
is_line([ 403, 'NOT_AUTHENTICATED', $known_serial, 'known', (undef) x 3 ], 'a stranger', $id);
$id = refused($httpd, $httpd->post('nothing', $rvr), 404, 1050, qr/./, '5 no operation');
is_line([ 404, 'OPERATION', (undef) x 5 ], 'a path that is none', $id);
$httpd->expect('AH01630');
$id = refused($httpd, $httpd->post('requestauditlog', $rvr, headers => { 'X-Closed' => 'yes' }), 403,
              'httpd', qr/./, '5.4 what a rule of httpd refuses');
is_line([ 403, 'HTTPD', (undef) x 5 ], 'what httpd refused', $id);

# --- a stranger's text ----------------------------------------------------

my $evil = qq{x"\\\n|}. "\x1b[31m";
my $set = 'serial-number=' . JSON::PP->new->allow_nonref->encode($evil);
$id = refused($httpd, $httpd->post('requestvoucher', $lab->rvr(device => $device, args => [
    '--no-prior', '--set', $set ])), 404, 1028, qr/does not know the device/,
    '5.6 a serial-number of control characters');
my ($got) = grep { /\Q$id\E/ } split /\n/, read_file($httpd->dir . '/masa_log');
my @logged = grep { /\Q$id\E/ } $httpd->log_lines;
unlike($got, qr/[\x00-\x1f]/, 'leaves none in the access log');
unlike("@logged", qr/[\x00-\x1f]/, 'nor in the error log');
like($logged[0], qr/serial-number x\\+x22/, 'which shows it escaped');

is(read_file($httpd->dir . '/issued_log'), "$serial\n", 'an expression can ask for it');
done_testing;
