use strict;
use warnings;
use lib 't/lib';
use MNT;
use JSON::PP;
use Test::More;
use Time::HiRes qw(sleep time);

# A recording that is found to be over long after its writer died ended when its
# last segment came; and each recording counts once for its streamer, however
# often it was gone on with.

my $m = MNT->new(workers => 2);
$m->channel('cut', live => 1, dur => 0.5, window => 6);
$m->start;
$m->up;
$m->watch('cut');

my $r = wait_for(sub {
    my $r = $m->recordings->[0];
    $r && $r->{segments} >= 3 && $r
}, 'it records');

$m->crash;
my $died = time;
$m->channel('cut', live => 0, stall => 1, endlist => JSON::PP::true);
sleep 6;
$m->start;
wait_for(sub { $m->recording($r->{id})->{status} eq 'recorded' },
         'it is ended by the next start', 30);
my $ended = $m->one('SELECT extract(epoch FROM ended_at) FROM media_record');
cmp_ok($ended, '<', $died + 1, 'its end is that of what was recorded');
cmp_ok($ended, '>', $died - 5, '... and no earlier');
is($m->streamers->[0]{recorded}, 1, 'it is counted');

$m->psql("UPDATE media_record SET status = 'recording', ended_at = NULL;
          SELECT mntreamer_recording_close(id) FROM media_record");
is($m->one('SELECT status FROM media_record'), 'recorded', 'closed again');
is($m->streamers->[0]{recorded}, 1, '... it is not counted again');

$m->psql("UPDATE media_record SET status = 'recording', ended_at = NULL,
          counted = false; SELECT mntreamer_recording_close(id)
          FROM media_record");
is($m->streamers->[0]{recorded}, 2, 'one that was not counted is');

$m->finish;
