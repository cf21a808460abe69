use strict;
use warnings;

# With too few descriptors recordings go on; polls and new recordings wait.

exec '/usr/bin/python3', 't/lib/lifecycle.py', qw(descriptors crowded rush)
    or die "python3: $!\n";
