use strict;
use warnings;

# Figure 6, its short form: the kinds of faults that are over within seconds.

exec '/usr/bin/python3', 't/figures/figures.py', '--short', '--tap', 'faults';
