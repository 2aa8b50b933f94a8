# SPDX-License-Identifier: Apache-2.0
#
# requestauditlog-content.t: what the audit log says, exactly as RFC 8995 section 5.8.1 has it: its
# members, newest first, abridged by domain and kind with counts, null for no nonce.
use FindBin;
use lib "$FindBin::RealBin/../lib";
use BRSKI::Test;
use BRSKI::Test::Answer;
use MIME::Base64 qw(encode_base64);

my $masa = start_masa(name => 'content', devices => 5,
    lines => [ lab => "MASAOwner any\nMASAProximity optional\nMASANonceless customer" ]);
my ($lab, $httpd) = ($masa->lab, $masa->httpd);
my %registrar = map { $_ => { $lab->identity($_) } } qw(domain stranger);
my $device = $masa->new_device(product => 'lab');

for my $name (qw(domain stranger)) {
    $masa->customer($name, '--cert' => $registrar{$name}{cert});
    $masa->masactl(qw(customer grant --product lab), $name, 'nonceless');
}

# What domain and kind an event has, as the log should show it: the domain's root is pinned.
my %domain_id;
for my $name (qw(domain stranger)) {
    my $root = $lab->path("$name/root.pem");
    my ($ski) = `openssl x509 -in $root -noout -ext subjectKeyIdentifier` =~ /([0-9A-F:]{59})/;
    $domain_id{$name} = encode_base64(pack('H*', $ski =~ s/://gr), '');
}

sub ask
{
    my ($name, @args) = @_;
    my $response = $httpd->post('requestvoucher', $lab->rvr(device => $device, domain => $name,
                                                            args => \@args));
    $response->code == 200 or die $response->as_string;
    return voucher_leaf($response->content);
}

sub read_log
{
    my ($label) = @_;
    my $rvr = $lab->rvr(device => $device);

    return audit_log($httpd, $httpd->post('requestauditlog', $rvr, %{ $registrar{domain} }), $label);
}

# --- one event ------------------------------------------------------------

my $leaf = ask('domain', '--nonce', 'first+nonce/0==');
my $log = read_log('5.8.1 the log comes as JSON');
is(join(' ', sort keys %$log), 'events truncation version', '5.8.1 it has three members');
is($log->{version}, 1, '5.8.1 version is 1');
is(ref $log->{events}, 'ARRAY', '5.8.1 events is an array');
is(scalar @{ $log->{events} }, 1, '5.8.1 with one event');
my $event = $log->{events}[0];
is(join(' ', sort keys %$event), 'assertion date domainID nonce', '5.8.1 which has four members');
is($event->{date}, $leaf->{'created-on'}, '5.8.1 date is when the voucher was made');
is($event->{domainID}, $domain_id{domain}, '5.8.2 domainID is base64 of that of the pinned CA');
is($event->{nonce}, 'first+nonce/0==', '5.8.1 nonce is the string of the request');
is($event->{assertion}, 'proximity', '5.8.1 assertion is that of the voucher');
is_deeply($log->{truncation},
          { 'nonced duplicates' => 0, 'nonceless duplicates' => 0, arbitrary => 0 },
          '5.8.1 nothing was left out');

my $raw = $httpd->post('requestauditlog', $lab->rvr(device => $device), %{ $registrar{domain} });
like($raw->content, qr/"version":\s*1\b/, '5.8.1 version is a number');
like($raw->content, qr/"arbitrary":\s*0\b/, '5.8.1 counts are numbers');
like($raw->content, qr/\A\{[^\n]*\}\n?\z/, '5.8.1 the document is one line');

# --- several --------------------------------------------------------------

ask('domain', '--nonce', 'second');
ask('stranger', '--nonce', 'of the stranger', '--no-prior');
ask('domain', '--nonce', 'third');
$log = read_log('5.8.1 after four vouchers');
is(join(', ', map { $_->{nonce} } @{ $log->{events} }), 'third, of the stranger',
   '5.8.1 newest first, and of one domain the newest alone');
is($log->{events}[0]{truncated}, 2, '5.8.1 it counts the duplicates that it stands for');
ok(!exists $log->{events}[1]{truncated}, '5.8.1 an event that stands for none has no count');
is($log->{events}[1]{domainID}, $domain_id{stranger}, '5.8.1 each domain has its own events');
is($log->{events}[1]{assertion}, 'logged', '5.8.1 and assertions');
is_deeply($log->{truncation},
          { 'nonced duplicates' => 2, 'nonceless duplicates' => 0, arbitrary => 0 },
          '5.8.1 nonced duplicates are counted');

ask('domain', '--nonceless') for 1 .. 3;
$log = read_log('5.8.1 after three without nonce');
is(join(', ', map { defined $_->{nonce} ? $_->{nonce} : 'null' } @{ $log->{events} }),
   'null, third, of the stranger', '5.8.1 nonceless events are a kind of their own');
ok(exists $log->{events}[0]{nonce}, '5.8.1 null for no nonce stands there, it is not left out');
is($log->{events}[0]{truncated}, 2, '5.8.1 nonceless duplicates have a count');
is_deeply($log->{truncation},
          { 'nonced duplicates' => 2, 'nonceless duplicates' => 2, arbitrary => 0 },
          '5.8.1 and are counted apart');
my $file = der_file($httpd->post('requestauditlog', $lab->rvr(device => $device),
                                 %{ $registrar{domain} })->content);
my ($status, $said) = $lab->try_brski('inspect', $file->filename);
is($status, 0, '5.8.1 brski inspect reads it') or diag $said;

# --- the same as an administrator sees ------------------------------------

my $said_json = $masa->masactl(qw(--json --quiet log show --audit), $lab->serial($device));
$said_json =~ s/\A.*?^(?=\{)//ms;    # what went to stderr
my $shown = JSON::PP->new->utf8->decode($said_json);
is_deeply($shown, $log, '5.8.1 masactl log show --audit shows what an owner reads');

# --- records that were changed --------------------------------------------

my $other = $masa->new_device(product => 'lab');
my $serial = $lab->serial($other);
my $rvr = $lab->rvr(device => $other);
is($httpd->post('requestvoucher', $rvr)->code, 200, '5.6 a voucher of another device');
$masa->db->sql("UPDATE voucher_event SET assertion = 'verified' WHERE serial_number = '$serial'");
refused($httpd, $httpd->post('requestauditlog', $rvr, %{ $registrar{domain} }), 503, 1079,
        qr/need the manufacturer's attention; try again later/,
        '5.8 a log whose records were changed is no answer');
$masa->db->sql("DELETE FROM voucher_event WHERE serial_number = '$serial'");
refused($httpd, $httpd->post('requestauditlog', $lab->rvr(device => $other), %{ $registrar{domain} }),
        404, 1046, qr/^There is no audit log that this requester may read/,
        '5.8 one without records is 404');
done_testing;
