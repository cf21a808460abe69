use strict;
use warnings;

# The comparison with other tools, its short form: the same schedule, and a
# planted loss that must be counted.

exec '/usr/bin/python3', 't/figures/figures.py', '--short', '--tap', 'peers';
