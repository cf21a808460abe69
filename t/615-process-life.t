use strict;
use warnings;

# Workers that die with a lock or a row in memory, a master that is killed, no
# master at all, no daemon: recordings go on. How they end is in 617.

exec '/usr/bin/python3', 't/lib/lifecycle.py', qw(gap_row mutex master overlap
     single foreground) or die "python3: $!\n";
