use strict;
use warnings;
use Test::More;

# Figure 7, short: calls for files and memory that fail one at a time; and that
# it notices a worker that dies or hangs.

plan skip_all => 'a sanitizer is preloaded already' if $ENV{MNT_SAN};

exec '/usr/bin/python3', 't/figures/figures.py', qw(--short --tap torture)
    or die "python3: $!\n";
