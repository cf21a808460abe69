use strict;
use warnings;
use lib 't/lib';
use MNT;
use MNTRTMP;
use Test::More;
use Time::HiRes qw(time);

# ING-01, REC-04: a hundred publishers that come at once are all admitted, each
# is listed once and recorded without a gap, and none is left behind at the end.

my $n = 100;
my $m = MNTRTMP->new(workers => 3);
$m->start;
$m->up;

my @ids = @{ $m->psql("INSERT INTO streamer (platform, channel_id, source)"
    . " SELECT (SELECT id FROM platform WHERE name = 'rtmp'), 'c' || i, 'api'"
    . " FROM generate_series(1, $n) i RETURNING id") };
$m->psql('INSERT INTO streamer_monitor (streamer_id) SELECT id FROM streamer'
         . ' ON CONFLICT DO NOTHING');
my @keys = map { $m->key($_->[0]) } @ids;
is(scalar(@keys), $n, 'a hundred cameras');

my $began = time;
my $p = $m->speaker('many', 'play', MNTRTMP::clip(),
                    map { $m->rtmp("ingest/$_") } @keys);
wait_for(sub { (() = $m->said('many') =~ /^on /mg) == $n },
         'all are admitted', 30);
my $on = time - $began;
wait_for(sub { $m->one('SELECT count(*) FROM media_record WHERE segments > 0')
               == $n }, 'all are recorded', 30);
my $recorded = time - $began;
note(sprintf '%d publishers at once: admitted in %.1f s, recorded in %.1f s',
     $n, $on, $recorded);
unlike($m->said('many'), qr/^off/m, 'none was refused or closed');

my @live = map { @{ $m->json("/api/v1/live?limit=200")->{items} } } 1;
is(scalar(@live), $n, 'all are listed');
my %seen;
$seen{$_->{streamer_id}}++ for @live;
is(scalar(keys %seen), $n, 'each once');
is($m->one('SELECT count(*) FROM broadcast WHERE relayed_at IS NULL'), 0,
   'each reaches its viewers');
my $least = $m->one('SELECT min(segments) FROM media_record');
wait_for(sub { $m->one('SELECT min(segments) FROM media_record')
               >= $least + 4 }, 'all grow', 30);

$m->stop_publisher($p);
wait_for(sub { $m->one("SELECT count(*) FROM media_record"
                       . " WHERE status = 'recorded'") == $n },
         'all end', 30);
is($m->one('SELECT count(*) FROM media_record'), $n, 'one recording each');
is($m->one('SELECT sum(gaps) FROM media_record'), 0, 'nothing was lost');
is($m->one("SELECT count(*) FROM broadcast WHERE reason <> 'stopped'"), 0,
   'by their own stop');
cmp_ok($m->one('SELECT max(abs(extract(epoch FROM b.ended_at - b.started_at)'
    . ' - r.duration_us / 1e6)) FROM broadcast b JOIN media_record r'
    . ' ON r.broadcast_id = b.name'), '<', 3,
    'each is as long as its publisher was there');
wait_for(sub { !glob "$m->{hls}/*" }, 'no live file is left');
$m->finish;
