use strict;
use warnings;
use lib 't/lib';
use MNT;
use File::Path qw(make_path);
use JSON::PP;
use Test::More;
use Time::HiRes qw(time sleep);

# LIB-05, U8: a span of a recording is not shown any more, and shown again: in any
# order, of MPEG-TS, fragmented MP4 and renditions, at once also for ten hours,
# without the database when it is made, and whatever is killed meanwhile the
# playlist is one of the two.

my $inject = "$MNT::TOP/build/inject/ngx_mntreamer_module.so";
my $there = -e $inject && !$ENV{MNT_SAN};
$MNT::MODULE = $inject if $there;

my $m = MNT->new(workers => 2, own_pg => 1, main => 'env MNT_INJECT_FILE;',
                 allow_log => qr/exited on signal 9/);
my $inject_file = "$m->{dir}/inject";
spew($inject_file, "\0" x 64);
chmod 0666, $inject_file;
$ENV{MNT_INJECT_FILE} = $inject_file;
$m->start;
$m->up;

# recordings that are over: of ffmpeg 12 segments of 2 s each, or of names only

my $head = "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:2\n"
    . "#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-PLAYLIST-TYPE:EVENT\n";
my $N = 0;

sub row {
    my ($name, $segments, %o) = @_;
    $N++;
    my $storage = $o{storage} // "(SELECT storage FROM media_record
        UNION SELECT '$m->{storage}' LIMIT 1)";
    return $m->one("INSERT INTO media_record (platform, channel_id, status, started_at,
        ended_at, day, sequence, path, segments, bytes, duration_us, epoch, storage)
        VALUES (1, 'c', 'recorded', now() - interval '1 hour', now(), now(), $N, 'x/$name',
        $segments, 1000, $segments * 2000000::bigint, 1, " . ($o{storage} ? "'$o{storage}'" : 'NULL') . ')
        RETURNING id');
}
sub mine {
    my (undef, undef, $uid, $gid) = getpwnam 'nobody';
    system('chown', '-R', "$uid:$gid", $m->{storage}) if !$>;
}
sub names {
    my ($name, $segments) = @_;
    make_path("$m->{storage}/x/$name");
    spew("$m->{storage}/x/$name/index.m3u8", $head . join('', map {
        sprintf "#EXTINF:2.000000,\n%06d.ts\n", $_ } 1 .. $segments) . "#EXT-X-ENDLIST\n");
    mine();
    return row($name, $segments);
}
sub media {
    my ($name, $fmp4) = @_;
    my $dir = "$m->{storage}/x/$name";
    make_path($dir);
    system('ffmpeg', '-v', 'error', '-nostdin', '-f', 'lavfi', '-i',
           'testsrc2=size=160x90:rate=10', '-f', 'lavfi', '-i', 'sine=frequency=440',
           '-t', 24, '-c:v', 'libx264', '-preset', 'ultrafast', '-g', 20, '-bf', 0,
           '-c:a', 'aac', '-f', 'hls', '-hls_time', 2, '-hls_list_size', 0,
           '-hls_playlist_type', 'event',
           ($fmp4 ? ('-hls_segment_type', 'fmp4', '-hls_fmp4_init_filename', 'init-1.mp4',
                     '-hls_segment_filename', "$dir/%06d.m4s")
                  : ('-hls_segment_filename', "$dir/%06d.ts")), "$dir/index.m3u8") == 0
        or die 'ffmpeg';
    my @e = playlist_entries(slurp("$dir/index.m3u8"));
    spew("$dir/index.m3u8", $head . ($fmp4 ? qq{#EXT-X-MAP:URI="init-1.mp4"\n} : '')
         . "#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:00.000Z\n"
         . join('', map { "#EXTINF:$_->{dur},\n$_->{uri}\n" } @e) . "#EXT-X-ENDLIST\n");
    mine();
    return row($name, scalar @e);
}

my $url = sub { "/recordings/x/$_[0]/index.m3u8" . ($_[1] // '') };
my $shown = sub { $m->get($url->(@_))->{content} };
my $numbers = sub { join ' ', map { ($_->{disc} ? '|' : '') . (0 + ($_->{uri} =~ /(\d+)/)[0]) }
                    playlist_entries($_[0]) };
my $api = sub { "/api/v1/recordings/$_[0]/cuts" };
my $cut = sub { $m->call(POST => $api->($_[0]), { begin => $_[1], end => $_[2] }) };
my $undo = sub { $m->call(DELETE => $api->($_[0]) . "/$_[1]") };

# one, and what it looks like

my $ts = media('ts');
my $whole = $shown->('ts');
my $x = $cut->($ts, 4, 8);
is($x->{status}, 201, 'a cut') or diag $x->{content};
is_deeply([@{ $x->{json} }{qw(recording_id begin end applied)}],
          [$ts, 4, 8, JSON::PP::true()], '... is told');
my $list = $m->json($api->($ts));
is_deeply($list, { items => [$x->{json}], next => undef }, '... and listed');
is($numbers->($shown->('ts')), '0 1 |4 5 6 7 8 9 10 11', 'two segments are not shown');
like($shown->('ts'), qr/#EXT-X-DISCONTINUITY\n#EXT-X-PROGRAM-DATE-TIME:2026-01-01T00:00:08.000Z\n/,
     'when the next one was is said');
is(slurp("$m->{storage}/x/ts/index.m3u8"), $whole, 'the file is what it was');
my $r = $m->recording($ts);
is_deeply([@{$r}{qw(duration cut segments)}], [20, 4, 12], 'how long it is, and was');
is(scalar(grep { $_->{name} =~ /cuts/ } @{ $r->{files} }), 0, 'the file is none of its files');
is($m->get('/recordings/x/ts/.cuts')->{status}, 404, '... nor served');
my $again = $cut->($ts, 4, 8);
is($again->{status}, 200, 'once more: there');
is($again->{json}{id}, $x->{json}{id}, '... the same one');

# a standard player plays on

sub frames {
    my ($url) = @_;
    my @pts = grep { /\S/ } qx{ffprobe -v error -select_streams v -show_entries packet=pts_time -of csv=p=0 '$url' 2>&1};
    my ($last, $back) = (-1, 0);
    for (@pts) {
        my ($t) = /^([\d.]+)/ or next;
        $back++ if $t <= $last;
        $last = $t;
    }
    return (scalar(@pts), $back);
}
my ($n, $back) = frames($m->url($url->('ts')));
is($n, 200, 'ffprobe finds all pictures that are left');
is($back, 0, 'their times only grow');
like(qx{ffmpeg -v error -stats -nostdin -i '@{[ $m->url($url->('ts')) ]}' -map 0 -f null - 2>&1},
     qr/frame= *200 [^\n]*\n?\z/, 'ffmpeg shows all of them');

# the next ones, undone in any order

my $y = $cut->($ts, 0, 1);
is($numbers->($shown->('ts')), '1 |4 5 6 7 8 9 10 11', 'the first one has no discontinuity');
my $z = $cut->($ts, 6, 14.5);
is($numbers->($shown->('ts')), '1 |8 9 10 11', 'two that overlap are one');
is($m->recording($ts)->{cut}, 14, '... and count once');
is($undo->($ts, $x->{json}{id})->{status}, 204, 'the first is undone');
is($numbers->($shown->('ts')), '1 2 |8 9 10 11', '... what the others hide is not shown');
is($undo->($ts, $x->{json}{id})->{status}, 204, '... again: harmless');
is($undo->($ts, $_->{json}{id})->{status}, 204, 'another') for $z, $y;
is($shown->('ts'), $whole, 'it is what it was, byte by byte');
is_deeply($m->json($api->($ts))->{items}, [], 'none is listed');
is_deeply([@{ $m->recording($ts) }{qw(duration cut)}], [24, 0], 'it is as long as it was');

# fragmented MP4, behind a first segment that is not shown; a window

my $mp4 = media('mp4', 1);
is($cut->($mp4, 0, 2)->{status}, 201, 'fragmented MP4');
is($cut->($mp4, 10, 14)->{status}, 201, '... twice');
my @e = playlist_entries($shown->('mp4'));
is(scalar(grep { $_->{map} ne 'init-1.mp4' } @e), 0, 'each has its initialisation section');
is(() = $shown->('mp4') =~ /EXT-X-MAP/g, 1, '... said once');
($n, $back) = frames($m->url($url->('mp4')));
is($n, 180, 'all pictures that are left');
is($back, 0, 'their times only grow');
is($numbers->($shown->('mp4', '?window=8')), '|7 8 9 10 11' =~ s/^\|7 //r, 'the last seconds of it');
is($numbers->($shown->('mp4', '?window=12')), '4 |7 8 9 10 11', '... with what is cut');
like($shown->('mp4', '?window=12'), qr/MEDIA-SEQUENCE:3\n.*init-1/s, '... a whole playlist');
my $g = $m->get($url->('mp4'));
is($m->get($url->('mp4'), 'If-None-Match' => $g->{headers}{etag})->{status}, 304, 'unchanged: 304');
is($m->get($url->('mp4', '?window=x'))->{status}, 400, 'a window that is none');
$undo->($mp4, $m->json($api->($mp4))->{items}[0]{id});
is($m->get($url->('mp4'), 'If-None-Match' => $g->{headers}{etag})->{status}, 200, 'another cut: another text');

# renditions: the same of each

my $dir = "$m->{storage}/x/rungs";
make_path($dir);
spew("$dir/index.m3u8", "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=2,RESOLUTION=640x360\nvideo.m3u8\n"
     . "#EXT-X-STREAM-INF:BANDWIDTH=1,RESOLUTION=320x180\n180p.m3u8\n");
for my $t (['video', ''], ['180p', '180p-']) {
    spew("$dir/$t->[0].m3u8", $head . join('', map {
        sprintf "#EXTINF:2.000000,\n$t->[1]%06d.ts\n", $_ } 1 .. 10) . "#EXT-X-ENDLIST\n");
}
mine();
my $rungs = row('rungs', 10);
my $multi = $shown->('rungs');
is($cut->($rungs, 3, 7)->{status}, 201, 'renditions');
is($shown->('rungs'), $multi, 'the multivariant playlist is what it was');
is($numbers->($m->get("/recordings/x/rungs/$_.m3u8")->{content} =~ s/180p-//gr),
   '1 2 |5 6 7 8 9 10', "$_ has the same") for qw(video 180p);
like($shown->('rungs', '?window=6'), qr/180p\.m3u8\?window=6/, 'a window of it is that of each');

# sound whose segments begin a little beside those of the pictures has the same holes

make_path("$m->{storage}/x/sound");
spew("$m->{storage}/x/sound/index.m3u8", "#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"a\",URI=\"audio-1.m3u8\"\n"
     . "#EXT-X-STREAM-INF:BANDWIDTH=2,AUDIO=\"a\"\nvideo.m3u8\n");
spew("$m->{storage}/x/sound/$_->[0].m3u8", $head . "#EXTINF:$_->[1],\n000001.ts\n" . join('', map {
    sprintf "#EXTINF:2.000000,\n%06d.ts\n", $_ } 2 .. 10) . "#EXT-X-ENDLIST\n")
    for ['video', '2.000000'], ['audio-1', '1.900000'];
mine();
my $sound = row('sound', 10);
is($cut->($sound, @$_)->{status}, 201, "sound: @$_") for [4, 5], [9.5, 9.95];
my $of = sub { $numbers->($m->get("/recordings/x/sound/$_[0].m3u8")->{content}) };
is($of->('video'), '1 2 |4 5 6 7 8 9 10', 'the pictures');
is($of->('audio-1'), '1 2 3 |5 6 7 8 9 10', 'the sound, with as many holes');
is(@{ $m->json($api->($sound))->{items} }, 2, 'also of a span in which nothing begins');

# refused

my $bad = names('bad', 5);
for ([400, { begin => 4, end => 4 }], [400, { begin => 4, end => 2 }], [400, { begin => -1, end => 2 }],
     [400, { begin => '0', end => 2 }], [400, { begin => 0 }], [400, { begin => 0, end => 1e300 }],
     [400, { begin => 0, end => 2, x => 1 }], [400, { begin => 0, end => 10.5 }], [400, {}])
{
    my $w = $m->call(POST => $api->($bad), $_->[1]);
    is($w->{status}, $_->[0], 'refused: ' . encode_json($_->[1]));
    is($w->{json}{status}, $_->[0], '... as JSON');
}
is($cut->(999999, 0, 1)->{status}, 404, 'there is no such recording');
is($m->json($api->(999999)), undef, '... nor its cuts');
is($undo->($bad, 999999)->{json}{error}, 'cut_not_found', 'there is no such cut');
is($undo->($bad, $list->{items}[0]{id})->{status}, 404, '... it is that of another one');
is($m->call(DELETE => $api->($bad) . '/x')->{status}, 400, 'an id that is none');
is($m->call(GET => $api->($bad) . '/1')->{status}, 405, 'a cut has no address of its own');
is($m->call(POST => $api->($bad), { begin => 0, end => 2 }, Origin => 'http://evil.example')->{status},
   403, 'not for a page of others');
$cut->($bad, 0, 2);
$x = $cut->($bad, 1, 10);
is($x->{status}, 409, 'something must be left');
like($x->{content}, qr/nothing would be left/, '... says the error');
is($numbers->($shown->('bad')), '2 3 4 5', '... what was cut before stays');
is(@{ $m->json($api->($bad))->{items} }, 1, '... and alone');
is($cut->($bad, 2, 10.0004)->{status}, 409, 'an end that is told rounded is none that is past it');
is($numbers->($shown->('bad')), '2 3 4 5', '... again');
$m->psql("UPDATE media_record SET status = 'recording', ended_at = NULL WHERE id = $bad");
is($cut->($bad, 4, 6)->{status}, 409, 'not while it is in progress');
is($undo->($bad, $m->json($api->($bad))->{items}[0]{id})->{status}, 409, '... nor back');

# it goes on: what was cut stays, what comes is shown

spew("$m->{storage}/x/bad/index.m3u8", slurp("$m->{storage}/x/bad/index.m3u8") =~ s/#EXT-X-ENDLIST\n//r);
is($numbers->($shown->('bad')), '2 3 4 5', 'it goes on');
for my $i (6 .. 8) {
    open my $fh, '>>', "$m->{storage}/x/bad/index.m3u8";
    printf $fh "#EXTINF:2.000000,\n%06d.ts\n", $i;
    close $fh;
    is($numbers->($shown->('bad')), join(' ', 2 .. $i), 'one more');
}
unlike($shown->('bad', '?_HLS_msn=9'), qr/SERVER-CONTROL/, 'no promise to wait for others');
$m->psql("UPDATE media_record SET status = 'recorded', ended_at = now() WHERE id = $bad");

# ten hours

my $long = names('long', 18_000);
my ($made, $got) = (9, 9);
for my $i (1 .. 5) {
    my $t0 = time;
    is($cut->($long, $i * 100, $i * 100 + 50)->{status}, 201, "a cut of ten hours, $i");
    my $t1 = time;
    my $text = $shown->('long');
    my $t2 = time;
    is(scalar(playlist_entries($text)), 18_000 - 25 * $i, '... without its segments');
    $made = $t1 - $t0 if $t1 - $t0 < $made;
    $got = $t2 - $t1 if $t2 - $t1 < $got;
}
cmp_ok($made, '<', 0.2 * $MNT::PATIENCE, sprintf 'made in %.0f ms', $made * 1000);
cmp_ok($got, '<', 0.2 * $MNT::PATIENCE, sprintf 'shown in %.0f ms', $got * 1000);

# killed anywhere: one of the two, and in the end the new one

my $killed = names('killed', 10);
my @shown = ('1 2 3 4 5 6 7 8 9 10');
my $one_of = sub {
    my ($why) = @_;
    my $now = eval { $numbers->($shown->('killed')) } // '';
    return if $now eq '';                       # no worker yet
    ok(scalar(grep { $_ eq $now } @shown), "$why: it is one of the two") or diag $now;
};
SKIP: {
    skip 'no build with places of death', 1 if !$there;
    my $at = 2;
    my @after = ('', '1 |3 4 5 6 7 8 9 10', '1 |3 |5 6 7 8 9 10', '1 |3 |5 |7 8 9 10',
                 '1 |3 |5 |7 |9 10');
    for my $place (qw(cut_counted whole_written whole_renamed edit_written)) {
        my ($b, $e) = ($at, $at + 2);
        $at += 4;
        open my $fh, '+<', $inject_file or die $!;
        syswrite $fh, pack('Q<Z*', 1, $place);
        close $fh;
        my $seen = $after[$at / 4];
        push @shown, $seen;
        $x = eval { $cut->($killed, $b, $e) };
        $one_of->($place);
        wait_for(sub { unpack('Q<', slurp($inject_file)) == 0 }, "$place: a worker died", 10);
        $one_of->($place);
        wait_for(sub { $numbers->($shown->('killed')) eq $seen }, "$place: it is cut", 15);
        wait_for(sub { ($m->json($api->($killed)) || { items => [] })->{items}[-1]{applied} },
                 '... and known to be', 15);
        @shown = ($seen);
    }
    is(join(' ', grep { /part$/ } file_list("$m->{storage}/x/killed")), '', 'no part is left');
}

# all of nginx is killed, at any moment, and comes back

my $crash = names('crash', 40);
my $all = $shown->('crash');
for my $i (0 .. 5) {
    my $before = $shown->('crash');
    my $pid = fork // die $!;
    if (!$pid) {
        eval { $cut->($crash, 4 * $i, 4 * $i + 2) };
        POSIX::_exit(0);
    }
    sleep 0.004 * $i;
    $m->crash;
    waitpid $pid, 0;
    $m->start;
    $m->up;
    my $wanted = $m->one("SELECT count(*) FROM media_cut WHERE recording_id = $crash
                          AND undone_at IS NULL");
    wait_for(sub { playlist_entries($shown->('crash')) == 40 - $wanted }, "killed ($i): $wanted cuts", 15);
}
$undo->($crash, $_->{id}) for @{ $m->json($api->($crash))->{items} };
is($shown->('crash'), $all, 'all is shown again');

# while nginx is away, and on a machine that is not there

$m->stop;
$m->psql("SELECT mntreamer_cut($crash, 0, 2000000)");
$m->start;
$m->up;
wait_for(sub { playlist_entries($shown->('crash')) == 39 }, 'what was wanted before is done', 10);
my $far = row('far', 10, storage => 'elsewhere');
my $t0 = time;
$x = $cut->($far, 2, 4);
is($x->{status}, 201, 'of another machine: it is wanted');
ok(!$x->{json}{applied}, '... and not done yet');
cmp_ok(time - $t0, '<', 4 * $MNT::PATIENCE, '... which it does not wait for');
is($cut->($crash, 8, 10)->{json}{applied}, JSON::PP::true(), 'it does not hold up others');
my $gone = row('gone', 10, storage => $m->one("SELECT storage FROM media_record WHERE storage
    <> 'elsewhere' LIMIT 1") // "$m->{db}");
$x = $cut->($gone, 2, 4);
ok($x->{status} == 409 || !$x->{json}{applied}, 'files that are gone');

# a notification that got lost

my $before = () = playlist_entries($shown->('crash'));
$m->psql("INSERT INTO media_cut (recording_id, begin_us, end_us, version)
            SELECT id, 30000000, 32000000, cut_version + 1 FROM media_record WHERE id = $crash;
          UPDATE media_record SET cut_version = cut_version + 1 WHERE id = $crash");
wait_for(sub { playlist_entries($shown->('crash')) < $before }, 'a cut that nobody told of', 20);
$m->psql("UPDATE media_cut SET undone_at = now() WHERE recording_id = $crash
             AND begin_us = 30000000;
          UPDATE media_record SET cut_version = cut_version + 1 WHERE id = $crash");
wait_for(sub { playlist_entries($shown->('crash')) == $before }, '... and undone', 20);

# deleted with it

is($m->call(DELETE => "/api/v1/recordings/$ts")->{status}, 204, 'it is deleted');
wait_for(sub { !-e "$m->{storage}/x/ts" }, 'and its files, with what was kept of cuts', 10);
is($cut->($ts, 0, 1)->{status}, 404, 'it cannot be cut');
is($m->call(GET => $api->($ts))->{status}, 404, 'nor its cuts be listed');

# without the database

MNT::pg_stop($m->{own_pg}, 'immediate');
wait_for(sub { $m->call(GET => $api->($mp4))->{status} == 503 }, 'the API is away', 10);
is($cut->($mp4, 0, 1)->{status}, 503, 'no cut is made');
is(playlist_entries($shown->('crash')), 38, 'what was cut is not shown');
is(playlist_entries($shown->('long')), 18_000 - 125, 'of another one');
$m->stop;
$m->start;
wait_for(sub { $m->get($url->('crash'))->{status} == 200 }, 'a start without it', 10);
is(playlist_entries($shown->('crash')), 38, '... shows the same');
MNT::pg_start($m->{own_pg});

$m->finish;
