use strict;
use warnings;
use lib 't/lib';
use MNT;
use Test::More;
use Time::HiRes qw(time);

# RELIABILITY B4, B5: a table that is locked for longer than any statement may
# take, and a database that is short of disk: recordings go on, rows follow,
# nothing is lost, the API answers in bounded time.

my $m = MNT->new(workers => 2, mntreamer => 'lease 2s;');
$m->channel('iota', live => 1, dur => 0.3, window => 20);
$m->start;
$m->up;
$m->watch('iota');
wait_for(sub { my $r = $m->recordings->[0]; $r && $r->{segments} >= 4 },
         'it records');
my $file = "$m->{storage}/" . $m->one('SELECT path FROM media_record')
    . '/index.m3u8';

my $pid = fork // die;
if (!$pid) {
    exec 'psql', '-X', '-q', '-h', $m->{pg}, '-U', 'postgres', '-d', $m->{db},
        '-c', 'BEGIN; LOCK TABLE media_record, streamer_monitor IN ACCESS'
              . ' EXCLUSIVE MODE; SELECT pg_sleep(20); COMMIT';
}

wait_for(sub { $m->one("SELECT count(*) FROM pg_locks WHERE granted AND mode =
                        'AccessExclusiveLock' AND relation IS NOT NULL
                        AND relation::regclass::text = 'media_record'") },
         'the table is locked');
my $n = playlist_entries(slurp($file));
my $t = time;
my $x = $m->call(GET => '/api/v1/recordings');
is($x->{status}, 503, 'the API answers 503');
cmp_ok(time - $t, '<', 7 * $MNT::PATIENCE, 'in bounded time');
waitpid $pid, 0;
cmp_ok(scalar(() = playlist_entries(slurp($file))), '>', $n + 30,
       'the recording went on');

my $listed = playlist_entries(slurp($file));
wait_for(sub { ($m->one('SELECT segments FROM media_record') // 0) >= $listed },
         'the rows follow', 15);
is($m->one('SELECT count(*) FROM media_record'), 1, 'one recording');
is($m->one('SELECT count(*) FROM media_gap'), 0, 'without a gap');

# short of disk: each write fails with 53100

$m->psql(q{CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'no space left' USING ERRCODE = '53100'; END $$;
    CREATE TRIGGER full_disk BEFORE UPDATE ON media_record
    FOR EACH ROW EXECUTE FUNCTION full_disk()});
$listed = playlist_entries(slurp($file));
wait_for(sub { playlist_entries(slurp($file)) > $listed + 12 },
         'without disk it goes on');
$m->psql('DROP TRIGGER full_disk ON media_record');
$listed = playlist_entries(slurp($file));
wait_for(sub { $m->one('SELECT segments FROM media_record') >= $listed },
         'and the rows follow', 10);
is($m->one('SELECT count(*) FROM media_gap'), 0, 'without a gap');

$m->finish;
