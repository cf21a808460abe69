use strict;
use warnings;

# Figure 2, its short form: SIGKILL of workers loses and doubles nothing.

exec '/usr/bin/python3', 't/figures/figures.py', '--short', '--tap', 'kills';
