# SPDX-License-Identifier: Apache-2.0
#
# products.t: a product line must say who may have its devices and whose IDevIDs they carry; anchors
# must be files that can be used.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::RealBin/../lib";
use BRSKI::Test;
use BRSKI::Test::Conf;

my $dir = new_dir('products');
my $man = conf_lab()->path('manufacturer');
my $anchor = "MASAIDevIDAnchor $man/idevid-anchors.pem\n";

write_file("$dir/junk.pem", "this is no certificate\n");

refused('5.4.1 a missing MASAOwner is refused, with the three words',
        product => "${anchor}MASASignWith lab\n",
        says => [ qr/BRSKI2024: <MASAProduct lab> does not say who may have its devices/,
                  qr/MASAOwner any .*customer .*sold/, qr/\(\S+:\d+\)/ ]);
refused('5.4.1 an owner policy that is not there is refused', product => "+MASAOwner nobody\n",
        says => [ qr/BRSKI2025: MASAOwner nobody in <MASAProduct lab>: no such policy/,
                  qr/there are .*any/ ]);
refused('5.5.5 a missing MASAIDevIDAnchor is refused',
        product => "MASASignWith lab\nMASAOwner any\n",
        says => [ qr/BRSKI2026: <MASAProduct lab> has no MASAIDevIDAnchor/ ]);
refused('5.5.5 an anchor that is not there is refused',
        product => "+MASAIDevIDAnchor $dir/no.pem\n",
        says => [ qr/BRSKI2027: MASAIDevIDAnchor in <MASAProduct lab>: .*no\.pem/ ]);
refused('5.5.5 an anchor without certificate is refused',
        product => "+MASAIDevIDAnchor $dir/junk.pem\n",
        says => [ qr/BRSKI2027: MASAIDevIDAnchor in <MASAProduct lab>: .*junk\.pem/ ]);
refused('a MASA without product line is refused',
        product_start => '', product => '', product_end => '',
        says => [ qr/BRSKI2029: MASAEngine On, but no product line/ ]);
refused('one name in main server and virtual host is refused',
        server => "<MASAProduct lab>\n${anchor}MASASignWith lab\nMASAOwner any\n</MASAProduct>\n",
        says => [ qr/BRSKI2028: <MASAProduct lab>: there is another section of this name/ ]);
refused('an unreadable MASACustomerAnchor is refused', host => "MASACustomerAnchor $dir/no.pem\n",
        says => [ qr/BRSKI2030: MASACustomerAnchor: .*no\.pem/ ]);
refused('an unreadable MASAPublicAnchors is refused', host => "MASAPublicAnchors $dir/junk.pem\n",
        says => [ qr/BRSKI2032: MASAPublicAnchors \S+junk\.pem: / ]);

my $all = refused('all that is wrong is said at once', product => '',
                  says => [ qr/BRSKI2022/, qr/BRSKI2024/, qr/BRSKI2026/ ]);
done_testing;
