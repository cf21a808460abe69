use strict;
use warnings;
use lib 't/lib';
use MNT;
use MNTRTMP;
use Test::More;

# LIV-02: what is sent is offered in smaller pictures, too, in step with it, from
# the first segment to the last, also when workers or ffmpeg are killed.

my $m = MNTRTMP->new(workers => 3, renditions => '240p 144p 720p 360p',
    allow_log => qr/exited on signal 9/);
$m->start;
$m->up;

my $s = $m->camera('studio');
my $p = $m->publish($s->{key}, '480x360');
my ($r) = @{ wait_for(sub { my @r = grep { $_->{url} } @{ $m->recordings };
                            @r && \@r }, 'recorded') };
my ($dir) = $r->{url} =~ m{^(/recordings/.*)/index\.m3u8$};

sub entries {
    my ($track) = @_;
    my $x = $m->get("$dir/$track.m3u8");
    my @e = $x->{status} == 200 ? playlist_entries($x->{content}) : ();
    return @e;
}

my $index = wait_for(sub { my $x = $m->get($r->{url});
                           $x->{status} == 200 && $x->{content} },
                     'its URL is a multivariant playlist');
my %v = map { my ($uri) = /\n(\S+)/; $uri => $_ }
    $index =~ /(#EXT-X-STREAM-INF:[^\n]*\n\S+)/g;
is(join(' ', sort keys %v), '144p.m3u8 240p.m3u8 video.m3u8',
   'of the source and what is smaller than it');
like($v{'video.m3u8'}, qr/RESOLUTION=480x360/, 'with its size');
like($v{'240p.m3u8'}, qr/RESOLUTION=320x240/, 'and theirs');
for (sort keys %v) {
    like($v{$_}, qr/BANDWIDTH=\d+,AVERAGE-BANDWIDTH=\d+/, "$_: bits a second");
    like($v{$_}, qr/FRAME-RATE=15/, 'frames a second');
    like($v{$_}, qr/CODECS="avc1\.[0-9a-f]{6},mp4a\.40\.2"/, 'codecs');
}

wait_for(sub { entries('240p') >= 3 && entries('144p') >= 3 },
         'both grow while it is on the air');

my $window = $m->get("$r->{url}?window=2")->{content};
is(join(' ', sort $window =~ /^([^#\n]+)$/mg),
   join(' ', map { "$_.m3u8?window=2" } qw(144p 240p video)),
   'the last seconds of it are those of each of them');
like($m->get("$dir/240p.m3u8?window=2")->{content},
     qr/^#EXT-X-SERVER-CONTROL:.*\n#EXT-X-MEDIA-SEQUENCE:\d+\n#EXTINF/m,
     '... which they have');

# what makes them is killed, and the worker, too

my ($owner) = map { $_->[0] } @{ $m->psql(
    'SELECT e.pid FROM streamer_monitor m JOIN engine e ON e.id = m.owner'
    . " WHERE m.streamer_id = $s->{id}") };
my $killed = wait_for(sub {
    my @pid = grep { my $c = slurp("/proc/$_/cmdline") // '';
                     $c =~ /^ffmpeg\0/ && $c =~ /\Q$m->{storage}\E/ }
              map { m{/proc/(\d+)$} } glob '/proc/[0-9]*';
    return kill 'KILL', @pid;
}, 'an ffmpeg is killed');
my $n = entries('video');
wait_for(sub { entries('144p') >= $n + 2 }, 'it is made again');

for (1 .. 20) {
    last if $owner != ($m->worker_of($p) // 0)
            && $owner != ($m->worker_of(0) // 0);
    $m->stop_publisher($p);
    wait_for(sub { !$m->on_air($s) }, 'a publisher apart from the recorder');
    $p = $m->publish($s->{key}, '480x360');
    $n = entries('video');
    wait_for(sub { entries('video') > $n }, '... goes on');
}

# as if it had died before it told anybody of them, and before their first
# segments

unlink map { "$m->{storage}/" . substr("$dir/$_.m3u8", 12) }
       qw(index 240p 144p) or die $!;
kill 'KILL', $owner;
$n = entries('video');
wait_for(sub { entries('video') >= $n + 3 && entries('144p') >= $n + 3 },
         'another worker goes on with all of them');
like(wait_for(sub { my $x = $m->get($r->{url});
                    $x->{status} == 200 && $x->{content} },
              'and tells of them'),
     qr/RESOLUTION=480x360.*\nvideo\.m3u8\n.*\n240p\.m3u8\n.*\n144p\.m3u8/s,
     'what they are');

# the end

$m->stop_publisher($p);
wait_for(sub { $m->recording($r->{id})->{status} eq 'recorded' }, 'over');
my %e = map { $_ => [ entries($_) ] } qw(video 240p 144p);
for my $t (qw(240p 144p)) {
    is(scalar(@{ $e{$t} }), scalar(@{ $e{video} }), "$t has as many segments");
    is(join(' ', map { $_->{dur} . ($_->{disc} // '') } @{ $e{$t} }),
       join(' ', map { $_->{dur} . ($_->{disc} // '') } @{ $e{video} }),
       'of the same lengths');
    like($m->get("$dir/$t.m3u8")->{content}, qr/ENDLIST/, 'and its end');
}
is($m->recording($r->{id})->{gaps}, 0, 'nothing was lost');

sub first_frame {
    my ($track, $i) = @_;
    my $out = `ffprobe -v error -select_streams v -show_entries stream=height:packet=pts_time -of csv=p=0 $m->{storage}/@{[ substr $dir, 12 ]}/$e{$track}[$i]{uri}`;
    my @l = grep { /\S/ } split /\n/, $out;
    return ((sort { $a <=> $b } map { /^([\d.]+),?$/ ? $1 : () } @l[0 .. $#l - 1])[0],
            $l[-1] =~ /(\d+)/, scalar(@l) - 1);
}

for my $i (0, 1, $#{ $e{video} }) {
    my ($pts, undef, $frames) = first_frame('video', $i);
    for my $t (qw(240p 144p)) {
        my ($q, $height, $k) = first_frame($t, $i);
        cmp_ok(abs($q - $pts), '<', 0.07, "$t segment $i begins with it");
        is($k, $frames, 'and has as many frames');
        is($height, ($t =~ /(\d+)/)[0], 'in its size') if $i == 1;
    }
}

open my $fh, '-|', 'ffmpeg', '-v', 'error', '-nostdin', '-i', $m->url($r->{url}),
    '-map', '0:v', '-f', 'null', '-' or die $!;
close $fh;
is($?, 0, 'all of them play to their end');
is(join(' ', grep { /\.part$/ } file_list($m->{storage})), '', 'no part is left');
is(join(' ', grep { my $c = slurp("/proc/$_/cmdline") // '';
                    $c =~ /^ff/ && $c =~ /\Q$m->{dir}\E/ }
             map { m{/proc/(\d+)$} } glob '/proc/[0-9]*'), '', 'nor a program');
$m->finish;
