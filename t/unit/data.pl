#!/usr/bin/perl

# The playlists of t/data/hls, by the same rules as the shared ones.

use strict;
use warnings;

use File::Basename qw(dirname);
use File::Spec;

my $here = File::Spec->rel2abs(dirname(__FILE__));

exec $^X, "$here/fixtures.pl", "$here/../data/hls"
    or die "fixtures.pl: $!\n";
