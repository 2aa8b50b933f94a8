# SPDX-License-Identifier: Apache-2.0
#
# inheritance.t: what the main server says holds in a virtual host that says nothing else, and what
# the server says holds in labels; lists that add up do, and others are replaced. Seen in the
# configuration that the server publishes.
use FindBin;
use lib "$FindBin::RealBin/../lib";
use BRSKI::Test;
use BRSKI::Test::Pki;
use JSON::PP ();

my $pki = BRSKI::Test::Pki->new->ca('other')->ca('third');
my $domain = 'AAECAwQFBgcICQoLDA0ODxAREhM=';
my $est = start_est(name => 'inheritance', devices => 1,
    server => <<"EOF_SERVER", est => <<'EOF_EST');
ESTProfile lifetime 10d
ESTProfile san DNS:main.example
ESTProfile eku serverAuth
ESTProfile key p384
ESTAuditPolicy unknown warn
ESTAuditPolicy known $domain
ESTAuditPolicy max-events 7
ESTTelemetryWait 2min
ESTPoP required
ESTMASATimeout 11s
<ESTManufacturer of-main>
    ESTIDevIDAnchor @{[ $pki->file('other') ]}
    ESTVoucherAnchor tofu
</ESTManufacturer>
<ESTLabel of-main>
    ESTApprove On
</ESTLabel>
EOF_SERVER
    ESTProfile key p256 rsa2048
    ESTAuditPolicy unknown refuse
    ESTAuditPolicy nonceless warn
    ESTMASATimeout 12s
    ESTReenroll new-key
    <ESTLabel bare>
    </ESTLabel>
    <ESTLabel own>
        ESTProfile subject "CN=%{serial},OU=own"
        ESTProfile san none
        ESTProfile lifetime 1d
        ESTPoP off
        ESTReenroll same-key grace=3d
        ESTRequireVoucher Off
        ESTClients user
    </ESTLabel>
EOF_EST
my $text;
ok(wait_until(30, sub { $text = $est->db->sql('SELECT json FROM est_node_snapshot') }),
   'the configuration is published');
my $conf = JSON::PP->new->utf8->decode($text);
my %label = map { $_->{name} => $_ } @{ $conf->{labels} };

# --- from the main server to the virtual host -----------------------------

my $policy = $conf->{audit_policy};
is($policy->{unknown}, 'refuse', 'the virtual host overrides');
is($policy->{nonceless}, 'warn', 'says what the main server does not');
is($policy->{max_events}, 7, 'takes what it does not say');
is($policy->{logged}, 'refuse', 'and the default where nobody does');
is_deeply($policy->{known}, [$domain], 'lists too');
is($conf->{telemetry_wait}, '2min', 'durations');
is($conf->{masa_timeout}, '12s', 'overridden ones');
is_deeply([ sort map { $_->{name} } @{ $conf->{manufacturers} } ], [qw(lab of-main)],
          'manufacturers add up');
is_deeply([ sort keys %label ], [ '', qw(bare of-main own) ], 'so do labels');

# --- from the server to its labels ----------------------------------------

my $own = $label{''};
is($own->{profile}{lifetime}, '10d', 'the server itself has what the main server says');
is_deeply($own->{profile}{san}, ['DNS:main.example'], 'names');
is_deeply($own->{profile}{eku}, ['1.3.6.1.5.5.7.3.1'], 'purposes by their identifiers');
is_deeply($own->{profile}{key_types}, [qw(p256 rsa2048)], 'key types are replaced');
is($own->{pop}, 'required', 'binding');
ok(!$own->{reenroll_same_key}, 'renewal');
is_deeply({ %{ $label{bare} }, name => '' }, $own, 'a label that says nothing is as the server');
is_deeply({ %{ $label{'of-main'} }, name => '', approve => $own->{approve} }, $own,
          'a label of the main server is as the virtual host, but for what it says');
ok($label{'of-main'}{approve}, 'which it keeps');
my $label = $label{own};
is($label->{profile}{subject}, 'CN=%{serial},OU=own', 'a label has its own subject');
is_deeply($label->{profile}{san}, [], 'no names, when it says so');
is($label->{profile}{lifetime}, '1d', 'its own lifetime');
is_deeply($label->{profile}{key_types}, [qw(p256 rsa2048)], 'and the server\'s key types');
is($label->{pop}, 'off', 'its own binding');
ok($label->{reenroll_same_key}, 'its own renewal');
is($label->{reenroll_grace}, '3d', 'with grace');
ok(!$label->{require_voucher} && !$label->{devices} && $label->{users}, 'and who may enrol');
is($label->{ca}{key_id}, $own->{ca}{key_id}, 'by the server\'s CA');
done_testing;
