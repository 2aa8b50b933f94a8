# SPDX-License-Identifier: Apache-2.0
#
# masa-lies.t: a MASA's vouchers that are wrong: for another device, nonce, domain or time, signed by
# somebody else, damaged, or something else altogether. No pledge gets one, a human is told once, and
# a good voucher is taken as soon as there is one.
use FindBin;
use lib "$FindBin::RealBin/../lib";
use BRSKI::Test;
use BRSKI::Test::Answer;
use BRSKI::Test::Liar;
use BRSKI::Test::Pki;
use MIME::Base64 qw(decode_base64);
use Time::HiRes qw(sleep);

my $V = 'requestvoucher';
my $lab = new_lab(devices => 26);
my $liar = BRSKI::Test::Liar->new(lab => $lab);
my $est = start_est(name => 'lies', lab => $lab, masa => $liar,
                    est => "    ESTMASATimeout 20s\n    ESTAnswerWithin 20s\n    ESTWaiters 8\n");
my ($httpd, $db) = ($est->httpd, $est->db);
$httpd->expect('BRSKI3221');

my $pki = BRSKI::Test::Pki->new;
$pki->ca('other-root')->make('other-signer', issuer => 'other-root');
$pki->make('look-alike-root', ca => 1, subject => '/O=Lab Manufacturer/CN=Lab Manufacturer Root CA');
$pki->make('look-alike', issuer => 'look-alike-root');
my %maker = (issuer => { cert => $lab->path('manufacturer/root.pem'),
                         key => $lab->path('manufacturer/root.key') });
$pki->make('expired-signer', %maker, from => -3 * 86400, to => -86400);
my $stranger = $lab->path('stranger/registrar.pem');
my $root = $lab->path('stranger/root.pem');
my $not_ours = (-f $root) ? $root : $stranger;
my $wrong = qr/^The voucher that the manufacturer's MASA gave is not right for this device and net/;
my $signer = qr/^The voucher was signed by somebody whom this network does not trust/;
my %device = $lab->device(2);

# name => arguments of brski voucher, or a whole step; status, number, sentence, words of the note
my @cases = (
    [ 'with another nonce', [ '--nonce', 'b3RoZXIgbm9uY2U=' ], 503, 1112, $wrong, qr/its nonce is/ ],
    [ 'for another device', [ '--serial', $lab->serial(26) ], 503, 1112, $wrong,
      qr/it is for the device/ ],
    [ 'for its serial number in lower case', [ '--serial', lc $lab->serial(4) ], 503, 1112, $wrong,
      qr/it is for the device/ ],
    [ 'that pins a stranger\'s domain', [ '--pin', $not_ours ], 503, 1112, $wrong,
      qr/it pins .*none of ours/ ],
    [ 'that pins the device itself', [ '--pin', $device{cert} ], 503, 1112, $wrong,
      qr/none of ours/ ],
    [ 'that pins our EST CA, which signed no request', [ '--pin', $lab->path('domain/ca.pem') ],
      503, 1112, $wrong, qr/none of ours/ ],
    [ 'that pins a certificate of ours that is no registrar\'s',
      [ '--pin', $lab->path('domain/not-a-registrar.pem') ], 503, 1112, $wrong, qr/none of ours/ ],
    [ 'that has expired', [ '--expires-on', '2020-01-01T00:00:00Z' ], 503, 1112, $wrong,
      qr/nonce|expired/ ],
    [ 'that has no nonce and lasts for ever', [ '--expires-on', '2099-01-01T00:00:00Z' ], 503, 1112,
      $wrong, qr/nonce/ ],
    [ 'made in the future', [ '--created-on', '2099-01-01T00:00:00Z' ], 503, 1112, $wrong,
      qr/made on 2099/ ],
    [ 'made long ago', [ '--created-on', '2016-01-01T00:00:00Z' ], 503, 1112, $wrong,
      qr/made on 2016/ ],
    [ 'that does not say when it was made', [ '--created-on', 'none' ], 503, 1112, $wrong,
      qr/./ ],
    [ 'with another octet in it', { tamper => 1 }, 503, 1112, $wrong, qr/signature|no voucher/ ],
    (map { [ "with defect $_", [ '--defect', $_ ], 503, 1112, $wrong, qr/./ ] }
        qw(signature content detached no-signer no-certificates trailing sha1)),
    [ 'signed by a stranger', [ $pki->args('other-signer') ], 403, 1113, $signer, qr/other-signer/ ],
    [ 'signed by a look-alike', [ $pki->args('look-alike') ], 403, 1113, $signer, qr/look-alike/ ],
    [ 'signed by a device of the manufacturer', [ '--cert', $device{cert}, '--key', $device{key} ],
      403, 1113, $signer, qr/an IDevID/ ],
    [ 'signed by an expired signer', [ $pki->args('expired-signer') ], 403, 1113, $signer,
      qr/expired-signer/ ],
);

my @devices;
for my $case (@cases) {
    my ($name, $lie, @want) = @$case;
    my $n = @devices + 1;
    my $step = ref $lie eq 'HASH' ? $lie : { voucher => $lie };
    my $d = { name => "a voucher $name", n => $n, serial => $lab->serial($n), want => \@want };

    $liar->plan($d->{serial}, $V, $step);
    push @devices, $d;
    refused_at_once($d);
}

# PKCS#7 of something else, of the same hand: the pledge's own request, sent back.
my $echo = { name => 'the pledge\'s request in place of a voucher', n => @devices + 1,
             want => [ 503, 1112, $wrong, qr/no voucher/ ] };
$echo->{serial} = $lab->serial($echo->{n});
$echo->{pvr} = $lab->pvr(device => $echo->{n});
$liar->plan($echo->{serial}, $V, { file => write_file(new_dir('echo') . '/pvr', $echo->{pvr}) });
push @devices, $echo;
refused_at_once($echo);

is(scalar(grep { ($_->{answer}->content || '') =~ /-----|\x30\x82/ } @devices), 0,
   '5.6 no pledge got a voucher');
is($db->sql("SELECT count(*) FROM est_pledge WHERE request IS NOT NULL"), "0\n",
   '5.6 and none is on record as forwarded');

# --- what humans are told -------------------------------------------------

for my $d (@devices) {
    my @notes = split /\n/, $db->sql("SELECT kind, alarm, text FROM est_note
                                      WHERE serial_number = '$d->{serial}'");
    my $kind = $d->{want}[1] == 1112 ? 'voucher-wrong' : 'voucher-signer';

    is(scalar(@notes), 1, "5.6 $d->{name}: told once") or diag @notes;
    like($notes[0] || '', qr/^\Q$kind\E\|1\|/, "5.6 $d->{name}: as $kind");
    like($notes[0] || '', $d->{want}[3], "5.6 $d->{name}: with what is wrong");
}

# --- and none can enrol ---------------------------------------------------

for my $d (@devices[ 0, 3, -2 ]) {
    my $csr = $est->csr(subject => "/CN=$d->{serial}");

    refused($httpd, $est->enrol('simpleenroll', $csr->{der}, $lab->device($d->{n})), 403, 1115,
            qr/has got no voucher/, "5.9 $d->{name}: no certificate");
}

# --- the truth ------------------------------------------------------------

# As soon as the MASA tells it.
$httpd->expect('BRSKI1112');
my @cured = ($devices[0], $devices[3]);
$liar->plan($_->{serial}, $V, {}) for @cured;
wait_until(60, sub {
    for my $d (grep { !$_->{cured} } @cured) {
        my $answer = $httpd->post($V, $d->{pvr}, $lab->device($d->{n}));
        $d->{cured} = $answer if $answer->code == 200;
    }
    sleep 0.5;
    return !grep { !$_->{cured} } @cured;
});
for my $d (@cured) {
    my ($status, $said) = $lab->verify($d->{cured} ? $d->{cured}->content : '', '--device',
                                       $d->{serial}, '--registrar',
                                       $lab->path('domain/registrar.pem'));
    is($status, 0, "5.6 $d->{name}, and then a good one: the pledge gets that") or diag $said;
}
done_testing;

sub refused_at_once
{
    my ($d) = @_;
    my ($status, $number, $sentence) = @{ $d->{want} };

    $d->{pvr} ||= $lab->pvr(device => $d->{n});
    for (1 .. 40) {
        $d->{answer} = $httpd->post($V, $d->{pvr}, $lab->device($d->{n}));
        last if $d->{answer}->code != 202;
        sleep 0.5;
    }
    refused($httpd, $d->{answer}, $status, $number, $sentence, "5.6 $d->{name}: $status");
}
