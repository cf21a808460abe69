use strict;
use warnings;
use lib 't/lib';
use MNT;
use Test::More;

# DESIGN 1.3: what could not be had is written down. Guards the case that a
# segment is lost and the broadcast ends while the database is away: the row of
# the gap is written after the end of its recording.

my $m = MNT->new(own_pg => 1, workers => 1);
$m->channel('delta', live => 1, dur => 0.5, window => 6);
$m->start;
$m->up;
$m->watch('delta');
my $r = wait_for(sub {
    my $r = $m->recordings->[0];
    $r && $r->{segments} >= 3 && $r
}, 'it records');

MNT::pg_stop($m->{own_pg}, 'immediate');
wait_for(sub { $m->get('/health')->{status} == 503 }, 'the database is away');
my $n = playlist_entries($m->playlist($r));
$m->fault(match => '/hls/delta/seg/\w+-0-' . ($n + 8) . '\.', status => 404, times => -1);
wait_for(sub { $m->playlist($r) =~ /#EXT-X-DISCONTINUITY/ },
         'a segment is lost', 20);
$m->channel('delta', live => 0, stall => 1);
wait_for(sub { $m->playlist($r) =~ /#EXT-X-ENDLIST/ }, 'the broadcast ends', 30);

MNT::pg_start($m->{own_pg});
$r = wait_for(sub {
    my $x = $m->call(GET => "/api/v1/recordings/$r->{id}");
    $x->{success} && $x->{json}{status} eq 'recorded' && $x->{json}
}, 'the end is stored', 30);
is($r->{gaps}, 1, 'one gap is counted');
wait_for(sub { 1 == @{ $m->recording($r->{id})->{gap_list} } },
         'and it has its row', 10);

$m->finish;
