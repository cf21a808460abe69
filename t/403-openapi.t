use strict;
use warnings;
use lib 't/lib';
use MNT;
use JSON::PP;
use Test::More;

# API-01: docs/openapi.yaml is what a running system answers, with rows of all
# kinds in it.

my $m = MNT->new(workers => 2, mntreamer => 'poll_rate 200r/s; trash 1h; retention age=8d;');
$m->{server} = "location /signed/ { mntreamer_recordings; "
    . "mntreamer_sign file:$m->{dir}/key; }";
spew("$m->{dir}/key", 'a key of thirty-two bytes or more');
$m->channel('plain', live => 1, dur => 0.5);
$m->channel('tracks', live => 1, dur => 0.5, kind => 'fmp4',
            audio => JSON::PP::true);
$m->channel('holes', live => 1, dur => 0.5);
$m->channel('off');
$m->fault(match => '/hls/holes/seg/\w+-0-4\.', status => 404, times => -1);
$m->start;
$m->up;
$m->watch($_) for 'plain', 'tracks', 'holes', 'off';
wait_for(sub {
    my @r = @{ $m->recordings };
    3 == grep { $_->{segments} >= 6 } @r
}, 'three recordings', 30);
wait_for(sub { (grep { $_->{gaps} } @{ $m->recordings }) == 1 }, 'one has a gap',
         20);

# jobs of all kinds, which nobody runs while their recording is in progress

my $id = $m->recordings->[0]{id};
$m->psql("INSERT INTO job (recording_id, begin_us, end_us, segments, state, error, file,
            bytes, duration_us, started_at, finished_at, run_at, attempts)
          VALUES ($id, 0, NULL, 1, 'queued', 'x', NULL, NULL, NULL, now(), NULL, now(), 1),
                 ($id, 1, 2, 1, 'failed', 'x', NULL, NULL, NULL, now(), now(), now(), 5),
                 ($id, 2, 3, 1, 'done', NULL, 'export-3.mp4', 5, 1, now(), now(), now(), 1)");

# one in the trash, of another machine

$m->psql("INSERT INTO media_record (platform, channel_id, day, sequence, path, epoch,
            storage, status, ended_at, deleted_from, deleted_at, deleted_why, purge_at)
          SELECT platform, 'x', day, 1, 'x/1', 1, 'elsewhere', 'deleted', now(),
            'recorded', now(), 'api', now() + interval '1 hour'
            FROM media_record LIMIT 1");

# what would go, if it had not just ended

$m->psql("INSERT INTO media_record (platform, channel_id, day, sequence, path, epoch,
            storage, status, ended_at)
          SELECT platform, 'x', day, 2, 'x/2', 1, storage, 'recorded',
            now() - interval '9 days' FROM media_record
           WHERE storage <> 'elsewhere' LIMIT 1");
is(scalar @{ $m->json('/api/v1/retention')->{items} }, 1, 'one would go');

open my $fh, '-|', $^X, "$MNT::TOP/t/util/openapi-check.pl", '--write', '--links',
    "http://127.0.0.1:$m->{port}" or die $!;
my @lines = <$fh>;
close $fh;
is($?, 0, 'every answer is as described')
    or diag grep { /^not ok/ } @lines;
cmp_ok(scalar(grep { /^ok/ } @lines), '>=', 40, 'and there were many');

$m->finish;
