use strict;
use warnings;

# Workers that die with a lock or a row in memory, a master that is killed,
# no master at all, no daemon, a worker that is made to leave, also while it
# waits for the database, wrong configurations, stops: recordings go on.

exec '/usr/bin/python3', 't/lib/lifecycle.py', qw(gap_row mutex master overlap
     single foreground timeout opening misconfigured stopped) or die "python3: $!\n";
