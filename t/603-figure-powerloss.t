use strict;
use warnings;
use Test::More;

# Figure 3, short: power cuts; and that it notices an fsync that does nothing.

plan skip_all => 'a sanitizer is preloaded already' if $ENV{MNT_SAN};

exec '/usr/bin/python3', 't/figures/figures.py', qw(--short --tap powerloss)
    or die "python3: $!\n";
