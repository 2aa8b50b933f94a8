# SPDX-License-Identifier: Apache-2.0
#
# pledge-faults.t: pledges that are wrong in one way each, before a real registrar and its MASA: what
# each is answered, and that none of them gets a certificate.
use FindBin;
use lib "$FindBin::RealBin/../lib";
use BRSKI::Test;
use BRSKI::Test::Join ();

my $world = BRSKI::Test::Join->new(devices => 9)->start;
my $lab = $world->lab;
my $dir = new_dir('requests');
$world->est->expect(qr/BRSKI[13]\d\d\d/);       # each is told to somebody

stops('another serial number than the IDevID', 'voucher', 403, '5.3', 1, '--serial', $lab->serial(2));

# Requests that were made for somebody else, or by somebody else.
pvr(3, "$dir/stranger", 'stranger');
stops('a request that names another registrar', 'voucher', 401, '5.3', 3, '--replay', "$dir/stranger");
pvr(4, "$dir/stolen", 'domain');
stops('another device\'s request', 'voucher', 403, '5.3', 3, '--replay', "$dir/stolen");

# The same request twice is one request.
my ($status, %step) = $world->join(5, '--out', "$dir/5");
is($status, 0, 'an honest device joins') or diag $step{output};
($status, %step) = $world->join(5, '--replay', "$dir/5/request.vcj");
is($step{voucher}{result}, 'done', '5.6 its own request again gets a voucher') or diag $step{output};
is($world->events(5), 1, '5.6 which is the one of before: the MASA has one event');

# What is said of the voucher counts.
stops('a voucher that the device refused', 'enroll', 403, '5.9', 6, '--status-false');
($status, %step) = $world->join(7, '--no-status');
is($status, 0, '5.8.3 a device that says nothing waits for the audit log, and joins') or diag $step{output};

# Certificates are for keys that the device has.
stops('a CSR signed with another key', 'enroll', 400, '7030 4.2.1', 8, '--other-csr-key');
stops('a label that is none', 'cacerts', 404, '7030 3.2.2', 9, '--label', 'nowhere');

# Nobody from elsewhere.
my $other = new_lab(devices => 1, args => ['--prefix', 'OTHER']);
($status, %step) = $world->pledge('--lab', $other->dir, '--device', $other->serial(1));
is($status, 1, '5.3 a device of an unknown manufacturer does not join');
like($step{voucher}{reason}, qr/answered 404/, '5.3 and is told 404') or diag $step{output};
is($world->sql('est', 'SELECT COUNT(DISTINCT serial_number) FROM est_certificate'), 2,
   'two honest devices have certificates, and nobody else');
done_testing;

# A pledge that stops at a step with a status, and has no certificate.
sub stops
{
    my ($what, $where, $code, $section, $n, @args) = @_;
    my ($ended, %said) = $world->join($n, @args);
    my $serial = $lab->serial($n);

    is($ended, 1, "$section $what: no join");
    like($said{$where}{reason}, qr/answered $code\b/, "$section $what: $where is answered $code")
        or diag $said{output};
    is($world->sql('est', "SELECT COUNT(*) FROM est_certificate WHERE serial_number = '$serial'"), 0,
       "$section $what: there is no certificate");
}

# A request of the nth device that names the registrar of a domain.
sub pvr
{
    my ($n, $file, $domain) = @_;
    $lab->brski('pvr', '--lab', $lab->dir, '--device', $lab->serial($n), '--domain', $domain, '-o',
                $file);
}
