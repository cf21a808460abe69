use strict;
use warnings;
use lib 't/lib';
use MNT;
use Test::More;

# A channel that was off the air for long and whose first start fails is tried
# again within seconds: what was missed before counts for the time off the air
# only.  And a streamer that is never due without a recording becomes due again.

my $m = MNT->new(workers => 2, mntreamer => 'poll_rate 200r/s;');
my $id = $m->channel('late');
$m->channel('held');
$m->start;
$m->up;
$m->watch('late');

my $row = sub {
    my @v = @{ $m->psql("SELECT last_outcome, miss_count, owner IS NOT NULL,
        extract(epoch FROM check_at - now()) FROM streamer_monitor m
        JOIN streamer s ON s.id = m.streamer_id
        WHERE channel_id = '$id'")->[0] };
    return { outcome => $v[0], misses => $v[1], owned => $v[2], in => $v[3] };
};
wait_for(sub { $row->()->{misses} >= 2 }, 'it is off the air');
$m->psql('UPDATE streamer_monitor SET miss_count = 1000');
$m->fault(match => '/hls/late/', status => 404, times => -1);
$m->channel('late', live => 1, dur => 0.5);

my $r = wait_for(sub {
    my $r = $row->();
    $r->{outcome} eq 'live-not-playable' && $r->{owned} eq 'f' && $r
}, 'it is on the air and gives no playlist', 40);
cmp_ok($r->{in}, '<', 3, 'it is asked about again within seconds');
is($r->{misses}, 1, 'that was the first start that failed');
$m->heal;
wait_for(sub { my $x = $m->recordings->[0]; $x && $x->{segments} >= 2 },
         'and recorded then', 20);

# no recording in progress, and nobody who will end one

$m->watch('held');
wait_for(sub { $m->one("SELECT count(*) FROM streamer_monitor
                        WHERE last_outcome = 'offline'") == 1 },
         'another one is off the air');
$m->psql("UPDATE streamer_monitor SET check_at = 'infinity', owner = NULL,
          lease_until = NULL WHERE last_outcome = 'offline'");
wait_for(sub { $m->one("SELECT count(*) FROM streamer_monitor
                        WHERE last_outcome = 'offline'
                        AND isfinite(check_at)") == 1 },
         'one that is held for nothing is set free', 25);

$m->finish;
