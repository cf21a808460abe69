use strict;
use warnings;

# the short form of a figure; see docs/figures.md

exec 'python3', 't/figures/figures.py', '--short', '--tap', 'library';
