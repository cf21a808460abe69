use strict;
use warnings;
use Test::More;

plan skip_all => 'a sanitizer is preloaded already' if $ENV{MNT_SAN};

exec '/usr/bin/python3', 't/lib/quota.py' or die "python3: $!\n";
