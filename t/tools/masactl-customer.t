#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
#
# masactl customer and device: what is said of customers and devices, that every change which
# decisions rest on is seen by them, and what is refused.

use strict;
use warnings;
use FindBin ();
use lib "$FindBin::RealBin/../lib";
use BRSKI::Masactl;
use Test::More;

my $dir = new_dir('certificates');
my ($ca, $ee) = map { "$dir/$_.pem" } qw(ca ee);

make_certificates();
each_database(sub {
    my ($dialect, $db) = @_;

    customers($db);
    keys_of_customers($db);
    grants($db);
    devices($db);
});
done_testing();

sub policy
{
    my ($db) = @_;
    return 0 + ($db->sql('SELECT policy_version FROM tenant_state') || 0);
}

# Run it; decisions that rest on what was before have to be made again.
sub bumps
{
    my ($db, $label, @args) = @_;
    my $before = policy($db);

    ok_masactl(@args);
    is(policy($db), $before + 1, "$label bumps the policy version");
}

sub make_certificates
{
    my @key = ('-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout',
               '/dev/null');

    for ([ $ca, 'CA:TRUE' ], [ $ee, 'CA:FALSE' ]) {
        my ($file, $ca) = @$_;
        my ($status, $out) = run_command([ 'openssl', 'req', '-x509', @key, '-subj', '/CN=test',
                                           '-out',
                                           $file, '-addext', "basicConstraints=critical,$ca" ]);
        $status == 0 or die $out;
        chmod 0644, $file;
    }
}

# SHA-256 of a certificate's key.
sub spki
{
    my ($file) = @_;
    my (undef, $out) = run_command([ 'sh', '-c', "openssl x509 -in $file -noout -pubkey | "
                                     . 'openssl pkey -pubin -outform DER | sha256sum' ]);
    return (split ' ', $out)[0];
}

sub customers
{
    my ($db) = @_;

    bumps($db, 'customer add', 'customer', 'add', 'acme', '--note', 'a good one');
    bumps($db, 'customer add of another', 'customer', 'add', 'bolt & sons');
    is_deeply([ map { $_->{customer} } json_lines('customer', 'list') ], [ 'acme', 'bolt & sons' ],
              'customer list has them in order');
    is(json_masactl('customer', 'show', 'acme')->{note}, 'a good one',
       'customer show tells the note');
    ok_masactl('customer', 'add', 'acme', '--note', 'changed');
    is(json_masactl('customer', 'show', 'acme')->{note}, 'changed',
       'adding again changes the note');
    no_masactl(1, qr/no customer 'zorn'/, 'an unknown customer', 'customer', 'show', 'zorn');
    no_masactl(1, qr/1 to 128 octets/, 'an empty name', 'customer', 'add', '');
    no_masactl(1, qr/control characters/, 'a name with a tab', 'customer', 'add', "a\tb");
}

sub keys_of_customers
{
    my ($db) = @_;
    my $key = 'ab' x 32;

    bumps($db, 'customer key add', 'customer', 'key', 'add', 'acme', '--cert', $ee, '--note',
          'west');
    ok_masactl('customer', 'key', 'add', 'acme', '--ca', $ca);
    ok_masactl('customer', 'key', 'add', 'acme', '--dns', 'Registrar.Acme.EXAMPLE');
    ok_masactl('customer', 'key', 'add', 'acme', '--user', 'Acme');
    ok_masactl('customer', 'key', 'add', 'acme', '--spki', uc $key);
    my %keys = map { $_->{identity} => $_ } @{ json_masactl('customer', 'show', 'acme')->{keys} };
    is_deeply([ sort keys %keys ],
              [ sort 'spki:' . spki($ee), 'ca:' . spki($ca), 'dns:registrar.acme.example',
                'user:Acme', "spki:$key" ],
              'every kind of key is kept in its one form');
    is($keys{ 'spki:' . spki($ee) }{note}, 'west', 'with its note');

    no_masactl(1, qr/is a key of customer acme/, 'a key of somebody else', 'customer', 'key', 'add',
               'bolt & sons',
               '--spki', $key);
    bumps($db, 'customer key retire', 'customer', 'key', 'retire', 'acme', "spki:$key");
    ok_masactl('customer', 'key', 'add', 'bolt & sons', '--spki', $key);
    pass('a retired key may be given to another');
    no_masactl(1, qr/has no key dns:other/, 'retiring a key that is not there', 'customer', 'key',
               'retire', 'acme',
               '--dns', 'other');
    no_masactl(1, qr/not a CA/, '--ca with a registrar', 'customer', 'key', 'add', 'acme', '--ca',
               $ee);
    no_masactl(1, qr/is a CA/, '--cert with a CA', 'customer', 'key', 'add', 'acme', '--cert', $ca);
    no_masactl(1, qr/64 hex digits/, 'a short --spki', 'customer', 'key', 'add', 'acme', '--spki',
               'abcd');
    no_masactl(1, qr/not a DNS name/, 'a --dns with a blank', 'customer', 'key', 'add', 'acme',
               '--dns', 'a b');
    no_masactl(1, qr{/no/such}, 'a certificate that is not there', 'customer', 'key', 'add', 'acme',
               '--cert',
               '/no/such');
    no_masactl(2, qr/say one of/, 'no key', 'customer', 'key', 'add', 'acme');
    no_masactl(2, qr/say one of/, 'two keys', 'customer', 'key', 'add', 'acme', '--dns', 'a',
               '--user', 'b');
}

sub grants
{
    my ($db) = @_;

    bumps($db, 'customer grant', 'customer', 'grant', 'acme', 'nonceless', '--product', 'widget');
    ok_masactl('customer', 'grant', 'acme', 'downgrade', '--until', '2100-01-01');
    ok_masactl('customer', 'grant', 'acme', 'pin', '--value', 'ee');
    my @grants = map { "$_->{what}/$_->{product}/$_->{value}/" . ($_->{until} || '') }
                 @{ json_masactl('customer', 'show', 'acme')->{grants} };
    is_deeply(\@grants, [ 'downgrade///2100-01-01T00:00:00Z', 'nonceless/widget//', 'pin//ee/' ],
              'grants are kept');
    bumps($db, 'customer revoke', 'customer', 'revoke', 'acme', 'nonceless', '--product', 'widget');
    no_masactl(1, qr/was not granted nonceless/, 'revoking what was not granted', 'customer',
               'revoke', 'acme',
               'nonceless');
    no_masactl(2, qr/'money' cannot be granted/, 'granting something else', 'customer', 'grant',
               'acme', 'money');
    no_masactl(2, qr/pin needs --value/, 'pin without value', 'customer', 'grant', 'acme', 'pin');
    no_masactl(2, qr/pin needs --value/, 'nonceless with value', 'customer', 'grant', 'acme',
               'nonceless', '--value', 'ee');
    no_masactl(2, qr/needs --until/, 'a downgrade without end', 'customer', 'grant', 'acme',
               'downgrade');
    no_masactl(1, qr/has passed/, 'a grant that has ended', 'customer', 'grant', 'acme',
               'nonceless', '--until',
               '2001-01-01');
    no_masactl(1, qr/not a time/, 'a day that is none', 'customer', 'grant', 'acme', 'nonceless',
               '--until', 'soon');
}

sub device { return json_masactl('device', 'show', @_)->[0] }

sub devices
{
    my ($db) = @_;

    masactl('device', 'import', '-',
            { stdin => "serial_number,product\nA1,widget\nA2,widget\nA2,gadget\n" });
    ok_masactl('device', 'assign', 'A1', '--customer', 'acme', '--sold-at', '2024-05-06');
    is(device('A1')->{customer}, 'acme', 'device assign says to whom');
    is(device('A1')->{sold_at}, '2024-05-06T00:00:00Z', 'and when');
    masactl('device', 'import', '-',
            { stdin => "serial_number,product,customer,as_of\nA1,widget,zorn,2024-01-01\n" });
    is(device('A1')->{customer}, 'acme', 'an older list does not undo it');
    no_masactl(1, qr/devices were sold to acme/, 'removing a customer that has devices', 'customer',
               'remove', 'acme');
    no_masactl(1, qr/no customer 'nobody'/, 'assigning to somebody unknown', 'device', 'assign',
               'A1', '-c', 'nobody');
    no_masactl(2, qr/--customer NAME or --nobody/, 'assigning to none', 'device', 'assign', 'A1');
    ok_masactl('device', 'assign', 'A1', '--nobody');
    is(device('A1')->{customer}, '', 'device assign --nobody takes it back');

    no_masactl(1, qr/several devices.*--product, one of: gadget, widget/,
               'a serial number in two product lines',
               'device', 'block', 'A2', '--reason', 'x');
    ok_masactl('device', 'block', 'A2', '--product', 'gadget', '--reason', 'stolen in May',
               '--status', 'stolen');
    is(device('A2', '--product', 'gadget')->{status}, 'stolen', 'device block');
    is(device('A2', '--product', 'gadget')->{status_text}, 'stolen in May', 'keeps the reason');
    is(device('A2', '--product', 'widget')->{status}, 'active', 'of the one device');
    is_deeply([ map { $_->{product} } json_lines('device', 'list', '--status', 'stolen') ],
              ['gadget'],
              'device list finds the blocked ones');
    ok_masactl('device', 'unblock', 'A2', '--product', 'gadget');
    is(device('A2', '--product', 'gadget')->{status}, 'active', 'device unblock');
    no_masactl(2, qr/--reason/, 'blocking without reason', 'device', 'block', 'A1');
    no_masactl(2, qr/--status is one of/, 'blocking as active', 'device', 'block', 'A1', '--reason',
               'x', '--status',
               'active');
    ok_masactl('device', 'downgrade', 'A1', '--until', '2100-02-03');
    is(device('A1')->{downgrade_until}, '2100-02-03T00:00:00Z', 'device downgrade');
    ok_masactl('device', 'downgrade', 'A1', '--never');
    is(device('A1')->{downgrade_until}, undef, 'device downgrade --never');
    no_masactl(1, qr/has no device ZZ/, 'an unknown device', 'device', 'show', 'ZZ');
    my ($status, $out) = masactl('--tenant', 'other', 'device', 'show', 'A1');
    is($status, 1, 'another tenant has its own devices');
    bumps($db, 'customer remove', 'customer', 'remove', 'bolt & sons');
    is_deeply([ map { $_->{customer} } json_lines('customer', 'list') ], ['acme'],
              'customer remove');
    is($db->sql("SELECT count(*) FROM customer_key WHERE customer = 'bolt & sons'"), "0\n",
       'with its keys');
}
