use strict;
use warnings;
use lib 't/lib';
use MNT;
use JSON::PP;
use Test::More;
use Time::HiRes qw(sleep time);

# A playlist that never gets its ENDLIST, while the disk has room: after five
# minutes its streamer is free for the next broadcast, and the recording waits for
# its end on its own, here and in whatever worker comes after this one.

plan skip_all => 'a sanitizer is preloaded already' if $ENV{MNT_SAN};

my $m = MNT->new(workers => 1, main => 'env LD_PRELOAD; env NOEND;',
                 mntreamer => 'lease 60s;');
ok(MNT::quiet('cc', '-shared', '-fPIC', '-O1', '-o', "$m->{dir}/noend.so",
              "$MNT::TOP/t/lib/noend.c", '-ldl', '-lpthread'), 'a fault and a clock');
my $noend = "$m->{dir}/noend";

$m->channel('alpha', live => 1, dur => 0.5);
{
    local $ENV{LD_PRELOAD} = "$m->{dir}/noend.so";
    local $ENV{NOEND} = $noend;
    $m->start;
}
$m->up;
$m->watch('alpha');

sub told { return scalar(() = $m->log =~ /got no end, which is tried again/g) }
sub row { return $m->psql("SELECT status, streamer_id IS NULL, left_of IS NULL,
    epoch, extract(epoch FROM ended_at) FROM media_record WHERE id = $_[0]")->[0] }

my $r = wait_for(sub {
    my ($r) = @{ $m->recordings };
    $r && $r->{segments} >= 3 && $r
}, 'it records');
my $file = "$m->{storage}/" . $m->one('SELECT path FROM media_record')
    . '/index.m3u8';
spew($noend, '');
$m->channel('alpha', live => 0, stall => 1, endlist => JSON::PP::true);
wait_for(sub { told() }, 'it gets no end', 30);
my $over = time;

spew("$noend.fast", '');
wait_for(sub { row($r->{id})->[1] eq 't' }, 'after some minutes it is left', 60);
unlink "$noend.fast";
my $n = told();
cmp_ok($n, '>', 2, 'which was told from time to time');
cmp_ok($n, '<', 9, 'not with each try');
is(row($r->{id})->[0], 'recording', 'its row waits');
unlike(slurp($file), qr/ENDLIST/, 'for the end');
wait_for(sub { $m->one('SELECT owner IS NULL OR check_at > now() FROM streamer_monitor')
                   eq 't' && $m->one('SELECT status FROM streamer') eq 'idle' },
         'its streamer is free');

$m->channel('alpha', live => 1, live_id => 2000, stall => 0,
            endlist => JSON::PP::false);
my $next = wait_for(sub {
    my ($x) = grep { $_->{id} != $r->{id} } @{ $m->recordings };
    $x && $x->{segments} >= 3 && $x
}, 'the next broadcast is recorded', 60);

# whoever takes the worker's place tries it again

unlink $noend;
kill 'KILL', $m->one('SELECT e.pid FROM streamer_monitor m'
                     . ' JOIN engine e ON e.id = m.owner');
$m->psql("UPDATE media_record SET last_progress_at = now() - interval '1 hour'"
         . " WHERE id = $r->{id}");
wait_for(sub { row($r->{id})->[0] eq 'recorded' }, 'a new worker closes it', 60);
like(slurp($file), qr/^#EXT-X-ENDLIST\n\z/m, 'its playlist has an end');
is(row($r->{id})->[1], 'f', 'and it its streamer again');
cmp_ok(row($r->{id})->[4], '<', $over + 5, 'it ended when it was over');
is($m->one('SELECT recorded FROM streamer'), 1, 'and is counted once');
is($m->recording($next->{id})->{status}, 'recording', 'the next one goes on');

$m->{allow_log} = qr/exited on signal 9|gets no end/;
$m->finish;
