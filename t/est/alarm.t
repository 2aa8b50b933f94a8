# SPDX-License-Identifier: Apache-2.0
#
# alarm.t: what a human should know is in the error log, among the records, and given to the command
# of ESTNotify, which gets it in its environment and is not waited for.
use FindBin;
use lib "$FindBin::RealBin/../lib";
use BRSKI::Test;
use JSON::PP qw(decode_json);

my $dir = new_dir('notify');
my $script = write_file("$dir/notify", <<'EOF_SCRIPT');
#!/bin/sh
# Writes what it was told, and stays for a while.
{ echo "args $*"; env | grep ^EST_ | sort; ls /proc/self/fd | tr '\n' ' '; } >"$1/told.$$.tmp"
mv "$1/told.$$.tmp" "$1/told.$$"
exec sleep 20
EOF_SCRIPT
chmod 0755, $script;
chmod 0777, $dir;

my $masa = main_server();
my $est = start_est(name => 'alarm', lab => $masa->lab, masa => $masa->httpd,
                    est => "    ESTNotify $script $dir 'two words; not a \$shell'\n");
my ($lab, $httpd) = ($masa->lab, $est->httpd);
my $n = $masa->new_device;
my %device = $lab->device($n);
my $serial = $lab->serial($n);
$httpd->expect('BRSKI3221');

my $pvr = $lab->pvr(device => $n);
my $voucher;
for (1 .. 10) {
    $voucher = $httpd->post('requestvoucher', $pvr, %device);
    last if $voucher->code == 200;
    sleep 1;
}
is($voucher->code, 200, '5.6 a voucher') or diag $voucher->as_string;
my $before = time;
my $bad = $httpd->post('voucher_status', '{"version":1,"status":false,"reason":"no; $(thanks)"}',
                       %device, type => 'application/json');
is($bad->code, 200, '5.7 the pledge does not accept it') or diag $bad->as_string;
cmp_ok(time - $before, '<', 15, '5.7 nobody waits for the command');

ok($httpd->log_line(qr/\[est:error\].*BRSKI3221: .*\Q$serial\E/), '5.7 it is in the error log');
my ($file) = wait_for_files();
my $told = $file ? read_file($file) : '';
like($told, qr/^args \Q$dir\E two words; not a \$shell$/m, '5.7 the command has its arguments, no shell');
like($told, qr/^EST_SERIAL=\Q$serial\E$/m, '5.7 and the device');
like($told, qr/^EST_MANUFACTURER=lab$/m, '5.7 of whose make');
like($told, qr/^EST_KIND=\S+$/m, '5.7 and what happened');
like($told, qr/^EST_TEXT=.+$/m, '5.7 in words');
like($told, qr/^EST_TIME=\d{4}-\d\d-\d\dT/m, '5.7 and when');
like($told, qr/^(?:0 1 2 3 |0 1 2 ?)$/m, '5.7 no file of the server is open there');
my $alarms = $est->estctl('alarm', 'list', '--json');
like($alarms, qr/\Q$serial\E/, '5.7 it is among the records');
done_testing;

sub wait_for_files
{
    my @files;

    wait_until(10, sub { @files = glob "$dir/told.*[0-9]"; @files });
    return @files;
}
