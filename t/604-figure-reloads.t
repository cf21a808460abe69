use strict;
use warnings;

# Figure 4, its short form: reloads and an upgrade miss nothing, fail nothing.

exec '/usr/bin/python3', 't/figures/figures.py', '--short', '--tap', 'reloads';
