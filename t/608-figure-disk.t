use strict;
use warnings;
use Test::More;

# Figure 8, short: full, read-only, slow and failing disks.

plan skip_all => 'a sanitizer is preloaded already' if $ENV{MNT_SAN};

exec '/usr/bin/python3', 't/figures/figures.py', qw(--short --tap disk)
    or die "python3: $!\n";
