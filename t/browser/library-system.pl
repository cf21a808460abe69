#!/usr/bin/perl

# Copyright (C) the mntreamer authors

# usage: library-system.pl
#
# A running system with 200 recordings for tests of the page.  One of them,
# "played", has files: 20 s in two sizes, with gaps; another is deleted.  Says
# where it is in one line of JSON; a line "add TITLE" on stdin adds a
# recording, "done" says so; ends when stdin does.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP;
use MNT;
use Test::More;

Test::More->builder->output(\*STDERR);

# the headers of conf/nginx.conf

my ($headers) = MNT::slurp("$MNT::TOP/conf/nginx.conf")
    =~ /((?:^ +add_header .*\n)+)/m;
my $m = MNT->new(workers => 2, server => $headers);

$m->start;
$m->up;

my $columns = 'streamer_id, platform, channel_id, channel_name, title,
    category, status, started_at, ended_at, day, sequence, path, segments, bytes,
    duration_us, epoch, quality';

$m->psql(<<"END");
INSERT INTO streamer (platform, channel_id, channel_name, monitored)
     SELECT 1, lpad(c::text, 32, 'd'), 'Name ' || c, false
       FROM generate_series(1, 5) c;
INSERT INTO streamer_monitor (streamer_id) SELECT id FROM streamer;
INSERT INTO media_record ($columns)
     SELECT s.id, s.platform, s.channel_id, s.channel_name, 'title ' || i,
            'Category ' || i % 3, 'recorded',
            now() - interval '20 days' + i * interval '1 hour',
            now() - interval '20 days' + i * interval '1 hour'
            + interval '30 minutes',
            current_date - 20 + i / 24, i + 1, s.channel_id || '/' || i,
            10, 1000000 * i, 20000000 + i, 1, '1080p'
       FROM generate_series(0, 199) i
       JOIN streamer s ON s.channel_name = 'Name ' || i % 5 + 1;
UPDATE media_record SET title = 'played', path = 'played', gaps = 3,
       lost_us = 13500000, segments = 20 WHERE title = 'title 150';
UPDATE media_record SET status = 'deleted' WHERE title = 'title 149';
UPDATE media_record SET segments = 0 WHERE title = 'title 148';
INSERT INTO media_gap (recording_id, number, track, reason,
                       first_sequence, segments, lost_us, at_us)
     SELECT id, g.n, g.track, g.reason, 1, 1, g.lost, g.at
       FROM media_record, (VALUES
            (1, 'video', 'network', 4000000, 5000000),
            (2, 'audio', 'network', 4000000, 5200000),
            (3, 'video', 'restart', 9500000, 15000000))
            g (n, track, reason, lost, at)
      WHERE title = 'played';
END

# two sizes of the same, as renditions are

my $dir = "$m->{storage}/played";
my @size = ([ '240p', '320x240', 400000 ], [ '120p', '160x120', 100000 ]);

mkdir $dir;

for my $s (@size) {
    my ($name, $size) = @$s;

    system('ffmpeg', '-v', 'error', '-nostdin', '-f', 'lavfi', '-i',
           "testsrc=size=$size:rate=10", '-f', 'lavfi', '-i', 'sine', '-t', 20,
           '-c:v', 'libx264', '-preset', 'ultrafast', '-g', 10, '-pix_fmt',
           'yuv420p', '-c:a', 'aac', '-threads', 1, '-f', 'hls', '-hls_time',
           1, '-hls_list_size', 0, '-hls_playlist_type', 'vod',
           '-hls_segment_filename', "$dir/$name-%06d.ts", "$dir/$name.m3u8")
        == 0 or die 'ffmpeg';
}

MNT::spew("$dir/index.m3u8", join '', "#EXTM3U\n",
          map { "#EXT-X-STREAM-INF:BANDWIDTH=$_->[2],RESOLUTION=$_->[1]\n"
                . "$_->[0].m3u8\n" } @size);
system('chmod', '-R', 'a+rX', $dir);

my $id = sub { $m->one("SELECT id FROM media_record WHERE $_[0]") + 0 };

$| = 1;
print encode_json({
    url => "http://127.0.0.1:$m->{port}/",
    played => $id->("title = 'played'"),
    deleted => $id->("status = 'deleted'"),
    empty => $id->("segments = 0"),
    streamer => $m->one("SELECT id FROM streamer"
                        . " WHERE channel_name = 'Name 1'") + 0,
}), "\n";

while (my $line = <STDIN>) {
    my ($title) = $line =~ /^add (\w+)$/ or die $line;

    $m->psql(<<"END");
INSERT INTO media_record ($columns)
     SELECT id, platform, channel_id, channel_name, '$title', NULL, 'recorded',
            now() - interval '1 minute', now(), current_date, 1000,
            channel_id || '/$title', 10, 1, 20000000, 1, '1080p'
       FROM streamer WHERE channel_name = 'Name 1';
END
    print "done\n";
}

$m->stop;
$m->check_log;
$m->cleanup;
done_testing;
