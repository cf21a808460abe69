use strict;
use warnings;
use lib 't/lib';
use MNT;
use Test::More;
use Time::HiRes qw(time);

# With the settings as they are a segment that comes a byte a second does not hold
# an old worker for more than 6 s, and is not lost by that.

my $m = MNT->new(workers => 1);
$m->channel('slow', live => 1, dur => 1, window => 30);
$m->start;
$m->up;
$m->watch('slow');
my $r = wait_for(sub {
    my $r = $m->recordings->[0];
    $r && $r->{segments} >= 2 && $r
}, 'it records');

my $k = playlist_entries($m->playlist($r)) + 3;
my $slow = qr{/hls/slow/seg/\w+-0-$k\.};
$m->fault(match => "/hls/slow/seg/\\w+-0-$k\\.", pace => 1, times => 1);
wait_for(sub { grep { ($_->{path} // '') =~ $slow } @{ $m->served } },
         'a segment is slow', 30);
my @old = $m->workers_of;
my $t0 = time;
$m->reload;
wait_for(sub {
    my %now = map { $_ => 1 } $m->workers_of;
    !grep { $now{$_} } @old
}, 'the old worker leaves', 15);
cmp_ok(time - $t0, '<', 6 * $MNT::PATIENCE, 'within 6 s');
wait_for(sub { playlist_entries($m->playlist($r)) > $k + 4 },
         'it goes on', 30);
my $x = $m->recording($r->{id});
is($x->{gaps}, 0, 'nothing is lost') or diag explain $x->{gap_list};
$m->finish;
