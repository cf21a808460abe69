#!/usr/bin/perl

# Copyright (C) the mntreamer authors

# usage: editor-system.pl
#
# A running system for tests of the editor, with a trash: "one" and "two" are
# recordings of 12 segments of 2 s each, over, "two" in two sizes.  Says where
# it is in one line of JSON; a line of SQL on stdin is done, "done" says so;
# ends when stdin does.

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
my $m = MNT->new(workers => 2, server => $headers, mntreamer => 'trash 1h;');

$m->start;
$m->up;

my $HEAD = "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:2\n"
    . "#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-PLAYLIST-TYPE:EVENT\n";


sub media {
    my ($dir, $name, $size, $prefix) = @_;
    my $file = "$dir/$name.m3u8";

    system('ffmpeg', '-v', 'error', '-nostdin', '-f', 'lavfi', '-i',
           "testsrc=size=$size:rate=10", '-f', 'lavfi', '-i', 'sine', '-t', 24,
           '-c:v', 'libx264', '-preset', 'ultrafast', '-g', 20, '-bf', 0,
           '-pix_fmt', 'yuv420p', '-c:a', 'aac', '-threads', 1, '-f', 'hls',
           '-hls_time', 2, '-hls_list_size', 0, '-hls_segment_filename',
           "$dir/$prefix%06d.ts", $file) == 0 or die 'ffmpeg';
    MNT::spew($file, $HEAD . join('', map { "#EXTINF:$_->{dur},\n$_->{uri}\n" }
                                  playlist_entries(MNT::slurp($file)))
              . "#EXT-X-ENDLIST\n");
}

sub recording {
    my ($number, $title, @size) = @_;
    my $dir = "$m->{storage}/x/$title";

    mkdir "$m->{storage}/x";
    mkdir $dir;

    if (@size == 1) {
        media($dir, 'index', $size[0], '');

    } else {
        media($dir, 'video', $size[0], '');
        media($dir, '120p', $size[1], '120p-');
        MNT::spew("$dir/index.m3u8", "#EXTM3U\n"
            . "#EXT-X-STREAM-INF:BANDWIDTH=400000,RESOLUTION=$size[0]\n"
            . "video.m3u8\n"
            . "#EXT-X-STREAM-INF:BANDWIDTH=100000,RESOLUTION=$size[1]\n"
            . "120p.m3u8\n");
    }

    my (undef, undef, $uid, $gid) = getpwnam 'nobody';

    system('chown', '-R', "$uid:$gid", $m->{storage}) if !$>;
    return $m->one(<<"END") + 0;
INSERT INTO media_record (platform, channel_id, channel_name, title, status,
       started_at, ended_at, day, sequence, path, segments, bytes,
       duration_us, epoch)
VALUES (1, 'c', 'Name', '$title', 'recorded', now() - interval '$number hours',
       now(), now(), $number, 'x/$title', 12, 100000, 24000000, 1)
RETURNING id
END
}


$| = 1;
print encode_json({
    url => "http://127.0.0.1:$m->{port}/",
    one => recording(1, 'one', '320x240'),
    two => recording(2, 'two', '320x240', '160x120'),
}), "\n";

while (my $line = <STDIN>) {
    $m->psql($line);
    print "done\n";
}

$m->stop;
$m->check_log;
$m->cleanup;
done_testing;
