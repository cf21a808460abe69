use strict;
use warnings;
use lib 't/lib';
use MNT;
use JSON::PP;
use Test::More;
use Time::HiRes qw(sleep time);

# A recording is over when its playlists have their ENDLIST: while there is no
# room for it the recording stays in progress, with its lease, and is closed when
# there is, by this worker or by the next one.

plan skip_all => 'a sanitizer is preloaded already' if $ENV{MNT_SAN};

my $m = MNT->new(workers => 2, main => 'env LD_PRELOAD; env NOEND;',
                 mntreamer => 'lease 2s;');
ok(MNT::quiet('cc', '-shared', '-fPIC', '-O1', '-o', "$m->{dir}/noend.so",
              "$MNT::TOP/t/lib/noend.c", '-ldl'), 'a disk without room');
my $noend = "$m->{dir}/noend";

$m->channel('alpha', live => 1, dur => 0.5);
{
    local $ENV{LD_PRELOAD} = "$m->{dir}/noend.so";
    local $ENV{NOEND} = $noend;
    $m->start;
}
$m->up;
$m->watch('alpha');

sub over {
    my ($name) = @_;
    $m->channel($name, live => 0, stall => 1, endlist => JSON::PP::true);
}

sub told { return scalar(() = $m->log =~ /got no end, which is tried again/g) }

my $r = wait_for(sub {
    my ($r) = @{ $m->recordings };
    $r && $r->{segments} >= 3 && $r
}, 'it records');
my $file = "$m->{storage}/" . $m->one('SELECT path FROM media_record')
    . '/index.m3u8';

spew($noend, '');
over('alpha');
wait_for(sub { told() }, 'there is no room for its end', 30);

my $t0 = time;
my $held = 1;
while (time < $t0 + 5) {
    my ($row) = @{ $m->psql('SELECT r.status, m.owner IS NOT NULL'
        . ' FROM media_record r JOIN streamer_monitor m USING (streamer_id)') };
    $held &&= $row->[0] eq 'recording' && $row->[1] eq 't';
    sleep 0.2;
}
ok($held, 'it stays in progress and keeps its lease');
unlike(slurp($file), qr/ENDLIST/, 'without an end');
is(told(), 1, 'one line tells it');
unlike($m->log, qr/recording \d+ finished/, 'and none that it is finished');

unlink $noend;
wait_for(sub { slurp($file) =~ /^#EXT-X-ENDLIST\n\z/m }, 'then it gets its end');
wait_for(sub { $m->recording($r->{id})->{status} eq 'recorded' }, 'and is over');
is(scalar(() = slurp($file) =~ /ENDLIST/g), 1, 'once');
is(scalar(() = $m->log =~ /recording \d+ finished/g), 1, 'which is told once');

# its worker leaves, or is killed, meanwhile

for my $how ('reload', 'kill') {
    $m->channel('alpha', live => 0);
    $m->channel('alpha', live => 1, live_id => $how eq 'kill' ? 2000 : 3000,
                stall => 0, endlist => JSON::PP::false);
    $r = wait_for(sub {
        my ($r) = @{ $m->recordings };
        $r->{status} eq 'recording' && $r->{segments} >= 3 && $r
    }, "$how: the next one", 30);
    $file = "$m->{storage}/" . $m->one("SELECT path FROM media_record
        WHERE id = $r->{id}") . '/index.m3u8';

    my $n = told();
    spew($noend, '');
    over('alpha');
    wait_for(sub { told() > $n }, "$how: there is no room for its end", 30);

    if ($how eq 'reload') {
        $m->reload;
    } else {
        kill 'KILL', $m->one('SELECT e.pid FROM streamer_monitor m'
                             . ' JOIN engine e ON e.id = m.owner');
    }
    wait_for(sub { told() > $n + 1 }, "$how: another one tries it", 45);
    is($m->recording($r->{id})->{status}, 'recording', "$how: in progress");
    unlink $noend;
    wait_for(sub { $m->recording($r->{id})->{status} eq 'recorded' },
             "$how: it is over", 20);
    like(slurp($file), qr/^#EXT-X-ENDLIST\n\z/m, "$how: with its end");
    is($m->recording($r->{id})->{segments}, scalar playlist_entries(slurp($file)),
       "$how: and its numbers");
}

$m->{allow_log} = qr/exited on signal 9/;
$m->finish;
