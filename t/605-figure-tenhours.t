use strict;
use warnings;
use Test::More;

# Figure 5, its short form: what a recording costs does not grow with it.

plan skip_all => 'a sanitizer is preloaded already' if $ENV{MNT_SAN};

exec '/usr/bin/python3', 't/figures/figures.py', '--short', '--tap',
     'tenhours' or die "python3: $!\n";
