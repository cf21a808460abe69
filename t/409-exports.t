use strict;
use warnings;
use utf8;
use lib 't/lib';
use MNT;
use Encode qw(encode_utf8);
use File::Temp qw(tempdir);
use Test::More;

# LIB-06: a recording that is over becomes one MP4, all of it or a span, whatever
# the clocks of its source did and whatever is missing of it: pictures and sound
# stay together, to be seen by ffprobe and by flashes that beep.  One result is
# kept; it is downloaded under its title, which is Korean.

my $dir = tempdir('mntexport-XXXXXX', TMPDIR => 1, CLEANUP => 1);

# runs of five seconds of one clock each, which is given: a flash with a beep at
# the begin of each second

sub media {
    my ($name, $kind, @clocks) = @_;
    my $n = 0;
    my $out = "$dir/$name";
    mkdir $out;
    for my $clock (@clocks) {
        MNT::quiet('ffmpeg', '-v', 'error', '-nostdin', '-f', 'lavfi', '-i',
            "color=black:size=160x120:rate=25,drawbox=color=white:t=fill:"
            . "enable='lt(mod(t,1),0.2)'", '-f', 'lavfi', '-i',
            "aevalsrc='if(lt(mod(t,1),0.2),sin(5500*t),0)'", '-t', 5, '-c:v', 'libx264',
            '-preset', 'ultrafast', '-bf', 2, '-g', 25, '-keyint_min', 25, '-sc_threshold',
            0, '-pix_fmt', 'yuv420p', '-c:a', 'aac', '-threads', 1, '-output_ts_offset',
            $clock, '-f', 'hls', '-hls_time', 1, '-hls_list_size', 0,
            ($kind eq 'fmp4' ? ('-hls_segment_type', 'fmp4', '-hls_fmp4_init_filename',
                                'init.mp4') : ()),
            '-start_number', $n, '-hls_segment_filename', "$out/%d.ts", "$out/list.m3u8")
            or BAIL_OUT('ffmpeg makes no media');
        $n += 5;
    }
    return $out;
}

my $m = MNT->new(workers => 2, mntreamer => 'resume_window 1s; jobs 2;');
my %channel = (
    plain => { bodies => media('plain', 'ts', 10) },
    clocks => { bodies => media('clocks', 'ts', 1000, 3, 95440), disc_every => 5 },
    holes => { bodies => media('holes', 'ts', 50, 55, 60), gap => [8] },
    frames => { bodies => media('frames', 'fmp4', 7), kind => 'fmp4' },
);
my %n = (plain => 5, clocks => 15, holes => 15, frames => 5);
$m->channel($_, live => 1, manual => 1, dur => 1, target => 1, window => 30,
            title => "밤샘 방송: 「$_」 100%", %{ $channel{$_} }) for keys %channel;
$m->fault(match => '/hls/holes/seg/\w+-0-4\.', status => 404, times => -1);
$m->start;
$m->up;
$m->watch($_) for sort keys %channel;
$m->advance($_, $n{$_}) for keys %channel;
wait_for(sub { 4 == grep { $_->{segments} >= $n{$_->{channel_name}} - 2 }
               @{ $m->recordings } }, 'four are recorded', 40);
my %r = map { $_->{channel_name} => $_ } @{ $m->recordings };

my $ask = sub {
    my ($name, $body) = @_;
    return $m->call(POST => "/api/v1/recordings/$r{$name}{id}/exports", $body || {});
};
my $x = $ask->('plain');
is($x->{status}, 409, 'not while it is in progress');
like($x->{content}, qr/in progress/, '... says the answer');

$m->channel($_, live => 0, endlist => 1) for keys %channel;
wait_for(sub { 4 == grep { $_->{status} eq 'recorded' } @{ $m->recordings } },
         'all are over', 60);
%r = map { $_->{channel_name} => $m->recording($_->{id}) } @{ $m->recordings };

my $job = sub { $m->json("/api/v1/jobs/$_[0]") };
my $done = sub {
    my ($id, $what) = @_;
    my $j;
    wait_for(sub { $j = $job->($id); $j->{state} eq 'done' || $j->{state} eq 'failed' },
             "$what: it ends", 40);
    is($j->{state}, 'done', "$what: and succeeds") or diag $j->{error};
    return $j;
};
my $disk = sub { "$m->{storage}/" . ($_[0] =~ m{^/recordings/([^?]*)})[0] };

# what a player sees of a file, and when it flashes and beeps

sub look {
    my ($file) = @_;
    my %s;
    open my $fh, '-|', 'ffprobe', '-v', 'error', '-show_entries',
        'stream=codec_type,start_time,duration', '-of', 'csv=p=0', $file or die $!;
    while (<$fh>) {
        chomp;
        my ($type, $start, $length) = split /,/;
        $s{$type} = { start => $start, length => $length };
    }
    close $fh;
    open $fh, '-|', "ffmpeg -hide_banner -nostdin -nostats -i $file -vf"
        . " blackdetect=d=0.1:pix_th=0.3 -af silencedetect=n=-30dB:d=0.1 -f null - 2>&1"
        or die $!;
    my (@flash, @beep);
    while (<$fh>) {
        push @flash, $1 while /black_end:([\d.]+)/g;
        push @beep, $1 while /silence_end: ([\d.]+)/g;
    }
    close $fh;
    return { %s, flash => \@flash, beep => \@beep };
}

sub together {
    my ($file, $seconds, $what) = @_;
    my $l = look($file);
    for my $type ('video', 'audio') {
        ok($l->{$type}, "$what: it has $type") or next;
        cmp_ok(abs($l->{$type}{length} - $seconds), '<', 0.1,
               "$what: $type of $seconds s") or diag $l->{$type}{length};
    }
    cmp_ok(abs($l->{video}{start} - $l->{audio}{start}), '<', 0.1,
           "$what: they begin together");
    my ($flash, $beep) = @$l{'flash', 'beep'};
    cmp_ok(scalar @$flash, '>=', $seconds - 2, "$what: it flashes");
    my @off = grep { my $f = $_; !grep { abs($_ - $f) < 0.1 } @$beep } @$flash;
    pop @off if @off && $off[-1] > $seconds - 0.2;
    is("@off", '', "$what: and each flash has its beep") or diag "@$flash / @$beep";
    return $l;
}

my $sum = sub {
    my $s = 0;
    $s += $_->{dur} for grep { !$_->{gap} } playlist_entries($m->playlist($r{$_[0]}));
    return $s;
};

# all of it

for my $name (sort keys %channel) {
    $x = $ask->($name);
    is($x->{status}, 201, "$name: asked for");
    my $id = $x->{json}{id};
    is($x->{json}{recording_id}, $r{$name}{id}, "$name: of this recording");
    my $j = $done->($id, $name);
    cmp_ok(abs($j->{duration} - $sum->($name)), '<', 0.15, "$name: as long as it is");
    is($j->{progress}, 1, "$name: all of it");
    is(-s $disk->($j->{url}), $j->{bytes}, "$name: so many bytes");
    together($disk->($j->{url}), $sum->($name), $name);
    my $head = slurp($disk->($j->{url}));
    cmp_ok(index($head, 'moov'), '<', index($head, 'mdat'), "$name: plays at once");
    $r{$name}{job} = $j;
    $x = $ask->($name);
    is("$x->{status} $x->{json}{id}", "200 $id", "$name: again: the one that there is");
}
cmp_ok($sum->('holes'), '<', 15, 'what is missing is missing');
cmp_ok($sum->('clocks'), '==', 15, 'what is there is there');
is(join(' ', grep { /part|\.export/ } file_list($m->{storage})), '', 'nothing else is left');

# downloaded

my $j = $r{plain}{job};
my $get = $m->get($j->{url});
is($get->{status}, 200, 'it is served');
is($get->{headers}{'content-type'}, 'video/mp4', 'as what it is');
ok(!$get->{headers}{'content-disposition'}, 'to be played');
$get = $m->get($j->{download}, Range => 'bytes=0-99');
is($get->{status}, 206, 'and in pieces, to be saved');
my $d = $get->{headers}{'content-disposition'};
my ($plain, $coded) = $d =~ /^attachment; filename="([ -~]+)"; filename\*=UTF-8''([A-Za-z0-9.~_%-]+)$/
    or diag $d;
my $named = $coded =~ s/%(..)/chr hex $1/ger;
like($named, qr/^\Q@{[ encode_utf8('밤샘 방송') ]}\E.*100%.*\d{4}-\d\d-\d\d\.mp4$/, 'under its title');
unlike($named, qr{[:/\\"<>|?*\0-\x1f]}, 'which every system can keep');
like($plain, qr/^__ __.*plain.*\.mp4$/, 'or what ASCII has of it');

$m->finish;
