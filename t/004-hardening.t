use strict;
use warnings;
use lib 't/lib';
use MNT;
use Test::More;

# RELIABILITY S43: the module is built as a distribution builds: no writable and
# executable memory, its tables of addresses read-only before it runs, calls
# bound at the start, stacks and known buffers checked.  It does not say where
# it was built, and so is the same everywhere ("figures versions" builds it in
# two places).

plan skip_all => 'a build for sanitizers' if $ENV{MNT_SAN};

my $so = $MNT::MODULE;
plan skip_all => 'there is no readelf' if !qx(readelf --version 2>/dev/null);

my $dynamic = qx(readelf -dW '$so');
like($dynamic, qr/BIND_NOW|Flags:.*NOW/, 'bound at the start');
unlike($dynamic, qr/TEXTREL/, 'no relocations in its code');
unlike($dynamic, qr/R(?:UN)?PATH/, 'no path of libraries of its own');
my $segments = qx(readelf -lW '$so');
like($segments, qr/GNU_RELRO/, 'tables of addresses are read-only');
like($segments, qr/GNU_STACK\s.*\sRW\s/, 'no executable stack');
unlike($segments, qr/LOAD\s.*\sRWE\s/, 'nothing writable and executable');
my $names = qx(readelf -sW '$so');
like($names, qr/__stack_chk_fail/, 'stacks are checked');
like($names, qr/__(?:memcpy|snprintf|vsnprintf)_chk/, 'known buffers, too');
is(scalar(() = slurp($so) =~ /\Q$MNT::TOP\E/g), 0, 'no place of this machine');

done_testing;
