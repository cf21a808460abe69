use strict;
use warnings;
use lib 't/lib';
use MNT;
use File::Path qw(make_path);
use Test::More;
use Time::HiRes qw(time);

# U15: variables tell which recording, platform and channel a file belongs to,
# what becomes of it and what kind it is: for logs, map and access rules, in
# every phase, also while the database is away and of what is finished.

my $m = MNT->new(workers => 2, own_pg => 1, http => <<'END', server => <<'END2');
    log_format about '$uri|$status|$mntreamer_recording_id|$mntreamer_platform|'
        . '$mntreamer_channel|$mntreamer_status|$mntreamer_kind|'
        . '$mntreamer_viewers|$mntreamer_viewer';
    map $mntreamer_channel $closed { default 0; "" 1; ~^secret 1; }
    map $mntreamer_recording_id $private { default ""; 77 1; 78 1; }
    map "$mntreamer_status:$mntreamer_kind" $unfinished { ~^recording: 1; }
    limit_req_zone $mntreamer_channel zone=channel:64k rate=1r/m;
END
        set $before "-$mntreamer_recording_id$mntreamer_kind-";
        location /recordings/closed/ { deny all; }
        location /rules/ {
            mntreamer_recordings;
            if ($closed) { return 403; }
            if ($private) { return 404; }
            add_header X-Recording "$mntreamer_recording_id" always;
            add_header X-Before "$before" always;
        }
        location /finished/ {
            mntreamer_recordings;
            if ($unfinished) { return 403; }
        }
        location /rate/ {
            mntreamer_recordings;
            limit_req zone=channel;
            limit_req_status 429;
        }
        location /moved/ { rewrite ^/moved/(.*)$ /rules/$1 last; }
        location /inner/ {
            mntreamer_recordings;
            if ($mntreamer_kind = segment) {
                rewrite ^/inner/by/hand/.*$ /inner/rtmp/other/init-1.mp4;
            }
            add_header X-All
                "$mntreamer_recording_id $mntreamer_kind $mntreamer_channel";
        }
        location /nothing/ {
            return 200
                "[$mntreamer_recording_id$mntreamer_platform$mntreamer_status]";
        }
END2
my $log = "$m->{dir}/logs/about.log";
$m->{http} =~ s/'\n\s*\. '/'\n        '/g;
$m->{http} .= "    access_log $log about;\n";
$m->{server} = "access_log $log about;\n$m->{server}";

sub put {
    my ($dir, %file) = @_;
    make_path("$m->{storage}/$dir");
    spew("$m->{storage}/$dir/$_", $file{$_}) for keys %file;
}
my $head = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n000001.ts\n";
my $end = "$head#EXT-X-ENDLIST\n";
sub card { return "recording $_[0]\nplatform $_[1]\nchannel $_[2]\n" }

put('by/hand', '.recording' => card(76, 'hls', 'http://cam.example/a b'),
    'index.m3u8' => $end, '000001.ts' => 'ts', 'init-1.mp4' => 'i',
    'export-3.mp4' => 'e', 'x.mp4' => 'x', 'thumbnail.jpg' => 'j', 'a.jpg' => 'k');
put('rtmp/secret', '.recording' => card(70, 'rtmp', 'secret-1'),
    'index.m3u8' => $end, '000001.ts' => 'ts');
put('rtmp/private', '.recording' => card(77, 'rtmp', 'open'),
    'index.m3u8' => $end, '000001.ts' => 'ts');
put('rtmp/other', '.recording' => card(79, 'rtmp', 'open'),
    'init-1.mp4' => 'init',
    'index.m3u8' => "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nvideo.m3u8\n",
    'video.m3u8' => $head, '000001.ts' => 'ts');
put('rtmp/over', '.recording' => card(80, 'rtmp', 'open'),
    'index.m3u8' => "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nvideo.m3u8\n",
    'video.m3u8' => $end, '000001.ts' => 'ts');
put('no/card', 'index.m3u8' => $end, '000001.ts' => 'ts');
put('torn/card', '.recording' => "recording 5\nplatfo", '000001.ts' => 'ts');
put('huge/card', '.recording' => 'x' x 5000 . "\nrecording 6\n", '000001.ts' => 'ts');
put('link/card', '000001.ts' => 'ts');
symlink "$m->{storage}/by/hand/.recording", "$m->{storage}/link/card/.recording";
put('.', '000009.ts' => 'ts');
system('chmod', '-R', 'a+rX', $m->{storage});
if (!$>) { system('chown', '-R', 'nobody:nogroup', $m->{storage}) }

$m->channel(alpha => live => 1, dur => 1);
$m->start;

# what the log has of a request, which is written behind its answer

sub told {
    my ($path, $name, $want, %h) = @_;
    my $was = length(slurp($log) // '');
    my $r = $m->get($path, %h);
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $line;
    my $end = time + 5;
    do {
        ($line) = substr(slurp($log) // '', $was) =~ /^([^\n]+)\n/m;
        select undef, undef, undef, 0.01 unless $line;
    } until $line || time > $end;
    $path =~ s/\?.*//;
    ref $want ? like($line, qr/^\Q$path\E\|$want$/, $name)
              : is($line, "$path|$want", $name);
    return $r;
}

# from the first moment of a worker on, whatever the database does

told('/recordings/by/hand/index.m3u8', 'a playlist',
     '200|76|hls|http://cam.example/a b|recorded|playlist|0|-');
told('/recordings/by/hand/000001.ts', 'a segment',
     '200|76|hls|http://cam.example/a b|recorded|segment|0|-');
told('/recordings/by/hand/init-1.mp4', 'an initialisation section',
     '200|76|hls|http://cam.example/a b|recorded|init|0|-');
told('/recordings/by/hand/export-3.mp4', 'an export',
     '200|76|hls|http://cam.example/a b|recorded|export|0|-');
told('/recordings/by/hand/x.mp4', 'something else',
     '200|76|hls|http://cam.example/a b|recorded|other|0|-');
told('/recordings/by/hand/thumbnail.jpg', 'the thumbnail',
     '200|76|hls|http://cam.example/a b|recorded|thumbnail|0|-');
told('/recordings/by/hand/a.jpg', 'another image',
     '200|76|hls|http://cam.example/a b|recorded|other|0|-');
told('/recordings/by/hand/gone.ts', 'a file that is not there',
     '404|76|hls|http://cam.example/a b|recorded|segment|0|-');
told('/recordings/rtmp/other/000001.ts', 'of several tracks the main one tells',
     '200|79|rtmp|open|recording|segment|0|-');
told('/recordings/rtmp/over/index.m3u8', '... also that it is over',
     '200|80|rtmp|open|recorded|playlist|0|-');
told('/recordings/no/card/000001.ts', 'a directory without the file',
     '200|-|-|-|recorded|segment|0|-');
told('/recordings/torn/card/000001.ts', 'a torn one, and no playlist',
     '200|5|-|-|-|segment|0|-');
told('/recordings/huge/card/000001.ts', 'a strange one',
     '200|-|-|-|-|segment|0|-');
told('/recordings/link/card/000001.ts', 'a link is not followed',
     '200|-|-|-|-|segment|0|-');
told('/recordings/000009.ts', 'what lies in the root is of no recording',
     '200|-|-|-|-|-|-|-');
told('/recordings/by/hand/.recording', 'the file itself is not served',
     '404|-|-|-|-|-|-|-');
told('/recordings/by/hand/x.txt', 'nor what has another ending',
     '404|-|-|-|-|-|-|-');
told('/health', 'another location', $m->get('/health')->{status}
     . '|-|-|-|-|-|-|-');
is($m->get('/nothing/by/hand/000001.ts')->{content}, '[]',
   'a location of something else');

# rules before the content phase

is($m->get('/rules/by/hand/000001.ts')->{status}, 200, 'map: let in');
is($m->get('/rules/by/hand/000001.ts')->{headers}{'x-recording'}, 76,
   'a header has it');
is($m->get('/rules/by/hand/000001.ts')->{headers}{'x-before'}, '--',
   'before the location is known they are empty');
is($m->get('/rules/rtmp/secret/000001.ts')->{status}, 403, 'by the channel: not');
is($m->get('/rules/rtmp/secret/gone.ts')->{status}, 403, '... whatever is asked for');
is($m->get('/rules/no/card/000001.ts')->{status}, 403, 'without a channel: not');
is($m->get('/rules/rtmp/private/000001.ts')->{status}, 404, 'by the recording');
is($m->get('/finished/rtmp/other/000001.ts')->{status}, 403, 'by the status: not');
is($m->get('/finished/rtmp/over/000001.ts')->{status}, 200, '... but what is over');
is($m->get('/moved/rtmp/secret/000001.ts')->{status}, 403, 'after a rewrite');
is($m->get('/moved/by/hand/000001.ts')->{status}, 200, '... too');
my $r = $m->get('/inner/by/hand/000001.ts');
is($r->{content}, 'init', 'a rewrite within the location');
is($r->{headers}{'x-all'}, '79 init open', '... leads to another recording');
is($m->get('/rate/rtmp/private/000001.ts')->{status}, 200, 'a rate of the channel');
is($m->get('/rate/rtmp/over/000001.ts')->{status}, 429, '... of all its recordings');
is($m->get('/rate/by/hand/000001.ts')->{status}, 200, '... not of another one');

# what the recorder writes

$m->up;
my $s = $m->watch('alpha');
my $rec = wait_for(sub { my $l = $m->recordings->[0]; $l && $l->{url} && $l },
                   'a recording appears');
my ($dir) = $rec->{url} =~ m{^/recordings/(.*)/index\.m3u8$};
wait_for(sub { -e "$m->{storage}/$dir/.recording" }, 'it has its file');
is((stat "$m->{storage}/$dir/.recording")[2] & 0777,
   (stat "$m->{storage}/$dir/index.m3u8")[2] & 0777, 'with the mode of the others');
my $about = "$rec->{id}|chzzk|$s->{channel_id}";
told($rec->{url}, 'in progress', "200|$about|recording|playlist|0|-");
for (1 .. 3) { $m->get($rec->{url}); $m->get($rec->{url} =~ s/index.m3u8/000001.ts/r) }
wait_for(sub {
    $m->get($rec->{url});
    (slurp($log) // '') =~ /\Q$rec->{url}|200|$about|recording|playlist|1|1\E\n/
}, 'a viewer, and how many there are');

# it goes on in a worker of a reload, and in the database's absence

my ($n) = playlist_entries($m->playlist($rec));
$m->reload;
my $was = () = playlist_entries($m->playlist($rec));
wait_for(sub { (() = playlist_entries($m->playlist($rec))) > $was + 1 }, 'it goes on');
like(slurp("$m->{storage}/$dir/.recording"), qr/^recording $rec->{id}\n/,
     'the file is the same');
MNT::pg_stop($m->{own_pg}, 'immediate');
is($m->get("/rules/$dir/000001.ts")->{headers}{'x-recording'}, $rec->{id},
   'the database is away: rules go on');
MNT::pg_start($m->{own_pg});
$m->up;

$m->channel('alpha', live => 0, stall => 1);
wait_for(sub { $m->recording($rec->{id})->{status} eq 'recorded' }, 'it is over', 30);
told($rec->{url} . '?x=1', 'recorded', qr/200\|\Q$about\E\|recorded\|playlist\|\d\|-/,
     'User-Agent' => 'somebody else');

# what is deleted leaves no file

is($m->call(DELETE => "/api/v1/recordings/$rec->{id}")->{status}, 204, 'deleted');
wait_for(sub { !-e "$m->{storage}/$dir" }, 'all of it is gone');

# in the moment before a worker has its rooms a rule knows as much

my %status;
for (1 .. 5) {
    $m->reload;
    my $until = time + 0.8;
    while (time < $until) {
        $status{$m->get('/rules/by/hand/000001.ts', Connection => 'close')
                  ->{status}}++;
    }
}
is(join(' ', keys %status), '200', 'a reload refuses nobody');

$m->finish;
