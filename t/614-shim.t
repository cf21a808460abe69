use strict;
use warnings;
use Test::More;

# The shim of the figures harms each call it is told to, counts them, and
# leaves the others alone.

plan skip_all => 'a sanitizer is preloaded already' if $ENV{MNT_SAN};

exec '/usr/bin/python3', 't/lib/shim_test.py' or die "python3: $!\n";
