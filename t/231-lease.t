use strict;
use warnings;
use lib 't/lib';
use MNT;
use Test::More;
use Time::HiRes qw(time sleep);

# DESIGN 4: a recording holds its lease. Guards two things: a renewal that is
# answered later than the next one is due (a lock, a checkpoint of the database)
# is not the last one; and a streamer that was paused while nobody listened (the
# NOTIFY fell into a reconnect, or a pooler swallowed it) ends with a renewal.

my $m = MNT->new(workers => 1, mntreamer => 'lease 1s;');
$m->channel($_, live => 1, dur => 0.5, window => 8) for qw(beta gamma);
$m->start;
$m->up;
$m->watch($_) for qw(beta gamma);
wait_for(sub { 2 == grep { $_->{segments} >= 2 } @{ $m->recordings } },
         'two record');

my $sql = 'SELECT count(*), min(extract(epoch FROM lease_until - now())),'
          . " string_agg(epoch::text, ' ' ORDER BY streamer_id)"
          . ' FROM streamer_monitor WHERE owner IS NOT NULL';
my $epochs = $m->psql($sql)->[0][2];

$m->psql('BEGIN; LOCK TABLE streamer_monitor IN ACCESS EXCLUSIVE MODE;'
         . ' SELECT pg_sleep(0.8); COMMIT');

my ($ok, $n, $end) = (0, 0, time + 4);
while (time < $end) {
    my $row = $m->psql($sql)->[0];
    $n++;
    $ok++ if $row->[0] == 2 && $row->[1] > 0;
    sleep 0.25;
}
cmp_ok($ok, '>=', 0.75 * $n, 'the leases are renewed after a stall of the database');
is($m->psql($sql)->[0][2], $epochs, 'nobody has taken them');

# paused behind the back of LISTEN

my ($s) = grep { $_->{channel_name} eq 'beta' } @{ $m->streamers };
$m->psql("UPDATE streamer SET monitored = false WHERE id = $s->{id}");
wait_for(sub {
    my ($r) = grep { $_->{channel_name} eq 'beta' } @{ $m->recordings };
    $r->{status} eq 'recorded'
}, 'a paused one ends without its NOTIFY', 10);
my ($r) = grep { $_->{channel_name} eq 'beta' } @{ $m->recordings };
like($m->playlist($r), qr/#EXT-X-ENDLIST\n\z/, 'in order');
my ($g) = grep { $_->{channel_name} eq 'gamma' } @{ $m->recordings };
is($g->{status}, 'recording', 'the other one goes on');

$m->finish;
