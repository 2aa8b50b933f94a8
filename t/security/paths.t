# SPDX-License-Identifier: Apache-2.0
#
# paths.t: an operation under a path that is not quite its own: to reach it where an access rule
# does not look, to reach one of another namespace, or another one than the path says.
use FindBin;
use lib "$FindBin::RealBin/../lib";
use BRSKI::Test;
use BRSKI::Test::Attack;
use BRSKI::Test::Raw;

# The log is behind a rule that nobody here passes; vouchers are not.
my $masa = under_attack(start_masa(name => 'paths', devices => 3, host => <<'EOF_HOST'));
MASALegacyPaths On
<Location "/.well-known/est">
    SetHandler masa
    Require all granted
</Location>
<LocationMatch "^/\.well-known/(?:brski|est)/requestauditlog$">
    Require ip 192.0.2.1
</LocationMatch>
EOF_HOST
my ($lab, $httpd) = ($masa->lab, $masa->httpd);
my %registrar = $lab->identity;
my $rvr = $lab->rvr;

# As it is written, without a library's corrections.
sub post
{
    my ($path, %opt) = @_;
    return scalar exchange($httpd,
                           "POST $path HTTP/1.1\r\nHost: masa.example\r\nConnection: close\r\n"
        . "Content-Type: application/voucher-cms+json\r\n"
        . "Content-Length: @{[ length $rvr ]}\r\n\r\n$rvr", %registrar);
}

served(post('/.well-known/brski/requestvoucher'), 'control: an operation');
repelled(post('/.well-known/brski/requestauditlog'), 403, 'httpd', qr/access rules do not let/,
         '5.8 control: a rule of httpd');

# --- around the rule ------------------------------------------------------

my @ways = ('/.well-known/brski//requestauditlog', '/.well-known//brski/requestauditlog',
            '//.well-known/brski/requestauditlog', '/.well-known/brski/./requestauditlog',
            '/.well-known/brski/x/../requestauditlog', '/.well-known/est/../brski/requestauditlog',
            '/.well-known/brski/%72equestauditlog', '/.well-known/brski/requestaudit%6Cog',
            '/%2Ewell-known/brski/requestauditlog', '/.well-known/%62rski/requestauditlog',
            '/.well-known/brski/%2e/requestauditlog',
                '/.well-known/brski/%2E%2E/brski/requestauditlog',
            '/.well-known/brski/requestauditlog?',
                '/.well-known/brski/requestauditlog?x=/requestvoucher',
            '/.well-known/est/requestauditlog', '/.well-known/est//requestauditlog',
            'https://masa.example/.well-known/brski/requestauditlog',
            'https://masa.example//.well-known/brski//requestauditlog');
repelled(post($_), 403, 'httpd', qr/access rules do not let/, "5.8 $_ is behind the rule")
    for @ways;

# What is not the operation for httpd is not for us either.
my @others = ('/.well-known/brski/requestauditlog/', '/.well-known/brski/requestauditlog/x',
              '/.well-known/brski/requestauditlog;x=y', '/.well-known/brski/;x/requestauditlog',
              '/.well-known/brski/requestAuditLog', '/.well-known/brski/REQUESTAUDITLOG',
              '/.well-known/brski/requestauditlog%20', '/.well-known/brski/%20requestauditlog',
              '/.well-known/brski/requestauditlog%0A', '/.well-known/brski/requestauditlog%09',
              '/.well-known/brski/requestauditlog%3F', '/.well-known/brski/requestauditlog%25',
              '/.well-known/brski/requestauditlog.json',
                  '/.well-known/brski/requestvoucher;requestauditlog',
              '/.well-known/brski/requestvoucher/requestauditlog',
                  '/.well-known/brski/requestauditlo',
              '/.well-known/brski/requestauditlogs', '/.well-known/brski/', '/.well-known/brski',
              "/.well-known/brski/requestauditlog\xFF", '/.well-known/brski/requestauditlog%C0%80');
for my $path (@others) {
    my $response = post($path);
    (my $label = $path) =~ s/[^ -~]/?/g;

    repelled($response, 404, 1050, qr/There is no such operation here/, "5 $label is no operation");
}
for my $path ('/.well-known/brski/requestauditlog%00', '/.well-known/brski%2Frequestauditlog',
              '/.well-known/brski/..%2Fbrski/requestauditlog',
                  '/.well-known/brski/requestauditlog%',
              '/.well-known/brski/%zz', '/.well-known/brski\\requestauditlog',
                  '/.WELL-KNOWN/brski/requestauditlog',
              '/.well-known/BRSKI/requestauditlog', '/.well-known/brski/../../requestauditlog',
              '/../.well-known/brski/requestauditlog', 'requestauditlog', '*', '/requestauditlog',
              '/.well-known/brski;x/requestauditlog') {
    my $response = post($path);

    like($response->code, qr/^40[034]$/, "5 $path is refused");
    unlike($response->content, qr/"events"/, "5 $path shows no log");
}

# --- another namespace ----------------------------------------------------

for my $path (map { my $base = $_; map { "/.well-known/$base/$_" }
                    qw(simpleenroll simplereenroll cacerts csrattrs serverkeygen fullcmc
                       voucher_status enrollstatus x/requestvoucher requestvoucher/requestvoucher)
                  } qw(brski est)) {
    repelled(post($path), 404, 1050, qr/There is no such operation here/,
             "5 $path: an operation of the other namespace is none here");
}
no_harm_done();
$httpd->expect(qr/\[authz_core:error\].*AH01630/, qr/\[core:error\].*AH10244/);
done_testing;
