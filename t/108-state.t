use strict;
use warnings;
use lib 't/lib';
use MNT;
use JSON::PP;
use Test::More;
use Time::HiRes qw(sleep time);

# MON-08: IDLE, PROCESS, RECORDING, IDLE is visible; outside IDLE nobody checks;
# after a stream the facts of the streamer are right; priority goes first.

my $m = MNT->new(workers => 2, backoff => '300ms',
                 mntreamer => 'refresh 1h; poll_rate 100r/s;');
my $id = $m->channel('zeta', dur => 0.5);
$m->start;
$m->up;
my $s = $m->watch('zeta');
my $now = sub { $m->json("/api/v1/streamers/$s->{id}") };

wait_for(sub { ($now->()->{last_probe} || {})->{outcome} }, 'it is probed');
wait_for(sub { $now->()->{status} eq 'idle' }, 'off the air it is idle');
is($now->()->{is_streaming}, JSON::PP::false, 'and not streaming');
is($now->()->{recorded}, 0, 'nothing was recorded');
is($now->()->{last_stream_at}, undef, 'it was never on the air');
is($now->()->{live}, undef, 'nothing is told of a broadcast');

# a question that takes its time

$m->fault(match => "$id/live-status", times => -1, delay => 1.5);
wait_for(sub { $now->()->{status} eq 'process' }, 'asked about: process', 5);
is($m->json('/api/v1/streamers?status=process')->{items}[0]{id}, $s->{id},
   'the filter finds it');
my $asked = sub { scalar grep { $_->{path} =~ m{$id/live-} } @{ $m->served } };
my $n = $asked->();
my $t0 = time;
wait_for(sub { $now->()->{status} eq 'idle' }, 'answered: idle', 5);
cmp_ok($asked->(), '<=', $n + 1, 'nobody else asked meanwhile');
$m->heal;

# recording: the ladder rests

my $live = time;
$m->channel('zeta', live => 1);
wait_for(sub { $now->()->{status} eq 'recording' }, 'live: recording');
cmp_ok(time - $live, '<', (0.3 + 2 + 1) * $MNT::PATIENCE,
       'REC-01: within a poll interval plus 2 s');
wait_for(sub { $now->()->{is_streaming} }, 'it streams');
ok($now->()->{recording_id}, 'with its recording');
is($m->json('/api/v1/streamers?status=recording')->{items}[0]{id}, $s->{id},
   'the filter finds it');
$n = $asked->();
my $r = $m->recordings->[0];
wait_for(sub { $m->recording($r->{id})->{segments} >= 6 }, 'three seconds pass');
is($asked->(), $n, 'no probe of the ladder meanwhile: ten were due');
is($now->()->{next_check_at}, undef, 'none is planned')
    or diag $now->()->{next_check_at};

# and back

$m->channel('zeta', live => 0, stall => 1,
            endlist => JSON::PP::true);
wait_for(sub { $now->()->{status} eq 'idle' }, 'the end: idle', 32);
wait_for(sub { $now->()->{recorded} == 1 }, 'recorded is one more');
wait_for(sub { !$now->()->{is_streaming} }, 'it does not stream');
my $f = $now->();
is($f->{recording_id}, undef, 'there is no recording');
for ('last_stream_at', 'last_recorded_at') {
    my ($at) = $m->one("SELECT extract(epoch FROM '$f->{$_}'::timestamptz)");
    cmp_ok(abs(time - $at), '<', 30 * $MNT::PATIENCE, "$_ is right");
}
$r = $m->recording($r->{id});
is($f->{last_recorded_at}, $r->{ended_at}, 'the recording says the same');
$n = $asked->();
wait_for(sub { $asked->() > $n + 2 }, 'it is probed again');

# a second broadcast counts again; and paused nobody asks

$m->channel('zeta', live => 1, stall => 0, live_id => 1001,
            endlist => JSON::PP::false);
wait_for(sub { $now->()->{status} eq 'recording' }, 'live again');
wait_for(sub { ($m->recordings->[0]{segments} // 0) >= 2 }, 'recorded again');
is(scalar @{ $m->recordings }, 2, 'as a second recording');
$m->call(PATCH => "/api/v1/streamers/$s->{id}", { monitored => JSON::PP::false });
wait_for(sub { $now->()->{status} eq 'idle' }, 'paused: the recording ends', 10);
my $second = $m->recordings->[0];
is($second->{status}, 'recorded', 'its row says so');
like($m->playlist($second), qr/^#EXT-X-ENDLIST$/m, 'and its playlist');
is($now->()->{recorded}, 2, 'it counts');
$n = $asked->();
sleep 1.5;
is($asked->(), $n, 'a paused streamer is not asked about');
$m->call(PATCH => "/api/v1/streamers/$s->{id}", { monitored => JSON::PP::true });
wait_for(sub { $asked->() > $n }, 'until it is watched again: at once', 3);

$m->finish;
