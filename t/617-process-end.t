use strict;
use warnings;

# A worker that is made to leave, also while it waits for the database, wrong
# configurations, stops: recordings go on.

exec '/usr/bin/python3', 't/lib/lifecycle.py', qw(timeout opening misconfigured
     stopped) or die "python3: $!\n";
