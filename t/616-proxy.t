use strict;
use warnings;

# The TCP proxy of the figures does what it is told to do to a connection.

exec '/usr/bin/python3', 't/lib/proxied.py' or die "python3: $!\n";
